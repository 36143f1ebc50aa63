// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { useChannels } from "../use_channels.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { entryOf, nthOf, present } from "../values.ts";

/** Silence that is borne with the preset `lan`, which the tests use, in milliseconds. */
const SILENCE = 5_000;
/** Until a dead connection is found out and replaced: it is asked, the answer is waited for, and looked at. */
const FOUND_OUT = SILENCE + 4_000;

/** Two nodes whose channels have all their connections. */
async function opened(): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.start({ nodes: ["a", "b"], options: { preset: "lan" } });
  await cluster.runUntil(() => cluster.nodes.map(useChannels).every(Boolean), 1_000);
  await cluster.advance(10);
  return cluster;
}

/** Has every node keep what it hears. */
function listen(cluster: SimulatedCluster): string[] {
  const heard: string[] = [];
  for (const node of cluster.nodes) {
    node.register("ear", (message, { from }) => void heard.push(`${from} ${node.name} ${message}`));
  }
  return heard;
}

Deno.test("a connection that carries nothing any more is found out by what is sent over it, told of and replaced", async () => {
  await using cluster = await opened();
  const heard = listen(cluster);
  const a = cluster.node("a");
  const told: string[] = [];
  a.onDown("b", (node, channel) => void told.push(`down ${node} ${channel}`), { channel: "default" });
  a.onDown("b", (node) => void told.push(`down ${node}`));
  for (const type of ["down", "undeliverable"] as const) {
    a.addEventListener(type, ({ detail }) => {
      told.push(`${type} ${"channel" in detail ? detail.channel : "name" in detail ? detail.name : "all"}`);
    });
  }
  // The second that was opened: that of the default channel.
  cluster.forget("a", "b", 1);
  const dead = a.castMessage("b", "ear", 0);
  await cluster.advance(FOUND_OUT);
  assertEquals([dead, heard], [true, []]);
  assertEquals(told, ["down default", "down b default", "undeliverable ear"]);
  a.castMessage("b", "ear", 1);
  await cluster.advance(100);
  assertEquals(heard, ["a b 1"]);
  assert(a.isFullyConnected("b"));
});

Deno.test("a connection over which nothing is sent is found out as well, before any node needs it", async () => {
  await using cluster = await opened();
  const heard = listen(cluster);
  for (const index of [0, 1]) {
    cluster.forget("a", "b", index);
    await cluster.advance(8 * SILENCE);
    for (const [from, to] of [["a", "b"], ["b", "a"]] as const) cluster.node(from).castMessage(to, "ear", index);
    await cluster.advance(100);
    assertEquals(heard.splice(0).sort(), [`a b ${index}`, `b a ${index}`]);
  }
});

Deno.test("a membership connection that carries no heartbeats is found out though other connections of the peer carry messages", async () => {
  await using cluster = await opened();
  const heard = listen(cluster);
  const membership = (from: string, to: string) =>
    present(entryOf(PeerService.nodeOf(cluster.node(from)).pool.peers, to).membership);
  const before = [membership("a", "b"), membership("b", "a")];
  // The first that was opened.
  cluster.forget("a", "b", 0);
  for (let waited = 0; waited < SILENCE + FOUND_OUT; waited += 500) {
    for (const [from, to] of [["a", "b"], ["b", "a"]] as const) cluster.node(from).castMessage(to, "ear", waited);
    await cluster.advance(500);
  }
  for (const connection of before) assert(connection.closed);
  assert(cluster.node("a").isConnected("b") && cluster.node("b").isConnected("a"));
  assertEquals(heard.length, 2 * (SILENCE + FOUND_OUT) / 500);
});

Deno.test("idle connections are asked once in a while, and neither side asks after the other's questions and answers", async () => {
  await using cluster = await opened();
  const read = () =>
    cluster.nodes.map((node) => {
      const other = node.name === "a" ? "b" : "a";
      return present(entryOf(PeerService.nodeOf(node).pool.peers, other).at("default", 0)).reader.bytesRead;
    });
  const before = read();
  const questions = 20;
  await cluster.advance(questions * 6 * SILENCE);
  const bytes = read().map((after, index) => after - nthOf(before, index));
  // A question has 9 bytes, an answer 13, each with its prefix.
  for (const each of bytes) assert(each > 0 && each <= 16 * questions, `${bytes} bytes for ${questions} questions`);
});

