// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertLess, assertRejects, assertThrows } from "@std/assert";
import { NotConnectedError } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { entryOf, firstOf, present } from "../values.ts";
import { scenario } from "./worlds.ts";

const KIB = 1024;

scenario("A message takes the channel that it names", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { bulk: {}, state: { parallelism: 2 } } });
  const heard = world.inbox(b, "log");
  for (const channel of ["default", "bulk", "state"]) {
    await a.forwardMessage("b", "log", channel, { channel });
    await a.forwardMessage("b", "log", channel, { channel, ack: true });
    a.castMessage("b", "log", channel, { channel });
  }
  await world.until("all arrived", () => heard.messages.length === 9);
  assertEquals(heard.contexts.map(({ channel }) => channel), heard.messages);
});

scenario("Each pair has as many connections per channel as both sides agree on", async (world) => {
  const a = await world.start("a", { channels: { bulk: { parallelism: 2 }, own: {} } });
  const b = await world.start("b", { channels: { bulk: { parallelism: 4 }, other: {} } });
  await b.syncJoin(a.spec);
  await world.settled([a, b]);
  assertEquals(
    [present(a.stats().peers.b).connections, present(b.stats().peers.a).connections],
    [1, 1],
    "nothing is used yet",
  );
  await world.opened([a, b]);
  for (const [node, peer] of [[a, "b"], [b, "a"]] as const) {
    assertEquals(present(node.stats().peers[peer]).connections, 1 + 1 + 2 + 1 + 1);
  }
  const heard = world.inbox(b, "log");
  await a.forwardMessage("b", "log", 1, { channel: "other" });
  await a.forwardMessage("b", "log", 2, { channel: "own" });
  await world.until("both arrived", () => heard.messages.length === 2);
  assertEquals(heard.contexts.map(({ channel }) => channel).sort(), ["other", "own"]);
});

scenario("A channel that neither side has is refused", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  await assertRejects(
    () => a.forwardMessage("b", "log", 1, { channel: "nonsense" }),
    RangeError,
    `channel "nonsense" is unknown`,
  );
  assertThrows(() => a.castMessage("b", "log", 1, { channel: "nonsense" }), RangeError, "is unknown");
  assertEquals(a.stats().messages.dropped, 0);
});

scenario("Messages with one partition key stay in order over parallel connections", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { bulk: { parallelism: 4 } } });
  const heard = world.inbox(b, "log");
  const keys = ["x", "y", "z", 1, 2, 3, -7, 1.5];
  for (let n = 0; n < 1_600; n++) {
    const partitionKey = keys[n % keys.length];
    // Messages of very different sizes overtake each other readily.
    const padding = new Uint8Array(n % 5 === 0 ? 20_000 : 1);
    await a.forwardMessage("b", "log", [partitionKey, n, padding], { channel: "bulk", partitionKey });
  }
  await world.until("all arrived", () => heard.messages.length === 1_600);
  const latest = new Map<unknown, number>();
  for (const [key, n] of heard.messages as [unknown, number][]) {
    assertGreater(n, latest.get(key) ?? -1, `key ${key}`);
    latest.set(key, n);
  }
});

scenario("Without a key messages spread over all connections of a channel", async (world) => {
  const [a] = await world.cluster(["a", "b"], { channels: { bulk: { parallelism: 4, maxQueuedBytes: 64 * KIB } } });
  let accepted = 0;
  while (a.stats().messages.dropped === 0) {
    a.castMessage("b", "log", new Uint8Array(10 * KIB), { channel: "bulk" });
    accepted++;
  }
  assertGreater(accepted, 4 * 5, "four queues hold more than one");
});

scenario(
  "While the named channel has no connection the default one carries it, unless that is refused",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"], { channels: { bulk: {} } });
    await world.opened([a, b]);
    const heard = world.inbox(b, "log");
    present(entryOf(PeerService.nodeOf(a).pool.peers, "b").at("bulk", 0)).close();
    assert(!a.isConnected("b", "bulk"));
    a.castMessage("b", "log", "fallback", { channel: "bulk" });
    const refused = () => a.forwardMessage("b", "log", "refused", { channel: "bulk", fallback: false });
    await assertRejects(refused, NotConnectedError);
    await world.until("it arrived", () => heard.messages.length === 1);
    assertEquals(heard.messages, ["fallback"]);
    assertEquals(firstOf(heard.contexts).channel, "default");
  },
);

scenario(
  "A loaded monotonic channel drops superseded messages, never the newest, and only to the same handler",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"], { channels: { state: { monotonic: true } } });
    const [x, y] = [world.inbox(b, "x"), world.inbox(b, "y")];
    const padding = new Uint8Array(4 * KIB);
    for (let n = 0; n <= 500; n++) {
      a.castMessage("b", "x", [n, padding], { channel: "state" });
      a.castMessage("b", "y", [n, padding], { channel: "state" });
    }
    const last = ({ messages }: typeof x) => (messages.at(-1) as [number] | undefined)?.[0];
    await world.until("the newest arrived", () => last(x) === 500 && last(y) === 500);
    for (const { messages } of [x, y]) {
      const numbers = messages.map((message) => (message as [number])[0]);
      assertEquals(numbers, numbers.toSorted((a, b) => a - b));
      assertLess(numbers.length, 500);
    }
    assertGreater(a.stats().messages.superseded, 0);
    assertEquals(a.stats().messages.dropped, 0);
  },
);

scenario("A monotonic channel without load drops nothing", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { state: { monotonic: true } } });
  const heard = world.inbox(b, "x");
  for (let n = 0; n < 300; n++) await a.forwardMessage("b", "x", n, { channel: "state" });
  await world.until("all arrived", () => heard.messages.length === 300);
  assertEquals(a.stats().messages.superseded, 0);
});

scenario("Compression makes fewer bytes of what repeats itself, and changes no message", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { packed: { compression: true } } });
  const heard = world.inbox(b, "log");
  const message = { text: "all work and no play ".repeat(500) };
  const sent = [message, "short", new Uint8Array(50_000), message, 7];
  const before = present(a.stats().peers.b).bytesOut;
  for (const value of sent) await a.forwardMessage("b", "log", value, { channel: "packed" });
  await world.until("all arrived", () => heard.messages.length === sent.length);
  assertEquals(heard.messages, sent);
  assertLess(present(a.stats().peers.b).bytesOut - before, 10_000);
});

scenario("Bulk data does not starve the membership channel", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { bulk: {} } });
  let down = 0;
  a.onDown("*", () => down++);
  b.onDown("*", () => down++);
  const end = world.clock.now() + 1_500;
  while (world.clock.now() < end) await a.forwardMessage("b", "log", new Uint8Array(256 * KIB), { channel: "bulk" });
  assertEquals(down, 0);
});
