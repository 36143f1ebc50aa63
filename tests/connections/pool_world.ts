// Copyright 2026 the Partisan peer-service authors. MIT license.

import { LocalHealth } from "../../runtime/local_health.ts";
import { assertEquals } from "@std/assert";
import { Pinger } from "../../manager/pinger.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Runtime } from "../../transport/runtime.ts";
import { SimulatedWorld, type SimulatedWorldOptions } from "../../testing/simulated_world.ts";
import type { Connection } from "../../connections/connection.ts";
import { ConnectionPool } from "../../connections/connection_pool.ts";
import type { ConnectionPoolHandler } from "../../connections/connection_pool_options.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import type { MemoryHost } from "../../transport/memory/memory_host.ts";
import { MEMBERSHIP_CHANNEL, type Peer } from "../../connections/peer.ts";
import type { ClusterIdentity } from "../../connections/handshake/session.ts";
import type { ByteStream, Transport } from "../../transport/transport.ts";
import { nodeSpec } from "../node_spec.ts";
import { clusterIdentity } from "./cluster_identity.ts";

/** Milliseconds for which connections outlive the interest in them. */
export const IDLE_GRACE = 5000;
export const BACKOFF = { initial: 50, cap: 2000 };
export const COURTESY = 250;
export const HANDSHAKE_TIMEOUT = 5000;
/** Milliseconds of silence that are borne. */
export const SILENCE = 5000;
/** Milliseconds between two looks at the connections. */
export const LOOK_INTERVAL = 1000;
const PROBE_TIMEOUT = 1000;
const PLAIN = { parallelism: 1, monotonic: false, compression: false };

/** Options that distinguish a node from others. */
export interface PoolNodeOptions {
  readonly incarnation?: number;
  /** Channels besides the two that every node has, and their parallelism. */
  readonly channels?: Readonly<Record<string, number>>;
  readonly secrets?: readonly string[];
  /** Anything else that it brings along. */
  readonly identity?: Partial<ClusterIdentity>;
  /** Port to listen on; any free one unless told otherwise. */
  readonly port?: number;
  /** Makes another transport of the node's own. */
  readonly wrap?: (transport: Transport) => Transport;
}

/** A node that consists of a connection pool and answers pings. */
export class PoolNode implements ConnectionPoolHandler {
  readonly pool: ConnectionPool;
  /** Events that the pool told, such as `up b`. */
  readonly told: string[] = [];
  /** Incarnations of its own name that others knew. */
  readonly outlivedBy: number[] = [];
  /** Bytes that came in frames of kind `message`, by sender. */
  readonly messages: [from: string, body: Uint8Array][] = [];
  readonly pinger: Pinger;
  readonly health = new LocalHealth(125);
  spec: NodeSpec;
  /** Whether every channel is used as soon as a peer is up. */
  usesAll = true;

  constructor(runtime: Runtime, spec: NodeSpec, identity: ClusterIdentity) {
    this.spec = spec;
    this.pinger = new Pinger(runtime);
    this.pool = new ConnectionPool({
      runtime,
      identity,
      self: () => this.spec,
      connectionOptions: () => ({
        maxFrameBytes: 2 ** 20,
        maxQueuedBytes: 2 ** 20,
        highWaterMark: 2 ** 18,
        compression: false,
        monotonic: false,
      }),
      backoff: BACKOFF,
      courtesy: COURTESY,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      silence: SILENCE,
      interval: LOOK_INTERVAL,
      idleGrace: IDLE_GRACE,
      halfOpenMax: 100,
      halfReadMax: 2 ** 26,
      health: this.health,
      handler: this,
    });
  }

  /** The peer that stands for another node. */
  peer(name: string): Peer {
    const peer = this.pool.peers.get(name);
    if (peer === undefined) throw new Error(`"${this.spec.name}" knows no "${name}"`);
    return peer;
  }

  /** Sends one byte over every open connection with a peer. */
  greet(name: string): number {
    const connections = this.peer(name).connections();
    for (const { queue } of connections) {
      queue.begin(FrameKind.message).u8(7);
      queue.commit();
    }
    return connections.length;
  }

  /** Events that were told since the last call. */
  newlyTold(): string[] {
    return this.told.splice(0);
  }

  frame(connection: Connection<Peer>, kind: number, buffer: Uint8Array, start: number, end: number): void {
    connection.peer.framesIn++;
    if (kind === FrameKind.ping) this.pinger.takePing(connection, buffer, start, end);
    else if (kind === FrameKind.pong) this.pinger.takePong(connection, buffer, start, end);
  }

  message(connection: Connection<Peer>, _kind: number, buffer: Uint8Array, start: number, end: number): void {
    connection.peer.framesIn++;
    this.messages.push([connection.peer.name, buffer.slice(start, end)]);
  }

  linked = ({ name }: Peer): void => void this.told.push(`linked ${name}`);
  down = ({ name }: Peer) => void this.told.push(`down ${name}`);
  up = (peer: Peer): void => {
    this.told.push(`up ${peer.name}`);
    if (this.usesAll) {
      for (const channel of peer.channels) if (channel !== MEMBERSHIP_CHANNEL) peer.wake?.(peer, channel);
    }
  };
  channelUp = ({ name }: Peer, channel: string) => void this.told.push(`+${channel} ${name}`);
  channelDown = ({ name }: Peer, channel: string) => void this.told.push(`-${channel} ${name}`);
  connectionClosed = () => {};
  dialFailed = () => {};
  outlived = (known: number) => void this.outlivedBy.push(known);
  probe = (peer: Peer) => this.pinger.ping(peer, PROBE_TIMEOUT);