Deno.test("packets that are too large for the path are found out: the channel is told down, and small messages pass again", async () => {
  await using cluster = await opened();
  const heard = listen(cluster);
  const a = cluster.node("a");
  const down: string[] = [];
  a.addEventListener("down", ({ detail: { channel } }) => void down.push(`${channel}`));
  cluster.narrow("a", "b", 1_400);
  a.castMessage("b", "ear", "x".repeat(2_000));
  await cluster.advance(FOUND_OUT);
  assertEquals(down, ["default"]);
  a.castMessage("b", "ear", "small");
  await cluster.advance(100);
  assertEquals(heard, ["a b small"]);
});

Deno.test("a peer to which one direction is dropped is down here, and only here, while others pass on what is for it", async () => {
  const nodes = ["a", "b", "c"];
  await using cluster = await SimulatedCluster.start({ nodes, options: { preset: "lan" } });
  const heard = listen(cluster);
  const [a, b, c] = [cluster.node("a"), cluster.node("b"), cluster.node("c")];
  for (const node of [a, b, c]) node.register("twice", (n: number) => 2 * n);
  const down: string[] = [];
  for (const node of [a, b, c]) node.onDown("*", (name) => void down.push(`${node.name}: ${name}`));
  cluster.cutOneWay("a", "b");
  for (let second = 0; second < 20; second++) {
    a.castMessage("b", "ear", "into the hole");
    await cluster.advance(1_000);
  }
  assertEquals(down.sort(), ["a: b", "b: a"]);
  assertEquals([a.connected(), b.connected(), c.connected()], [["c"], ["c"], ["a", "b"]]);
  await assertRejects(() => a.forwardMessage("b", "ear", "direct"), Error, "no connection");
  await cluster.wait(a.forwardMessage("b", "ear", "relayed", { transitive: true, ack: true }));
  assertEquals(await cluster.wait(a.call("b", "twice", 21, { transitive: true })), 42);
  a.broadcast("ear", "to all");
  await cluster.advance(2_000);
  assertEquals(heard.filter((line) => line.startsWith("a b")), ["a b relayed", "a b to all"]);
  assert(present(a.memberInfo("b")).reason.includes("carry nothing"), present(a.memberInfo("b")).reason);
  cluster.heal();
  await cluster.settled(3_000);
  a.castMessage("b", "ear", "again");
  await cluster.advance(3_000);
  assertEquals(heard.filter((line) => line.endsWith("again")), ["a b again"]);
});

Deno.test("a peer whose handler has no room is alive: its connection is not replaced, whatever it does not read", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"], options: { preset: "lan", maxInflight: 1 } });
  const a = cluster.node("a");
  const held: (() => void)[] = [];
  cluster.node("b").register("slow", () => new Promise<void>((resolve) => held.push(resolve)));
  const down: string[] = [];
  a.addEventListener("down", ({ detail: { channel } }) => void down.push(`${channel}`));
  for (let n = 0; n < 50; n++) a.castMessage("b", "slow", n);
  await cluster.advance(12 * SILENCE);
  assertEquals([down, held.length], [[], 1]);
  for (let n = 0; n < 50; n++) {
    await cluster.runUntil(() => held.length > 0, 1_000);
    held.shift()?.();
    await cluster.advance(10);
  }
  assertEquals(a.stats().messages.dropped, 0);
});

Deno.test("a path so slow that nothing is answered for long is alive", async () => {
  await using cluster = await opened();
  const heard = listen(cluster);
  const a = cluster.node("a");
  const down: string[] = [];
  a.addEventListener("down", ({ detail: { channel } }) => void down.push(`${channel}`));
  cluster.slowReader("b", 10_000);
  for (let n = 0; n < 20; n++) a.castMessage("b", "ear", "x".repeat(10_000));
  await cluster.advance(30_000);
  assertEquals([down, heard.length], [[], 20]);
});
