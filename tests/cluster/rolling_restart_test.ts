// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- What was done meanwhile is worth a line.

import { assert, assertEquals } from "@std/assert";
import type { LoadAccount } from "./load.ts";
import { type NodeProcess, ProcessCluster } from "./processes.ts";
import { entryOf, present } from "../values.ts";

const NAMES = ["n1", "n2", "n3", "n4", "n5"];

Deno.test("Five processes restart one after the other under load: no call, stream or message fails or is lost, and no node is taken for dead", async () => {
  await using cluster = new ProcessCluster();
  const nodes = new Map((await cluster.form(NAMES)).map((node) => [node.name, node]));
  const wrong: string[] = [];
  const accounts: LoadAccount[] = [];
  for (const node of nodes.values()) await node.tell({ do: "load" });
  for (const name of NAMES) {
    const old = entryOf(nodes, name);
    // One that leaves closes its connections: after that, all others are down for it.
    wrong.push(...takenForDead(old));
    accounts.push(await old.tell<LoadAccount>({ do: "drain" }));
    await old.kill();
    const node = await cluster.start(name);
    const seed = present(NAMES[(NAMES.indexOf(name) + 1) % NAMES.length]);
    await node.tell({ do: "join", peer: await entryOf(nodes, seed).ready });
    nodes.set(name, node);
    await cluster.agree([...nodes.values()]);
    await node.tell({ do: "load" });
  }
  // First all become quiet; only then nothing is added to any account.
  await Promise.all([...nodes.values()].map((node) => node.tell({ do: "unload" })));
  for (const node of nodes.values()) accounts.push(await node.tell<LoadAccount>({ do: "unload" }));

  assertEquals(accounts.flatMap(({ failed }) => failed), []);
  const came = Map.groupBy(accounts.flatMap(({ came }) => came), (key) => key);
  const acknowledged = accounts.flatMap(({ acknowledged }) => acknowledged);
  assertEquals(acknowledged.filter((key) => came.get(key)?.length !== 1), []);
  assertEquals([...wrong, ...[...nodes.values()].flatMap(takenForDead)], []);
  const done = (kind: keyof LoadAccount["done"]) => accounts.reduce((sum, account) => sum + account.done[kind], 0);
  assert(done("call") > 0 && done("message") > 0 && done("stream") > 0);
  const moved = accounts.reduce((sum, account) => sum + account.moved, 0);
  console.log(
    `  ${done("call")} calls, ${done("message")} messages, ${done("stream")} streams; ${moved} went elsewhere`,
  );
});

/** Nodes that a node reported as down though they had not left. */
function takenForDead({ name, events }: NodeProcess): string[] {
  const gone = new Set<string>();
  return events.flatMap((told) => {
    if (told.event === "leave") gone.add(told.node);
    if (told.event === "join") gone.delete(told.node);
    return told.event === "down" && !gone.has(told.node) ? [`${name}: ${told.node}`] : [];
  });
}
