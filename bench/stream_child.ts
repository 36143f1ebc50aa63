// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../mod.ts";
import type { Nothing } from "./commands.ts";
import { PeerService } from "./peer_service.ts";
import type { Stage } from "./stage.ts";

const HANDLER = "bulk";
/** Size of one read of a reader that brings memory of its own. */
const READ_BYTES = 64 * 1024;

/** Takes streams, looks at every chunk, and keeps none of it: in memory of the reader, or in memory of its own for each. */
export function serveStream(stage: Stage, { into }: { into: boolean }): void {
  const { node } = ours(stage);
  node.unregisterStream(HANDLER);
  node.registerStream(HANDLER, async ({ readable, writable }) => {
    let bytes = 0;
    let startedAt = 0;
    for await (const chunk of into ? chunksInto(readable) : readable) {
      if (bytes === 0) startedAt = performance.now();
      bytes += chunk.length;
    }
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode(`${bytes / (performance.now() - startedAt)}`));
    await writer.close();
  });
}

/** Reads into the same memory again and again. */
async function* chunksInto(readable: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = readable.getReader({ mode: "byob" });
  let memory = new Uint8Array(READ_BYTES);
  for (;;) {
    const { done, value } = await reader.read(memory);
    if (done) return;
    yield value;
    memory = new Uint8Array(value.buffer);
  }
}

/** Writes so many chunks of a size into a stream. @returns Bytes per second that were read. */
export async function sendStream(stage: Stage, { count, size }: { count: number; size: number }): Promise<number> {
  const { node, peer } = ours(stage);
  const chunk = new Uint8Array(size).fill(7);
  const { readable, writable, closed } = await node.openStream(peer, HANDLER);
  const writer = writable.getWriter();
  for (let sent = 0; sent < count; sent++) await writer.write(chunk);
  await writer.close();
  const rate = Number(await new Response(readable).text()) * 1_000;
  await closed;
  return rate;
}

/** Begins to write a stream, as fast as it is taken, until {@linkcode stopStream}. */
export function startStream(stage: Stage, { size }: { size: number }): void {
  stage.bulk = { seen: 0, running: true };
  const { bulk } = stage;
  const { node, peer } = ours(stage);
  const chunk = new Uint8Array(size).fill(7);
  const send = async () => {
    const { readable, writable, closed } = await node.openStream(peer, HANDLER);
    const writer = writable.getWriter();
    while (bulk.running) {
      await writer.write(chunk);
      bulk.seen++;
    }
    await writer.close();
    await readable.cancel();
    await closed.catch(() => {});
  };
  stage.pending = send();
}

/** Ends it. @returns Chunks that were written. */
export async function stopStream(stage: Stage, _: Nothing): Promise<number> {
  stage.bulk.running = false;
  await stage.pending;
  return stage.bulk.seen;
}

function ours({ end }: Stage): { readonly node: PeerServiceManager; readonly peer: string } {
  if (end instanceof PeerService) return { node: end.node, peer: end.node.connected()[0]! };
  throw new TypeError("Cannot open a stream: only a peer service can");
}
