// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";

/**
 * Who would have to join and who to leave to come from `present` to `wanted`. Nodes are told apart by name; a
 * wanted one with a newer incarnation than the present one has to join.
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
