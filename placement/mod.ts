// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Placement: the node that owns a key, and tasks that run on one node.
 *
 * @example The owner of a key
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { Placement } from "@partisan/peer-service/placement";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * assertEquals(new Placement(node).owner("user-1"), "a");
 * ```
 *
 * @module
 */

export { type OwnershipChange } from "./candidates.ts";
export { type CallOwnerOptions, Placement, type PlacementOptions } from "./placement.ts";
export { type Lease, type OneTask, type RunOnOneOptions } from "./run_on_one.ts";
