// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { type MessageContext, OverloadedError, type PeerServiceManager } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { scenario, type World } from "./worlds.ts";
import { nthOf } from "../values.ts";

/** A handler that ends what it has begun when it is told to. */
class Gate {
  readonly begun: unknown[] = [];
  #open = false;
  readonly #opened = Promise.withResolvers<void>();
  readonly #look: () => void;

  constructor(world: World) {
    this.#look = () => world.look();
  }

  readonly handler = (message: unknown, _: MessageContext): unknown => {
    this.begun.push(message);
    this.#look();
    return this.#open ? message : this.#opened.promise.then(() => message);
  };

  open(): void {
    this.#open = true;
    this.#opened.resolve();
  }
}

function workload(node: PeerServiceManager) {
  return PeerService.nodeOf(node).messaging.registry.workload;
}

scenario(
  "Plain messages beyond concurrency wait in the connection, in order, and all are handed over",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 64 * 1024 } } });
    const gate = new Gate(world);
    b.register("slow", gate.handler, { concurrency: 3 });
    const heard = world.inbox(b, "log");
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    for (const number of numbers) a.castMessage("b", "slow", number);
    a.castMessage("b", "log", "behind");
    await world.until("three are at work", () => gate.begun.length === 3);
    await a.forwardMessage("b", "slow", "other channel", { channel: "membership" });
    await world.until("both connections are held", () => workload(b).waiting === 2);
    assertEquals([workload(b).pending, heard.messages.length], [3, 0]);
    gate.open();
    await world.until("all have come", () => gate.begun.length === 201 && heard.messages.length === 1);
    assertEquals(gate.begun.filter((message) => typeof message === "number"), numbers);
    await world.until("all are done", () => workload(b).pending === 0);
  },
);

scenario(
  "Messages over the membership channel that find no room wait within a bound, and no node is held for dead for it",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"], { maxInflight: 1 });
    const gate = new Gate(world);
    b.register("slow", gate.handler, { borrow: true });
    const told: string[] = [];
    for (const node of [a, b]) node.addEventListener("undeliverable", ({ detail }) => told.push(detail.node));
    for (const node of [a, b]) node.addEventListener("suspect", ({ detail }) => told.push(`suspected: ${detail.node}`));
    const sent = Array.from({ length: 1_030 }, (_, number) => new Uint8Array([number >> 8, number]));
    for (const message of sent) a.castMessage("b", "slow", message, { channel: "membership" });
    await new Promise<void>((resolve) => world.clock.schedule(30_000, resolve));
    assertEquals([workload(b).pending, workload(b).waiting, gate.begun.length], [1, 1_024, 1]);
    assertEquals(told, Array.from({ length: 5 }, () => "b"));
    assert(a.isConnected("b") && b.isConnected("a"));
    gate.open();
    await world.until("all that waited have come", () => gate.begun.length === 1_025);
    assertEquals(gate.begun, sent.slice(0, 1_025));
  },
  ["memory"],
);

scenario("A flood of casts to a handler that never finishes stops at the sender's queue", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], {
    channels: { default: { maxQueuedBytes: 64 * 1024 } },
    maxInflight: 10,
  });
  const gate = new Gate(world);
  b.register("slow", gate.handler);
  const told: unknown[] = [];
  a.addEventListener("undeliverable", ({ detail }) => told.push(detail));
  const payload = new Uint8Array(1024);
  while (a.castMessage("b", "slow", payload) || told.length === 0) {
    await new Promise((go) => world.clock.schedule(1, () => go(0)));
  }
  assertEquals([workload(b).pending, workload(b).waiting, gate.begun.length], [10, 1, 10]);
  // Control traffic goes on: no node is held for dead.
  assert(a.isConnected("b") && b.isConnected("a"));
  gate.open();
  await a.ready("b");
}, ["memory"]);

scenario("A flood of calls is refused within a round trip, and leaves nothing behind", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { maxInflight: 10, maxPendingCalls: 100 });
  const gate = new Gate(world);
  b.register("slow", gate.handler);
  const held = Array.from({ length: 10 }, (_, number) => a.call("b", "slow", number));
  await world.until("ten are at work", () => gate.begun.length === 10);
  let refused = 0;
  const begunAt = world.clock.now();
  for (let round = 0; round < 50; round++) {
    const calls = Array.from({ length: 100 }, () => a.call("b", "slow", null));
    const results = await Promise.allSettled(calls);
    refused += results.filter((result) =>
      result.status === "rejected" && result.reason instanceof OverloadedError
    ).length;
  }
  assertEquals(refused, 5_000);
  // In virtual time a round trip is two milliseconds; a repetition would take a hundred.
  assert(world.clock.now() - begunAt < 50 * 20, `${world.clock.now() - begunAt} ms`);
  assertEquals([workload(b).pending, workload(b).waiting, gate.begun.length], [10, 0, 10]);
  gate.open();
  assertEquals(await Promise.all(held), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals(workload(b).pending, 0);
}, ["memory"]);

scenario(
  "A flood of acknowledged messages is held by its sender, and each is handled once when there is room",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"], { maxInflight: 10 });
    const gate = new Gate(world);
    b.register("slow", gate.handler);
    const options = { ack: true, retransmission: { initial: 50, cap: 200 } };
    const sent = Array.from({ length: 2_000 }, (_, number) => a.forwardMessage("b", "slow", number, options));
    await world.until("ten are at work", () => gate.begun.length === 10);
    await new Promise<void>((resolve) => world.clock.schedule(2_000, resolve));
    assertEquals([workload(b).pending, workload(b).waiting, gate.begun.length], [10, 0, 10]);
    gate.open();
    await Promise.all(sent);
    const handled = gate.begun as number[];
    assertEquals([handled.length, new Set(handled).size], [2_000, 2_000]);
  },
  ["memory"],
);

