// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { fullMesh, hyparview, type PeerServiceManager, type PeerServiceOptions } from "../../mod.ts";
import { ConnectionOpener } from "../../connections/handshake/connection_opener.ts";
import type { ByteStream } from "../../transport/transport.ts";
import type { Connection } from "../../connections/connection.ts";
import { clusterIdentity } from "../connections/cluster_identity.ts";
import { frame } from "../connections/fake_stream.ts";
import type { FaultyTransport } from "./faulty_transport.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { nodeSpec } from "../node_spec.ts";
import { ownMemory } from "../own_memory.ts";
import { scenario, type World } from "./worlds.ts";
import { entryOf } from "../values.ts";

/* Row 8 of the issue on trust: small inputs that cost a node much memory or time. What a relay to nowhere costs: `relay_nowhere_test.ts`. */

const MIB = 2 ** 20;
/** Bytes by which memory may grow for one input: the engine gives new objects more and more room by itself. */
const GROWTH_MAX = 128 * MIB;
/** No frame of a kind that there is. */
const UNKNOWN = 0x7e;

const OPTIONS: PeerServiceOptions = { channels: { zip: { compression: true } } };

/** The body of a compressed frame that says it is of `length` bytes. */
async function compressed(batch: Uint8Array<ArrayBuffer>, length = batch.length): Promise<Uint8Array> {
  const deflating = new Blob([batch]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const deflated = new Uint8Array(await new Response(deflating).arrayBuffer());
  const body = new Uint8Array(4 + deflated.length);
  new DataView(body.buffer).setUint32(0, length);
  body.set(deflated, 4);
  return body;
}

/** A batch of so many bytes: the name of a handler, and a message to it that is an array of empty maps. */
function batchOfEmptyMaps(bytes: number): Uint8Array<ArrayBuffer> {
  const batch = new Uint8Array(bytes).fill(0x80);
  const view = new DataView(batch.buffer);
  batch.set([0, 0, 0, 4, FrameKind.handlerName, ...new TextEncoder().encode("log")]);
  const message = 8;
  view.setUint32(message, bytes - message - 4);
  batch.set([FrameKind.message, 0, 1, 0xdd], message + 4);
  const maps = message + 12;
  view.setUint32(maps - 4, bytes - maps);
  return batch;
}

function frames(count: number): Uint8Array<ArrayBuffer> {
  const batch = new Uint8Array(5 * count);
  for (let at = 0; at < batch.length; at += 5) batch.set([0, 0, 0, 1, UNKNOWN], at);
  return batch;
}

/** Has a connection write these bytes as they are, whatever it would make of them. */
function sayRaw(transport: FaultyTransport, { queue }: Connection, bytes: Uint8Array): void {
  transport.tamper = () => {
    transport.tamper = undefined;
    return bytes;
  };
  queue.begin(UNKNOWN);
  queue.commit();
}

/** Roles of a sender: it is connected and has not joined, or it has joined. */
const ROLES = ["stranger", "member"] as const;

/** Something that is sent. */
interface Input {
  readonly what: string;
  readonly channel: string;
  readonly kind: number;
  readonly body: () => Uint8Array | Promise<Uint8Array>;
  /** Roles of the senders that lose their connection by it: what is for members only is not looked at, and a message that cannot be read harms no other one. */
  readonly fatalTo: readonly typeof ROLES[number][];
}

const ZIPPED = { channel: "zip", kind: FrameKind.compressed } as const;
const BROADCAST = { channel: "default", kind: FrameKind.broadcast } as const;

const INPUTS: readonly Input[] = [
  { ...ZIPPED, what: "63 Mi empty maps", body: () => compressed(batchOfEmptyMaps(63 * MIB)), fatalTo: ROLES },
  {
    ...ZIPPED,
    what: "63 Mi empty maps that it says are fewer",
    body: () => compressed(batchOfEmptyMaps(63 * MIB), 8 * MIB),
    fatalTo: ROLES,
  },
  { ...ZIPPED, what: "8 Mi empty maps", body: () => compressed(batchOfEmptyMaps(8 * MIB)), fatalTo: [] },
  { ...ZIPPED, what: "1.6 million unknown frames", body: () => compressed(frames(1_600_000)), fatalTo: [] },
  {
    ...ZIPPED,
    channel: "default",
    what: "a compressed frame that is not asked for",
    body: () => compressed(frames(1_000)),
    fatalTo: ROLES,
  },
  {
    ...BROADCAST,
    what: "a summary of 2^48 broadcasts",
    body: () => encode([4, "root", 1, [1, 2 ** 48]]),
    fatalTo: ["member"],
  },
  {
    ...BROADCAST,
    what: "a request of 2^48 broadcasts",
    body: () => encode([6, "root", 1, [1, 2 ** 48]]),
    fatalTo: ["member"],
  },
];

for (const role of ROLES) {
  for (const { what, channel, kind, body, fatalTo } of INPUTS) {
    scenario(`A ${role} that sends ${what} costs little, and holds nothing up`, async (world) => {
      const [victim, other] = await world.cluster(["victim", "other"], OPTIONS);
      world.inbox(victim, "log");
      victim.register("double", (n: number) => 2 * n);
      const liar = await world.start("liar", OPTIONS);
      if (role === "member") await liar.syncJoin(victim.spec);
      const { pool } = PeerService.nodeOf(liar);
      const peer = await pool.reach("victim", victim.spec.addresses);
      const connection = peer.at(channel, 0) ?? await pool.dial(peer, channel, 0);
      const bytes = await body();
      const before = ownMemory();
      sayRaw(entryOf(world.transports, "liar"), connection, frame(kind, bytes));
      assertEquals(await other.call("victim", "double", 21), 42);
      if (fatalTo.includes(role)) await world.until("it lost the connection", () => connection.closed);
      else await new Promise<void>((resolve) => world.clock.schedule(1_000, resolve));
      assertEquals(await other.call("victim", "double", 4), 8);
      assertLess(ownMemory() - before, GROWTH_MAX);
      world.errors.length = 0;
    }, ["memory"]);
  }
}

/** Connects under as many names as it likes, keeps the streams, and joins no node. */
async function crowd(world: World, victim: PeerServiceManager, strategy: string, count: number): Promise<Disposable> {
  const runtime = world.runtime("crowd");
  const identity = await clusterIdentity(runtime, "crowd", [], { cluster: "default", strategy });
  const opener = new ConnectionOpener({ runtime, identity, handshakeTimeout: 5_000, halfOpenMax: 8 });
  const place = { to: victim.name, toIncarnation: 0, channel: "membership", index: 0, dial: 1, seen: 0 };
  const streams: ByteStream[] = [];
  for (let number = 0; number < count; number++) {
    const spec = nodeSpec(`name ${number}`, 1, { addresses: [] });
    const { stream } = await opener.dial(victim.spec.addresses, { spec, ...place });
    streams.push(stream);
  }
  return {
    [Symbol.dispose]: () => {
      for (const stream of streams) stream.close();
    },
  };
}

for (const [name, strategy] of [["a full mesh", fullMesh], ["HyParView", hyparview]] as const) {
  scenario(
    `In ${name}, hundreds of names that never join leave no more than a bounded number of connections`,
    async (world) => {
      const victim = await world.start("victim", { strategy: strategy() });
      const other = await world.start("other", { strategy: strategy() });
      await other.syncJoin(victim.spec);
      victim.register("double", (n: number) => 2 * n);
      using _ = await crowd(world, victim, strategy().name, 400);
      const { pool } = PeerService.nodeOf(victim);
      const connected = () => [...pool.peers.values()].filter((peer) => peer.connections().length > 0).length;
      // 256 strangers, and the member.
      assertLessOrEqual(connected(), 257);
      assertEquals(await other.call("victim", "double", 21), 42);
      await new Promise<void>((resolve) => world.clock.schedule(11_000, resolve));
      world.errors.length = 0;
    },
    ["memory"],
  );
}

scenario("A member that wants 60 channels of 64 connections gets a few of each, from everyone", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const channels = Object.fromEntries(Array.from({ length: 60 }, (_, number) => [`c${number}`, { parallelism: 64 }]));
  const greedy = await world.start("greedy", { channels });
  await greedy.syncJoin(nodes[0].spec);
  await world.until("all are connected", () => nodes.every((node) => node.isFullyConnected("greedy")));
  const { pool } = PeerService.nodeOf(greedy);
  for (const { name } of nodes) assertLessOrEqual(entryOf(pool.peers, name).connections().length, 64 + 2);
}, ["memory"]);
