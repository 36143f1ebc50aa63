// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Floods of large messages to a handler that does not finish: what is held is bounded in bytes, and none of it is lost. */

import { assertEquals, assertGreater } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { assertWithinBudget } from "../gossip/budget.ts";
import { makeLargeBuffer } from "../../runtime/large_buffer.ts";
import { liveBytes } from "../live_bytes.ts";

const MEBIBYTE = 1024 * 1024;
const MESSAGE_BYTES = MEBIBYTE / 2;
/** More than may be held in all places on the way together. */
const MESSAGES = 400;
const INFLIGHT = 10;
/** Budget of the queue of a connection, and of what is under way over it. */
const QUEUE_BUDGET = 20;
/** Budget of what waits where no connection can be held back: 64 MiB, and what Plumtree keeps for repairs. */
const HELD_BUDGET = QUEUE_BUDGET + 64;

/** Each is a little more than its bytes. */
const HELD_MESSAGES = 64 * MEBIBYTE / MESSAGE_BYTES - 1;

// What a process comes to carry that makes many large buffers is there before anything is measured.
for (let made = 0; made < 128; made += 4) makeLargeBuffer(4 * MEBIBYTE);

/** A message that says which one it is. */
function numbered(number: number): Uint8Array {
  const message = new Uint8Array(MESSAGE_BYTES);
  new DataView(message.buffer).setUint32(0, number);
  return message;
}

/** A flood from node "a" to the handler "slow" of node "b", and what it comes to. */
class Flood {
  readonly cluster: SimulatedCluster;
  /** Numbers of messages that the handler was given, in order. */
  readonly handled: number[] = [];
  /** Number of messages that were told to be undeliverable. */
  told = 0;
  readonly #finish = Promise.withResolvers<void>();

  private constructor(cluster: SimulatedCluster) {
    this.cluster = cluster;
    for (const node of cluster.nodes) node.addEventListener("undeliverable", () => this.told++);
    this.handleAt(this.receiver);
  }

  static async start(nodes = ["a", "b"]): Promise<Flood> {
    return new Flood(await SimulatedCluster.start({ nodes, latency: 1, options: { maxInflight: INFLIGHT } }));
  }

  get sender(): PeerServiceManager {
    return this.cluster.node("a");
  }

  get receiver(): PeerServiceManager {
    return this.cluster.node("b");
  }

  handleAt(node: PeerServiceManager): void {
    node.register("slow", (message: Uint8Array) => {
      this.handled.push(new DataView(message.buffer, message.byteOffset).getUint32(0));
      return this.#finish.promise;
    });
  }

  /** Sends all messages, one after the other, and checks what is held then. */
  async of(what: string, budget: number, send: (message: Uint8Array) => void, count = MESSAGES): Promise<void> {
    const connected = this.#connected();
    const before = liveBytes();
    for (let number = 0; number < count; number++) {
      send(numbered(number));
      await this.cluster.advance(4);
    }
    await this.cluster.advance(100);
    assertEquals(this.handled.length, INFLIGHT);
    assertWithinBudget(`held after ${count / 2} MiB of ${what}`, (liveBytes() - before) / MEBIBYTE, budget, "MiB");
    // Control traffic goes on: no node is held for dead.
    await this.cluster.advance(10_000);
    assertEquals(this.#connected(), connected);
  }

  #connected(): string[][] {
    return this.cluster.nodes.map((node) => node.connected());
  }

  assertInOrder(): void {
    assertEquals(this.handled, this.handled.toSorted((one, other) => one - other));
  }

  /** Has the handlers finish, and what waits for them. */
  async finish(): Promise<void> {
    this.#finish.resolve();
    await this.cluster.advance(5_000);
    assertEquals(PeerService.nodeOf(this.receiver).messaging.registry.workload.waiting, 0);
  }
}

Deno.test("200 MiB cast to a handler that does not finish stay with the sender, and what was taken is delivered in order", async () => {
  const flood = await Flood.start();
  await using _ = flood.cluster;
  await flood.of("casts", QUEUE_BUDGET, (message) => flood.sender.castMessage("b", "slow", message));
  await flood.finish();
  flood.assertInOrder();
  assertEquals(flood.handled.length + flood.told, MESSAGES);
  assertGreater(flood.handled.length, INFLIGHT);
});

