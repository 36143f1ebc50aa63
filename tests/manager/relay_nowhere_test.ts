// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { fullMesh, hyparview, type PeerServiceManager, type Strategy } from "../../mod.ts";
import { DEFAULT_CHANNEL } from "../../connections/peer.ts";
import { sendValue } from "../../connections/send_value.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { entryOf, firstOf, present } from "../values.ts";

const NODES = 20;
const KIB = 1024;

/** Nodes that know each other, as far as their overlay has them do. */
async function clusterOf(strategy: () => Strategy): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ options: () => ({ preset: "lan", strategy: strategy() }) });
  for (let index = 0; index < NODES; index++) await cluster.startNode(`n${index}`);
  await cluster.advance(20_000);
  return cluster;
}

/** Counts the relay frames that nodes are sent. */
function countRelayFrames(nodes: readonly PeerServiceManager[]): { frames: number } {
  const counted = { frames: 0 };
  for (const manager of nodes) {
    const node = PeerService.nodeOf(manager);
    const frame = node.frame.bind(node);
    node.frame = (connection, kind, ...body) => {
      if (kind === FrameKind.relay) counted.frames++;
      return frame(connection, kind, ...body);
    };
  }
  return counted;
}

/** Has a node hand a peer messages for a node that there is not: its own budget does not count. */
async function relayToNowhere(
  cluster: SimulatedCluster,
  [from, to]: readonly [string, string],
  { first = 1, count, bytes, destination = "nowhere" }: {
    first?: number;
    count: number;
    bytes: number;
    destination?: string;
  },
): Promise<void> {
  const connection = present(
    entryOf(PeerService.nodeOf(cluster.node(from)).pool.peers, to).pick(DEFAULT_CHANNEL, undefined),
  );
  const body = encode(["message", "log", false, "default", null, new Uint8Array(bytes), 0]);
  for (let sequence = first; sequence < first + count; sequence++) {
    const header = { origin: from, incarnation: 1, sequence, destination, ttl: 255, tree: null, path: [] };
    assert(sendValue(connection, FrameKind.relay, [header, body]));
  }
  await cluster.advance(100);
}

Deno.test("In a full mesh a message to nowhere is passed on to no node", async () => {
  await using cluster = await clusterOf(fullMesh);
  const counted = countRelayFrames(cluster.nodes);
  await relayToNowhere(cluster, ["n3", "n7"], { count: 100, bytes: KIB });
  assertEquals(counted.frames, 100);
});

Deno.test("A stranger's messages to nowhere are passed on to no node", async () => {
  await using cluster = await clusterOf(fullMesh);
  const stranger = await cluster.startNode("stranger", { join: false });
  const { pool } = PeerService.nodeOf(stranger);
  const peer = await cluster.wait(pool.reach("n0", cluster.node("n0").spec.addresses));
  await cluster.wait(pool.dial(peer, DEFAULT_CHANNEL, 0));
  const counted = countRelayFrames(cluster.nodes);
  await relayToNowhere(cluster, ["stranger", "n0"], { count: 100, bytes: KIB });
  assertEquals(counted.frames, 100);
  const { relay, ignoredWords } = cluster.node("n0").stats();
  assertEquals([relay, ignoredWords], [{ relayed: 0, lost: 0 }, 100]);
});

Deno.test("Where no node knows all others, a flood of messages to nowhere soon goes one way only, and honest ones arrive", async () => {
  await using cluster = await clusterOf(hyparview);
  const link = ["n3", firstOf(cluster.node("n3").connected())] as const;
  const counted = countRelayFrames(cluster.nodes);
  // A few go everywhere, as each one must whose way is not known.
  await relayToNowhere(cluster, link, { count: 10, bytes: KIB });
  assertGreater(counted.frames, 10 * NODES);
  // What the peer may have copied is used up by the first of these.
  for (let first = 1_000; first < 1_100; first += 25) {
    counted.frames = 0;
    await relayToNowhere(cluster, link, { first, count: 25, bytes: 40 * KIB });
  }
  // One way leads to each node once at most, and what each budget gets back meanwhile pays for one copy.
  assertLess(counted.frames, (25 + 1) * NODES);
  cluster.node("n12").register("ear", () => {});
  await cluster.wait(cluster.node("n5").forwardMessage("n12", "ear", "honest", { ack: true, transitive: true }));
});

Deno.test("In a full mesh a flood of messages to a member that is down soon goes one way only", async () => {
  await using cluster = await clusterOf(fullMesh);
  cluster.crash("n19");
  await cluster.advance(30_000);
  const counted = countRelayFrames(cluster.nodes);
  const ahead = { destination: "n19", count: 25, bytes: 40 * KIB };
  await relayToNowhere(cluster, ["n3", "n7"], { ...ahead, count: 1 });
  assertGreater(counted.frames, NODES * NODES / 2);
  for (let first = 1_000; first < 1_100; first += 25) {
    counted.frames = 0;
    await relayToNowhere(cluster, ["n3", "n7"], { ...ahead, first });
  }
  assertLess(counted.frames, 25 * NODES);
});
