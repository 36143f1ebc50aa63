// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { AttributeDelta, AttributeMessage, AttributeVersion, VersionedAttribute } from "./attribute_message.ts";

/** Most bytes of deltas in one message, unless a single attribute is larger. */
const MESSAGE_BYTES_MAX = 262_144;

/** Deltas in messages of which none is too large, and what is wanted in the first. */
export function deltaMessages(
  deltas: readonly AttributeDelta[],
  wanted: readonly AttributeVersion[] = [],
): AttributeMessage[] {
  const messages: AttributeDelta[][] = [[]];
  let room = MESSAGE_BYTES_MAX;
  for (const delta of deltas.flatMap((delta) => partsOf(delta))) {
    const bytes = deltaBytes(delta);
    if (bytes > room && messages.at(-1)!.length > 0) {
      messages.push([]);
      room = MESSAGE_BYTES_MAX;
    }
    room -= bytes;
    messages.at(-1)!.push(delta);
  }
  return messages.map((deltas, at) => ({ kind: "delta", deltas, wanted: at === 0 ? wanted : [] }));
}

/** A large delta in steps: what an owner has up to one version, then up to the next. Each needs the one before it. */
function partsOf(delta: AttributeDelta): AttributeDelta[] {
  const parts: AttributeDelta[] = [];
  let [from, live, entries, bytes] = [delta.from, delta.live, [] as VersionedAttribute[], 0];
  for (const entry of delta.entries) {
    const added = entry.key.length + entry.value.length;
    if (bytes + added > MESSAGE_BYTES_MAX && entries.length > 0) {
      const { version } = entries.at(-1)!;
      parts.push({ ...delta, from, version, live, entries });
      [from, live, entries, bytes] = [version, null, [], 0];
    }
    entries.push(entry);
    bytes += added;
  }
  return [...parts, { ...delta, from, live, entries }];
}

/** About how many bytes a delta takes. */
export function deltaBytes({ owner, entries }: AttributeDelta): number {
  return owner.length + 32 + entries.reduce((sum, { key, value }) => sum + key.length + value.length + 16, 0);
}