  unlinked(peer: Peer): void {
    this.told.push(`unlinked ${peer.name}`);
    if (!peer.connected) this.pinger.peerGone(peer);
  }
}

/** Nodes in a simulated world. */
export class PoolWorld {
  readonly world: SimulatedWorld;

  constructor(options: SimulatedWorldOptions = {}) {
    this.world = new SimulatedWorld(options);
  }

  /** Starts a node that listens and knows no node. */
  async start(name: string, options: PoolNodeOptions = {}): Promise<PoolNode> {
    const { incarnation = 1, channels = {}, secrets = [], port = 0, wrap = (transport) => transport } = options;
    const runtime = this.world.node(name);
    const parallel = Object.entries(channels).map(([id, parallelism]) => [id, { ...PLAIN, parallelism }]);
    const identity = await this.world.wait(clusterIdentity(runtime, name, secrets, options.identity), 1);
    const wrapped = { ...facade(runtime), transport: wrap(runtime.transport) };
    const node = new PoolNode(wrapped, nodeSpec(name), identity);
    const { address } = await wrapped.transport.listen(
      { hostname: name, port },
      (stream) => void node.pool.accept(stream),
    );
    const known = { default: PLAIN, membership: PLAIN, ...Object.fromEntries(parallel) };
    const key = identity.keys === null ? {} : { key: identity.keys.publicKey };
    node.spec = nodeSpec(name, incarnation, { addresses: [address], channels: known, ...key });
    return node;
  }

  /** Streams that a host has open. */
  streams(name: string): number {
    return (this.world.network.transport(name) as MemoryHost).streams.size;
  }

  advance(milliseconds: number): Promise<void> {
    return this.world.advance(milliseconds);
  }

  /** Whether nothing happens any more, however long one waits. */
  async isQuiet(): Promise<boolean> {
    const before = this.world.events;
    await this.world.advance(3_600_000);
    return this.world.events === before;
  }
}

/** Has every write to an accepted stream take its time after the bytes are out, and then perhaps fail. */
export function slowWrites(
  world: PoolWorld,
  milliseconds: number,
  failure?: Error,
): (transport: Transport) => Transport {
  const slow = (stream: ByteStream): ByteStream => ({
    remoteAddress: stream.remoteAddress,
    read: (buffer) => stream.read(buffer),
    close: () => stream.close(),
    write: async (bytes) => {
      await stream.write(bytes);
      await new Promise<void>((resolve) => world.world.schedule(milliseconds, resolve));
      if (failure !== undefined) throw failure;
    },
  });
  return (transport) => ({
    listen: (address, accept) => transport.listen(address, (stream) => accept(slow(stream))),
    connect: (...args) => transport.connect(...args),
  });
}

/** The methods of a simulated node live on its prototype, where spreading does not find them. */
function facade(runtime: Runtime): Runtime {
  return {
    clock: runtime.clock,
    random: runtime.random,
    transport: runtime.transport,
    defer: (callback) => runtime.defer(callback),
    outside: (operation) => runtime.outside(operation),
  };
}

/** Has each of these nodes want all others. */
export function wantEachOther(...nodes: readonly PoolNode[]): void {
  for (const node of nodes) node.pool.want(nodes.filter((other) => other !== node).map(({ spec }) => spec));
}

/** The two ends of the slots that a pair of nodes has must be ends of the same streams. */
export function assertPaired(a: PoolNode, b: PoolNode, note = ""): void {
  const describe = (node: PoolNode, name: string, mine: boolean) =>
    node.peer(name).connections()
      .map(({ channel, index, dial, outbound }) =>
        `${channel} ${index}: dial ${dial} by ${outbound === mine ? "a" : "b"}`
      )
      .sort();
  assertEquals(a.peer(b.spec.name).gaps(), [], note);
  assertEquals(b.peer(a.spec.name).gaps(), [], note);
  assertEquals(describe(a, b.spec.name, true), describe(b, a.spec.name, false), note);
}

/** Every slot between these nodes is filled once, all tell so, and no host has a stream too many. */
export function assertConnected(world: PoolWorld, nodes: readonly PoolNode[], note = ""): void {
  for (const a of nodes) {
    let slots = 0;
    for (const b of nodes) {
      if (a === b) continue;
      assertPaired(a, b, note);
      const peer = a.peer(b.spec.name);
      assertEquals([peer.linked, peer.up, peer.fullyConnected, peer.incarnation], [
        true,
        true,
        true,
        b.spec.incarnation,
      ], note);
      assertEquals([...peer.channelsUp].sort(), peer.channels.toSorted(), note);
      slots += peer.connections().length;
    }
    assertEquals(world.streams(a.spec.name), slots, `${note}: streams of ${a.spec.name}`);
    assertEquals(a.pool.peers.size, nodes.length - 1, note);
  }
}
