// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { NotConnectedError, PartitionedError } from "../../messaging/errors.ts";
import { EncodeError } from "../../wire/encode_error.ts";
import { noMessages } from "../../messaging/message_stats.ts";
import { drain, OutboundBench } from "./outbound_bench.ts";
import { settled } from "../connections/fake_stream.ts";
import { present } from "../values.ts";

const LARGE = new Uint8Array(300);

Deno.test("Outbound.forward() returns at once while there is room, and waits above the high-water mark", async () => {
  const bench = new OutboundBench();
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
  const bench = new OutboundBench();
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
  const bench = new OutboundBench();
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
  const bench = new OutboundBench();
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
  const bench = new OutboundBench();
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
  const bench = new OutboundBench();
  assertEquals([bench.cast(1, {}, "stranger"), bench.cast(1)], [false, false]);
  bench.open();
  assertThrows(() => bench.cast(() => {}), EncodeError);
  assertThrows(() => bench.cast(1, { channel: "unknown" }), RangeError);
  assertEquals(bench.cast(1), true);
  assertEquals([bench.stats.dropped, bench.undeliverable.length, bench.stats.sent], [2, 2, 1]);
  assert(bench.undeliverable.every(({ name, reason }) => name === "log" && reason.length > 0));
});

Deno.test("Outbound.cast() returns false above the high-water mark although the message is sent", async () => {
  const bench = new OutboundBench();
  const wire = bench.open();
  assertEquals([bench.cast(LARGE), bench.cast(LARGE), bench.cast(LARGE)], [true, false, false]);
  assertEquals([bench.stats.sent, bench.stats.dropped], [3, 0]);
  await drain(wire);
  assertEquals((await bench.carried(wire)).length, 3);
});

Deno.test("Outbound sends messages with one partition key over one connection, and others over all in turn", async () => {
  const bench = new OutboundBench();
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
  const bench = new OutboundBench();
  const wire = bench.open();
  bench.forward(1, { channel: "bulk" });
  assertThrows(() => bench.forward(2, { channel: "bulk", fallback: false }), NotConnectedError);
  await drain(wire);
  assertEquals(await bench.carried(wire), [1]);
});

Deno.test("Outbound keeps what is for this node, and hands over what others have to pass on", () => {
  const bench = new OutboundBench();
  assertEquals([bench.forward(1, {}, "a"), bench.cast(2, {}, "a")], [undefined, true]);
  assertEquals(bench.stayed.map(({ message, cast }) => [message, cast]), [[1, false], [2, true]]);
  assertEquals([bench.forward(3, { transitive: true }), bench.cast(4, { transitive: true }, "far")], [undefined, true]);
  assertEquals(bench.relayed.map(({ node, message }) => [node, message]), [["b", 3], ["far", 4]]);
});

Deno.test("Outbound.offer() sends what can be sent right now, and keeps quiet about the rest", async () => {
  const bench = new OutboundBench();
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
  const bench = new OutboundBench();
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
