// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "./worlds.ts";
import { present } from "../values.ts";

const KINDS = 8;

/** Registers handlers of all temperaments. */
function furnish(node: PeerServiceManager, wait: (ms: number) => Promise<void>): void {
  node.register("quick", (message) => message);
  node.register("slow", () => wait(20), { concurrency: 2 });
  node.register("faulty", () => {
    throw new Error("No such luck");
  });
  node.addInterpositionFun(
    "some",
    ({ type, message }) => type === "receive_message" && message === "intercept me" ? undefined : message,
  );
}

/** Sends a message of one kind; no node waits for what comes of it. */
function send(from: PeerServiceManager, to: string, kind: number, name: string): void {
  const ignore = (promise: Promise<unknown>) => void promise.catch(() => {});
  const timeout = 2_000;
  if (kind === 0) from.castMessage(to, name, 1);
  else if (kind === 1) ignore(from.forwardMessage(to, name, "intercept me"));
  else if (kind === 2) ignore(from.forwardMessage(to, name, 3, { ack: true, timeout }));
  else if (kind === 3) ignore(from.call(to, name, 4, { timeout }));
  else if (kind === 4) ignore(from.forwardMessage(to, name, 5, { causalLabel: "order", timeout }));
  else if (kind === 5) ignore(from.forwardMessage(to, name, 6, { transitive: true }));
  else if (kind === 6) ignore(from.call(to, name, 7, { signal: AbortSignal.abort() }));
  else from.broadcast(name, 8);
}

/** Sums of both sides of the ledger of one node. */
function balance(node: PeerServiceManager): { received: number; accounted: number } {
  const { messages } = node.stats();
  const { received, delivered, replies, duplicates, unhandled, undecodable, intercepted, turnedAway, discarded } =
    messages;
  const accounted = delivered + replies + duplicates + unhandled + undecodable + intercepted + turnedAway + discarded;
  return { received, accounted };
}

/** Number of messages that all nodes together have sent, and received. */
function totals(nodes: readonly PeerServiceManager[]): { sent: number; received: number } {
  const total = { sent: 0, received: 0 };
  for (const node of nodes) {
    const { messages, broadcasts } = node.stats();
    total.sent += messages.sent + broadcasts.begun + broadcasts.delivered;
    total.received += messages.received;
  }
  return total;
}

const NAMES = ["quick", "slow", "faulty", "nobody"];

async function play(cluster: SimulatedCluster, rounds: number, disturb: (round: number) => void): Promise<void> {
  const random = cluster.world.random("ledger");
  for (let round = 0; round < rounds; round++) {
    disturb(round);
    for (const from of cluster.nodes) {
      const to = present(cluster.names[Math.floor(random.next() * cluster.names.length)]);
      send(from, to, Math.floor(random.next() * KINDS), present(NAMES[Math.floor(random.next() * NAMES.length)]));
    }
    await cluster.advance(random.next() * 30);
  }
}

function start(seed: number): Promise<SimulatedCluster> {
  return SimulatedCluster.start({
    seed,
    nodes: 4,
    options: { causalLabels: ["order"], log: false },
    setup: (node, { clock }) =>
      furnish(node, (ms) => new Promise((resolve) => void clock.schedule(ms, () => resolve()))),
  });
}

Deno.test("The ledgers of a cluster add up: what was sent was received, and each message received has one end", async () => {
  for (let seed = 1; seed <= 3; seed++) {
    await using cluster = await start(seed);
    await play(cluster, 150, () => {});
    await cluster.advance(30_000);
    const { sent, received } = totals(cluster.nodes);
    assertGreater(sent, 500);
    assertEquals(received, sent);
    for (const node of cluster.nodes) {
      const { received, accounted } = balance(node);
      assertEquals(accounted, received, node.name);
    }
  }
});

Deno.test("The ledgers add up at every node, and nothing is received that was not sent, when connections break and nodes stand still", async () => {
  for (let seed = 4; seed <= 6; seed++) {
    await using cluster = await start(seed);
    const random = cluster.world.random("faults");
    const pick = () => present(cluster.names[Math.floor(random.next() * cluster.names.length)]);
    await play(cluster, 150, (round) => {
      if (round % 10 === 0) cluster.heal();
      if (round % 10 === 3) cluster.cut(pick());
      if (round % 10 === 6) cluster.reset(pick(), cluster.names);
    });
    cluster.heal();
    await cluster.settled();
    await cluster.advance(60_000);
    const { sent, received } = totals(cluster.nodes);
    assert(received <= sent, `${received} were received of ${sent}`);
    for (const node of cluster.nodes) {
      const { received, accounted } = balance(node);
      assertEquals(accounted, received, `${node.name}, seed ${seed}`);
    }
  }
});

scenario("A call counts as a message there and a reply back", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("echo", (message) => message);
  await a.call("b", "echo", 1);
  await world.until("all is counted", () => a.stats().messages.replies === 1);
  assertEquals([a.stats().messages.sent, a.stats().messages.received], [1, 1]);
  assertEquals([b.stats().messages.sent, b.stats().messages.received, b.stats().messages.delivered], [1, 1, 1]);
});

scenario("A broadcast that is changed once it was sent arrives as it was, here as well", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const heard = nodes.map((node) => world.inbox(node, "log"));
  const message = { text: "before", bytes: new Uint8Array([1]) };
  nodes[0].broadcast("log", message);
  message.text = "after";
  message.bytes[0] = 2;
  await world.until("both have it", () => heard.every(({ messages }) => messages.length === 1));
  for (const { messages } of heard) assertEquals(messages, [{ text: "before", bytes: new Uint8Array([1]) }]);
});
