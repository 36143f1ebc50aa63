// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SimulatedCluster } from "@partisan/peer-service/testing";
import { assert, assertEquals } from "@std/assert";
import { work, WorkQueue } from "../../examples/work_queue.ts";

Deno.test("The work queue loses no job when workers die, and two that have jobs do", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["boss", "w1", "w2", "w3"] });
  const begun: number[] = [];
  const compute = (job: number) => {
    begun.push(job);
    return new Promise((resolve) => cluster.node("boss").runtime.clock.schedule(1_000, () => resolve(job * 2)));
  };
  for (const name of ["w1", "w2", "w3"]) work(cluster.node(name), compute);
  const queue = new WorkQueue(cluster.node("boss"));
  const results = Promise.all(Array.from({ length: 30 }, (_, job) => queue.run(job)));
  await cluster.advance(500);
  for (const name of ["w1", "w2"]) cluster.crash(name);
  assertEquals(await cluster.wait(results), Array.from({ length: 30 }, (_, job) => job * 2));
  assert(begun.length > 30, "no job was in the hands of a worker that died");
});
