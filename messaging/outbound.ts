// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../transport/connection.ts";
import type { ConnectionPool } from "../transport/connection_pool.ts";
import { DEFAULT_CHANNEL, type Peer } from "../transport/peer.ts";
import { NotConnectedError, QueueFullError } from "./errors.ts";
import { writeMessage } from "./message_frame.ts";
import type { MessageStats, Undeliverable } from "./message_stats.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { WaitingLine } from "./waiting_line.ts";

/** How one message is to be sent. */
export interface SendOptions {
  /**
   * Channel that carries it. Where that has no connection yet, the default channel does.
   *
   * @default {"default"}
   */
  readonly channel?: string | undefined;
  /**
   * Messages with the same key take the same connection of a channel, and so stay in order. Without a key they may overtake each other
   * where the channel has several connections.
   */
  readonly partitionKey?: string | number | undefined;
}

/** What an {@linkcode Outbound} needs from its surroundings. */
export interface OutboundOptions {
  readonly pool: ConnectionPool;
  readonly codec: PayloadCodec;
  readonly stats: MessageStats;
  readonly undeliverable: (what: Undeliverable) => void;
}

/** A message's way out: from the sender to the connection that carries it. */
export class Outbound {
  readonly #options: OutboundOptions;
  readonly #lines = new WeakMap<Connection, WaitingLine>();

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /**
   * Sends a message over the connection that its options choose.
   *
   * @returns `undefined` when it was accepted at once; else a promise that resolves when it is, and the queue below its high-water mark.
   * @throws {NotConnectedError | EncodeError | MessageTooLargeError} At once.
   */
  forward(
    node: string,
    name: string,
    message: unknown,
    options: SendOptions,
    envelope?: unknown,
    signal?: AbortSignal,
  ): Promise<void> | undefined {
    const connection = this.#connectionTo(node, options);
    const line = this.#lines.get(connection);
    const write = () => this.#write(connection, name, false, envelope, message);
    if (line === undefined || line.empty) {
      if (write()) return connection.queue.aboveHighWaterMark ? connection.queue.drained() : undefined;
    }
    return this.#lineOf(connection).wait(write, signal);
  }

  /**
   * Sends a message if there is room for it.
   *
   * @returns Whether the queue is below its high-water mark: whether it is a good idea to send more now.
   */
  cast(node: string, name: string, message: unknown, options: SendOptions, envelope?: unknown): boolean {
    try {
      const connection = this.#connectionTo(node, options);
      const line = this.#lines.get(connection);
      if ((line === undefined || line.empty) && this.#write(connection, name, true, envelope, message)) {
        return !connection.queue.aboveHighWaterMark;
      }
      throw new QueueFullError(`Cannot send to "${name}" on "${node}": the queue is full`);
    } catch (error) {
      this.#options.stats.dropped++;
      this.#options.undeliverable({ node, name, reason: error instanceof Error ? error.message : `${error}` });
      return false;
    }
  }

  /** Resolves once every connection that a message to `node` on `channel` could take is below its high-water mark. */
  async ready(node: string, channel: string): Promise<void> {
    const peer = this.#options.pool.peers.get(node);
    if (peer === undefined) return;
    const carriers = peer.openOn(channel) > 0 ? channel : DEFAULT_CHANNEL;
    await Promise.all(peer.connections().filter((c) => c.channel === carriers).map((c) => c.queue.drained()));
  }

  #connectionTo(node: string, { channel = DEFAULT_CHANNEL, partitionKey }: SendOptions): Connection {
    const peer: Peer | undefined = this.#options.pool.peers.get(node);
    const connection = peer === undefined || peer.silent ? null : peer.pick(channel, partitionKey);
    if (connection !== null) return connection;
    const state = peer === undefined
      ? "it is not a member, or this node has no wish to connect to it"
      : "there is no connection now";
    throw new NotConnectedError(`Cannot send to "${node}": ${state}`);
  }

  #write(connection: Connection, name: string, cast: boolean, envelope: unknown, message: unknown): boolean {
    if (connection.closed) {
      throw new NotConnectedError(`Cannot send to "${connection.peer.name}": the connection closed`);
    }
    const accepted = writeMessage(connection, this.#options.codec, name, cast, envelope, message);
    if (accepted) this.#options.stats.sent++;
    return accepted;
  }

  #lineOf(connection: Connection): WaitingLine {
    let line = this.#lines.get(connection);
    if (line === undefined) this.#lines.set(connection, line = new WaitingLine(connection.queue));
    return line;
  }
}
