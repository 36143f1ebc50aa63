// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL } from "../../connections/peer.ts";
import { sendValue } from "../../connections/send_value.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { attributesToValue } from "../../gossip/attribute_message.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { overlayScenario } from "./overlay_worlds.ts";
import { scenario, type World } from "./worlds.ts";

/** Has one node send another one whatever frame it likes. */
async function tell(from: PeerServiceManager, to: PeerServiceManager, kind: FrameKind, value: unknown): Promise<void> {
  const { pool } = PeerService.nodeOf(from);
  const peer = await pool.reach(to.name, to.spec.addresses);
  const channel = kind === FrameKind.relay || kind === FrameKind.broadcast ? DEFAULT_CHANNEL : MEMBERSHIP_CHANNEL;
  const connection = peer.at(channel, 0) ?? await pool.dial(peer, channel, 0);
  assert(sendValue(connection, kind, value));
}

/** A relayed message that names another node as the one that sent it. */
function relayed(origin: PeerServiceManager, destination: string, sequence: number, marks: unknown): unknown {
  const { name, incarnation } = origin.spec;
  const header = { origin: name, incarnation, sequence, destination, ttl: 5, tree: null, path: [] };
  return [header, encode(["message", "log", false, "default", marks, encode("forged")])];
}

/** A node that is connected with the nodes that it likes, and has joined no node. */
async function strangerIn(world: World): Promise<PeerServiceManager> {
  return await world.start("stranger");
}

for (const who of ["stranger", "member"]) {
  scenario(`A ${who} that names another node as origin takes nothing of what that node sends`, async (world) => {
    const [member, victim, receiver] = await world.cluster(["member", "victim", "receiver"]);
    const liar = who === "member" ? member : await strangerIn(world);
    const heard = world.inbox(receiver, "log");
    for (const sequence of [1, 30_000, 2 ** 48 - 1]) {
      await tell(liar, receiver, FrameKind.relay, relayed(victim, "receiver", sequence, [sequence, sequence]));
    }
    const forgedAcknowledgement = encode(["receipt", [victim.spec.incarnation, 2 ** 52, []]]);
    const header = {
      origin: "receiver",
      incarnation: 1,
      sequence: 7,
      destination: "victim",
      ttl: 5,
      tree: null,
      path: [],
    };
    await tell(liar, victim, FrameKind.relay, [header, forgedAcknowledgement]);
    for (let message = 0; message < 20; message++) {
      await victim.forwardMessage("receiver", "log", message, { ack: true });
    }
    assertEquals(heard.messages, Array.from({ length: 20 }, (_, message) => message));
    world.errors.length = 0;
  });
}

scenario("A member that names another node as root takes nothing of what that node broadcasts", async (world) => {
  const [liar, victim, receiver] = await world.cluster(["liar", "victim", "receiver"]);
  const heard = world.inbox(receiver, "log");
  const { name, incarnation } = victim.spec;
  const madeUp = [[incarnation, 2 ** 53 - 1], [incarnation, 5_000], [incarnation + 1, 1]];
  for (const [its, sequence] of madeUp) {
    await tell(liar, receiver, FrameKind.broadcast, [0, name, its, sequence, 0, ["log", encode("forged")]]);
  }
  // The very next ones, and one that is too old to be kept.
  for (const [sequence, age] of [[1, 0], [2, 0], [3, 100_000]]) {
    await tell(liar, receiver, FrameKind.broadcast, [0, name, incarnation, sequence, age, ["log", encode("forged")]]);
  }
  for (let message = 0; message < 20; message++) victim.broadcast("log", message);
  const genuine = () => heard.messages.filter((message) => message !== "forged");
  await world.until("all arrived", () => genuine().length >= 20 && heard.messages.length >= 26);
  assertEquals(genuine(), Array.from({ length: 20 }, (_, message) => message));
});

overlayScenario(
  "a member takes nothing of what a node sends over others, and acknowledges nothing that others were sent",
  async (world, nodes) => {
    const [victim, nextToVictim, liar, receiver] = nodes as [
      PeerServiceManager,
      PeerServiceManager,
      PeerServiceManager,
      PeerServiceManager,
    ];
    const heard = world.inbox(receiver, "log");
    const genuine = () => heard.messages.filter((message) => message !== "forged");
    for (const sequence of [1, 30_000, 2 ** 48 - 1]) {
      await tell(liar, receiver, FrameKind.relay, relayed(victim, receiver.name, sequence, [sequence, sequence]));
    }
    await world.until("they arrived", () => heard.messages.length === 3);
    await victim.forwardMessage(receiver.name, "log", 0, { ack: true, transitive: true });
    // What a node was asked for, it alone acknowledges.
    const { name: origin, spec: { incarnation } } = receiver;
    for (const [index, proof] of [[], [0], [1]].entries()) {
      const header = {
        origin,
        incarnation,
        sequence: 7 + index,
        destination: victim.name,
        ttl: 5,
        tree: null,
        path: [],
      };
      const forged = encode(["receipt", [victim.spec.incarnation, 2 ** 52, []], ...proof]);
      await tell(nextToVictim, victim, FrameKind.relay, [header, forged]);
    }
    const lost = () => victim.stats().relay.lost;
    await world.until("the acknowledgements were not believed", () => lost() >= 3);
    for (let message = 1; message < 20; message++) {
      await victim.forwardMessage(receiver.name, "log", message, { ack: true, transitive: true });
      assertEquals(genuine().at(-1), message);
    }
    assertEquals(genuine(), Array.from({ length: 20 }, (_, message) => message));
  },
  ["memory"],
  ({ name }) => name === "staticOverlay",
);

