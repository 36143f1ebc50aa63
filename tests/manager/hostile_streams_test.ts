// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { NotConnectedError, OverloadedError, type PeerServiceManager } from "../../mod.ts";
import type { Connection } from "../../connections/connection.ts";
import { PeerService } from "../../manager/peer_service.ts";
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { encodeInto } from "../../wire/message_pack_encode.ts";
import { entryOf, firstOf, present } from "../values.ts";
import { withoutFeature } from "../without_feature.ts";
import { scenario, type World } from "./worlds.ts";

const KIB = 1024;

/** The connection over which one node says what it should not. */
function connection(from: PeerServiceManager, to: string): Connection {
  return present(entryOf(PeerService.nodeOf(from).pool.peers, to).at("default", 0));
}

function say({ queue }: Connection, kind: FrameKind, body: (writer: ByteWriter) => void): void {
  body(queue.begin(kind));
  queue.commit();
}

function sayOpening(to: Connection, stream: number, name = "sink", form = 0): void {
  say(to, FrameKind.streamOpen, (writer) => {
    writer.u32(stream);
    writer.u8(form);
    writer.u32(0);
    const mark = writer.length;
    writer.u32(0);
    encodeInto(writer, name);
    writer.setU32(mark, writer.length - mark - 4);
    encodeInto(writer, null);
  });
}

function sayData(to: Connection, stream: number, position: number, bytes: Uint8Array): void {
  say(to, FrameKind.streamData, (writer) => {
    writer.u32(stream);
    writer.u16(0);
    writer.u32(position);
    writer.raw(bytes);
  });
}

/** Two nodes, of which the second takes streams and does not read them. */
async function cluster(world: World, maxStreams = 4) {
  const [a, b] = await world.cluster(["a", "b"], { maxStreams });
  b.registerStream("sink", () => {});
  await world.opened([a, b]);
  return { a: a, b: b, line: () => connection(a, "b") };
}

const BREACHES: readonly (readonly [string, (to: Connection) => void])[] = [
  ["beyond what was granted", (to) => {
    sayOpening(to, 0);
    for (let i = 0; i < 7; i++) sayData(to, 0, i * 64 * KIB, new Uint8Array(64 * KIB));
  }],
  ["the number is not free", (to) => sayOpening(to, 1)],
  ["the number is not free", (to) => {
    sayOpening(to, 0);
    sayOpening(to, 0);
  }],
  ["its opening is malformed", (to) => sayOpening(to, 0, "sink", 2)],
  ["its opening is malformed", (to) => sayOpening(to, 0, "x".repeat(2_000))],
  ["its opening is malformed", (to) => say(to, FrameKind.streamOpen, (writer) => writer.u32(0))],
  ["its frame is malformed", (to) => say(to, FrameKind.streamData, (writer) => writer.u16(0))],
  ["its reset is malformed", (to) => {
    sayOpening(to, 0);
    say(to, FrameKind.streamReset, (writer) => {
      writer.u32(0);
      writer.u8(4);
      encodeInto(writer, ["Error", "x"]);
    });
  }],
  ["a remote error: it is malformed", (to) => {
    sayOpening(to, 0);
    say(to, FrameKind.streamReset, (writer) => {
      writer.u32(0);
      writer.u8(3);
      encodeInto(writer, 1);
    });
  }],
  ["its position is malformed", (to) => {
    sayOpening(to, 0);
    say(to, FrameKind.streamCredit, (writer) => writer.u32(0));
  }],
];

for (const [index, [message, breach]] of BREACHES.entries()) {
  scenario(`A peer that breaks the rules of streams loses its connection: ${message} (${index})`, async (world) => {
    const { a, b, line } = await cluster(world);
    const before = line();
    breach(before);
    await world.until("it is closed", () => before.closed && world.errors.length > 0);
    const error = firstOf(world.errors.splice(0));
    assert(`${error.error}`.includes(message), `${error.error}`);
    assertEquals([error.node, error.during], ["a", `reading from channel "default"`]);
    await world.until("it has another one", () => a.isFullyConnected("b") && b.isFullyConnected("a"));
    assertEquals(b.stats().streams.open, 0);
    await a.openStream("b", "sink");
  }, ["memory"]);
}

scenario("A flood of openings, resets and data for unknown streams takes little, and harms no node", async (world) => {
  const { a, b, line } = await cluster(world);
  const open: number[] = [];
  b.registerStream("counts", () => open.push(b.stats().streams.open));
  for (let i = 0; i < 500; i++) sayOpening(line(), 2 * i + 1_000, "counts");
  await world.until("the bound is reached", () => open.length >= 4);
  assertEquals(open, [1, 2, 3, 4]);
  for (let i = 0; i < 500; i++) sayData(line(), 2 * i, 0, new Uint8Array(10));
  for (let i = 0; i < 500; i++) say(line(), FrameKind.streamCredit, (writer) => writer.raw(new Uint8Array(10)));
  await world.until("all are over", () => b.stats().streams.open === 0);
  assertEquals(b.stats().streams, { open: 0, heldBytes: 0, windowBytes: 0 });
  await new Promise<void>((resolve) => world.clock.schedule(1_000, resolve));
  for (let i = 0; i < 4; i++) await a.openStream("b", "sink");
  await assertRejects(() => a.openStream("b", "sink"), OverloadedError);
}, ["memory"]);

scenario("Bytes that do not continue what came before end the stream, not the connection", async (world) => {
  const { a, b, line } = await cluster(world);
  const given = Promise.withResolvers<ReadableStream<Uint8Array>>();
  b.registerStream("reads", ({ readable }) => given.resolve(readable));
  const before = line();
  sayOpening(before, 1_000, "reads");
  sayData(before, 1_000, 0, new Uint8Array(10));
  sayData(before, 1_000, 20, new Uint8Array(10));
  const reader = (await given.promise).getReader();
  await assertRejects(() => reader.read(), NotConnectedError, "a part of it was lost");
  assertEquals([before.closed, a.isFullyConnected("b")], [false, true]);
}, ["memory"]);

scenario("What is not read of streams stays bounded, also when it comes byte by byte and is reset", async (world) => {
  const { b, line } = await cluster(world);
  for (let stream = 1_000; stream < 1_040; stream += 2) {
    sayOpening(line(), stream);
    for (let i = 0; i < 500; i++) sayData(line(), stream, i, new Uint8Array(1));
    say(line(), FrameKind.streamReset, (writer) => {
      writer.u32(stream);
      writer.u8(3);
      encodeInto(writer, ["Error", "x"]);
    });
  }
  await new Promise<void>((resolve) => world.clock.schedule(1_000, resolve));
  // What was not read counts for as long as it is held.
  assertEquals([b.stats().streams.open, b.stats().streams.heldBytes], [4, 2_000]);
}, ["memory"]);

scenario("Nothing of streams is sent to a release that does not know them", async (world) => {
  const { a, b } = await cluster(world);
  withoutFeature(connection(a, "b"), "streams");
  const error = await assertRejects(() => a.openStream("b", "sink"), DOMException, "does not know streams");
  assertEquals([error.name, b.stats().streams.open], ["NotSupportedError", 0]);
}, ["memory"]);
