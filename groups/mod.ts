// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Roles of nodes: groups of members on any nodes, presence, names with one owner, a replicated map, and a broadcast channel for the whole cluster.
 *
 * @example A group, and a message to all of its members
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { Groups } from "@partisan/peer-service/groups";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * const groups = new Groups(node);
 * const heard = Promise.withResolvers<unknown>();
 * using _member = groups.join("news", { handler: (message) => heard.resolve(message) });
 *
 * groups.publish("news", "hello");
 * assertEquals(await heard.promise, "hello");
 * ```
 *
 * @module
 */

export { type GroupChange, type GroupEntry } from "./group_entry.ts";
export {
  type GroupCallOptions,
  type GroupJoinOptions,
  type GroupMembership,
  Groups,
  type GroupsOptions,
  type PublishOptions,
} from "./groups.ts";
export { type ConflictListener } from "./name_claims.ts";
export { NameLostError, NameTakenError } from "./name_errors.ts";
export { type NameHolder } from "./name_holder.ts";
export { type NameClaim, Names, type NamesOptions } from "./names.ts";
export { type Pick } from "./picking.ts";
export { type BroadcastListener, ClusterBroadcastChannel } from "./cluster_broadcast_channel.ts";
export { Presence, type PresenceChange, type PresenceOptions } from "./presence.ts";
export { SharedMap, type SharedMapChange, type SharedMapOptions } from "./shared_map.ts";
