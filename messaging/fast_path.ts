// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { DEFAULT_CHANNEL, type Peer } from "../connections/peer.ts";
import type { PayloadCodec } from "../wire/payload_codec.ts";
import type { Interpositions } from "./interposition.ts";
import { appendShortMessage } from "./message_frame.ts";
import type { MessageStats } from "./message_stats.ts";
import type { SlotLines } from "./slot_lines.ts";
import type { Tracing } from "./tracing.ts";

/** Dependencies of a {@linkcode FastPath}. */
export interface FastPathOptions {
  /** The node, which may have stopped. */
  readonly node: { readonly stopped: boolean };
  readonly pool: Pick<ConnectionPool, "peers">;
  readonly codec: PayloadCodec;
  readonly interpositions: Interpositions;
  readonly tracing: Tracing;
  readonly stats: MessageStats;
  /** Channels on which newer messages may supersede older ones. */
  readonly monotonic: ReadonlySet<string>;
}

const NO_PEERS: ReadonlyMap<string, Peer> = new Map();

/**
 * A short way for what most messages are: a few bytes for another node, with no options but a channel and a partition key, while nothing keeps them from joining others
 * in a batch. It is tried first. What it does not take goes the way of `Outbound`, which gives the same bytes to the same connection.
 *
 * It stays fast for as long as V8 inlines the whole of it: 920 bytes of bytecode together
 * (`--max-inlined-bytecode-size-cumulative`), of which `--trace-turbo-inlining` tells.
 */
export class FastPath {
  readonly #node: { readonly stopped: boolean };
  /** The nodes that it sends to: none where a message needs more than its bytes. */
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #monotonic: ReadonlySet<string>;
  readonly #interpositions: Interpositions;
  readonly #tracing: Tracing;
  readonly #lines: SlotLines;
  readonly #stats: MessageStats;

  /** @param lines Senders that wait for room: they come first. */
  constructor({ node, pool, codec, interpositions, tracing, stats, monotonic }: FastPathOptions, lines: SlotLines) {
    this.#node = node;
    this.#peers = codec.isCustom || monotonic.has(DEFAULT_CHANNEL) ? NO_PEERS : pool.peers;
    this.#monotonic = monotonic;
    this.#interpositions = interpositions;
    this.#tracing = tracing;
    this.#lines = lines;
    this.#stats = stats;
  }

  /**
   * Tries to send a message.
   *
   * @param node Name of the node that it is for.
   * @param name Name of the handler there.
   * @param cast Whether its sender does not wait for anything.
   * @param options Options of the message, unchecked.
   * @returns Whether it was accepted, and more may be sent at once; `false` when nothing has happened.
   */
  send(node: unknown, name: unknown, message: unknown, cast: boolean, options: unknown): boolean {
    if (!(message instanceof Uint8Array) || typeof node !== "string" || typeof name !== "string") return false;
    if (this.#interpositions.active || this.#tracing.tracer !== null) return false;
    if (this.#lines.waiting || this.#node.stopped) return false;
    const peer = this.#peers.get(node);
    if (peer === undefined) return false;
    const connection = options === undefined ? peer.only(DEFAULT_CHANNEL) : this.#routed(peer, options);
    if (connection === null || !appendShortMessage(connection, name, cast, message)) return false;
    this.#stats.sent++;
    return true;
  }

  /** The connection that the options of a message choose; `null` where they are not a channel and a partition key alone. */
  #routed(peer: Peer, options: unknown): Connection<Peer> | null {
    if (typeof options !== "object" || options === null || Array.isArray(options)) return null;
    let channel: string = DEFAULT_CHANNEL;
    let partitionKey: string | number | undefined;
    for (const name in options) {
      const value = (options as Record<string, unknown>)[name];
      if (name === "channel" && typeof value === "string") channel = value;
      else if (name !== "partitionKey" || (typeof value !== "string" && typeof value !== "number")) return null;
      else partitionKey = value;
    }
    if (this.#monotonic.has(channel)) return null;
    return partitionKey === undefined ? peer.only(channel) : peer.keyed(channel, partitionKey);
  }
}