scenario("A relayed message to a node that there is not goes no further", async (world) => {
  const nodes = await world.cluster(["a", "b", "c", "d", "e", "f"]);
  const lost = () => nodes.reduce((sum, node) => sum + node.stats().relay.lost, 0);
  await tell(nodes[0], nodes[1], FrameKind.relay, relayed(nodes[0], "nowhere", 1, null));
  await world.until("it was dropped", () => lost() === 1);
  assertEquals(nodes.map((node) => node.stats().relay.relayed), nodes.map(() => 0));
});

scenario("A stranger neither broadcasts, nor cuts any node off, nor condemns a member", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(a, "log");
  const downs: string[] = [];
  a.onDown("b", () => downs.push("b"));
  const stranger = await strangerIn(world);
  await tell(stranger, a, FrameKind.broadcast, [0, "b", b.spec.incarnation, 7, 0, ["log", encode("forged")]]);
  await tell(stranger, a, FrameKind.partition, ["mark", "reference", 3]);
  await tell(stranger, a, FrameKind.heartbeat, [3, "b", b.spec.incarnation, 2 ** 40]);
  await tell(stranger, a, FrameKind.cancel, 1);
  await tell(stranger, a, FrameKind.ack, [a.spec.incarnation, 2 ** 52, []]);
  await tell(stranger, a, FrameKind.attributes, attributesToValue({ kind: "summary", versions: [] }));
  const delta = { owner: "b", incarnation: b.spec.incarnation, version: 1, from: 0, live: null };
  const entries = [{ key: "role", version: 1, value: encode("forged") }];
  const message = { kind: "delta", deltas: [{ ...delta, entries }], wanted: [] } as const;
  await tell(stranger, a, FrameKind.attributes, attributesToValue(message));
  await world.until("it was all ignored", () => a.stats().ignoredWords === 5);
  assertEquals(a.attribute("b", "role"), undefined);
  b.broadcast("log", "genuine");
  await world.until("the broadcast of the member arrived", () => heard.messages.length > 0);
  assertEquals([heard.messages, a.partitions(), downs], [["genuine"], [], []]);
  await stranger.syncJoin(a.spec);
  stranger.broadcast("log", "joined");
  await world.until("a member may broadcast", () => heard.messages.length === 2);
});

scenario("What a stranger sends is handed over once it has joined, and in order", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  const heard = world.inbox(a, "log");
  const stranger = await strangerIn(world);
  const { pool } = PeerService.nodeOf(stranger);
  const peer = await pool.reach("a", a.spec.addresses);
  await pool.dial(peer, DEFAULT_CHANNEL, 0);
  for (const message of [1, 2]) await stranger.forwardMessage("a", "log", message);
  const acknowledged = stranger.forwardMessage("a", "log", 3, { ack: true });
  // An answer over the other connection: what was sent before it has arrived.
  await PeerService.nodeOf(stranger).pinger.ping(peer, 1_000);
  await world.until("a holds it", () => {
    const connection = PeerService.nodeOf(a).pool.peers.get("stranger")?.at(DEFAULT_CHANNEL, 0);
    return connection?.held === true;
  });
  assertEquals(heard.messages, []);
  await stranger.syncJoin(a.spec);
  await acknowledged;
  assertEquals(heard.messages, [1, 2, 3]);
});

scenario("A stranger that stays without joining is closed after ten seconds, its messages with it", async (world) => {
  const a = await world.start("a");
  const heard = world.inbox(a, "log");
  const stranger = await strangerIn(world);
  // It wants the connection, whatever the other side wants.
  PeerService.nodeOf(stranger).pool.want([a.spec]);
  await world.until("it is connected", () => stranger.isFullyConnected("a"));
  const since = world.clock.now();
  await stranger.forwardMessage("a", "log", "from outside");
  let closedAfter = 0;
  a.onDown("stranger", () => closedAfter ||= world.clock.now() - since);
  await world.until("it was closed", () => closedAfter > 0);
  assert(closedAfter > 9_000 && closedAfter < 11_000, `${closedAfter}`);
  assertEquals(heard.messages, []);
  world.errors.length = 0;
}, ["memory"]);
