// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MembershipSet } from "../membership/membership_set.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { nodeSpecSize } from "../wire/node_spec_check.ts";

/** A part that takes no more fits into a control frame, whatever is in it. */
const PART_BYTES_MAX = 512 * 1024;

/** So few names always fit: each takes 48 KiB at most. */
const NAMES_THAT_FIT = 8;

/**
 * Cuts what is to be told into parts, each of which fits into a frame. Every part is a delta of its own.
 *
 * @param first A name that is to be in the first part.
 * @returns One part at least.
 */
export function cut(delta: MembershipSet, first?: string): MembershipSet[] {
  if (delta.names.length <= NAMES_THAT_FIT) return [delta];
  const names = first !== undefined && delta.names.includes(first)
    ? [first, ...delta.names.filter((name) => name !== first)]
    : delta.names;
  const parts: string[][] = [[]];
  let bytes = 0;
  for (const name of names) {
    const size = sizeOf(name, delta.get(name));
    if (bytes + size > PART_BYTES_MAX && parts.at(-1)!.length > 0) {
      parts.push([]);
      bytes = 0;
    }
    bytes += size;
    parts.at(-1)!.push(name);
  }
  return parts.length === 1 ? [delta] : parts.map((part) => delta.only(part));
}

function sizeOf(name: string, spec: NodeSpec | undefined): number {
  return spec === undefined ? 3 * name.length + 24 : nodeSpecSize(spec);
}
