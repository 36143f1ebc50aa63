// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import { DEFAULT_CHANNEL, type Peer } from "../connections/peer.ts";
import type { SendQueue } from "../connections/send_queue.ts";
import type { DelayQueue } from "./delay_queue.ts";
import type { CallMark, Envelope } from "../wire/envelope.ts";
import { EncodeError } from "../wire/encode_error.ts";
import { MessageTooLargeError, NotConnectedError, PartitionedError, QueueFullError } from "./errors.ts";
import { DelayedMessage, type Interpositions } from "./interposition.ts";
import { FastPath, type FastPathOptions } from "./fast_path.ts";
import { ConflatingQueue } from "./conflating_queue.ts";
import { writeMessage } from "./message_frame.ts";
import type { MessageStats, Undeliverable } from "./message_stats.ts";
import { EncodedMessage, type PayloadCodec } from "../wire/payload_codec.ts";
import { SlotLines } from "./slot_lines.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Messages that were lost with one connection, and of which each is told. */
const TOLD_MAX = 1_000;

/** Options of sending one message. */
export interface SendOptions {
  /**
   * Channel that carries it: one of this node's or of the receiver's. `"membership"` carries what nodes say on their own account as well, which
   * a flood of messages delays.
   *
   * @default {"default"}
   */
  readonly channel?: string | undefined;
  /**
   * Whether the default channel carries it while the named one has no connection; else it is refused.
   *
   * @default {true}
   */
  readonly fallback?: boolean | undefined;
  /**
   * Messages with the same key take the same connection of a channel, and so stay in order. Without a key they may overtake each other
   * where the channel has several connections. While the connection of a key is not open, another one of the channel takes its messages: they
   * may come after those that are sent once it is open again.
   *
   * @default {none}
   */
  readonly partitionKey?: string | number | undefined;
  /**
   * Whether other nodes may pass it on when there is no direct connection: along a spanning tree, over `relayTtl` links at most.
   *
   * @default {false}
   */
  readonly transitive?: boolean | undefined;
  /**
   * Names of the peers that may pass it on from here.
   *
   * @default {the links of the broadcast tree}
   */
  readonly outLinks?: readonly string[] | undefined;
}

/** Dependencies of an {@linkcode Outbound}. */
export interface OutboundOptions extends FastPathOptions {
  /** Name of this node. */
  readonly self: () => string;
  readonly delayed: DelayQueue;
  /** Takes a message that others have to pass on. */
  readonly relay: (message: OutboundMessage) => void;
  /** Takes the messages that are for this node itself. */
  readonly here: {
    forward(message: OutboundMessage, signal: AbortSignal | undefined): Promise<void> | undefined;
    cast(message: OutboundMessage): boolean;
    drained(): Promise<void>;
  };
  readonly undeliverable: (what: Undeliverable) => void;
}

/** A message that is to leave, or to stay. */
export interface OutboundMessage {
  /** Name of the node that it is for. */
  readonly node: string;
  /** Name of the handler there. */
  readonly name: string;
  /** The message. */
  readonly message: unknown;
  /** Options that choose its connection. */
  readonly options: SendOptions;
  /** Whether its sender does not wait for anything. */
  readonly cast: boolean;
  /** The call that it belongs to, if any. */
  readonly call?: CallMark | undefined;
  /** Whether it was sent before, without success. */
  readonly repeated?: boolean | undefined;
  /** Guarantees that it carries, if any. */
  readonly envelope?: Envelope | undefined;
  /** Trace context of the message, if it has one. */
  readonly trace?: Uint8Array | undefined;
  /** Whether its sender waits for its acknowledgement. That comes after there is room in the queue, for which it need not wait as well. */
  readonly awaited?: boolean | undefined;
}

