// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { delay, EncodeError, MessageTooLargeError, StoppedError, type Undeliverable } from "../../mod.ts";
import { scenario } from "./worlds.ts";
import { firstOf, present } from "../values.ts";

const KIB = 1024;

scenario("castMessage() returns true, and tells the handler that it was cast, in both shapes", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  assertEquals(a.castMessage("b", "log", 1), true);
  assertEquals(a.castMessage({ node: "b", name: "log" }, 2), true);
  assertEquals(a.castMessage(b.spec, "log", 3), true);
  await world.until("all arrived", () => heard.messages.length === 3);
  assertEquals(heard.messages, [1, 2, 3]);
  const { from, channel, cast } = firstOf(heard.contexts);
  assertEquals([from, channel, cast], ["a", "default", true]);
});

scenario(
  "castMessage() and forwardMessage() keep the order of bytes and of all else that they send in turns",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const heard = world.inbox(b, "log");
    const other = world.inbox(b, "other");
    const sent = Array.from(
      { length: 500 },
      (_, number) => number % 7 === 0 ? { number } : new Uint8Array(number % 300).fill(number),
    );
    for (const [number, message] of sent.entries()) {
      if (number % 3 === 0) {
        await a.forwardMessage("b", "log", message);
      } else a.castMessage("b", "log", message);
      if (number % 50 === 0) a.castMessage("b", "other", message);
    }
    await world.until("all arrived", () => heard.messages.length === sent.length && other.messages.length === 10);
    assertEquals(heard.messages, sent);
    assertEquals(heard.contexts.map(({ cast }) => cast), sent.map((_, number) => number % 3 !== 0));
    assertEquals(a.stats().messages.sent, sent.length + 10);
  },
);

scenario("castMessage() and forwardMessage() send no bytes once the node has stopped", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  world.inbox(b, "log");
  a.castMessage("b", "log", new Uint8Array(3));
  const stopping = a.stop();
  const { sent } = a.stats().messages;
  assertEquals(a.castMessage("b", "log", new Uint8Array(3)), false);
  await assertRejects(() => a.forwardMessage("b", "log", new Uint8Array(3)), StoppedError);
  assertEquals(a.stats().messages.sent, sent);
  await stopping;
});

scenario("castMessage() never throws for a remote condition: it returns false, counts and tells", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const told: Undeliverable[] = [];
  a.addEventListener("undeliverable", ({ detail }) => told.push(detail));
  assertEquals(a.castMessage("nobody", "log", 1), false);
  await b.stop();
  await world.until("a noticed", () => !a.isConnected("b"));
  assertEquals(a.castMessage("b", "log", 1), false);
  assertEquals(told.map(({ node, name }) => `${node}/${name}`), ["nobody/log", "b/log"]);
  assertEquals(a.stats().messages.dropped, 2);
  // @ts-expect-error -- no handler name
  assertThrows(() => a.castMessage("b"), TypeError);
});

scenario("castMessage() throws what is the fault of its caller, and nothing is counted", async (world) => {
  const [a] = await world.cluster(["a", "b"], { maxFrameBytes: 100_000 });
  const told: Undeliverable[] = [];
  a.addEventListener("undeliverable", ({ detail }) => told.push(detail));
  for (const node of ["a", "b"]) {
    assertThrows(() => a.castMessage(node, "log", { at: [() => {}] }), EncodeError, 'Cannot encode "at[0]"');
  }
  assertThrows(() => a.castMessage("b", "log", new Uint8Array(200_000)), MessageTooLargeError);
  assertThrows(() => a.castMessage("b", "log", 1, { channel: "unknown" }), RangeError, "is unknown");
  assertEquals([told, a.stats().messages.dropped], [[], 0]);
});

scenario("castMessage() drops and tells what an interposition function delayed and made unfit", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  const told: Undeliverable[] = [];
  a.addEventListener("undeliverable", ({ detail }) => told.push(detail));
  let runs = 0;
  a.addInterpositionFun("unfit", ({ message }) => runs++ === 0 ? delay(message) : () => {});
  assertEquals(a.castMessage("b", "log", 1), true);
  await world.until("it was told", () => told.length === 1);
  assertEquals(a.stats().messages.dropped, 1);
});

