// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Cable, Window } from "../../bench/cable.ts";
import { LinkRelay } from "../../bench/link_relay.ts";

Deno.test("A cable delays bytes, and lets them out one after the other at its rate", () => {
  const cable = new Cable({ delay: 10, rate: 1_000_000 });
  assertEquals(cable.send(5_000, 0), 15);
  assertEquals(cable.send(1_000, 2), 16, "it did not wait for the bytes before it");
  assertEquals(cable.send(1_000, 100), 111, "it waited although the cable was free");
});

Deno.test("A window is full until the news of what arrived is back", () => {
  const window = new Window(1_000);
  window.sent(600, 20);
  window.sent(400, 30);
  assertEquals([window.room(19), window.nextAt], [0, 20]);
  assertEquals([window.room(20), window.nextAt], [600, 30]);
  assertEquals([window.room(30), window.nextAt], [1_000, Infinity]);
  assertThrows(() => window.sent(1_001, 40), RangeError, "Cannot send 1001 bytes at once: the window has 1000");
});

Deno.test("A relay carries bytes both ways in order, no sooner than its round trip, and closes both ends with one", async () => {
  const roundTrip = 20;
  using relay = new LinkRelay({ roundTrip, rate: 100_000_000, window: 100_000 });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = relay.listen({ port: (listener.addr as Deno.NetAddr).port }, true);
  using near = await Deno.connect({ hostname: "127.0.0.1", port });
  using far = await listener.accept();

  const sentAt = performance.now();
  await near.write(new Uint8Array([7]));
  const byte = new Uint8Array(1);
  await far.read(byte);
  await far.write(byte);
  await near.read(byte);
  assert(performance.now() - sentAt >= roundTrip, "the round trip was too short");
  assertEquals([...byte], [7]);

  const sent = Uint8Array.from({ length: 300_000 }, (_, index) => index * 7);
  const writing = (async () => {
    for (let rest = sent; rest.length > 0;) rest = rest.subarray(await near.write(rest));
    near.closeWrite();
  })();
  const got: number[] = [];
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await far.read(buffer)) !== null;) got.push(...buffer.subarray(0, count));
  await writing;
  assertEquals(got.length, sent.length);
  assert(got.every((value, index) => value === sent[index]), "bytes came in another order");
  assertEquals(await near.read(byte), null);
});
