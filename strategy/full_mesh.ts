// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions, NUMBER, type OptionKinds } from "../runtime/options.ts";
import { sample } from "../runtime/sample.ts";
import { gossipFromValue, type GossipMessage } from "../gossip/gossip_message.ts";
import { MembershipSet } from "../membership/membership_set.ts";
import { memberSince, type NodeSpec } from "../wire/node_spec.ts";
import { checkInteger } from "../wire/node_spec_check.ts";
import { answer, askToJoin, connectedPeers, flood, tell, welcomeAll } from "./full_mesh_answers.ts";
import { fullMeshFromSnapshot, fullMeshToSnapshot } from "./full_mesh_snapshot.ts";
import { forgetAbsent, type FullMeshState, isMember, withSet } from "./full_mesh_state.ts";
import type { IncarnationEnd, Strategy, StrategyContext, Transition } from "./strategy.ts";

/** Options of {@linkcode fullMesh}. */
export interface FullMeshOptions {
  /**
   * Number of random peers with which each node compares digests in a gossip interval, 1 to 100. News that missed a node reach everyone
   * within about log₂ N intervals with 2. The option `gossip.fanout` of a node is for the strategy that it has by default, and says nothing here.
   *
   * @default {2}
   */
  readonly fanout?: number | undefined;
  /**
   * Time, in milliseconds, for which a node remembers that another one has left. Only while a node remembers is a node that was
   * cut off all the time told so when it comes back with the old news.
   *
   * @default {86_400_000} (a day)
   */
  readonly forgetAfter?: number | undefined;
  /**
   * Most members that a node believes in, 2 to 60,000, itself included. Further ones are ignored, so that no member can make them up without
   * end.
   *
   * @default {10_000}
   */
  readonly membersMax?: number | undefined;
}

/** Kinds of the options of {@linkcode fullMesh}. */
export const FULL_MESH_KINDS: OptionKinds<FullMeshOptions> = {
  fanout: NUMBER,
  forgetAfter: NUMBER,
  membersMax: NUMBER,
};

/**
 * The strategy in which everyone knows everyone and keeps connections with all: one hop to any node.
 *
 * A change is told once to every connected peer by the node where it happened; whatever that misses is found by
 * comparing digests with a few random peers each interval and repaired by sending what differs. How, and
 * why it ends well: `docs/membership.md`.
 *
 * @param options Amount of gossip, and time to remember departures.
 * @returns The strategy, the same for any number of nodes: it keeps nothing in itself.
 * @throws {TypeError} When an option has another kind of value, or a name that is not known.
 * @throws {RangeError} When an option is out of range.
 *
 * @example A cluster of two, by hand
 * ```ts
 * import { fullMesh } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string) => ({
 *   name,
 *   incarnation: 1,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * const context = { now: 0, random: () => 0.5, connected: new Set(["a", "b"]) };
 * const strategy = fullMesh();
 * let a = strategy.init(spec("a"), context).state;
 * let b = strategy.init(spec("b"), context).state;
 *
 * const [join] = strategy.join(b, spec("a"), context).outgoing;
 * const atA = strategy.handleMessage(a, spec("b"), join?.message, context);
 * a = atA.state;
 * b = strategy.handleMessage(b, spec("a"), atA.outgoing[0]?.message, context).state;
 *
 * assertEquals(strategy.members(a).map((member) => member.name), ["a", "b"]);
 * assertEquals(strategy.members(a), strategy.members(b));
 * ```
 */
export function fullMesh(options: FullMeshOptions = {}): Strategy<FullMeshState> {
  const { fanout = 2, forgetAfter = 86_400_000, membersMax = 10_000 } = checkOptions(
    'Cannot use the strategy "full-mesh"',
    options,
    FULL_MESH_KINDS,
  );
  return new FullMesh(
    checkInteger(fanout, "fanout", 1, 100),
    checkInteger(forgetAfter, "forgetAfter", 0, Number.MAX_SAFE_INTEGER),
    checkInteger(membersMax, "membersMax", 2, 60_000),
  );
}

/** For each of the fan-out, how many members that come back are sent a digest in an interval, and how many digests answered. */
const QUESTIONS_PER_FANOUT = 2;
const ANSWERS_PER_FANOUT = 4;

class FullMesh implements Strategy<FullMeshState> {
  readonly name = "full-mesh";
  readonly isFullMesh = true;
  readonly knowsAll = true;
  readonly #fanout: number;
  readonly #forgetAfter: number;
  readonly #membersMax: number;

  constructor(fanout: number, forgetAfter: number, membersMax: number) {
    this.#fanout = fanout;
    this.#forgetAfter = forgetAfter;
    this.#membersMax = membersMax;
  }

  init(self: NodeSpec, { now }: StrategyContext, snapshot?: unknown): Transition<FullMeshState> {
    const none = MembershipSet.empty();
    const nothing = { set: none, absentSince: new Map<string, number>(), farewell: none };
    const known = snapshot === undefined ? nothing : fullMeshFromSnapshot(snapshot, now);
    const hasLeft = known.set.newest(self.name) !== undefined && !known.set.has(self.name);
    const { set, absentSince } = hasLeft ? nothing : known;
    const state = {
      self,
      set: set.add(self).set,
      away: new Set(set.others(self.name).map(({ name }) => name)),
      absentSince,
      farewell: hasLeft ? known.set.only([self.name]) : known.farewell,
      asked: new Set<string>(),
      joiners: [],
      untold: [],
      welcomedAt: -Infinity,
      membersMax: this.#membersMax,
      ...this.#allowance(),
    };
    return quiet(state);
  }