scenario(
  "A call beyond concurrency rejects with OverloadedError within a round trip, here and there",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    for (const to of [b, a]) {
      const gate = new Gate(world);
      to.register("slow", gate.handler, { concurrency: 2 });
      const first = [a.call(to.name, "slow", 1), a.call(to.name, "slow", 2)];
      await assertRejects(() => a.call(to.name, "slow", 3), OverloadedError, `"slow" has no room`);
      gate.open();
      assertEquals(await Promise.all(first), [1, 2]);
      assertEquals(await a.call(to.name, "slow", 4), 4);
      assertEquals(gate.begun, [1, 2, 4]);
    }
  },
);

scenario(
  "An acknowledged message beyond concurrency is repeated until there is room, and handled once",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    for (const to of [b, a]) {
      const gate = new Gate(world);
      to.register("slow", gate.handler, { concurrency: 2 });
      const options = { ack: true, retransmission: { initial: 20, cap: 100 } };
      const sent = [1, 2, 3, 4].map((number) => a.forwardMessage(to.name, "slow", number, options));
      await assertRejects(
        () => a.forwardMessage(to.name, "slow", 5, { ...options, timeout: 150 }),
        OverloadedError,
        `the handler "slow" had no room`,
      );
      const once = { ack: true, retransmission: false };
      await assertRejects(() => a.forwardMessage(to.name, "slow", 6, once), OverloadedError);
      assertEquals(gate.begun, [1, 2]);
      gate.open();
      await Promise.all(sent);
      assertEquals(gate.begun.toSorted(), [1, 2, 3, 4]);
    }
  },
);

scenario("A causally ordered message beyond concurrency keeps its place", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const gate = new Gate(world);
  b.register("slow", gate.handler, { concurrency: 1 });
  const options = { ack: true, causalLabel: "x", retransmission: { initial: 20, cap: 100 } };
  const sent = [1, 2, 3, 4, 5].map((number) => a.forwardMessage("b", "slow", number, options));
  await world.until("the first is at work", () => gate.begun.length === 1);
  gate.open();
  await Promise.all(sent);
  assertEquals(gate.begun, [1, 2, 3, 4, 5]);
});

scenario("Handlers that wait for replies are not kept waiting by what is held behind them", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let done = 0;
  a.register("ask", async () => {
    await b.isConnected("a");
    await a.call("b", "slowly", null);
    await a.forwardMessage("b", "slowly", null, { ack: true });
    done++;
    world.look();
  }, { concurrency: 2 });
  const replies = Promise.withResolvers<void>();
  b.register("slowly", () => replies.promise);
  for (let i = 0; i < 2; i++) b.castMessage("a", "ask", null);
  await world.until("both handlers wait", () => workload(a).pending === 2);
  // These fill the connection over which the replies would come.
  for (let i = 0; i < 8; i++) b.castMessage("a", "ask", null);
  await world.until("the connection is held", () => workload(a).waiting === 1);
  replies.resolve();
  await world.until("all are done", () => done === 10);
}, ["memory"]);

scenario(
  "Broadcasts and messages to oneself that find no room are held within bounds, and told beyond them",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"], { maxInflight: 1 });
    const told: string[] = [];
    for (const node of [a, b]) node.addEventListener("undeliverable", ({ detail }) => told.push(detail.node));
    const gates = [a, b].map((node) => {
      const gate = new Gate(world);
      node.register("slow", gate.handler);
      return gate;
    });
    for (let i = 0; i < 1_100; i++) a.broadcast("slow", i);
    await world.until("it was told", () => told.includes("b"));
    assert(workload(b).waiting <= 1_024);
    let refused = 0;
    for (let i = 0; i < 3; i++) {
      while (a.castMessage("a", "slow", "mine")) await new Promise((go) => world.clock.schedule(1, () => go(0)));
      refused++;
    }
    assertEquals(refused, 3);
    const ready = a.ready("a");
    for (const gate of gates) gate.open();
    await ready;
    const numbers = nthOf(gates, 1).begun;
    assertEquals(numbers, numbers.toSorted((one, other) => (one as number) - (other as number)));
    assertEquals(numbers.length, 1_025);
  },
  ["memory"],
);

scenario("Calls of the caller are bounded, and so is what may be asked for", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { maxPendingCalls: 2 });
  const gate = new Gate(world);
  b.register("slow", gate.handler);
  const pending = [a.call("b", "slow", 1), a.call("b", "slow", 2)];
  await assertRejects(() => a.call("b", "slow", 3), OverloadedError, "2 calls wait for their replies, at most 2");
  using monitor = a.monitor({ node: "b", name: "slow" });
  assert(monitor !== undefined);
  gate.open();
  await Promise.all(pending);
  assertEquals(await a.call("b", "slow", 4), 4);
  for (const concurrency of [0, -1, 1.5, NaN]) {
    assertThrows(() => b.register("x", () => {}, { concurrency }), RangeError, `"concurrency" is ${concurrency}`);
  }
  await assertRejects(() => world.start("c", { maxInflight: 0 }), RangeError, "maxInflight");
  assertFalse(b.unregister("x"));
}, ["memory"]);

scenario("unregister() lets go of the bound, and what waits is told", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const gate = new Gate(world);
  b.register("slow", gate.handler, { concurrency: 1 });
  const told: unknown[] = [];
  b.addEventListener("undeliverable", ({ detail }) => told.push(detail.name));
  for (let i = 0; i < 3; i++) a.castMessage("b", "slow", i);
  await world.until("one waits", () => workload(b).waiting === 1);
  b.unregister("slow");
  await world.until("two are told", () => told.length === 2);
  assertEquals(told, ["slow", "slow"]);
  gate.open();
}, ["memory"]);
