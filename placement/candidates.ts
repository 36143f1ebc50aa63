// Copyright 2026 the Partisan peer-service authors. MIT license.

import { MembershipAttributes } from "../groups/membership_attributes.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import type { Candidate } from "../wire/rendezvous.ts";

/** The attribute by which a node says how much of the work it wants. */
const WEIGHT = "placement/weight";
/** The attribute by which a node says that it gives its work to others. */
const DRAINING = "draining";

/** Nodes that came and went among those that work may be placed on. */
export interface OwnershipChange {
  /** Names of nodes that take work now. */
  readonly joined: readonly string[];
  /** Names of nodes that take none any more. */
  readonly left: readonly string[];
}

/** Number of heartbeat intervals for which former candidates are remembered. */
const REMEMBERED = 2;

/** A change, and the nodes among which owners were chosen before it. */
export interface Transition {
  /** Time of the change, on the clock of the node. */
  readonly at: number;
  /** The nodes before it. */
  readonly former: readonly Candidate[];
  /** Those of them that are out of reach, and did not say that they go: they may still be there, and be back at once. */
  readonly vanished: ReadonlySet<string>;
}

/** The nodes that work may be placed on, as this node sees them: members that are up and do not drain, of one group if one is named. */
export class Candidates implements Disposable {
  readonly #node: PeerServiceManager;
  readonly #group: string | undefined;
  readonly #attributes: MembershipAttributes | null;
  readonly #subscriptions: Disposable[] = [];
  readonly #listeners = new Set<(change: OwnershipChange) => void>();
  readonly #changed = (): void => this.#look();
  #present: ReadonlyMap<string, Candidate>;
  #transitions: readonly Transition[] = [];
  #changedAt: number;

  constructor(node: PeerServiceManager, group: string | undefined) {
    this.#node = node;
    this.#group = group;
    this.#attributes = group === undefined ? null : MembershipAttributes.of(node, "default");
    this.#present = this.#read();
    this.#changedAt = node.runtime.clock.now();
    this.#noteArrival();
    for (const type of ["join", "leave"] as const) node.addEventListener(type, this.#changed);
    this.#subscriptions.push(
      node.onUp("*", this.#changed),
      node.onDown("*", this.#changed),
      node.onAttribute(WEIGHT, this.#changed),
      node.onAttribute(DRAINING, this.#changed),
    );
    if (group !== undefined && this.#attributes !== null) {
      this.#subscriptions.push(this.#attributes.index.listen(group, this.#changed));
    }
    node.stopSignal.addEventListener("abort", this.#changed, { once: true });
  }

  /** All of them. */
  get present(): ReadonlyMap<string, Candidate> {
    return this.#present;
  }

  /** The changes since a moment, on the clock of the node. */
  transitionsSince(moment: number): readonly Transition[] {
    return this.#transitions.filter(({ at }) => at >= moment);
  }

  /** Time of their last change, on the clock of the node. */
  get changedAt(): number {
    return this.#changedAt;
  }

  /** Has a listener told of each change. */
  listen(listener: (change: OwnershipChange) => void): Disposable {
    const own = (change: OwnershipChange) => listener(change);
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  [Symbol.dispose](): void {
    for (const type of ["join", "leave"] as const) this.#node.removeEventListener(type, this.#changed);
    this.#node.stopSignal.removeEventListener("abort", this.#changed);
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#listeners.clear();
  }

  #look(): void {
    const before = this.#present;
    const after = this.#read();
    const joined = [...after.keys()].filter((name) => !before.has(name));
    const left = [...before.keys()].filter((name) => !after.has(name));
    const isReweighted = [...after].some(([name, { weight }]) => before.get(name)?.weight !== weight);
    if (joined.length + left.length === 0 && !isReweighted) return;
    const at = this.#node.runtime.clock.now();
    this.#present = after;
    this.#changedAt = at;
    // Where this node came to more than it left behind, the others owned the keys.
    const former = joined.length >= before.size
      ? joined.flatMap((name) => after.get(name) ?? [])
      : [...before.values()];
    this.#note({ at, former, vanished: new Set(left.filter((name) => this.#hasVanished(name))) });
    for (const listener of [...this.#listeners]) listener({ joined, left });
  }

  /** A node that has only just met the others took nothing over before: they may not see it yet. */
  #noteArrival(): void {
    const { clock } = this.#node.runtime;
    const others = [...this.#present.values()].filter(({ name }) => name !== this.#node.name);
    const metAt = Math.max(...others.map(({ name }) => this.#node.memberInfo(name)?.since ?? 0));
    const at = Math.min(clock.now(), clock.now() + metAt - clock.wallTime());
    if (others.length > 0) this.#note({ at, former: others, vanished: new Set() });
  }

  #note(transition: Transition): void {
    const oldest = this.#node.runtime.clock.now() - REMEMBERED * this.#node.heartbeat.interval;
    this.#transitions = [...this.#transitions.filter(({ at }) => at >= oldest), transition];
  }

  #hasVanished(name: string): boolean {
    return !this.#node.stopSignal.aborted && this.#node.member(name) && !this.#node.isConnected(name);
  }

  #read(): ReadonlyMap<string, Candidate> {
    const node = this.#node;
    if (node.stopSignal.aborted) return new Map();
    const weights = this.#weights();
    // Attributes tell who of a group is there, also where this node is not connected with everyone.
    const down = new Set(this.#group === undefined ? node.members({ status: "down" }) : []);
    const names = [...weights.keys()].filter((name) => !down.has(name) && node.attribute(name, DRAINING) !== true);
    return new Map(names.map((name) => [name, { name, weight: weights.get(name) ?? 1 }]));
  }

  /** Weight of each node. */
  #weights(): Map<string, number> {
    if (this.#group === undefined || this.#attributes === null) {
      return new Map(this.#node.members().map((name) => [name, weightOf(this.#node.attribute(name, WEIGHT))]));
    }
    const weights = new Map<string, number>();
    for (const { node, weight } of this.#attributes.index.each(this.#group)) {
      weights.set(node, (weights.get(node) ?? 0) + weight);
    }
    return weights;
  }
}

/** Says how much of the work this node wants. */
export function setWeight(node: PeerServiceManager, weight: number): void {
  if (!(weight > 0) || !Number.isFinite(weight)) {
    throw new RangeError(`Cannot place work: weight is ${weight}, expected a number above 0`);
  }
  node.setAttribute(WEIGHT, weight);
}

function weightOf(value: unknown): number {
  return typeof value === "number" && value > 0 && Number.isFinite(value) ? value : 1;
}
