// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Budgets of memory that is kept, and must not grow. */

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { assertWithinBudget } from "../gossip/budget.ts";
import { present } from "../values.ts";

const MEGABYTE = 1024 * 1024;
const CYCLES = 1_000;

/** Bytes that may wait for one connection: the default of `maxQueuedBytes`. */
const QUEUED_BYTES_MAX = 8 * MEGABYTE;

/** Bytes that this process may hold more while 100 MB wait, all four nodes and what is not collected yet together. */
const HELD_BYTES_MAX = 50 * MEGABYTE;

/** Bytes that a node which joins a cluster is sent until it is settled. */
async function costOfJoining(cluster: SimulatedCluster): Promise<number> {
  const newcomer = await cluster.startNode("newcomer");
  await cluster.settled();
  const bytes = Object.values(newcomer.stats().peers).reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  await cluster.wait(newcomer.leave());
  cluster.crash("newcomer", { reset: true });
  await cluster.settled();
  return bytes;
}

Deno.test("the membership is as large after a node has left and joined 1,000 times as before", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 3, options: { preset: "local" }, resolution: 1 });
  const [steady, restless] = [cluster.node("n1"), cluster.node("n3")];
  const before = steady.getLocalState().length;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await cluster.wait(restless.leave());
    await cluster.wait(restless.syncJoin(steady.spec));
  }
  await cluster.settled();
  const ratio = steady.getLocalState().length / before;
  assertWithinBudget("the membership after 1,000 cycles of one node", ratio, 1.1, "times as large");
});

Deno.test("joining costs as much after 1,000 other nodes have come and gone as before", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 2, options: { preset: "local" }, resolution: 1 });
  const before = await costOfJoining(cluster);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const guest = await cluster.startNode(`guest ${cycle}`);
    await cluster.runUntil(() => cluster.node("n1").member(guest.name));
    await cluster.wait(guest.leave());
    cluster.crash(guest.name, { reset: true });
  }
  await cluster.settled();
  const ratio = await costOfJoining(cluster) / before;
  assertWithinBudget("what a newcomer is sent after 1,000 others", ratio, 1.1, "times as much");
});

Deno.test("a slow reader for which 100 MB wait costs its sender no more than the bound, and disturbs no node", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 4 });
  const [sender, reader] = [cluster.node("n1"), cluster.node("n2")];
  const message = new Uint8Array(MEGABYTE / 4);
  const total = 100 * MEGABYTE;
  let received = 0;
  reader.register("slow", (bytes) => received += (bytes as Uint8Array).length);
  const disturbances = collectDisturbances(cluster);

  cluster.slowReader("n2", 100_000);
  const before = Deno.memoryUsage().external;
  const outcomes = Promise.allSettled(Array.from(
    { length: total / message.length },
    () => sender.forwardMessage("n2", "slow", message, { timeout: 60_000 }),
  ));
  let queued = 0;
  let held = 0;
  for (let second = 0; second < 30; second++) {
    await cluster.advance(1_000);
    queued = Math.max(queued, present(sender.stats().peers.n2).queuedBytes);
    held = Math.max(held, Deno.memoryUsage().external - before);
  }
  assertWithinBudget("what waits for a slow reader", queued / MEGABYTE, QUEUED_BYTES_MAX / MEGABYTE, "MiB");
  assertWithinBudget("buffers of all nodes meanwhile", held / MEGABYTE, HELD_BYTES_MAX / MEGABYTE, "MiB more");
  assertEquals(disturbances, []);
  assertGreater(received, 0);
  assertLess(received, total / 10);

  cluster.slowReader("n2", Infinity);
  // What waits for room is bounded as well: what came on top of it was refused at once.
  const refused = (await cluster.wait(outcomes)).filter(({ status }) => status === "rejected");
  await cluster.advance(1_000);
  assertGreater(refused.length, 0);
  for (const outcome of refused) assertEquals(outcome.status === "rejected" && outcome.reason.name, "QueueFullError");
  assertEquals(received, total - refused.length * message.length);
});

Deno.test("100 MB that are cast to a slow reader, whichever side says that it is too much, cost no more than the bound", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: 4 });
  const sender = cluster.node("n1");
  const message = new Uint8Array(MEGABYTE / 4);
  let [received, dropped] = [0, 0];
  cluster.node("n2").register("slow", () => received++);
  sender.addEventListener("undeliverable", () => dropped++);
  const disturbances = collectDisturbances(cluster);

  cluster.slowReader("n2", 100_000);
  let queued = 0;
  for (let sent = 0; sent < 400; sent++) {
    sender.castMessage("n2", "slow", message);
    queued = Math.max(queued, present(sender.stats().peers.n2).queuedBytes);
  }
  await cluster.advance(30_000);
  assertWithinBudget("what waits although no caller waited", queued / MEGABYTE, QUEUED_BYTES_MAX / MEGABYTE, "MiB");
  assertEquals(disturbances, []);

  cluster.slowReader("n2", Infinity);
  await cluster.advance(5_000);
  assertGreater(dropped, 0);
  assertEquals(received + dropped, 400);
});

/** Collects what any node says against any node, and changes of any node's membership. */
function collectDisturbances(cluster: SimulatedCluster): string[] {
  const disturbances: string[] = [];
  for (const node of cluster.nodes) {
    node.onDown("*", (peer) => disturbances.push(`${node.name} tells that ${peer} is down`));
    for (const type of ["suspect", "join", "leave"] as const) {
      node.addEventListener(type, ({ detail }) => disturbances.push(`${node.name} tells ${type} of ${detail.node}`));
    }
  }
  return disturbances;
}
