// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import type { PayloadCodec } from "../wire/payload_codec.ts";
import { DEFAULT_CHANNEL } from "../connections/peer.ts";
import { QueueFullError } from "./errors.ts";
import type { Holding, Inbound } from "./inbound.ts";
import type { MessageStats } from "./message_stats.ts";
import type { OutboundMessage } from "./outbound.ts";
import type { ReliableReceiver } from "./reliable_receiver.ts";
import { WaitingLine } from "./waiting_line.ts";

/** Bytes that may be under way, or wait for handlers. A single larger message goes when no other is there. */
const BYTES_MAX = 8 * 1024 * 1024;
/** From here on senders should wait. */
const HIGH_WATER_MARK = 256 * 1024;
/** Memory that a message takes in addition to its own bytes. */
const MESSAGE_BYTES = 256;

/** Dependencies of a {@linkcode Loopback}. */
export interface LoopbackOptions {
  readonly self: () => NodeIncarnation;
  readonly codec: PayloadCodec;
  readonly inbound: Inbound;
  readonly stats: Pick<MessageStats, "sent">;
  /** Runs a callback at the end of this turn of the event loop. */
  readonly defer: (callback: () => void) => void;
  /** Takes a message with guarantees. */
  readonly accept: ReliableReceiver["accept"];
}

/**
 * Carries messages of a node to itself, as a connection carries those to other nodes: they arrive in a later turn, have no
 * bytes in common with what was sent, and are bounded in bytes, those included that wait for a handler to have room.
 */
export class Loopback implements Holding {
  readonly #options: LoopbackOptions;
  /** Bytes that are under way, or wait for handlers. */
  #bytes = 0;
  /** The part of it that waits for handlers. */
  #heldBytes = 0;
  #line: WaitingLine | undefined;
  #waiters: { readonly bytes: number; readonly resolve: () => void }[] = [];

  constructor(options: LoopbackOptions) {
    this.#options = options;
  }

  /**
   * Sends a message.
   *
   * @returns `undefined` when it was accepted at once; else a promise that resolves when it is, and little is under way.
   * @throws {EncodeError} When it cannot be encoded.
   * @throws {QueueFullError} When too many messages wait for room.
   */
  forward(message: OutboundMessage, signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#sendAtOnce(message)) {
      return this.aboveHighWaterMark && message.envelope === undefined ? this.drained() : undefined;
    }
    this.#line ??= new WaitingLine(this, () => this.#line = undefined);
    const bytes = this.#options.codec.measure(message.message);
    return this.#line.wait(() => this.#send(message) ? null : this, signal, bytes);
  }

  /**
   * Sends a message if there is room for it.
   *
   * @returns Whether it is a good idea to send more now.
   * @throws {EncodeError} When it cannot be encoded.
   * @throws {QueueFullError} When there is no room.
   */
  cast(message: OutboundMessage): boolean {
    if (!this.#sendAtOnce(message)) {
      const { name } = this.#options.self();
      throw new QueueFullError(`Cannot send to "${message.name}" on "${name}": too much waits there already`);
    }
    return !this.aboveHighWaterMark;
  }

  /** Ends the waits of senders, and forgets what waits for handlers. */
  end(reason: Error): void {
    this.#line?.end(reason);
    this.#line = undefined;
    this.give(this.#heldBytes);
  }

  // What a line of senders asks.

  /** Whether senders should wait. */
  get aboveHighWaterMark(): boolean {
    return this.#bytes > HIGH_WATER_MARK;
  }

  /** Resolves once senders need not wait any more. */
  drained(): Promise<void> {
    return this.#atMost(HIGH_WATER_MARK);
  }

  /** Resolves once everything was handed over. */
  flushed(): Promise<void> {
    return this.#atMost(0);
  }

  // What waits for handlers.

  /** There is room: it was taken when the message was sent. */
  take(bytes: number): boolean {
    this.#heldBytes += bytes;
    this.#bytes += bytes;
    return true;
  }

  /** A message that waited has its turn. */
  give(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#release(bytes);
  }

  /**
   * Whether a message waits for nothing, as one with a delivery guarantee: its receiver refuses it where there is no room, and
   * it is repeated.
   */
  #sendAtOnce(message: OutboundMessage): boolean {
    return (this.#line === undefined || message.envelope !== undefined) && this.#send(message);
  }

  /** @returns Whether there was room. */
  #send({ name, message, options: { channel = DEFAULT_CHANNEL }, cast, envelope, trace }: OutboundMessage): boolean {
    const { self, codec, inbound, stats, defer, accept } = this.#options;
    const encoded = codec.encode(message);
    const bytes = MESSAGE_BYTES + encoded.length;
    if (envelope === undefined) {
      if (this.#bytes > 0 && this.#bytes + bytes > BYTES_MAX) return false;
      this.#bytes += bytes;
    }
    const context = inbound.context(self().name, channel, cast, 0, trace);
    stats.sent++;
    defer(() => {
      const arrived = codec.decode(encoded);
      if (envelope !== undefined) return accept(self(), envelope, encoded.length, arrived, name, context);
      this.#release(bytes);
      inbound.receive(name, arrived, context, bytes, this);
    });
    return true;
  }

  #release(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#waiters.length === 0) return;
    const satisfied = this.#waiters.filter((waiter) => waiter.bytes >= this.#bytes);
    this.#waiters = this.#waiters.filter((waiter) => waiter.bytes < this.#bytes);
    for (const { resolve } of satisfied) resolve();
  }

  #atMost(bytes: number): Promise<void> {
    if (this.#bytes <= bytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ bytes, resolve }));
  }
}
