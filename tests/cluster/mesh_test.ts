// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- What was measured is worth a line.

import { assertEquals } from "@std/assert";
import { deadline, delay } from "@std/async";
import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import { firstOf } from "../values.ts";

const NODES = 64;

/** Two connections for each pair, as the nodes open them, with nothing but TCP. @returns Milliseconds. */
async function dialBareMesh(): Promise<number> {
  const start = performance.now();
  const listeners = Array.from({ length: NODES }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const open: Deno.Conn[] = [];
  const accepting = listeners.map(async (listener) => {
    for await (const connection of listener) open.push(connection);
  });
  const dials = listeners.flatMap((listener, index) =>
    Array.from(
      { length: 2 * index },
      async () => open.push(await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port })),
    )
  );
  await Promise.all(dials);
  while (open.length < 2 * dials.length) await delay(1);
  const elapsed = performance.now() - start;
  for (const closable of [...open, ...listeners]) closable.close();
  await Promise.all(accepting);
  assertEquals(dials.length, NODES * (NODES - 1));
  return elapsed;
}

/** Resolves when every node knows every other, and every connection is open. */
async function settled(nodes: readonly PeerServiceManager[]): Promise<void> {
  const isSettled = (node: PeerServiceManager) =>
    node.members().length === NODES && nodes.every(({ name }) => node.isFullyConnected(name));
  while (!nodes.every(isSettled)) await delay(20);
}

Deno.test("64 nodes in one process over TCP agree and are fully connected", async () => {
  const bare = await dialBareMesh();
  const nodes = await Promise.all(
    Array.from({ length: NODES }, (_, index) => startPeerService({ name: `n${index}` })),
  );
  const start = performance.now();
  await Promise.all(nodes.slice(1).map((node) => node.join(firstOf(nodes).spec)));
  await deadline(settled(nodes), 120_000);
  const elapsed = performance.now() - start;
  console.log(`  64 nodes join one seed, agree and are fully connected: ${Math.round(elapsed)} ms`);
  console.log(`  ${NODES * (NODES - 1)} bare TCP dials, of the same mesh: ${Math.round(bare)} ms`);
  const names = nodes.map(({ name }) => name).sort();
  for (const node of nodes) {
    assertEquals(node.members(), names);
    for (const { connections } of Object.values(node.stats().peers)) assertEquals(connections, 1);
  }
  const downs: string[] = [];
  for (const node of nodes) node.onDown("*", (other) => downs.push(`${node.name}: ${other}`));
  for (const node of nodes) node.register("log", () => {});
  await Promise.all(nodes.map(async (node, index) => {
    await node.forwardMessage(`n${(index + 32) % NODES}`, "log", "one hop", { ack: true });
  }));
  assertEquals(downs, []);
  await Promise.all(nodes.map((node) => node.stop()));
});
