// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Groups } from "../../groups/mod.ts";
import { StoppedError } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "./worlds.ts";

scenario("drain() says so at once, finishes what is in hand, leaves, and stops", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  assert(a !== undefined && b !== undefined);
  const done = Promise.withResolvers<string>();
  let begun = 0;
  b.register("slow", () => {
    begun++;
    return done.promise;
  });
  const reply = a.call("b", "slow", 1);
  const acknowledged = a.forwardMessage("b", "slow", 2, { ack: true });
  await world.until("both are in hand", () => begun === 2);
  let isOver = false;
  const drained = b.drain().then(() => isOver = true);
  await world.until("a knows", () => a.attribute("b", "draining") === true);
  assertEquals([isOver, a.members()], [false, ["a", "b"]]);
  done.resolve("done");
  assertEquals(await reply, "done");
  await acknowledged;
  await drained;
  await world.until("a has forgotten it", () => a.members().length === 1);
  await assertRejects(() => b.syncJoin(a.spec), StoppedError);
  await b.drain();
});

scenario("drain() waits no longer than it is told to, nor after its signal", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  assert(a !== undefined && b !== undefined && c !== undefined);
  const ended: unknown[] = [];
  const aborted: string[] = [];
  for (const node of [b, c]) {
    node.register("never", (_, { signal }) => {
      signal.addEventListener("abort", () => aborted.push(node.name));
      return new Promise(() => {});
    });
  }
  const calls = ["b", "c"].map((name) => a.call(name, "never", 1).catch((error) => ended.push(error.name)));
  await b.drain({ timeout: 500 });
  assertEquals(aborted, ["b"]);
  const signal = AbortSignal.abort();
  await c.drain({ signal });
  await Promise.all(calls);
  assertEquals(aborted, ["b", "c"]);
  assertEquals(ended.length, 2);
  assertEquals(a.members(), ["a"]);
});

Deno.test("drain() keeps its time also where that is shorter than its looks are apart", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a"], options: { heartbeat: { interval: 60_000 } } });
  const begunAt = cluster.now;
  await cluster.wait(cluster.node("a").drain({ timeout: 100 }));
  assert(cluster.now - begunAt < 1_000, `${cluster.now - begunAt} ms`);
});

Deno.test("a rolling restart by drain() under load fails no call and loses no acknowledged message", async () => {
  const names = ["a", "b", "c", "d", "e"];
  await using cluster = await SimulatedCluster.start({ nodes: [...names, "client"] });
  const handled = new Set<number>();
  const start = (name: string) => {
    new Groups(cluster.node(name)).join("workers", {
      handler: (number: number) =>
        new Promise((resolve) =>
          cluster.node(name).runtime.clock.schedule(300, () => {
            handled.add(number);
            resolve(number);
          })
        ),
    });
  };
  for (const name of names) start(name);
  await cluster.advance(3_000);
  const client = cluster.node("client");
  const groups = new Groups(client);
  const suspects: string[] = [];
  client.addEventListener("suspect", ({ detail }) => suspects.push(detail.node));
  const calls: Promise<unknown>[] = [];
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      calls.push(groups.call("workers", calls.length, { pick: "random" }));
      await new Promise<void>((resolve) => void client.runtime.clock.schedule(20, resolve));
    }
  })();
  for (const name of names) {
    await cluster.wait(cluster.node(name).drain());
    cluster.crash(name);
    await cluster.startNode(name);
    start(name);
    await cluster.advance(3_000);
  }
  isOver = true;
  await cluster.wait(load);
  const outcomes = await cluster.wait(Promise.allSettled(calls));
  const failed = outcomes.filter(({ status }) => status === "rejected");
  assertEquals(failed.map((outcome) => outcome.status === "rejected" && `${outcome.reason}`), []);
  assertEquals(handled.size, calls.length);
  assert(calls.length > 500, `${calls.length} calls`);
  assertEquals(suspects, []);
});
