// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "./address.ts";

/** The part of a channel's options that both ends must know. */
export interface ChannelSpec {
  /** Connections per pair of nodes, 1 to 64. */
  readonly parallelism: number;
  /** Whether a newer message may supersede queued older ones. */
  readonly monotonic: boolean;
  /** Whether large batches are deflated. */
  readonly compression: boolean;
}

/** One incarnation of a node. */
export interface NodeIncarnation {
  /** Its name. */
  readonly name: string;
  /** Incarnation of that name: see `NodeSpec.incarnation`. */
  readonly incarnation: number;
}

/** Specification of a node, which the node tells others. A plain value: MessagePack carries it as it is. */
export interface NodeSpec {
  /** Unique in the cluster, such as `"a@127.0.0.1"`. 1 to 255 UTF-16 code units. */
  readonly name: string;
  /**
   * Incarnation of that name: milliseconds since the epoch at its start, and always above that of every earlier incarnation. A
   * safe integer.
   */
  readonly incarnation: number;
  /**
   * Incarnation with which the membership began, where this incarnation went on with the stored state of an earlier one. The
   * removal of an incarnation removes those that go on with it, even when it hears of them only later.
   */
  readonly since?: number;
  /** Its public key, 32 bytes, which it proves at each connection; in clusters with a secret. One incarnation of a name has one key. */
  readonly key?: Uint8Array;
  /** Addresses at which it can be dialed, in order of preference. */
  readonly addresses: readonly Address[];
  /** Its channels by name; `"default"` and `"membership"` are always among them. */
  readonly channels: Readonly<Record<string, ChannelSpec>>;
  /** Anything that MessagePack can carry, such as a zone or a tag. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The incarnation with which a node's membership began: its own, or that of the first incarnation that it goes on with. */
export function memberSince({ since, incarnation }: Pick<NodeSpec, "since" | "incarnation">): number {
  return since ?? incarnation;
}

/** Whether a node shows another key than the one that has had its name, at this incarnation, from the first. */
export function hasOtherKey(spec: NodeSpec, known: NodeSpec): boolean {
  if (spec.incarnation !== known.incarnation || known.key === undefined) return false;
  return spec.key === undefined || known.key.some((byte, at) => byte !== spec.key![at]);
}

/** Whether a node is said to be at other addresses, or to have another key, than it is known to at this incarnation. */
export function isElsewhere(spec: NodeSpec, known: NodeSpec): boolean {
  if (spec.incarnation !== known.incarnation) return false;
  return hasOtherKey(spec, known) || spec.addresses.length !== known.addresses.length ||
    spec.addresses.some(({ hostname, port }, index) =>
      hostname !== known.addresses[index]!.hostname || port !== known.addresses[index]!.port
    );
}
