// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * A file of any size from one node to another, with flat memory at both ends, and its digest behind it.
 *
 * @module
 */

import type { PeerServiceManager } from "@partisan/peer-service";
import { flag, startNode } from "./node.ts";

const HANDLER = "file";

/** Gives other nodes what `open` finds under a path. An error that it throws reaches the reader. */
export function serveFiles(
  node: PeerServiceManager,
  open: (path: string) => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>,
): void {
  node.registerStream(HANDLER, async ({ readable, writable }, path: string) => {
    await readable.cancel();
    await (await open(path)).pipeTo(writable);
  });
}

/** Writes a file of another node to `into`. @returns Number of its bytes. */
export async function copyFile(
  node: PeerServiceManager,
  { from, path, into }: { from: string; path: string; into: WritableStream<Uint8Array> },
): Promise<number> {
  const { readable, writable } = await node.openStream(from, HANDLER, path);
  await writable.close().catch(() => {});
  let bytes = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  await readable.pipeThrough(count).pipeTo(into);
  return bytes;
}

if (import.meta.main) {
  const node = await startNode();
  const [from, path, target] = [flag("from"), flag("path"), flag("into")];
  if (from !== undefined && path !== undefined && target !== undefined) {
    const into = (await Deno.create(target)).writable;
    console.log(`${await copyFile(node, { from, path, into })} bytes`);
    await node.drain();
  } else {
    const folder = new URL(`file://${await Deno.realPath(flag("serve") ?? ".")}/`);
    serveFiles(node, async (name) => {
      const url = new URL(name, folder);
      if (!url.href.startsWith(folder.href)) throw new RangeError(`Cannot open "${name}": it is outside of the folder`);
      return (await Deno.open(url)).readable;
    });
  }
}
