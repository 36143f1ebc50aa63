// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import type { MessageTracer } from "../../messaging/tracing.ts";
import { pattern } from "../connections/fake_stream.ts";
import { seededRandom } from "../seeded_random.ts";
import { nthOf } from "../values.ts";
import { drain, OutboundBench } from "./outbound_bench.ts";

const ROOMY = { maxQueuedBytes: 2 ** 22, highWaterMark: 2 ** 20 };
const BYTES = pattern(64);
const SLOTS = [["default", 0], ["default", 1], ["bulk", 0], ["bulk", 1], ["bulk", 2], ["log", 0]] as const;

/** A bench whose connection has a batch that has begun, with a message to "log" in it. */
function begun(bench = new OutboundBench()) {
  const wire = bench.open();
  bench.cast(BYTES);
  return { bench, wire, connection: wire.connection, queue: wire.connection.queue };
}

/** Sends over the short way, and has the bench say what has happened. */
function send(
  bench: OutboundBench,
  message: unknown = BYTES,
  name: unknown = "log",
  node: unknown = "b",
  options?: unknown,
) {
  const before = [...bench.wires.keys()].map(({ queue }) => queue.taken);
  const { sent } = bench.stats;
  const isTaken = bench.fastPath.send(node, name, message, true, options);
  const isQueued = [...bench.wires.keys()].some(({ queue }, at) => queue.taken !== before[at]);
  assertEquals([isQueued, bench.stats.sent], [isTaken, sent + (isTaken ? 1 : 0)]);
  return isTaken;
}

Deno.test("FastPath.send() puts the same bytes on the wire as Outbound, with the same answers and counts", async () => {
  const random = seededRandom(11);
  const [short, ordinary] = [new OutboundBench({ parallelism: 2 }), new OutboundBench({ parallelism: 2 })];
  const wiresOf = (bench: OutboundBench) => SLOTS.map(([channel, index]) => bench.open(channel, index, ROOMY));
  const [shortWires, ordinaryWires] = [wiresOf(short), wiresOf(ordinary)];
  let taken = 0;
  for (let count = 0; count < 12_000; count++) {
    const name = random.pick(["log", "counter", "größe"]);
    const message = random.chance(0.9) ? pattern(random.int(300)) : random.pick(["text", null, pattern(70_000)]);
    const options = random.pick([
      undefined,
      { channel: "log" },
      { channel: "bulk" },
      { channel: "bulk", partitionKey: random.int(9) - 1 },
      { partitionKey: `user ${random.int(9)}` },
      { channel: "log", partitionKey: 1.5, fallback: false },
    ]);
    const isShort = short.fastPath.send("b", name, message, true, options);
    if (isShort) taken++;
    assertEquals(isShort || short.cast(message, options, "b", name), ordinary.cast(message, options, "b", name));
    if (random.chance(0.01)) { for (const wire of [...shortWires, ...ordinaryWires]) await drain(wire); }
  }
  for (const wire of [...shortWires, ...ordinaryWires]) await drain(wire);
  assert(taken > 4_000, `${taken} messages took the short way`);
  assertEquals(short.stats, ordinary.stats);
  for (const [at, wire] of shortWires.entries()) {
    const other = nthOf(ordinaryWires, at);
    assert(wire.stream.writes.length > 10, `too little went over connection ${at}`);
    assertEquals(wire.stream.writes, other.stream.writes);
    assertEquals(wire.connection.unconfirmed.take(), other.connection.unconfirmed.take());
  }
});

Deno.test("FastPath.send() takes the connection of a partition key, or the only one of a channel", () => {
  const bench = new OutboundBench({ monotonic: ["bulk"] });
  const { connection } = bench.open("log", 0, ROOMY);
  bench.cast(BYTES, { channel: "log" });
  for (const options of [{ channel: "log" }, { channel: "log", partitionKey: 7 }, Object.create({ channel: "log" })]) {
    const before = connection.queue.taken;
    assertEquals(send(bench, BYTES, "log", "b", options), true);
    assert(connection.queue.taken > before);
  }
});

Deno.test("FastPath.send() leaves options alone that are more than a channel and a partition key, or wrong", () => {
  const bench = new OutboundBench({ monotonic: ["latest"] });
  for (const channel of ["default", "log", "latest"]) {
    bench.open(channel, 0, ROOMY);
    bench.cast(BYTES, { channel });
  }
  const given = [
    null,
    [],
    "log",
    1,
    { fallback: true },
    { channel: "log", ack: true },
    { channel: "log", causalLabel: undefined },
    { channel: undefined },
    { channel: 1 },
    { partitionKey: undefined },
    { partitionKey: true },
    { channel: "unknown" },
    { channel: "unknown", partitionKey: 1 },
    { channel: "bulk" },
    { channel: "latest" },
    { chanel: "log" },
  ];
  for (const options of given) assertEquals(send(bench, BYTES, "log", "b", options), false, JSON.stringify(options));
  assertEquals(send(bench, BYTES, "log", "b", {}), true);
});

