// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { Pinger } from "../../manager/pinger.ts";
import type { Connection } from "../../connections/connection.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import type { Peer } from "../../connections/peer.ts";
import { ConnectionBench } from "../messaging/message_bench.ts";
import { bareRuntime, pass } from "../connections/bare_runtime.ts";

const TIMEOUT = 1000;

/** A pinger with a membership connection to node "b". */
class Bench {
  readonly runtime = bareRuntime();
  readonly pinger = new Pinger(this.runtime);
  readonly wire = new ConnectionBench({}, { channel: "membership" });
  readonly connection: Connection<Peer> = this.wire.connection;
  readonly peer: Peer = this.connection.peer;

  constructor() {
    this.peer.fill(this.connection);
  }

  /** Answers, as "b" would. */
  answer(number: number, connection = this.connection): void {
    this.pinger.takePong(connection, new Uint8Array([9, 0, 0, 0, number, 9]), 1, 5);
  }
}

Deno.test("Pinger.ping() resolves with true when the peer answers, and measures the round trip", async () => {
  const bench = new Bench();
  const answered = bench.pinger.ping(bench.peer, TIMEOUT);
  assertEquals(await bench.wire.frames(), [{ kind: FrameKind.ping, body: Uint8Array.of(0, 0, 0, 1) }]);
  await pass(bench.runtime.clock, 40);
  bench.answer(1);
  assertEquals([await answered, bench.peer.roundTrip, bench.runtime.clock.pending], [true, 40, 0]);
});

Deno.test("Pinger.ping() resolves with false when nothing comes in time, and a late answer does nothing", async () => {
  const bench = new Bench();
  const answered = bench.pinger.ping(bench.peer, TIMEOUT);
  await pass(bench.runtime.clock, TIMEOUT);
  assertEquals(await answered, false);
  bench.answer(1);
  assertEquals(bench.peer.roundTrip, undefined);
});

Deno.test("Pinger.ping() resolves with false at once when it cannot be sent", async () => {
  const unconnected = new Bench();
  unconnected.peer.remove(unconnected.connection);
  assertEquals(await unconnected.pinger.ping(unconnected.peer, TIMEOUT), false);
  const full = new Bench();
  full.connection.queue.begin(FrameKind.message).raw(new Uint8Array(2 ** 26));
  full.connection.queue.commit();
  assertEquals(await full.pinger.ping(full.peer, TIMEOUT), false);
  const partitioned = new Bench();
  partitioned.peer.partitioned = true;
  assertEquals(await partitioned.pinger.ping(partitioned.peer, TIMEOUT), false);
  assertEquals(await partitioned.wire.frames(), []);
});

Deno.test("Pinger tells answers to several pings apart, in any order", async () => {
  const bench = new Bench();
  const settled: number[] = [];
  const pings = [1, 2, 3].map((number) => bench.pinger.ping(bench.peer, TIMEOUT).then(() => settled.push(number)));
  for (const number of [2, 3, 1]) {
    bench.answer(number);
    await pass(bench.runtime.clock, 1);
  }
  await Promise.all(pings);
  assertEquals(settled, [2, 3, 1]);
});

Deno.test("Pinger takes no peer's answer for another one's", async () => {
  const bench = new Bench();
  const answered = bench.pinger.ping(bench.peer, TIMEOUT);
  bench.answer(1, new ConnectionBench().connection);
  await pass(bench.runtime.clock, TIMEOUT);
  assertEquals(await answered, false);
});

Deno.test("Pinger settles what waits for a peer that is gone, or for anyone when it stops", async () => {
  const bench = new Bench();
  const first = bench.pinger.ping(bench.peer, TIMEOUT);
  bench.pinger.peerGone(new Bench().peer);
  bench.answer(1);
  assertEquals(await first, true);
  const second = bench.pinger.ping(bench.peer, TIMEOUT);
  bench.pinger.peerGone(bench.peer);
  assertEquals(await second, false);
  const third = bench.pinger.ping(bench.peer, TIMEOUT);
  bench.pinger.stop();
  assertEquals([await third, bench.runtime.clock.pending], [false, 0]);
});

Deno.test("Pinger answers a ping with the same number, over the connection on which it came", async () => {
  const bench = new Bench();
  const other = new ConnectionBench();
  bench.pinger.takePing(other.connection, Uint8Array.of(7, 1, 2, 3, 4), 1, 5);
  assertEquals(await other.frames(), [{ kind: FrameKind.pong, body: Uint8Array.of(1, 2, 3, 4) }]);
  assertEquals(await bench.wire.frames(), []);
});

Deno.test("Pinger does not answer when the queue is full: the node that asked will ask again", async () => {
  const bench = new Bench();
  const full = new ConnectionBench({ maxQueuedBytes: 10 });
  full.connection.queue.begin(FrameKind.message).raw(new Uint8Array(5));
  full.connection.queue.commit();
  bench.pinger.takePing(full.connection, new Uint8Array(4), 0, 4);
  assertEquals((await full.frames()).map(({ kind }) => kind), [FrameKind.message]);
});

Deno.test("Pinger refuses a ping and a pong of another size", () => {
  const { pinger, connection } = new Bench();
  for (const size of [0, 3, 5]) {
    assertThrows(() => pinger.takePing(connection, new Uint8Array(9), 0, size), ProtocolError, `it has ${size} bytes`);
    assertThrows(() => pinger.takePong(connection, new Uint8Array(9), 0, size), ProtocolError, `it has ${size} bytes`);
  }
});
