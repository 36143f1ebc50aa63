// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { compareMembers } from "../../strategy/compare_members.ts";
import type { Outgoing, Strategy, StrategyContext, Transition } from "../../strategy/strategy.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { freeze, render } from "./render.ts";

/** A strategy's state, and whose it is. */
export interface WatchedState<State> {
  readonly self: NodeSpec;
  readonly inner: State;
}

/** A call of one of the strategy's functions that answer to an event. */
type Step<State> = (strategy: Strategy<State>, state: State, context: StrategyContext) => Transition<State>;

/**
 * Another strategy, each step of which is checked. Messages and snapshots go through MessagePack, as they do on the wire
 * and on the disk.
 */
export class WatchedStrategy<State> implements Strategy<WatchedState<State>> {
  readonly name: string;
  readonly prune?: NonNullable<Strategy<WatchedState<State>>["prune"]>;
  readonly #inner: Strategy<State>;
  readonly #isThorough: boolean;

  /** @param isThorough Whether each step is taken twice and compared, which is slow. */
  constructor(inner: Strategy<State>, isThorough: boolean) {
    this.name = inner.name;
    this.#inner = inner;
    this.#isThorough = isThorough;
    const prune = inner.prune?.bind(inner);
    if (prune === undefined) return;
    this.prune = (state, nodes, context) =>
      this.#step("prune()", state, context, (_, inner, context) => prune(inner, nodes, context));
  }

  init(self: NodeSpec, context: StrategyContext, snapshot?: unknown): Transition<WatchedState<State>> {
    freeze(snapshot);
    const transition = this.#take("init()", context, (context) => this.#inner.init(self, context, snapshot));
    return this.#checked("init()", self, transition);
  }

  join(state: WatchedState<State>, peer: NodeSpec, context: StrategyContext): Transition<WatchedState<State>> {
    return this.#step("join()", state, context, (strategy, inner, context) => strategy.join(inner, peer, context));
  }

  leave(state: WatchedState<State>, node: NodeSpec, context: StrategyContext): Transition<WatchedState<State>> {
    return this.#step("leave()", state, context, (strategy, inner, context) => strategy.leave(inner, node, context));
  }

  up(state: WatchedState<State>, peer: NodeSpec, context: StrategyContext): Transition<WatchedState<State>> {
    return this.#step("up()", state, context, (strategy, inner, context) => strategy.up(inner, peer, context));
  }

  down(state: WatchedState<State>, peer: NodeSpec, context: StrategyContext): Transition<WatchedState<State>> {
    return this.#step("down()", state, context, (strategy, inner, context) => strategy.down(inner, peer, context));
  }

  periodic(state: WatchedState<State>, context: StrategyContext): Transition<WatchedState<State>> {
    return this.#step("periodic()", state, context, (strategy, inner, context) => strategy.periodic(inner, context));
  }

  handleMessage(
    state: WatchedState<State>,
    from: NodeSpec,
    message: unknown,
    context: StrategyContext,
  ): Transition<WatchedState<State>> {
    const step: Step<State> = (strategy, inner, context) => strategy.handleMessage(inner, from, message, context);
    return this.#step("handleMessage()", state, context, step);
  }

  compare(
    { inner }: WatchedState<State>,
    wanted: readonly NodeSpec[],
  ): { readonly joiners: readonly NodeSpec[]; readonly leavers: readonly NodeSpec[] } {
    return this.#inner.compare?.(inner, wanted) ?? compareMembers(this.#inner.members(inner), wanted);
  }

  /** Also for a strategy that leaves it out: such a one has a slot for everyone. */
  reserve(state: WatchedState<State>, tag: string): WatchedState<State> | null {
    const { self, inner } = state;
    if (this.#inner.reserve === undefined) return state;
    const before = this.#picture(inner);
    const reserved = this.#inner.reserve(inner, tag);
    if (this.#picture(inner) !== before) {
      throw new Error("reserve() changes the state that it is given, instead of returning another one");
    }
    return reserved === null ? null : this.#checked("reserve()", self, { state: reserved, outgoing: [] }).state;
  }

  members({ inner }: WatchedState<State>): readonly NodeSpec[] {
    return this.#inner.members(inner);
  }

  hasLeft({ inner }: WatchedState<State>, node: NodeSpec): boolean {
    return this.#inner.hasLeft?.(inner, node) ?? this.#inner.members(inner).every(({ name }) => name !== node.name);
  }

  peers({ inner }: WatchedState<State>): readonly NodeSpec[] {
    return this.#inner.peers(inner);
  }

  snapshot({ inner }: WatchedState<State>): unknown {
    return decode(encode(this.#inner.snapshot(inner)));
  }

  #step(
    what: string,
    { self, inner }: WatchedState<State>,
    context: StrategyContext,
    step: Step<State>,
  ): Transition<WatchedState<State>> {
    const before = this.#isThorough ? this.#picture(inner) : "";
    const transition = this.#take(what, context, (context) => step(this.#inner, inner, context));
    if (this.#isThorough && this.#picture(inner) !== before) {
      throw new Error(`${what} changes the state that it is given, instead of returning another one`);
    }
    return this.#checked(what, self, transition);
  }

  /** Makes a call; when thorough, twice, with the same chance. */
  #take(
    what: string,
    context: StrategyContext,
    call: (context: StrategyContext) => Transition<State>,
  ): Transition<State> {
    if (!this.#isThorough) return call(context);
    const drawn: number[] = [];
    const record = () => {
      const number = context.random();
      drawn.push(number);
      return number;
    };
    const first = call({ ...context, connected: new Set(context.connected), random: record });
    let next = 0;
    const second = call({ ...context, connected: new Set(context.connected), random: () => drawn[next++] ?? 0 });
    const isSame = next === drawn.length && render(first.outgoing) === render(second.outgoing) &&
      this.#picture(first.state) === this.#picture(second.state);
    if (!isSame) throw new Error(`${what} answers differently when it is called twice with the same arguments`);
    return first;
  }

  /** All that can be seen of a state. */
  #picture(state: State): string {
    return render([state, this.#inner.members(state), this.#inner.peers(state), this.#inner.snapshot(state)]);
  }

  #checked(what: string, self: NodeSpec, { state, outgoing }: Transition<State>): Transition<WatchedState<State>> {
    freeze(state);
    const members = namesOf(`members() after ${what}`, this.#inner.members(state));
    const peers = namesOf(`peers() after ${what}`, this.#inner.peers(state));
    if (peers.has(self.name)) throw new Error(`peers() after ${what} has "${self.name}", which is the node itself`);
    for (const peer of peers) {
      if (!members.has(peer)) throw new Error(`peers() after ${what} has "${peer}", which is not in members()`);
    }
    return { state: { self, inner: state }, outgoing: outgoing.map((message) => checkedOutgoing(what, self, message)) };
  }
}

function namesOf(what: string, nodes: readonly NodeSpec[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name } of nodes) {
    if (names.has(name)) throw new Error(`${what} has "${name}" twice`);
    names.add(name);
  }
  return names;
}

function checkedOutgoing(what: string, self: NodeSpec, { to, message }: Outgoing): Outgoing {
  if (to.name === self.name) throw new Error(`${what} sends a message to "${self.name}", which is the node itself`);
  const received = decode(encode(message));
  freeze(received);
  return { to, message: received };
}