Deno.test("FastPath.send() marks a message as cast, or not, as its sender says", async () => {
  const { bench, wire } = begun();
  assertEquals(bench.fastPath.send("b", "log", BYTES, false, undefined), true);
  assertEquals(bench.fastPath.send("b", "log", new Uint8Array(), true, undefined), true);
  await drain(wire);
  const messages = await wire.messages(bench.codec);
  assertEquals(messages.map(({ cast, message }) => [cast, message]), [
    [true, BYTES],
    [false, BYTES],
    [true, new Uint8Array()],
  ]);
});

Deno.test("FastPath.send() leaves a message alone that needs more than to be copied into a batch", async (test) => {
  const cases: Record<string, (begunBench: ReturnType<typeof begun>) => void> = {
    "the node has stopped": ({ bench }) => bench.node.stopped = true,
    "an interposition function is there": ({ bench }) => bench.interpositions.pre.add("look", () => {}),
    "messages are traced": ({ bench }) => bench.tracing.tracer = {} as MessageTracer,
    "a sender waits for room": ({ bench, queue }) => {
      // More than there is room for, while the queue is below its high-water mark.
      assert(bench.forward(new Uint8Array(900)) !== undefined && !queue.aboveHighWaterMark);
    },
    "a partition is in between": ({ bench }) => bench.peer.partitioned = true,
    "the peer is silent": ({ bench }) => bench.peer.silent = true,
    "the peer is severed": ({ bench }) => bench.peer.severed = true,
    "the connection is mute": ({ connection }) => connection.mute = true,
    "the connection drains": ({ connection }) => connection.drain(1_000),
    "the connection is closed": ({ connection }) => connection.close(),
    "the slot is empty": ({ bench, connection }) => bench.peer.remove(connection),
    "a frame is being encoded": ({ queue }) => queue.begin(1),
    "the queue would be above its high-water mark": ({ bench, queue }) => {
      bench.cast(new Uint8Array(500 - queue.queuedBytes - 12 - BYTES.length));
      assert(!queue.aboveHighWaterMark);
    },
  };
  for (const [name, arrange] of Object.entries(cases)) {
    await test.step(name, () => {
      const begunBench = begun();
      assertEquals(send(begunBench.bench), true);
      arrange(begunBench);
      assertEquals(send(begunBench.bench), false);
    });
  }
});

Deno.test("FastPath.send() leaves a frame alone that is closed while it is encoded", () => {
  const { bench, connection, queue } = begun();
  queue.begin(1);
  connection.close();
  queue.commit();
  assertEquals(send(bench), false);
});

Deno.test("FastPath.send() leaves a message alone that is not a few bytes for a handler with a number, on a connection with a batch", async () => {
  const { bench, wire } = begun();
  const given: Record<string, Parameters<typeof send>> = {
    "a text": [bench, "text"],
    "no message": [bench, null],
    "other bytes": [bench, BYTES.buffer],
    "256 bytes": [bench, new Uint8Array(256)],
    "a handler without a number": [bench, BYTES, "other"],
    "no handler name": [bench, BYTES, null],
    "another node": [bench, BYTES, "log", "c"],
    "this node": [bench, BYTES, "log", "a"],
    "a node as an object": [bench, BYTES, "log", { name: "b" }],
  };
  // All in one turn, after which the batch is on its way.
  for (const [name, args] of Object.entries(given)) assertEquals(send(...args), false, name);
  assertEquals(send(bench, new Uint8Array(255)), true);
  await drain(wire);
  assertEquals(send(bench), false, "an empty batch");
});

Deno.test("FastPath.send() leaves a message alone that would complete its batch, or is larger than a frame may be", () => {
  const bench = new OutboundBench();
  const { connection: { queue } } = bench.open("default", 0, ROOMY);
  // The buffer of the batch has doubled, and has room for more than the batch takes. A frame has 9 bytes more than its message.
  const left = () => 64 * 1024 + 32 - queue.taken;
  bench.cast(new Uint8Array(3_000));
  while (left() > 1_300) bench.cast(new Uint8Array(1_000));
  bench.cast(new Uint8Array(left() - 100));
  const rest = left();
  assert(rest > 20 && rest < 100, `${rest} bytes are left`);
  assertEquals([send(bench, new Uint8Array(rest - 9)), send(bench, new Uint8Array(rest - 10))], [false, true]);

  const empty = new OutboundBench();
  empty.open("default", 0, ROOMY);
  empty.cast(BYTES);
  empty.cast(new Uint8Array(128 * 1024));
  assertEquals(send(empty), false, "a message that would begin a batch");

  const narrow = new OutboundBench();
  narrow.open("default", 0, { ...ROOMY, maxFrameBytes: 60 });
  narrow.cast(new Uint8Array(40));
  assertEquals([send(narrow, new Uint8Array(55)), send(narrow, new Uint8Array(56))], [true, false]);
});

Deno.test("FastPath.send() takes no message where a codec, an order of several connections or newer messages decide", () => {
  const json = { encode: (value: unknown) => new TextEncoder().encode(`${value}`), decode: () => null };
  for (const options of [{ custom: json }, { monotonic: ["default"] }, { parallelism: 2 }]) {
    const { bench } = begun(new OutboundBench(options));
    assertEquals(send(bench), false);
  }
  assertEquals(send(begun(new OutboundBench({ monotonic: ["bulk"] })).bench), true);
});
