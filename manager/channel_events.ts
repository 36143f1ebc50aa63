// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../runtime/runtime.ts";
import type { Emit } from "./events.ts";

/**
 * Tells by events which channels of a node that is up can be used. A channel that is lost for a moment only, because its connection is
 * replaced, is not told of; nor is one that goes down with its node, which is told of once.
 */
export class ChannelEvents {
  readonly #clock: Pick<Clock, "schedule">;
  readonly #grace: number;
  readonly #emit: Emit;
  /** Channels of which was told last that they are up, by node. */
  readonly #told = new Map<string, string[]>();
  readonly #lost = new Map<string, Map<string, Timer>>();

  /** @param grace Milliseconds in which a lost connection may be replaced. */
  constructor(clock: Pick<Clock, "schedule">, grace: number, emit: Emit) {
    this.#clock = clock;
    this.#grace = grace;
    this.#emit = emit;
  }

  /** A channel has all its connections. */
  up(node: string, channel: string): void {
    const lost = this.#lost.get(node);
    lost?.get(channel)?.cancel();
    lost?.delete(channel);
    const told = this.#told.get(node);
    if (told === undefined) this.#told.set(node, [channel]);
    else if (told.includes(channel)) return;
    else told.push(channel);
    this.#emit("up", { node, channel });
  }

  /**
   * A channel has lost its last connection.
   *
   * @param mute Whether that was found to carry nothing: then it is told of at once, as what was sent may be lost.
   */
  down(node: string, channel: string, mute = false): void {
    let lost = this.#lost.get(node);
    if (lost === undefined) this.#lost.set(node, lost = new Map());
    lost.get(channel)?.cancel();
    const tell = () => {
      lost.delete(channel);
      const told = this.#told.get(node) ?? [];
      const index = told.indexOf(channel);
      if (index < 0) return;
      told.splice(index, 1);
      this.#emit("down", { node, channel });
    };
    if (mute) return tell();
    lost.set(channel, this.#clock.schedule(this.#grace, tell));
  }

  /** A node is down, and its channels with it. */
  nodeDown(node: string): void {
    for (const timer of this.#lost.get(node)?.values() ?? []) timer.cancel();
    this.#lost.delete(node);
    this.#told.delete(node);
  }

  /** Tells nothing any more. */
  stop(): void {
    for (const node of [...this.#lost.keys()]) this.nodeDown(node);
  }
}
