// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { scenario } from "./worlds.ts";
import { present } from "../values.ts";

scenario("stats() counts messages that were sent, delivered, dropped and unhandled", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  for (let n = 0; n < 10; n++) await a.forwardMessage("b", "log", n);
  for (let n = 0; n < 3; n++) await a.forwardMessage("b", "nobody", n);
  a.castMessage("nobody", "log", 1);
  await world.until("all arrived", () => heard.messages.length === 10 && b.stats().messages.unhandled === 3);
  const [{ sent, dropped, superseded }, { delivered }] = [a.stats().messages, b.stats().messages];
  assertEquals({ sent, dropped, superseded, delivered }, { sent: 13, dropped: 1, superseded: 0, delivered: 10 });
});

scenario("stats() measures every peer: connections, bytes both ways, frames and the round trip", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  await world.until(
    "the round trips are known",
    () => [a.stats().peers.b, b.stats().peers.a].every((peer) => present(peer).roundTrip !== undefined),
  );
  const before = present(a.stats().peers.b);
  const heard = world.inbox(b, "log");
  await a.forwardMessage("b", "log", new Uint8Array(100_000));
  // The connection begins without a socket: the message may arrive before it has one.
  const isComplete = () => heard.messages.length === 1 && a.stats().peers.b?.connections === 2;
  await world.until("it arrived, and its connection has a socket", isComplete);
  const [of, at] = [present(a.stats().peers.b), present(b.stats().peers.a)];
  assertEquals(of.connections, 2);
  assertGreater(of.bytesOut - before.bytesOut, 100_000);
  assertGreater(at.bytesIn, 100_000);
  assertGreater(at.framesIn, 0);
  assertEquals(of.queuedBytes, 0);
  assertGreater(present(of.roundTrip), 0);
  assertEquals(Object.keys(a.stats().peers), ["b"]);
});

scenario("stats() counts on one side what it counts on the other: the bytes of a pair", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  await a.forwardMessage("b", "log", new Uint8Array(100_000));
  await world.until("it arrived", () => heard.messages.length === 1);
  await world.until("nothing is under way", () => {
    const [here, there] = [a.stats(), b.stats()];
    const [of, at] = [present(here.peers.b), present(there.peers.a)];
    return here.bytes.out === there.bytes.in && here.bytes.in === there.bytes.out &&
      of.bytesOut === at.bytesIn && of.bytesIn === at.bytesOut;
  });
});

scenario("stats() is a copy: it does not change later, and changing it changes nothing", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  const stats = a.stats();
  const sent = stats.messages.sent;
  await a.forwardMessage("a", "nobody", 1);
  assertEquals(stats.messages.sent, sent);
  (stats.connections.refused as Record<string, number>).cluster = 99;
  assertEquals(a.stats().connections.refused, {});
});

scenario("stats() of an idle pair: a second costs few frames and bytes", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  const before = present(a.stats().peers.b);
  const later = world.clock.now() + 1_000;
  await world.until("a second has passed", () => world.clock.now() >= later);
  const after = present(a.stats().peers.b);
  // Five heartbeats, five digests and five pings a second with the local preset, and their answers.
  assert(after.framesIn - before.framesIn <= 40, `${after.framesIn - before.framesIn} frames`);
  assert(after.bytesOut - before.bytesOut <= 2_000, `${after.bytesOut - before.bytesOut} bytes`);
}, ["memory"]);

scenario("stats() counts dials, failed dials and accepted streams", async (world) => {
  const [a, b] = [await world.start("a"), await world.start("b")];
  await b.syncJoin(a.spec);
  await world.opened([a, b]);
  assertEquals(b.stats().connections.dials + a.stats().connections.dials, 2);
  assertEquals(a.stats().connections.accepted + b.stats().connections.accepted, 2);
  await a.stop();
  await world.until("b dials in vain", () => b.stats().connections.dialFailures > 0);
});
