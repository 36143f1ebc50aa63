// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CausalStamp } from "../wire/causal_stamp.ts";

/** A message that has arrived. */
export interface HeldMessage<T> {
  /** Node that sent it. */
  readonly from: string;
  /** Its stamp. */
  readonly stamp: CausalStamp;
  /** The message itself. */
  readonly payload: T;
  /** Bytes that it counts for. */
  readonly bytes: number;
  /** Time of its arrival, in milliseconds on the local clock. */
  readonly since: number;
}

/** One message that another one waits for. */
export interface Blocker {
  /** Node that sends it. */
  readonly from: string;
  /** Its number among those to this node. */
  readonly sequence: number;
}

/**
 * Messages that came before others that they depend on. Each waits for one of those at a time, so that a delivery looks
 * only at the messages that waited for it.
 */
export class CausalBuffer<T> {
  readonly #held = new Map<string, Map<number, HeldMessage<T>>>();
  readonly #bytesOf = new Map<string, number>();
  readonly #waiting = new Map<string, Map<number, HeldMessage<T>[]>>();
  #size = 0;
  #bytes = 0;

  /** Number of messages that are held. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that they count for together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of messages of `from` that are held. */
  sizeOf(from: string): number {
    return this.#held.get(from)?.size ?? 0;
  }

  /** Bytes that the messages of `from` which are held count for. */
  bytesOf(from: string): number {
    return this.#bytesOf.get(from) ?? 0;
  }

  /** Messages that are held since a time, or for longer. */
  heldSince(time: number): HeldMessage<T>[] {
    return [...this.#held.values()].flatMap((messages) => [...messages.values()].filter(({ since }) => since <= time));
  }

  /** Whether a message is held. */
  has(from: string, sequence: number): boolean {
    return this.#held.get(from)?.has(sequence) ?? false;
  }

  /** Takes a message in, which {@linkcode CausalBuffer.wait} must follow. */
  add(message: HeldMessage<T>): void {
    const { from, stamp, bytes } = message;
    entryOf(this.#held, from, () => new Map()).set(stamp.sequence, message);
    this.#size++;
    this.#bytes += bytes;
    this.#bytesOf.set(from, this.bytesOf(from) + bytes);
  }

  /** Gives a message out, which waits for nothing any more. */
  remove({ from, stamp, bytes }: HeldMessage<T>): void {
    const messages = this.#held.get(from)!;
    messages.delete(stamp.sequence);
    this.#size--;
    this.#bytes -= bytes;
    this.#bytesOf.set(from, this.bytesOf(from) - bytes);
    if (messages.size > 0) return;
    this.#held.delete(from);
    this.#bytesOf.delete(from);
  }

  /** Lets a held message wait for another one. */
  wait(message: HeldMessage<T>, { from, sequence }: Blocker): void {
    const bySequence = entryOf(this.#waiting, from, () => new Map<number, HeldMessage<T>[]>());
    entryOf(bySequence, sequence, () => []).push(message);
  }

  /** Ends the waiting for messages of `from` above `before`, up to `sequence`. Returns those that waited, still held. */
  wake(from: string, before: number, sequence: number): HeldMessage<T>[] {
    const bySequence = this.#waiting.get(from);
    if (bySequence === undefined) return [];
    const woken: HeldMessage<T>[] = [];
    for (const awaited of within(bySequence, before, sequence)) {
      woken.push(...bySequence.get(awaited)!);
      bySequence.delete(awaited);
    }
    if (bySequence.size === 0) this.#waiting.delete(from);
    return woken;
  }

  /** Those whose messages are waited for. */
  awaited(): string[] {
    return [...this.#waiting.keys()];
  }

  /** The lowest number held of `from`; `undefined` when nothing of it is held. */
  lowest(from: string): number | undefined {
    const messages = this.#held.get(from);
    return messages && minimum(messages.keys());
  }

  /** The highest number of `from` that is waited for; 0 when none is. */
  furthestAwaited(from: string): number {
    let furthest = 0;
    for (const sequence of this.#waiting.get(from)?.keys() ?? []) furthest = Math.max(furthest, sequence);
    return furthest;
  }
}

/** The keys up to `high`, ascending, none of which is at or below `low`: by counting when that is less work than looking at every key. */
function within(map: ReadonlyMap<number, unknown>, low: number, high: number): number[] {
  const keys = high - low <= map.size
    ? Array.from({ length: high - low }, (_, index) => low + 1 + index).filter((key) => map.has(key))
    : [...map.keys()].filter((key) => key <= high);
  return keys.sort((a, b) => a - b);
}

function minimum(numbers: Iterable<number>): number {
  let least = Infinity;
  for (const number of numbers) least = Math.min(least, number);
  return least;
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
