// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection, ConnectionOptions } from "../../connections/connection.ts";
import type { ConnectionPool } from "../../connections/connection_pool.ts";
import { Peer } from "../../connections/peer.ts";
import { DelayQueue } from "../../messaging/delay_queue.ts";
import type { FastPath } from "../../messaging/fast_path.ts";
import { Interpositions } from "../../messaging/interposition.ts";
import { type MessageStats, noMessages, type Undeliverable } from "../../messaging/message_stats.ts";
import { Outbound, type OutboundMessage, type SendOptions } from "../../messaging/outbound.ts";
import { Tracing } from "../../messaging/tracing.ts";
import type { Codec } from "../../wire/codec.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";
import { settled } from "../connections/fake_stream.ts";
import { nodeSpec } from "../node_spec.ts";
import { ConnectionBench } from "./message_bench.ts";

const PLAIN = { parallelism: 1, monotonic: false, compression: false };
const CHANNELS = { default: PLAIN, membership: PLAIN, log: PLAIN, latest: PLAIN, bulk: { ...PLAIN, parallelism: 3 } };

/** Bounds of a connection: it takes 1,000 bytes, and asks senders to wait above 500. */
const BOUNDS = { maxQueuedBytes: 1000, highWaterMark: 500 };

/** The way out of node "a" to node "b". */
export class OutboundBench {
  readonly codec: PayloadCodec;
  readonly peer: Peer;
  readonly wires = new Map<Connection<Peer>, ConnectionBench>();
  readonly stats: MessageStats = noMessages();
  readonly undeliverable: Undeliverable[] = [];
  readonly stayed: OutboundMessage[] = [];
  readonly relayed: OutboundMessage[] = [];
  readonly interpositions = new Interpositions(() => {});
  readonly tracing = new Tracing();
  /** The node, which a test may stop. */
  readonly node = { stopped: false };
  readonly outbound: Outbound;
  readonly fastPath: FastPath;

  /** @param parallelism Number of connections that the default channel has. */
  constructor(
    { custom, monotonic = [], parallelism = 1 }: {
      custom?: Codec;
      monotonic?: readonly string[];
      parallelism?: number;
    } = {},
  ) {
    const channels = { ...CHANNELS, default: { ...PLAIN, parallelism } };
    this.codec = new PayloadCodec(custom);
    this.peer = new Peer(nodeSpec("b", 1, { channels }), nodeSpec("a", 1, { channels }));
    this.outbound = new Outbound({
      interpositions: this.interpositions,
      pool: { peers: new Map([["b", this.peer]]) } as unknown as ConnectionPool,
      codec: this.codec,
      stats: this.stats,
      monotonic: new Set(monotonic),
      node: this.node,
      tracing: this.tracing,
      self: () => "a",
      delayed: new DelayQueue(bareRuntime().clock),
      relay: (message) => this.relayed.push(message),
      here: {
        forward: (message) => void this.stayed.push(message),
        cast: (message) => this.stayed.push(message) > 0,
        drained: () => Promise.resolve(),
      },
      undeliverable: (what) => this.undeliverable.push(what),
    });
    this.fastPath = this.outbound.fastPath;
  }

  /** Opens a connection whose writes wait. */
  open(channel = "default", index = 0, bounds: Partial<ConnectionOptions> = BOUNDS): ConnectionBench {
    const wire = new ConnectionBench(bounds, { peer: this.peer, channel, index });
    wire.stream.holdWrites = true;
    this.peer.fill(wire.connection);
    this.wires.set(wire.connection, wire);
    return wire;
  }

  forward(message: unknown, options: SendOptions = {}, node = "b", signal?: AbortSignal): Promise<void> | undefined {
    return this.outbound.forward({ node, name: "log", message, options, cast: false }, signal);
  }

  cast(message: unknown, options: SendOptions = {}, node = "b", name = "log"): boolean {
    return this.outbound.cast({ node, name, message, options, cast: true });
  }

  /** Messages that a wire has carried so far. */
  async carried(wire: ConnectionBench): Promise<unknown[]> {
    return (await wire.messages(this.codec)).map(({ message }) => message);
  }
}

/** Lets all that is queued go out. */
export async function drain(wire: ConnectionBench): Promise<void> {
  wire.stream.holdWrites = false;
  wire.stream.release();
  for (let count = 0; count < 10; count++) await settled();
}
