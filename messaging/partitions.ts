// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { Step } from "../runtime/step.ts";
import { isPrintable } from "../wire/node_spec_check.ts";

/** Names an injected partition, everywhere in the cluster. */
export type PartitionReference = string;

/** One peer that an injected partition cuts this node off from. */
export interface PartitionEntry {
  /** The partition. */
  readonly reference: PartitionReference;
  /** Name of the peer. */
  readonly peer: string;
}

/**
 * Messages about injected partitions, which pass all partitions:
 *
 * - `seek`: passed on until it reaches its origin, `hops` at most.
 * - `mark`: cut yourself off from all your peers, and have those within `ttl` hops do the same.
 * - `marked`: the origin has done so.
 * - `resolve`: the partition is over.
 * - `refused`: the sender does not let others cut it off; why.
 */
export type PartitionMessage =
  | readonly ["seek", PartitionReference, origin: string, ttl: number, hops: number]
  | readonly ["mark", PartitionReference, ttl: number]
  | readonly ["marked", PartitionReference]
  | readonly ["resolve", PartitionReference]
  | readonly ["refused", PartitionReference, reason: string];

/**
 * Events of injected partitions:
 *
 * - `changed`: these peers are cut off now and were not before, or the other way round.
 * - `marked`: the origin has set the partition up.
 * - `refused`: the origin does not set it up; why.
 */
export type PartitionEvent =
  | { readonly type: "changed"; readonly peers: readonly string[] }
  | { readonly type: "marked"; readonly reference: PartitionReference }
  | { readonly type: "refused"; readonly reference: PartitionReference; readonly reason: string };

/** Answer to a partition message: what to send and tell, apart from the new state. */
export type PartitionStep = Step<PartitionMessage, PartitionEvent>;

/** Partitions that are remembered as over, so that a late message does not bring them back. */
const RESOLVED_MAX = 1_024;

/** Partitions that may be in force at a time. */
const ACTIVE_MAX = 1_024;

/** Characters of a reason. */
const REASON_MAX = 1_024;

const NOTHING: PartitionStep = { outgoing: [], events: [] };

/** The injected partitions that concern this node. */
export class Partitions {
  readonly #self: () => string;
  readonly #isAllowed: boolean;
  readonly #cut = new Map<PartitionReference, { ttl: number; peers: Set<string> }>();
  readonly #sought = new Set<PartitionReference>();
  readonly #resolved = new Set<PartitionReference>();

  /**
   * @param self Name of this node.
   * @param isAllowed Whether others may cut this node off.
   */
  constructor(self: () => string, isAllowed = true) {
    this.#self = self;
    this.#isAllowed = isAllowed;
  }

