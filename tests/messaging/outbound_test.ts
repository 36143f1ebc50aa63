// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DelayQueue } from "../../messaging/delay_queue.ts";
import { NotConnectedError, PartitionedError } from "../../messaging/errors.ts";
import { EncodeError } from "../../wire/encode_error.ts";
import { Interpositions } from "../../messaging/interposition.ts";
import { type MessageStats, noMessages, type Undeliverable } from "../../messaging/message_stats.ts";
import { Outbound, type OutboundMessage, type SendOptions } from "../../messaging/outbound.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import type { Connection } from "../../connections/connection.ts";
import type { ConnectionPool } from "../../connections/connection_pool.ts";
import { Peer } from "../../connections/peer.ts";
import { nodeSpec } from "../node_spec.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";
import { settled } from "../connections/fake_stream.ts";
import { ConnectionBench } from "./message_bench.ts";
import { present } from "../values.ts";

const PLAIN = { parallelism: 1, monotonic: false, compression: false };
const CHANNELS = { default: PLAIN, membership: PLAIN, bulk: { ...PLAIN, parallelism: 3 } };

/** The way out of node "a" to node "b". */
class Bench {
  readonly codec = new PayloadCodec();
  readonly peer = new Peer(nodeSpec("b", 1, { channels: CHANNELS }), nodeSpec("a"));
  readonly wires = new Map<Connection<Peer>, ConnectionBench>();
  readonly stats: MessageStats = noMessages();
  readonly undeliverable: Undeliverable[] = [];
  readonly stayed: OutboundMessage[] = [];
  readonly relayed: OutboundMessage[] = [];
  readonly outbound: Outbound;

  constructor() {
    this.outbound = new Outbound({
      self: () => "a",
      interpositions: new Interpositions(() => {}),
      delayed: new DelayQueue(bareRuntime().clock),
      relay: (message) => this.relayed.push(message),
      here: {
        forward: (message) => void this.stayed.push(message),
        cast: (message) => this.stayed.push(message) > 0,
        drained: () => Promise.resolve(),
      },
      pool: { peers: new Map([["b", this.peer]]) } as unknown as ConnectionPool,
      codec: this.codec,
      stats: this.stats,
      monotonic: new Set(),
      undeliverable: (what) => this.undeliverable.push(what),
    });
  }

  /** Opens a connection, which takes 1,000 bytes, and asks senders to wait above 500. */
  open(channel = "default", index = 0): ConnectionBench {
    const options = { maxQueuedBytes: 1000, highWaterMark: 500 };
    const wire = new ConnectionBench(options, { peer: this.peer, channel, index });
    wire.stream.holdWrites = true;
    this.peer.fill(wire.connection);
    this.wires.set(wire.connection, wire);
    return wire;
  }

  forward(message: unknown, options: SendOptions = {}, node = "b", signal?: AbortSignal): Promise<void> | undefined {
    return this.outbound.forward({ node, name: "log", message, options, cast: false }, signal);
  }

  cast(message: unknown, options: SendOptions = {}, node = "b"): boolean {
    return this.outbound.cast({ node, name: "log", message, options, cast: true });
  }

  /** Messages that a wire has carried so far. */
  async carried(wire: ConnectionBench): Promise<unknown[]> {
    return (await wire.messages(this.codec)).map(({ message }) => message);
  }
}

/** Lets all that is queued go out. */
async function drain(wire: ConnectionBench): Promise<void> {
  wire.stream.holdWrites = false;
  wire.stream.release();
  for (let count = 0; count < 10; count++) await settled();
}

const LARGE = new Uint8Array(300);

Deno.test("Outbound.forward() returns at once while there is room, and waits above the high-water mark", async () => {
  const bench = new Bench();
  const wire = bench.open();
  assertEquals(bench.forward(1), undefined);
  assertEquals(bench.forward(LARGE), undefined);
  const waiting = bench.forward(LARGE);
  assert(waiting !== undefined);
  assertEquals(bench.stats.sent, 3);
  await drain(wire);
  await waiting;
  assertEquals(await bench.carried(wire), [1, LARGE, LARGE]);
});

Deno.test("Outbound.forward() does not wait above the high-water mark for a sender that waits for more, but does for room", async () => {
  const bench = new Bench();
  const wire = bench.open();
  const forward = (message: unknown) =>
    bench.outbound.forward({ node: "b", name: "log", message, options: {}, cast: false, awaited: true });
  assertEquals([forward(new Uint8Array(600)), forward("above it")], [undefined, undefined]);
  const waiting = present(forward(new Uint8Array(500)));
  await drain(wire);
  await waiting;
  assertEquals((await bench.carried(wire)).length, 3);
});

Deno.test("Outbound.forward() waits for room when the queue is full, and nothing overtakes it", async () => {
  const bench = new Bench();
  const wire = bench.open();
  const waiting = Array.from({ length: 6 }, (_, number) => bench.forward({ number, LARGE }));
  await settled();
  assertEquals(bench.stats.sent, 3);
  assertEquals(bench.cast("small"), false);
  const small = bench.forward("small");
  assertEquals(bench.undeliverable.map(({ reason }) => reason), ['Cannot send to "log" on "b": the queue is full']);
  await drain(wire);
  await Promise.all([...waiting, small]);
  const numbers = (await bench.carried(wire)).map((message) => (message as { number?: number }).number);
  assertEquals(numbers, [0, 1, 2, 3, 4, 5, undefined]);
  assertEquals(bench.cast("small"), true);
});