/** A message's way out: from the sender, through the interposition functions, to the connection that carries it. */
export class Outbound {
  /** The short way, which is tried first. */
  readonly fastPath: FastPath;
  readonly #options: OutboundOptions;
  /** Senders that wait for room. */
  readonly #lines = new SlotLines();
  /** Ends the waits for a node when it goes down, by its name. One for which no sender waits is not in it. */
  readonly #waits = new Map<string, Set<(reason: Error) => void>>();
  readonly #conflating = new WeakMap<Connection<Peer>, ConflatingQueue<OutboundMessage>>();
  // Part of the options that is needed for every message: one step is shorter than three.
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #interpositions: Interpositions;
  readonly #codec: PayloadCodec;
  readonly #stats: MessageStats;

  constructor(options: OutboundOptions) {
    this.#options = options;
    this.fastPath = new FastPath(options, this.#lines);
    this.#peers = options.pool.peers;
    this.#interpositions = options.interpositions;
    this.#codec = options.codec;
    this.#stats = options.stats;
  }

  /**
   * Sends a message over the connection that its options choose.
   *
   * @returns `undefined` when it was accepted at once; else a promise that resolves when it is, and the queue below its high-water mark.
   * @throws {NotConnectedError | PartitionedError | EncodeError | MessageTooLargeError} At once.
   */
  forward(message: OutboundMessage, signal?: AbortSignal): Promise<void> | undefined {
    if (!this.#interpositions.active) return this.#send(message, signal);
    const result = this.#interpose(message);
    if (result instanceof DelayedMessage) {
      return this.#forwardLater({ ...message, message: result.message }, signal);
    }
    return result === undefined ? undefined : this.#send({ ...message, message: result }, signal);
  }

  /**
   * Sends a message if there is room for it. A message that cannot be sent for a remote reason is counted and told.
   *
   * @returns Whether the queue is below its high-water mark: whether it is a good idea to send more now.
   * @throws {EncodeError | MessageTooLargeError | RangeError | TypeError} What no wait would mend, because the sender is at fault.
   */
  cast(message: OutboundMessage): boolean {
    try {
      if (!this.#interpositions.active) return this.#write(message);
      const result = this.#interpose(message);
      if (!(result instanceof DelayedMessage)) {
        return result === undefined || this.#write({ ...message, message: result });
      }
      const again = { ...message, message: this.#kept(result.message) };
      if (!this.#options.delayed.add(() => this.#castLater(again))) throw tooManyDelayed(message);
      return true;
    } catch (error) {
      if (isSendersFault(error)) throw error;
      this.#drop(message.node, message.name, error);
      return false;
    }
  }

  /** There is no caller left to throw at. */
  #castLater(message: OutboundMessage): void {
    try {
      this.cast(message);
    } catch (error) {
      this.#drop(message.node, message.name, error);
    }
  }

  /** Sends a message if that is possible right now; its sender will try again in any case. */
  offer(message: OutboundMessage): void {
    try {
      if (!this.#interpositions.active) return void this.#write(message);
      const result = this.#interpose(message);
      if (result instanceof DelayedMessage) {
        const again = { ...message, message: result.message };
        this.#options.delayed.add(() => this.offer(again));
      } else if (result !== undefined) {
        this.#write({ ...message, message: result });
      }
    } catch {
      // Not connected, partitioned or full: then it is not possible right now.
    }
  }

  /** Resolves once every connection that a message to `node` on `channel` could take is below its high-water mark. */
  async ready(node: string, channel: string): Promise<void> {
    if (node === this.#options.self()) return await this.#options.here.drained();
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    const carriers = peer.openOn(channel) > 0 ? channel : DEFAULT_CHANNEL;
    const carrying = peer.connections().filter((c) => c.channel === carriers);
    const drained = Promise.all(carrying.map((c) => c.queue.drained()));
    await this.#untilDown(node, drained).catch(() => {});
  }

  /** A node cannot be reached any more: no sender waits for it any longer, and what waited is let go of. */
  down(node: string): void {
    const waits = this.#waits.get(node);
    if (waits === undefined) return;
    const reason = new NotConnectedError(`Cannot send to "${node}": it went down`);
    this.#lines.end(node, reason);
    for (const end of waits) end(reason);
    this.#waits.delete(node);
  }

  /** A connection has closed: the messages without a guarantee that the other side is not known to have read may be lost. */
  closed({ peer: { name: node }, features, unconfirmed }: Connection<Peer>): void {
    if (!features.has("probe")) return;
    const { stats, undeliverable } = this.#options;
    const reason = `The connection to "${node}" closed before it was known to have read the message`;
    for (const [name, count] of unconfirmed.take()) {
      stats.dropped += count;
      const more = count - TOLD_MAX;
      for (let told = 1; told < Math.min(count, TOLD_MAX); told++) undeliverable({ node, name, reason });
      undeliverable({ node, name, reason: more > 0 ? `${reason}; so did ${more} more` : reason });
    }
  }

  /** A message was relayed, and no word has come that it has arrived. */
  missed(node: string, name: string): void {
    this.#drop(node, name, "It was relayed, and no word came that it has arrived");
  }

  /** Waits, but not beyond the node. */
  #untilDown<T>(node: string, waiting: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waits = this.#waits.get(node) ?? new Set();
      this.#waits.set(node, waits.add(reject));
      const settled = () => {
        if (waits.delete(reject) && waits.size === 0 && this.#waits.get(node) === waits) this.#waits.delete(node);
      };
      waiting.then(resolve, reject).finally(settled);
    });
  }

  #interpose({ node, options, message: given }: OutboundMessage): unknown {
    const { channel = DEFAULT_CHANNEL } = options;
    const message = given instanceof EncodedMessage ? this.#codec.decode(given.bytes) : given;
    return this.#interpositions.run({ type: "forward_message", node, channel, message });
  }

  #forwardLater(message: OutboundMessage, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const again = () => {
        try {
          signal?.throwIfAborted();
          resolve(this.forward(message, signal));
        } catch (error) {
          reject(error);
        }
      };
      if (!this.#options.delayed.add(again)) reject(tooManyDelayed(message));
    });
  }