  /** Every cut, sorted by reference and peer. */
  list(): PartitionEntry[] {
    const entries = [...this.#cut].flatMap(([reference, { peers }]) => [...peers].map((peer) => ({ reference, peer })));
    return entries.sort((a, b) => compare(a.reference, b.reference) || compare(a.peer, b.peer));
  }

  /** Whether any partition lies between this node and a peer. */
  separates(peer: string): boolean {
    for (const { peers } of this.#cut.values()) if (peers.has(peer)) return true;
    return false;
  }

  /**
   * Takes a message, from `from` or from this node itself.
   *
   * @param peers Names of the peers that this node has connections with now.
   */
  receive(from: string, message: PartitionMessage, peers: readonly string[]): PartitionStep {
    const reference = message[1];
    if (message[0] === "resolve") return this.#resolve(reference, peers.filter((peer) => peer !== from));
    if (this.#resolved.has(reference)) return NOTHING;
    if (message[0] === "marked") return { outgoing: [], events: [{ type: "marked", reference }] };
    if (message[0] === "refused") return { outgoing: [], events: [{ type: "refused", reference, reason: message[2] }] };
    if (this.#isRefused(from, message)) return this.#refuse(from, reference, peers);
    if (message[0] === "mark") return this.#mark(reference, message[2], peers);
    return this.#seek(from, message, peers);
  }

  #isRefused(from: string, message: PartitionMessage): boolean {
    if (this.#isAllowed || from === this.#self()) return false;
    return message[0] === "mark" || (message[0] === "seek" && message[2] === this.#self());
  }

  #refuse(from: string, reference: PartitionReference, peers: readonly string[]): PartitionStep {
    const reason = `"${this.#self()}" lets no other node inject faults: "allow.faultInjection" is false`;
    const to = peers.filter((peer) => peer === from);
    return { outgoing: toEach(to, ["refused", reference, reason]), events: [] };
  }

  #seek(from: string, message: PartitionMessage & { 0: "seek" }, peers: readonly string[]): PartitionStep {
    const [, reference, origin, ttl, hops] = message;
    if (origin === this.#self()) {
      const step = this.#mark(reference, ttl, peers);
      const answer = toEach(peers.filter((peer) => peer === from), ["marked", reference]);
      return { outgoing: [...step.outgoing, ...answer], events: [...step.events, { type: "marked", reference }] };
    }
    if (hops <= 0 || this.#sought.has(reference)) return NOTHING;
    remember(this.#sought, reference, RESOLVED_MAX);
    const to = peers.includes(origin) ? [origin] : peers.filter((peer) => peer !== from);
    return { outgoing: toEach(to, ["seek", reference, origin, ttl, hops - 1]), events: [] };
  }

  #mark(reference: PartitionReference, ttl: number, peers: readonly string[]): PartitionStep {
    const known = this.#cut.get(reference);
    if (known !== undefined && known.ttl >= ttl) return NOTHING;
    if (known === undefined && this.#cut.size >= ACTIVE_MAX) return NOTHING;
    const before = known?.peers ?? new Set();
    const changed = peers.filter((peer) => !this.separates(peer));
    this.#cut.set(reference, { ttl, peers: new Set([...before, ...peers]) });
    return { outgoing: ttl > 0 ? toEach(peers, ["mark", reference, ttl - 1]) : [], events: changesOf(changed) };
  }

  #resolve(reference: PartitionReference, peers: readonly string[]): PartitionStep {
    if (this.#resolved.has(reference)) return NOTHING;
    remember(this.#resolved, reference, RESOLVED_MAX);
    const cut = this.#cut.get(reference)?.peers ?? new Set<string>();
    this.#cut.delete(reference);
    const to = [...new Set([...peers, ...cut])];
    const changed = [...cut].filter((peer) => !this.separates(peer));
    return { outgoing: toEach(to, ["resolve", reference]), events: changesOf(changed) };
  }
}

function toEach(peers: readonly string[], message: PartitionMessage): PartitionStep["outgoing"] {
  return peers.map((to) => ({ to, message }));
}

function changesOf(peers: readonly string[]): PartitionStep["events"] {
  return peers.length === 0 ? [] : [{ type: "changed", peers }];
}

/**
 * Checks a message that came from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function checkPartitionMessage(value: unknown): PartitionMessage {
  if (!Array.isArray(value)) throw malformed();
  const [kind, reference, ...rest] = value;
  const isCount = (count: unknown) => isIntegerIn(count, 0, 255);
  const valid = typeof reference === "string" && reference.length <= 64 && (
    kind === "seek"
      ? rest.length === 3 && isName(rest[0]) && isCount(rest[1]) && isCount(rest[2])
      : kind === "mark"
      ? rest.length === 1 && isCount(rest[0])
      : kind === "refused"
      ? rest.length === 1 && typeof rest[0] === "string" && rest[0].length <= REASON_MAX && isPrintable(rest[0])
      : (kind === "marked" || kind === "resolve") && rest.length === 0
  );
  if (!valid) throw malformed();
  // What was checked above is more than its type says.
  return value as unknown as PartitionMessage;
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length <= 255;
}

function malformed(): TypeError {
  return new TypeError("Cannot read a partition message: it is malformed");
}

/** Adds to a set that forgets its oldest members. */
function remember<T>(set: Set<T>, value: T, most: number): void {
  set.add(value);
  forgetOldest(set, most);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
