// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";

/**
 * Nodes that would have to join and to leave to come from `present` to `wanted`. Nodes are told apart by name; a wanted one
 * with a newer incarnation than the present one has to join.
 *
 * @example One is missing, one is too many
 * ```ts
 * import { compareMembers } from "@partisan/peer-service/strategy";
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
 * const { joiners, leavers } = compareMembers([spec("a"), spec("b")], [spec("a"), spec("c")]);
 * assertEquals([joiners, leavers], [[spec("c")], [spec("b")]]);
 * ```
 */
export function compareMembers(
  present: readonly NodeSpec[],
  wanted: readonly NodeSpec[],
): { readonly joiners: readonly NodeSpec[]; readonly leavers: readonly NodeSpec[] } {
  const incarnations = new Map(present.map((node) => [node.name, node.incarnation]));
  const names = new Set(wanted.map((node) => node.name));
  return {
    joiners: wanted.filter((node) => node.incarnation > (incarnations.get(node.name) ?? -1)),
    leavers: present.filter((node) => !names.has(node.name)),
  };
}
