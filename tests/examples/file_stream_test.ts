// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SimulatedCluster } from "@partisan/peer-service/testing";
import { assertEquals, assertRejects } from "@std/assert";
import { copyFile, serveFiles } from "../../examples/file_stream.ts";

Deno.test("A file of 5 MB comes to the other node as it is, and a missing one is told", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const content = Uint8Array.from({ length: 5_000_000 }, (_, at) => at % 251);
  serveFiles(a, (path) => {
    if (path !== "big") throw new RangeError(`Cannot open "${path}"`);
    return Promise.resolve(new Blob([content]).stream());
  });
  const chunks: Uint8Array[] = [];
  const into = () => new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk.slice()) });
  assertEquals(await cluster.wait(copyFile(b, { from: "a", path: "big", into: into() })), content.length);
  assertEquals(new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()), content);
  await assertRejects(() => cluster.wait(copyFile(b, { from: "a", path: "none", into: into() })), Error, "none");
});