  #send(message: OutboundMessage, signal: AbortSignal | undefined): Promise<void> | undefined {
    const peer = this.#peers.get(message.node);
    if (peer === undefined && this.#isHere(message)) return this.#options.here.forward(message, signal);
    const connection = this.#connectionTo(message, peer);
    if (connection === null) return void this.#relay(message);
    const isLent = this.#codec.lends(message.message);
    if (!this.#lines.has(connection) && this.#writeTo(connection, message) === null) {
      if (isLent) return this.#untilDown(message.node, this.#written(connection));
      if (message.awaited) return undefined;
      return connection.queue.aboveHighWaterMark ? this.#untilDown(message.node, this.#drained(connection)) : undefined;
    }
    const bytes = this.#codec.measure(message.message);
    const waiting = this.#lines.of(connection).wait(() => this.#writeTo(connection, message), signal, bytes);
    return this.#untilDown(message.node, isLent ? waiting.then(() => this.#written(connection)) : waiting);
  }

  /** Waits until the bytes are written: those that are sent without a copy may change from then on. */
  async #written({ queue, peer }: Connection<Peer>): Promise<void> {
    await queue.written();
    if (queue.closed) throw new NotConnectedError(`Cannot send to "${peer.name}": the connection closed`);
  }

  /** A queue that closes wakes those that wait for it, but has sent nothing. */
  async #drained({ queue, peer }: Connection<Peer>): Promise<void> {
    await queue.drained();
    if (queue.closed) throw new NotConnectedError(`Cannot send to "${peer.name}": the connection closed`);
  }

  #write(message: OutboundMessage): boolean {
    const peer = this.#peers.get(message.node);
    if (peer === undefined && this.#isHere(message)) return this.#options.here.cast(message);
    const connection = this.#connectionTo(message, peer);
    if (connection === null) return this.#relay(message);
    if (this.#lines.has(connection) || this.#writeTo(connection, message) !== null) {
      throw new QueueFullError(`Cannot send to "${message.name}" on "${message.node}": the queue is full`);
    }
    return !connection.queue.aboveHighWaterMark;
  }

  /** Whether a message is for this node itself, which is no peer of its own. */
  #isHere({ node }: OutboundMessage): boolean {
    return node === this.#options.self();
  }

  #relay(message: OutboundMessage): true {
    this.#options.relay(message);
    this.#stats.sent++;
    return true;
  }

  /** The connection for a message; `null` when others have to pass it on. */
  #connectionTo(message: OutboundMessage, peer: Peer | undefined): Connection<Peer> | null {
    const { channel = DEFAULT_CHANNEL, partitionKey, fallback } = message.options;
    const connection = peer === undefined || peer.partitioned ? null : peer.pick(channel, partitionKey, fallback);
    return connection?.channel === channel ? connection : this.#otherwise(message, channel, peer, connection);
  }

  /** The way of a message where its channel has no connection: there may be one of the default channel. */
  #otherwise(
    { node, options: { transitive } }: OutboundMessage,
    channel: string,
    peer: Peer | undefined,
    connection: Connection<Peer> | null,
  ): Connection<Peer> | null {
    if (peer?.partitioned) throw new PartitionedError(`Cannot send to "${node}": an injected partition is in between`);
    if (peer !== undefined && !peer.hasChannel(channel)) {
      throw new RangeError(`Cannot send to "${node}": channel "${channel}" is unknown; name it in "channels"`);
    }
    if (connection !== null || transitive) return connection;
    const state = peer === undefined
      ? "it is not a member, or this node does not want to connect to it"
      : "there is no connection now";
    throw new NotConnectedError(`Cannot send to "${node}": ${state}`);
  }

  /** @returns The queue that has no room for the message; `null` when it was taken. */
  #writeTo(connection: Connection<Peer>, message: OutboundMessage): SendQueue | null {
    if (connection.closed) {
      throw new NotConnectedError(`Cannot send to "${connection.peer.name}": the connection closed`);
    }
    if (connection.draining) {
      const successor = this.#connectionTo(message, this.#peers.get(message.node));
      if (successor !== null) return this.#writeTo(successor, message);
    }
    const { monotonic } = this.#options;
    const { name, cast, envelope } = message;
    if (monotonic.size > 0 && monotonic.has(connection.channel) && envelope === undefined) {
      const conflating = this.#conflatingQueueOf(connection);
      if (conflating.loaded) return this.#hold(conflating, message) ? null : connection.queue;
    }
    const accepted = writeMessage(connection, this.#codec, name, cast, envelope, message.message, message.trace);
    if (!accepted) return connection.queue;
    this.#stats.sent++;
    return null;
  }

  /** A message that is sent later, when its sender may have changed what it is made of. */
  #kept(message: unknown): EncodedMessage {
    return message instanceof EncodedMessage ? message : this.#codec.keep(message);
  }

  #hold(conflating: ConflatingQueue<OutboundMessage>, message: OutboundMessage): boolean {
    const outcome = conflating.hold({ ...message, message: this.#kept(message.message) });
    if (outcome === "superseding") this.#stats.superseded++;
    return outcome !== "full";
  }

  #conflatingQueueOf(connection: Connection<Peer>): ConflatingQueue<OutboundMessage> {
    let conflating = this.#conflating.get(connection);
    if (conflating === undefined) {
      conflating = new ConflatingQueue(connection.queue, (message) => {
        const { node, name } = message;
        try {
          this.#writeTo(connection, message);
        } catch (error) {
          this.#drop(node, name, error);
        }
      });
      this.#conflating.set(connection, conflating);
    }
    return conflating;
  }

  #drop(node: string, name: string, error: unknown): void {
    this.#stats.dropped++;
    this.#options.undeliverable({ node, name, reason: messageOf(error) });
  }
}

/** Whether the message itself, or how it is sent, is wrong, whatever the state of the cluster. */
function isSendersFault(error: unknown): boolean {
  return [EncodeError, MessageTooLargeError, RangeError, TypeError].some((kind) => error instanceof kind);
}

function tooManyDelayed({ node, name }: OutboundMessage): QueueFullError {
  return new QueueFullError(`Cannot delay a message to "${name}" on "${node}": too many are delayed already`);
}
