// Copyright 2026 the Partisan peer-service authors. MIT license.

import process from "node:process";
import { PeerService } from "./peer_service.ts";
import type { Stage } from "./stage.ts";

const HANDLER = "reply";
const GIGABYTE = 1_000_000_000;

/** Answers every call with so many bytes. */
export function serveReplies({ end }: Stage, { size }: { size: number }): void {
  const reply = new Uint8Array(size).fill(7);
  const { node } = ours(end);
  node.unregister(HANDLER);
  node.register(HANDLER, () => reply);
}

/** Calls, `width` at a time. @returns Bytes a second, and milliseconds of processor time for a GB. */
export async function runReplies(
  { end }: Stage,
  { count, size, width, into }: { count: number; size: number; width: number; into: boolean },
): Promise<{ rate: number; cpu: number }> {
  const { node } = ours(end);
  const peer = node.connected()[0]!;
  const startedAt = performance.now();
  const before = process.cpuUsage();
  let left = count;
  await Promise.all(Array.from({ length: width }, async () => {
    const options = into ? { into: new Uint8Array(size) } : {};
    while (left-- > 0) await node.call(peer, HANDLER, null, options);
  }));
  const { user, system } = process.cpuUsage(before);
  const bytes = count * size;
  return {
    rate: 1_000 * bytes / (performance.now() - startedAt),
    cpu: (user + system) / 1_000 * GIGABYTE / bytes,
  };
}

function ours(end: unknown): PeerService {
  if (end instanceof PeerService) return end;
  throw new TypeError("Cannot call: only a peer service can");
}
