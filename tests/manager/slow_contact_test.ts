// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { uniformLatency } from "../../transport/memory/memory_links.ts";

/** Nodes that join at once. */
const NEWCOMERS = 24;
/** Time that the node which all join gets of its machine, in milliseconds: time to take what has come and to answer, and then nothing for longer than an answer may take. */
const RUNS_MS = 4;
const WAITS_MS = 8_000;
const LATENCY_MS = 5;

Deno.test("nodes that join one at once all resolve where that one gets a thousandth of its machine", async () => {
  const world = new SimulatedWorld({ latency: uniformLatency(LATENCY_MS, LATENCY_MS) });
  const start = (name: string) =>
    startPeerService({ name, runtime: world.node(name), listen: { hostname: name, port: 1 }, log: false });
  const seed = await world.wait(start("seed"), 1_000);
  const newcomers: PeerServiceManager[] = [];
  for (let index = 0; index < NEWCOMERS; index++) newcomers.push(await world.wait(start(`n${index}`), 1_000));
  const failures: unknown[] = [];
  let over = 0;
  for (const node of newcomers) {
    node.syncJoin("seed:1").catch((error) => failures.push(error)).finally(() => over++);
  }
  for (let round = 0; round < 30 && over < NEWCOMERS; round++) {
    await world.advance(RUNS_MS);
    world.pause("seed");
    await world.advance(WAITS_MS);
    world.resume("seed");
  }
  assertEquals(failures, []);
  assertEquals(over, NEWCOMERS);
  await world.advance(20_000);
  for (const node of newcomers) assertEquals(node.connected().length, NEWCOMERS);
  await world.wait(Promise.all([seed, ...newcomers].map((node) => node.stop())), 60_000);
});
