// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals } from "@std/assert";
import { Peer } from "../../connections/peer.ts";
import { SlotLines } from "../../messaging/slot_lines.ts";
import { nodeSpec } from "../node_spec.ts";
import { settled } from "../connections/fake_stream.ts";
import { nthOf } from "../values.ts";
import { ConnectionBench } from "./message_bench.ts";

/** Senders to nodes "b" and "c" that wait for room, each in the line of its slot. */
class Bench {
  readonly lines = new SlotLines();
  readonly b = new Peer(nodeSpec("b"), nodeSpec("a"));
  readonly c = new Peer(nodeSpec("c"), nodeSpec("a"));
  /** Messages that were written, in their order. */
  readonly written: string[] = [];

  /** A connection whose queue is full until {@linkcode drain}. */
  connection(channel: string, index = 0, peer = this.b): ConnectionBench {
    const wire = new ConnectionBench({ highWaterMark: 1 }, { peer, channel, index });
    wire.stream.holdWrites = true;
    // One that is being written, and one behind it.
    for (let count = 0; count < 2; count++) {
      wire.connection.queue.begin(1).raw(new Uint8Array(8));
      wire.connection.queue.commit();
    }
    return wire;
  }

  wait({ connection }: ConnectionBench, message: string): Promise<void> {
    return this.lines.of(connection).wait(() => {
      this.written.push(message);
      return null;
    });
  }
}

async function drain(...wires: ConnectionBench[]): Promise<void> {
  for (const { stream } of wires) {
    stream.holdWrites = false;
    stream.release();
  }
  for (let count = 0; count < 10; count++) await settled();
}

Deno.test("senders that wait for room in one slot hold up no sender to another slot, channel or node", async () => {
  const bench = new Bench();
  const full = bench.connection("bulk", 1);
  const others = [bench.connection("bulk", 0), bench.connection("default", 1), bench.connection("bulk", 1, bench.c)];
  const waiting = bench.wait(full, "waits");
  assert(bench.lines.has(full.connection));
  for (const { connection } of others) assertFalse(bench.lines.has(connection));
  for (const other of others) {
    const free = bench.wait(other, other.connection.channel);
    await drain(other);
    await free;
  }
  assertEquals(bench.written, ["bulk", "default", "bulk"]);
  await drain(full);
  await waiting;
  assertFalse(bench.lines.has(full.connection));
});

Deno.test("senders that wait in several slots of a node keep their lines, whichever of them is emptied first", async () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
    const bench = new Bench();
    const wires = [bench.connection("default"), bench.connection("bulk", 0), bench.connection("bulk", 1)];
    const lines = wires.map(({ connection }) => bench.lines.of(connection));
    const waiting = wires.map((wire, slot) => bench.wait(wire, `${slot}`));
    const left = new Set(order);
    for (const slot of order) {
      for (const [other, { connection }] of wires.entries()) {
        assertEquals(bench.lines.has(connection), left.has(other), `${order}`);
        if (left.has(other)) assertStrictEquals(bench.lines.of(connection), lines[other]);
      }
      await drain(nthOf(wires, slot));
      await waiting[slot];
      left.delete(slot);
    }
    assertEquals(bench.written, order.map(String));
    assert(wires.every(({ connection }) => !bench.lines.has(connection)));
  }
});

Deno.test("a connection that takes the place of another one has its senders come behind those that wait already", () => {
  const bench = new Bench();
  const former = bench.connection("bulk", 1);
  bench.wait(former, "first").catch(() => {});
  const successor = bench.connection("bulk", 1);
  assert(bench.lines.has(successor.connection));
  assertStrictEquals(bench.lines.of(successor.connection), bench.lines.of(former.connection));
});

Deno.test("the end of the waits for a node lets go of all its messages, and of those for no other node", async () => {
  const bench = new Bench();
  const gone = [bench.connection("default"), bench.connection("bulk", 0), bench.connection("bulk", 1)];
  const stays = bench.connection("default", 0, bench.c);
  const given = gone.map((wire) => bench.wait(wire, "to b"));
  for (const wait of given) wait.catch(() => {});
  const waiting = bench.wait(stays, "to c");
  bench.lines.end("b", new Error("It went down"));
  assertEquals([...gone, stays].map(({ connection }) => bench.lines.has(connection)), [false, false, false, true]);
  await drain(...gone, stays);
  await waiting;
  for (const wait of given) await assertRejects(() => wait, Error, "It went down");
  assertEquals(bench.written, ["to c"]);
});