  join(state: FullMeshState, peer: NodeSpec): Transition<FullMeshState> {
    if (peer.name === state.self.name) return quiet(state);
    return { state: { ...state, asked: new Set(state.asked).add(peer.name) }, outgoing: askToJoin(state, peer) };
  }

  leave(before: FullMeshState, { name }: NodeSpec, context: StrategyContext): Transition<FullMeshState> {
    const leaver = before.set.get(name);
    if (leaver === undefined) return quiet(before);
    const { state, outgoing } = welcomeAll(before, context);
    const { set, delta } = state.set.leave(name);
    const others = connectedPeers(state, context).filter((peer) => peer.name !== name);
    const told = flood(name === state.self.name ? others : [...others, leaver], delta);
    return { state: withSet(state, set, [name], context.now), outgoing: [...outgoing, ...told] };
  }

  evict(state: FullMeshState, { name }: NodeSpec, context: StrategyContext): Transition<FullMeshState> {
    const evicted = state.set.get(name);
    if (evicted === undefined || name === state.self.name) return quiet(state);
    const { since: _, ...spec } = evicted;
    // What is removed is an incarnation that the node never had: it hears of an end that it need not believe, and takes a later one.
    const ended = state.set.add({ ...spec, incarnation: spec.incarnation + 1 }).set;
    const { set, delta } = ended.leave(name);
    const others = connectedPeers(state, context).filter((peer) => peer.name !== name);
    return { state: withSet(state, set, [name], context.now), outgoing: flood(others, delta) };
  }

  up(state: FullMeshState, peer: NodeSpec): Transition<FullMeshState> {
    const known = state.set.newest(peer.name);
    if (known === undefined || !isMember(state)) return quiet(state);
    if (!state.set.has(peer.name)) {
      if (known.incarnation < memberSince(peer)) return quiet(state);
      return { state, outgoing: [tell(peer, { kind: "delta", delta: state.set.only([peer.name]), wanted: [] })] };
    }
    if (!state.away.has(peer.name) && known.incarnation >= peer.incarnation) return quiet(state);
    const away = new Set(state.away);
    away.delete(peer.name);
    const outgoing = [tell(peer, { kind: "delta", delta: state.set.only([state.self.name]), wanted: [] })];
    if (state.questionsLeft === 0) return { state: { ...state, away }, outgoing };
    outgoing.push(tell(peer, { kind: "digest", digest: state.set.digest() }));
    return { state: { ...state, away, questionsLeft: state.questionsLeft - 1 }, outgoing };
  }

  down(state: FullMeshState, { name }: NodeSpec): Transition<FullMeshState> {
    if (!state.set.has(name) || state.away.has(name)) return quiet(state);
    return quiet({ ...state, away: new Set(state.away).add(name) });
  }

  catchUp(state: FullMeshState, context: StrategyContext): Transition<FullMeshState> {
    return welcomeAll(state, context);
  }

  periodic(state: FullMeshState, context: StrategyContext): Transition<FullMeshState> {
    const next = forgetAbsent(state, this.#forgetAfter, context.now);
    const { questionsLeft, answersLeft } = this.#allowance();
    const isRested = next.questionsLeft === questionsLeft && next.answersLeft === answersLeft;
    const rested = isRested ? next : { ...next, questionsLeft, answersLeft };
    if (!isMember(rested)) return quiet(rested);
    const message: GossipMessage = { kind: "digest", digest: rested.set.digest() };
    const chosen = sample(connectedPeers(rested, context), this.#fanout, context.random);
    return { state: rested, outgoing: chosen.map((peer) => tell(peer, message)) };
  }

  handleMessage(
    state: FullMeshState,
    from: NodeSpec,
    message: unknown,
    context: StrategyContext,
  ): Transition<FullMeshState> {
    return answer(state, from, gossipFromValue(message), context);
  }

  prune(state: FullMeshState, nodes: readonly NodeSpec[]): Transition<FullMeshState> {
    let { set } = state;
    const away = new Set(state.away);
    const absentSince = new Map(state.absentSince);
    for (const { name } of nodes) {
      set = set.forget(name);
      away.delete(name);
      absentSince.delete(name);
    }
    return quiet(set === state.set ? state : { ...state, set, away, absentSince });
  }

  members(state: FullMeshState): readonly NodeSpec[] {
    return state.set.members;
  }

  peers(state: FullMeshState): readonly NodeSpec[] {
    return state.set.others(state.self.name);
  }

  endOf({ set }: FullMeshState, { name, incarnation }: NodeSpec): IncarnationEnd | undefined {
    const newest = set.newest(name);
    if (newest === undefined || newest.incarnation < incarnation) return undefined;
    const isRemoval = !set.has(name);
    return isRemoval || newest.incarnation > incarnation ? { incarnation: newest.incarnation, isRemoval } : undefined;
  }

  snapshot(state: FullMeshState, isKept: (node: NodeSpec) => boolean = () => true): unknown {
    return fullMeshToSnapshot(state, isKept);
  }

  #allowance(): Pick<FullMeshState, "questionsLeft" | "answersLeft"> {
    return { questionsLeft: QUESTIONS_PER_FANOUT * this.#fanout, answersLeft: ANSWERS_PER_FANOUT * this.#fanout };
  }
}

function quiet(state: FullMeshState): Transition<FullMeshState> {
  return { state, outgoing: [] };
}
