// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The members of the cluster: the specification of a node, and the replicated set of all members.
 *
 * The set is a delta-state OR-Set without tombstones, so that every replica can change it alone and all agree once they
 * have heard of each other, in whatever order and however often. `docs/membership.md` tells how it works.
 *
 * @example Changes made apart come together
 * ```ts
 * import { OrSet } from "@partisan/peer-service/membership";
 * import { assertEquals } from "@std/assert";
 *
 * const atA = OrSet.empty<string, string>().add({ actor: "a", incarnation: 1 }, "colour", "red");
 * const atB = OrSet.empty<string, string>().add({ actor: "b", incarnation: 1 }, "size", "large");
 * const both = atA.set.merge(atB.delta);
 * assertEquals([...both.keys()], ["colour", "size"]);
 * ```
 *
 * @module
 */

export { type ActorContext } from "./causal_context.ts";
export { compareDots, type Dot } from "./dot.ts";
export { type Digest, hashString } from "../wire/hash.ts";
export { type MembershipChange, MembershipSet } from "./membership_set.ts";
export { type Address } from "../wire/address.ts";
export { type ChannelSpec, type NodeSpec } from "../wire/node_spec.ts";
export { checkNodeSpec, NODE_SPEC_LIMITS } from "../wire/node_spec_check.ts";
export { OrSet, type OrSetChange, type OrSetItem, type OrSetRecord } from "./or_set.ts";
export { SortedMap, type SortedMapEntry } from "./sorted_map.ts";