scenario("castMessage() returns false above the high-water mark, and ready() resolves below it", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let heard = 0;
  b.register("log", () => void heard++);
  const message = new Uint8Array(10 * KIB);
  let sent = 1;
  while (a.castMessage("b", "log", message)) sent++;
  assert(sent * 10 * KIB >= 256 * KIB, `${sent} messages are not yet 256 KiB`);
  assert(present(a.stats().peers.b).queuedBytes >= 256 * KIB);
  await a.ready("b");
  assert(present(a.stats().peers.b).queuedBytes < 256 * KIB);
  assertEquals(a.castMessage("b", "log", message), true);
  await world.until("all arrived, those above the mark too", () => heard === sent + 1);
  assertEquals(a.stats().messages.dropped, 0);
});

scenario("Beyond the hard bound what is cast is dropped, counted and told; forwardMessage() waits", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 128 * KIB } } });
  const heard = world.inbox(b, "log");
  let told = 0;
  a.addEventListener("undeliverable", ({ detail }) => void (detail.reason.includes("the queue is full") && told++));
  const message = new Uint8Array(10 * KIB);
  const accepted = 100 - Array.from({ length: 100 }, () => a.castMessage("b", "log", message)).length + 100;
  assertEquals(accepted, 100);
  assertEquals(told, 88);
  assertEquals(a.stats().messages.dropped, 88);
  assert(present(a.stats().peers.b).queuedBytes <= 128 * KIB);
  const forwarded = Array.from({ length: 100 }, (_, n) => a.forwardMessage("b", "log", n));
  assert(present(a.stats().peers.b).queuedBytes <= 128 * KIB);
  await Promise.all(forwarded);
  await world.until("all arrived", () => heard.messages.length === 112);
  assertEquals(heard.messages.slice(12), Array.from({ length: 100 }, (_, n) => n));
});

scenario("A message larger than a queue's bound still gets through when the queue is empty", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 64 * KIB } } });
  const heard = world.inbox(b, "log");
  for (let n = 0; n < 5; n++) await a.forwardMessage("b", "log", new Uint8Array(300 * KIB).fill(n));
  await world.until("all arrived", () => heard.messages.length === 5);
  assertEquals(heard.messages.map((bytes) => (bytes as Uint8Array)[0]), [0, 1, 2, 3, 4]);
});

scenario(
  "ready() resolves at once for an idle node and for a stranger, and when the connection breaks",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    await a.ready("b");
    await a.ready("nobody");
    while (a.castMessage("b", "log", new Uint8Array(10 * KIB)));
    const ready = a.ready("b");
    world.breakConnections("a");
    await ready;
    assert(b.name === "b");
  },
);

scenario("A slow reader's messages wait within the bound, and membership is not disturbed", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  world.simulated.network.slowReader("b", 200 * KIB);
  let down = 0;
  for (const node of [a, c]) node.onDown("*", () => down++);
  const until = world.clock.now() + 5_000;
  while (world.clock.now() < until) {
    await a.forwardMessage("b", "log", new Uint8Array(20 * KIB));
    assert(present(a.stats().peers.b).queuedBytes <= 8 * 1024 * KIB);
  }
  assertEquals(down, 0);
  assertEquals(b.members(), ["a", "b", "c"]);
}, ["memory"]);

scenario(
  "Who waits for room in the queue of a peer that went silent waits no longer than the peer is up",
  async (world) => {
    const { simulated } = world;
    const [a, b] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 128 * KIB } } });
    simulated.network.cut(["a"], ["b"]);
    const message = new Uint8Array(1024 * KIB);
    const waiting = Array.from({ length: 66 }, () => a.forwardMessage("b", "log", message));
    const ready = a.ready("b");
    const outcomes = await Promise.allSettled(waiting);
    await ready;
    const reasons = outcomes.map((outcome) => outcome.status === "rejected" ? outcome.reason.name : outcome.status);
    assertEquals(reasons.slice(0, 65), Array(65).fill("NotConnectedError"));
    assertEquals(reasons[65], "QueueFullError");
    assertEquals([a.isConnected("b"), b.name], [false, "b"]);
  },
  ["memory"],
);