Deno.test("Outbound.forward() rejects what waits when the connection closes, or its sender gives up", async () => {
  const bench = new Bench();
  const wire = bench.open();
  while (bench.cast(LARGE) || bench.stats.dropped === 0);
  const controller = new AbortController();
  const given = present(bench.forward(LARGE, {}, "b", controller.signal));
  const waiting = present(bench.forward(LARGE));
  for (const promise of [given, waiting]) promise.catch(() => {});
  controller.abort(new Error("Enough"));
  wire.connection.close();
  await assertRejects(() => given, Error, "Enough");
  await assertRejects(() => waiting, NotConnectedError, "the connection closed");
});

Deno.test("Outbound.forward() throws at once for what cannot be sent at all", () => {
  const bench = new Bench();
  assertThrows(() => bench.forward(1, {}, "stranger"), NotConnectedError, "it is not a member");
  assertThrows(() => bench.forward(1), NotConnectedError, "there is no connection now");
  bench.open();
  assertThrows(() => bench.forward(undefined), EncodeError);
  assertThrows(() => bench.forward(1, { channel: "unknown" }), RangeError, 'channel "unknown" is unknown');
  bench.peer.silent = true;
  assertThrows(() => bench.forward(1), NotConnectedError, "there is no connection now");
  bench.peer.partitioned = true;
  assertThrows(() => bench.forward(1), PartitionedError, "an injected partition is in between");
  assertEquals(bench.stats, noMessages());
});

Deno.test("Outbound.cast() throws what is its caller's fault; else it returns false, counts and tells", () => {
  const bench = new Bench();
  assertEquals([bench.cast(1, {}, "stranger"), bench.cast(1)], [false, false]);
  bench.open();
  assertThrows(() => bench.cast(() => {}), EncodeError);
  assertThrows(() => bench.cast(1, { channel: "unknown" }), RangeError);
  assertEquals(bench.cast(1), true);
  assertEquals([bench.stats.dropped, bench.undeliverable.length, bench.stats.sent], [2, 2, 1]);
  assert(bench.undeliverable.every(({ name, reason }) => name === "log" && reason.length > 0));
});

Deno.test("Outbound.cast() returns false above the high-water mark although the message is sent", async () => {
  const bench = new Bench();
  const wire = bench.open();
  assertEquals([bench.cast(LARGE), bench.cast(LARGE), bench.cast(LARGE)], [true, false, false]);
  assertEquals([bench.stats.sent, bench.stats.dropped], [3, 0]);
  await drain(wire);
  assertEquals((await bench.carried(wire)).length, 3);
});

Deno.test("Outbound sends messages with one partition key over one connection, and others over all in turn", async () => {
  const bench = new Bench();
  const wires = [0, 1, 2].map((index) => bench.open("bulk", index));
  for (let number = 0; number < 9; number++) bench.forward(number, { channel: "bulk" });
  for (let number = 10; number < 14; number++) bench.forward(number, { channel: "bulk", partitionKey: "user-7" });
  const carried = [];
  for (const wire of wires) {
    await drain(wire);
    carried.push(await bench.carried(wire));
  }
  assertEquals(carried.map((messages) => messages.filter((number) => number as number < 10).length), [3, 3, 3]);
  assertEquals(carried.filter((messages) => messages.some((number) => number as number >= 10)).length, 1);
});

Deno.test("Outbound takes the default channel where the named one has no connection, unless that is not wanted", async () => {
  const bench = new Bench();
  const wire = bench.open();
  bench.forward(1, { channel: "bulk" });
  assertThrows(() => bench.forward(2, { channel: "bulk", fallback: false }), NotConnectedError);
  await drain(wire);
  assertEquals(await bench.carried(wire), [1]);
});

Deno.test("Outbound keeps what is for this node, and hands over what others have to pass on", () => {
  const bench = new Bench();
  assertEquals([bench.forward(1, {}, "a"), bench.cast(2, {}, "a")], [undefined, true]);
  assertEquals(bench.stayed.map(({ message, cast }) => [message, cast]), [[1, false], [2, true]]);
  assertEquals([bench.forward(3, { transitive: true }), bench.cast(4, { transitive: true }, "far")], [undefined, true]);
  assertEquals(bench.relayed.map(({ node, message }) => [node, message]), [["b", 3], ["far", 4]]);
});

Deno.test("Outbound.offer() sends what can be sent right now, and keeps quiet about the rest", async () => {
  const bench = new Bench();
  const offer = (message: unknown) =>
    bench.outbound.offer({ node: "b", name: "log", message, options: {}, cast: false });
  offer(1);
  const wire = bench.open();
  for (let number = 0; number < 9; number++) offer({ number, LARGE });
  assertEquals([bench.stats.dropped, bench.undeliverable], [0, []]);
  await drain(wire);
  assertEquals((await bench.carried(wire)).length, 3);
});

Deno.test("Outbound.ready() resolves when every connection that may carry a message is below its high-water mark", async () => {
  const bench = new Bench();
  await bench.outbound.ready("stranger", "default");
  await bench.outbound.ready("b", "default");
  const [first, second] = [bench.open("bulk", 0), bench.open("bulk", 1)];
  for (let count = 0; count < 6; count++) bench.cast(LARGE, { channel: "bulk" });
  let isReady = false;
  const ready = bench.outbound.ready("b", "bulk").then(() => isReady = true);
  await drain(first);
  assertEquals(isReady, false);
  await drain(second);
  await ready;
});
