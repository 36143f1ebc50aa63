// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { NotConnectedError, startPeerService, StoppedError } from "../../mod.ts";
import type { Transport } from "../../transport/transport.ts";
import { ReservedPorts } from "../reserved_ports.ts";
import { scenario, World } from "./worlds.ts";
import { firstOf, nthOf, present } from "../values.ts";

Deno.test("startPeerService() gives a free port, a random name and an incarnation of now", async () => {
  const before = Date.now();
  await using a = await startPeerService();
  await using b = await startPeerService();
  assertNotEquals(a.name, b.name);
  assertEquals(a.name.split("@")[1], "127.0.0.1");
  assert(firstOf(a.spec.addresses).port > 0);
  assert(a.spec.incarnation >= before && a.spec.incarnation <= Date.now());
  assertEquals(Object.keys(a.spec.channels).sort(), ["default", "membership"]);
});

Deno.test("startPeerService() listens on several addresses, and tells others those that it is to advertise", async () => {
  await using a = await startPeerService({ listen: ["127.0.0.1:0", { hostname: "127.0.0.1", port: 0 }] });
  assertEquals(a.spec.addresses.length, 2);
  await using b = await startPeerService({ name: "b" });
  await b.syncJoin(nthOf(a.spec.addresses, 1));
  assertEquals(b.members().length, 2);
  await using c = await startPeerService({ listen: "0.0.0.0:0", advertise: ["10.0.0.1:80", "c.example:81"] });
  assertEquals(c.spec.addresses, [{ hostname: "10.0.0.1", port: 80 }, { hostname: "c.example", port: 81 }]);
});

Deno.test("startPeerService() lets go of every port when it fails", async () => {
  using ports = new ReservedPorts();
  const free = { hostname: "127.0.0.1", port: ports.take() };
  await using taken = await startPeerService();
  await assertRejects(
    () => startPeerService({ listen: [free, firstOf(taken.spec.addresses)] }),
    Error,
    "Address already in use",
  );
  const metadata = { text: "x".repeat(100_000) };
  await assertRejects(() => startPeerService({ listen: free, metadata }), RangeError);
  await using again = await startPeerService({ listen: free });
  assertEquals(again.spec.addresses, [free]);
});

Deno.test("startPeerService() leaves nothing behind when it fails half way", async () => {
  const free = { hostname: "127.0.0.1", port: 0 };
  let signal: AbortSignal | undefined;
  const discovery = {
    name: "broken",
    lookup: () => Promise.resolve([]),
    watch(_: () => void, until: AbortSignal): void {
      signal = until;
      throw new RangeError("Cannot watch");
    },
  };
  await assertRejects(() => startPeerService({ listen: free, discovery }), RangeError, "Cannot watch");
  assert(signal?.aborted);
});

scenario("Several instances share one process and nothing else", async (world) => {
  const left = await world.cluster(["a", "b"], { cluster: "left" });
  const right = await world.cluster(["c", "d"], { cluster: "right" });
  assertEquals([left[0].members(), right[0].members()], [["a", "b"], ["c", "d"]]);
  const [heard, other] = [world.inbox(left[1], "log"), world.inbox(right[1], "log")];
  await left[0].forwardMessage("b", "log", "left");
  await world.until("it arrived", () => heard.messages.length > 0);
  await assertRejects(() => left[0].forwardMessage("d", "log", "astray"), NotConnectedError);
  assertEquals(other.messages, []);
  await left[0].stop();
  assertEquals(right[0].connected(), ["d"]);
});

Deno.test("`await using` and stop() leave nothing behind", async () => {
  const world = new World();
  {
    await using a = await world.start("a", { channels: { bulk: { parallelism: 4 } } });
    await using b = await world.start("b");
    await b.syncJoin(a.spec);
    a.monitorNodes();
    a.monitor({ node: "b", name: "x" });
    const stopped = b.call("a", "slow", null);
    a.register("slow", () => new Promise(() => {}));
    const rejected = assertRejects(() => stopped);
    await b.stop();
    await rejected;
  }
  for (const transport of world.transports.values()) assertEquals(transport.open, 0);
  await world.end();
});

scenario("stop() does not wait without end for a dial that does not heed the end", async (world) => {
  const a = await world.start("a");
  const runtime = world.runtime("b");
  const dialed = Promise.withResolvers<void>();
  const dial = Promise.withResolvers<never>();
  const transport: Transport = {
    listen: (...args) => runtime.transport.listen(...args),
    connect() {
      dialed.resolve();
      return dial.promise;
    },
  };
  const b = await world.start("b", { runtime: { ...runtime, transport } });
  b.syncJoin(a.spec).catch(() => {});
  await dialed.promise;
  const before = world.clock.now();
  await b.stop();
  assertEquals(world.clock.now() - before, 1_000);
  dial.reject(new Error("the dial has ended at last"));
}, ["memory"]);

scenario("stop() may be called twice; the others see the node down and keep it as a member", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  await Promise.all([b.stop(), b.stop()]);
  await b.stop();
  await world.until("a noticed", () => !a.isConnected("b"));
  assertEquals(a.members(), ["a", "b"]);
});

scenario("stop() sends what is queued, and rejects what still waits", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  b.register("never", () => new Promise(() => {}));
  for (let n = 0; n < 100; n++) a.castMessage("b", "log", n);
  const waiting = assertRejects(() => a.call("b", "never", null), StoppedError);
  await a.stop();
  await waiting;
  await world.until("all arrived", () => heard.messages.length === 100);
});

scenario("A stopped node says so", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  await a.stop();
  await assertRejects(() => a.forwardMessage("b", "x", 1), StoppedError, `Cannot send: "a" was stopped`);
  await assertRejects(() => a.forwardMessage("b", "x", 1, { ack: true }), StoppedError);
  await assertRejects(() => a.call("b", "x", 1), StoppedError);
  await assertRejects(async () => await a.leave(), StoppedError);
  await assertRejects(async () => await a.leave("b"), StoppedError);
  assertEquals(a.castMessage("b", "x", 1), false);
  assertThrows(() => a.monitor({ node: "b", name: "x" }), StoppedError);
  assertThrows(() => a.monitorNodes(), StoppedError);
  assertEquals(a.members(), ["a", "b"]);
  assertEquals(a.connected(), []);
});

scenario("What nodes tell of themselves is changed neither by its readers nor through the options", async (world) => {
  const metadata = { zone: "a", tags: ["one"] };
  const a = await world.start("a", { metadata });
  const b = await world.start("b");
  metadata.zone = "other";
  metadata.tags.push("two");
  await b.syncJoin(a.spec);
  const expected = structuredClone(a.spec);
  assertEquals(expected.metadata, { zone: "a", tags: ["one"] });
  for (const node of [a, b]) {
    const [spec] = node.membersForOrchestration();
    assertEquals(spec, expected);
    // Types do not allow it; JavaScript does.
    const open = [spec, a.spec, present(node.memberInfo("a")).spec] as unknown as {
      name: string;
      addresses: unknown[];
    }[];
    for (const each of open) {
      assertThrows(() => each.name = "changed", TypeError);
      assertThrows(() => each.addresses.push("changed"), TypeError);
    }
  }
  // Another incarnation of it is no different.
  await a.leave();
  assertThrows(() => (a.spec as { name: string }).name = "changed", TypeError);
});