Deno.test("200 MiB in calls to a handler that does not finish are refused, and none of it is held", async () => {
  const flood = await Flood.start();
  await using _ = flood.cluster;
  const outcomes: Promise<string>[] = [];
  await flood.of(
    "calls",
    QUEUE_BUDGET,
    (message) => outcomes.push(flood.sender.call("b", "slow", message).then(() => "answered", ({ name }) => name)),
  );
  await flood.finish();
  const counts = Map.groupBy(await flood.cluster.wait(Promise.all(outcomes)), (outcome) => outcome);
  assertEquals([...counts].map(([outcome, { length }]) => [outcome, length]), [
    ["answered", INFLIGHT],
    ["OverloadedError", MESSAGES - INFLIGHT],
  ]);
  assertEquals(flood.handled, Array.from({ length: INFLIGHT }, (_, number) => number));
});

Deno.test("acknowledged messages to a handler that does not finish, repeated over and over, are held by their sender alone", async () => {
  const flood = await Flood.start();
  await using _ = flood.cluster;
  const options = { ack: true, retransmission: { initial: 10, cap: 10 } };
  const sent: Promise<void>[] = [];
  const count = 40;
  await flood.of("acknowledged messages", count / 2 + QUEUE_BUDGET, (message) => {
    sent.push(flood.sender.forwardMessage("b", "slow", message, options));
  }, count);
  assertGreater(flood.receiver.stats().messages.received, 20 * count);
  await flood.finish();
  await flood.cluster.wait(Promise.all(sent));
  // A repetition has no place in an order: that is what a causal label is for.
  assertEquals(
    flood.handled.toSorted((one, other) => one - other),
    Array.from({ length: count }, (_, number) => number),
  );
});

Deno.test("200 MiB of broadcasts to handlers that do not finish wait up to 64 MiB, and those are delivered in order", async () => {
  const flood = await Flood.start();
  await using _ = flood.cluster;
  flood.sender.register("slow", () => {});
  await flood.of("broadcasts", HELD_BUDGET, (message) => flood.sender.broadcast("slow", message));
  await flood.finish();
  flood.assertInOrder();
  assertEquals(flood.handled.length, HELD_MESSAGES + INFLIGHT);
  assertEquals(flood.handled.length + flood.told, MESSAGES);
});

Deno.test("200 MiB of relayed messages to a handler that does not finish wait up to 64 MiB, and those are delivered in order", async () => {
  const flood = await Flood.start(["a", "b", "c"]);
  await using _ = flood.cluster;
  flood.cluster.cut("a", "b");
  await flood.cluster.advance(20_000);
  await flood.of("relayed messages", HELD_BUDGET, (message) => {
    flood.sender.castMessage("b", "slow", message, { transitive: true });
  });
  await flood.finish();
  flood.assertInOrder();
  assertEquals(flood.handled.length, HELD_MESSAGES + INFLIGHT);
  assertEquals(flood.handled.length + flood.told, MESSAGES);
});

Deno.test("200 MiB to oneself, for a handler that does not finish, wait up to 8 MiB, and those are delivered in order", async () => {
  const flood = await Flood.start();
  await using _ = flood.cluster;
  await flood.of("messages to oneself", QUEUE_BUDGET, (message) => flood.receiver.castMessage("b", "slow", message));
  await flood.finish();
  flood.assertInOrder();
  assertEquals(flood.handled.length, 8 * MEBIBYTE / MESSAGE_BYTES - 1 + INFLIGHT);
  assertEquals(flood.handled.length + flood.told, MESSAGES);
});

Deno.test("a stream of 200 MiB to a handler that does not read is held by its window, and comes whole", async () => {
  const flood = await Flood.start();
  await using _ = flood.cluster;
  const given = Promise.withResolvers<ReadableStream<Uint8Array>>();
  flood.receiver.registerStream("bulk", ({ readable }) => given.resolve(readable));
  const { writable } = await flood.cluster.wait(flood.sender.openStream("b", "bulk"));
  const before = liveBytes();
  const writing = (async () => {
    const writer = writable.getWriter();
    for (let number = 0; number < MESSAGES; number++) await writer.write(numbered(number));
    await writer.close();
  })();
  await flood.cluster.advance(20_000);
  assertWithinBudget("held of a stream", (liveBytes() - before) / MEBIBYTE, 2, "MiB");
  let read = 0;
  const reading = (async () => {
    for await (const chunk of await given.promise) read += chunk.length;
  })();
  await flood.cluster.wait(Promise.all([writing, reading]), 600_000);
  assertEquals(read, MESSAGES * MESSAGE_BYTES);
});
