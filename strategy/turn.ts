// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { Outgoing, StrategyContext, Transition } from "./strategy.ts";

/**
 * One event on its way through a strategy: the state so far, and what is to be sent. Steps replace `state` by a new value,
 * they never change it in place, so that the strategy as a whole stays pure. Incarnations as long as the event.
 *
 * @typeParam State What the strategy remembers.
 * @typeParam Message What its nodes tell each other.
 *
 * @example One step of a strategy that counts the nodes that it has greeted
 * ```ts
 * import { Turn } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation = 1) => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * const turn = new Turn({ greeted: 0 }, { now: 0, random: () => 0.5, connected: new Set(["b"]) });
 * turn.set({ greeted: turn.state.greeted + 1 });
 * turn.send(spec("b"), { type: "hello" });
 * assertEquals(turn.state, { greeted: 1 });
 * assertEquals(turn.outgoing, [{ to: spec("b"), message: { type: "hello" } }]);
 * ```
 */
export class Turn<State, Message = unknown> implements Transition<State> {
  /** The state after the steps that were taken. */
  state: State;
  /** The messages of the steps that were taken. */
  readonly outgoing: Outgoing[] = [];
  /** Context that the strategy may use in addition to its state. */
  readonly context: StrategyContext;

  /** Begins with the state before the event. */
  constructor(state: State, context: StrategyContext) {
    this.state = state;
    this.context = context;
  }

  /** Replaces some parts of the state. */
  set(parts: Partial<State>): void {
    this.state = { ...this.state, ...parts };
  }

  /** Sends `message` to the strategy on `to`. */
  send(to: NodeSpec, message: Message): void {
    this.outgoing.push({ to, message });
  }
}
