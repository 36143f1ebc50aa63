// Copyright 2026 the Partisan peer-service authors. MIT license.

import { abortable } from "../../runtime/abortable.ts";
import type { Clock } from "../../runtime/runtime.ts";

/** One of a peer's connections. */
export type DialedSlot = readonly [peer: string, channel: string, index: number];

interface Dial<T> {
  readonly began: number;
  readonly result: Promise<T>;
}

/** Dials under way. Callers that want the same connection wait for the same dial: of two, one would have to give way to the other. */
export class SharedDials<T> {
  readonly #clock: Clock;
  readonly #dials = new Map<string, Dial<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Joins the dial of a slot under way, or begins one.
   *
   * @param slot Name of the peer, channel and index.
   * @param begin Dials, and gives up itself when `signal` is aborted.
   * @throws The reason of `signal`, once that is aborted.
   */
  join(slot: DialedSlot, begin: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const key = keyOf(slot);
    const running = this.#dials.get(key);
    if (running !== undefined) return signal === undefined ? running.result : abortable(running.result, signal);
    const result = begin();
    const dial: Dial<T> = { began: this.#clock.now(), result };
    this.#dials.set(key, dial);
    const end = () => void (this.#dials.get(key) === dial && this.#dials.delete(key));
    result.then(end, end);
    return result;
  }

  /** Whether a dial is under way that began less than `milliseconds` ago. */
  hasJustBegun(slot: DialedSlot, milliseconds: number): boolean {
    const dial = this.#dials.get(keyOf(slot));
    return dial !== undefined && this.#clock.now() - dial.began < milliseconds;
  }

  /** Lets no caller join the dials under way any more. */
  forget(): void {
    this.#dials.clear();
  }
}

/** A key that no two slots share, whatever is in the names. */
function keyOf([peer, channel, index]: DialedSlot): string {
  return `${index} ${channel.length} ${channel}${peer}`;
}
