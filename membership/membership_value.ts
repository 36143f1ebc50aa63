// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Dot } from "./dot.ts";
import { MembershipSet } from "./membership_set.ts";
import { mapValues } from "../runtime/map_values.ts";
import { channelToNumber, sharedChannel } from "../wire/channel_number.ts";
import type { ChannelSpec, NodeSpec } from "../wire/node_spec.ts";
import {
  checkArray,
  checkInteger,
  checkName,
  checkNodeSpec,
  checkObject,
  NODE_SPEC_LIMITS,
} from "../wire/node_spec_check.ts";

/** Most names in one encoded membership: far above any full mesh. */
export const MEMBERSHIP_NAMES_MAX = 65_536;

/**
 * A membership as a value that MessagePack can carry: an array with one array a name, `[name, incarnation,
 * counter]` for one that is absent, and `[…, addresses, channels, metadata]` for a member, with `since` and `key` behind it where it has those;
 * `since` is `null` where it has only a key.
 *
 * @param set The membership.
 * @returns About 80 bytes a plain member, once in MessagePack.
 */
export function membershipToValue(set: MembershipSet): unknown[] {
  return set.names.map((name) => {
    const { incarnation, counter } = set.newest(name)!;
    const spec = set.get(name);
    return spec === undefined ? [name, incarnation, counter] : [name, incarnation, counter, ...specToValues(spec)];
  });
}

/**
 * The membership of a value that {@linkcode membershipToValue} made, on whatever node.
 *
 * @param value Value that may be one.
 * @returns The membership.
 * @throws {TypeError} When it is malformed.
 * @throws {RangeError} When something in it is out of bounds.
 */
export function membershipFromValue(value: unknown): MembershipSet {
  return MembershipSet.from(checkArray(value, "membership", MEMBERSHIP_NAMES_MAX).map(entryFromValue));
}

/** A dot as a value that MessagePack can carry. */
export function dotToValue({ actor, incarnation, counter }: Dot): unknown[] {
  return [actor, incarnation, counter];
}

/**
 * The dot of a value that {@linkcode dotToValue} made.
 *
 * @throws {TypeError} When it is malformed.
 * @throws {RangeError} When something in it is out of bounds.
 */
export function dotFromValue(value: unknown): Dot {
  const [actor, incarnation, counter] = checkArray(value, "dot", 8);
  return {
    actor: checkName(actor, "name"),
    incarnation: checkInteger(incarnation, "incarnation", 0, Number.MAX_SAFE_INTEGER),
    counter: checkInteger(counter, "counter", 1, Number.MAX_SAFE_INTEGER),
  };
}

function entryFromValue(value: unknown): [Dot, NodeSpec | undefined] {
  const dot = dotFromValue(value);
  const [, , , addresses, channels, metadata, since, key] = value as readonly unknown[];
  if ((value as readonly unknown[]).length === 3) return [dot, undefined];
  const spec = checkNodeSpec({
    name: dot.actor,
    incarnation: dot.incarnation,
    since: since === null && key !== undefined ? undefined : since,
    key,
    addresses: addressesFromValue(addresses),
    channels: channelsFromValue(channels),
    metadata,
  });
  return [dot, spec];
}

/** Addresses flat, as host name, port, host name, port; a channel as one small number. */
function specToValues({ addresses, channels, metadata, since, key }: NodeSpec): unknown[] {
  return [
    addresses.flatMap(({ hostname, port }) => [hostname, port]),
    mapValues(channels, channelToNumber),
    metadata,
    ...(since === undefined && key === undefined ? [] : [since ?? null]),
    ...(key === undefined ? [] : [key]),
  ];
}

function addressesFromValue(value: unknown): unknown[] {
  const flat = checkArray(value, "addresses", 2 * NODE_SPEC_LIMITS.addresses);
  if (flat.length % 2 !== 0) throw new TypeError("Invalid addresses: expected pairs of host name and port");
  return Array.from(
    { length: flat.length / 2 },
    (_, index) => ({ hostname: flat[2 * index], port: flat[2 * index + 1] }),
  );
}

function channelsFromValue(value: unknown): Record<string, ChannelSpec> {
  return mapValues(checkObject(value, "channels"), channelFromValue);
}

function channelFromValue(value: unknown): ChannelSpec {
  return sharedChannel(checkInteger(value, "channel", 4, NODE_SPEC_LIMITS.parallelism * 4 + 3));
}
