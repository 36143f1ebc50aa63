// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import { MEMBERSHIP_CHANNEL } from "../connections/peer.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { NodeIncarnation } from "../wire/node_spec.ts";
import { readU16 } from "../wire/integers.ts";
import type { DelayQueue } from "./delay_queue.ts";
import { NoHandlerError, NotConnectedError, OverloadedError } from "./errors.ts";
import { DelayedMessage, type Interpositions } from "./interposition.ts";
import { CAST_BIT, numberedHandler, readHandlerName, readMessage } from "./message_frame.ts";
import type { MessageStats, Undeliverable } from "./message_stats.ts";
import { type PayloadCodec, UndecodableMessage } from "../wire/payload_codec.ts";
import { BroadcastContext, SenderSignals, SharedContext, TracedContext, traceOf } from "./message_context.ts";
import { isTraced, type Tracing } from "./tracing.ts";
import type { ConnectionContexts, NumberedHandler } from "./numbered_handler.ts";
import type { MessageContext, MessageHandler, RangeHandler, Registry } from "./registry.ts";

/** Dependencies of an {@linkcode Inbound}. */
export interface InboundOptions {
  /** Name of this node. */
  readonly self: () => string;
  readonly codec: PayloadCodec;
  readonly registry: Registry;
  readonly interpositions: Interpositions;
  readonly delayed: DelayQueue;
  readonly stats: MessageStats;
  readonly tracing: Tracing;
  readonly undeliverable: (what: Undeliverable) => void;
  readonly handlerFailed: (name: string, from: string, error: unknown) => void;
}

/** Bounds what waits for handlers that have no room, where no connection can be held back. */
export interface Holding {
  /** A message has to wait. @returns Whether it may. */
  take(bytes: number, name: string): boolean;
  /** It has its turn. */
  give(bytes: number): void;
}

/** Messages for one handler that came by a way that cannot be held back, and wait for room. */
const HELD_MAX = 1_024;
/** Bytes that such messages take as they travel, for all handlers together. A larger one is held when no other is. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** A message's way in: from the connection that carried it to its handler. */
export class Inbound {
  readonly #options: InboundOptions;
  readonly #contexts = new WeakMap<Connection, ConnectionContexts>();
  /** The connection of the last message that asked for contexts, which is likely to be that of the next one too, and those. */
  #latest: Connection | undefined;
  #latestContexts: ConnectionContexts | undefined;
  readonly #signals = new SenderSignals();
  /** Holds messages for which no connection can be held back, within bounds. */
  readonly #holding: Holding = {
    take: (bytes, name) => {
      const hasBytes = this.#heldBytes === 0 || this.#heldBytes + bytes <= HELD_BYTES_MAX;
      if (!hasBytes || this.#options.registry.workload.waitingFor(name) >= HELD_MAX) return false;
      this.#heldBytes += bytes;
      return true;
    },
    give: (bytes) => void (this.#heldBytes -= bytes),
  };
  #heldBytes = 0;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** Takes a frame of kind `handlerName`. */
  takeHandlerName(connection: Connection, buffer: Uint8Array, start: number, end: number): void {
    readHandlerName(connection, buffer.subarray(start, end));
  }

  /**
   * Takes a frame of kind `message`.
   *
   * @returns Promise to wait for before the next frame is read, when its handler has no room. Backpressure begins there.
   */
  takeMessage(
    connection: Connection,
    buffer: Uint8Array,
    start: number,
    end: number,
    trace?: Uint8Array,
  ): void | Promise<void> {
    const { codec, registry: { workload }, stats } = this.#options;
    stats.received++;
    const numbered = this.numbered(connection, buffer, start, end);
    if (numbered !== undefined) return this.#takeNumbered(connection, numbered, buffer, start, end);
    const { name, cast, message } = readMessage(connection, codec, FrameKind.message, buffer, start, end, this.#isLent);
    const context = this.contextOf(connection, cast, trace);
    if (workload.hasRoom(name)) return this.#enter(name, message, context);
    if (connection.channel === MEMBERSHIP_CHANNEL) {
      // Heartbeats come by it: a node whose handlers are busy must not take the others for dead.
      const hold = (message: unknown) => this.#hold(name, message, context, end - start, this.#holding);
      return this.interpose(message, context, hold);
    }
    return new Promise((resolve) =>
      workload.wait(name, () => {
        this.#enter(name, message, context);
        resolve();
      })
    );
  }

  /** The handler of a message by its number, when nothing stands between the two; `undefined` when anything might. */
  numbered(connection: Connection, buffer: Uint8Array, start: number, end: number): NumberedHandler | undefined {
    const { registry: { workload }, interpositions, tracing } = this.#options;
    if (!workload.isRoomy || interpositions.active || tracing.tracer !== null) return undefined;
    return numberedHandler(connection, buffer, start, end);
  }

  /** Whether the handler may be handed a message now. */
  hasRoom(name: string): boolean {
    return this.#options.registry.workload.hasRoom(name);
  }

  /** Lets go of what waits for room. */
  reset(): void {
    this.#options.registry.workload.clear();
    this.#heldBytes = 0;
  }

  /** Whether there are functions that messages have to go through. */
  get interposing(): boolean {
    return this.#options.interpositions.active;
  }

  /**
   * The context of a message.
   *
   * @param incarnation The incarnation of its sender; 0 where that does not count.
   */
  context(from: string, channel: string, cast: boolean, incarnation = 0, trace?: Uint8Array): MessageContext {
    return trace === undefined
      ? new SharedContext(from, channel, cast, this.#signals, incarnation)
      : new TracedContext(from, channel, cast, this.#signals, incarnation, trace);
  }

  /** The context of a broadcast. */
  broadcastContext(
    { name, incarnation }: NodeIncarnation,
    channel: string,
    age: number,
    repaired: boolean,
    trace: Uint8Array | undefined,
  ): MessageContext {
    return new BroadcastContext(name, channel, this.#signals, incarnation, age, repaired, trace);
  }

  /** A node went down, or those incarnations of it are over that are lower than `before`: whatever is done for it is of no use. */
  gone(node: string, what: string, before = Infinity): void {
    if (this.#signals.has(node)) this.#signals.abort(node, new NotConnectedError(`"${node}" ${what}`), before);
  }

  /** Tells all handlers that what they do is of no use any more, because this node ends. */
  abort(reason: Error): void {
    this.#signals.end(reason);
  }

  /** A connection has closed. The one of the last message would be held on to, with its peer and its buffer, until another one brings a message. */
  closed(connection: Connection): void {
    if (connection === this.#latest) this.#latest = this.#latestContexts = undefined;
  }

  /** The context of messages that a connection carries. */
  contextOf(connection: Connection, cast: boolean, trace?: Uint8Array): MessageContext {
    if (trace !== undefined) {
      const { peer: { name, incarnation }, channel } = connection;
      return this.context(name, channel, cast, incarnation, trace);
    }
    const contexts = this.#contextsOf(connection);
    return cast ? contexts.cast : contexts.forward;
  }

  /**
   * Takes a message that did not come over a connection of its sender: one that others passed on, or that did not have to travel. It is
   * sent through the interposition functions, and delivered when there is room for it.
   *
   * @param bytes Bytes that it takes as it travels.
   * @param holding Bounds what waits; those of other nodes together, unless given.
   */
  receive(
    name: string,
    message: unknown,
    context: MessageContext,
    bytes: number,
    holding: Holding = this.#holding,
  ): void {
    this.#options.stats.received++;
    if (!this.#options.interpositions.active) this.#hold(name, message, context, bytes, holding);
    else this.interpose(message, context, (message) => this.#hold(name, message, context, bytes, holding));
  }

  #enter(name: string, message: unknown, context: MessageContext): void {
    if (!this.#options.interpositions.active) this.deliver(name, message, context);
    else this.interpose(message, context, (message) => this.deliver(name, message, context));
  }

  #hold(name: string, message: unknown, context: MessageContext, bytes: number, holding: Holding): void {
    const { registry: { workload }, stats, undeliverable, self } = this.#options;
    if (workload.hasRoom(name)) {
      this.deliver(name, message, context);
    } else if (holding.take(bytes, name)) {
      workload.wait(name, () => {
        holding.give(bytes);
        this.deliver(name, message, context);
      });
    } else {
      stats.dropped++;
      stats.turnedAway++;
      undeliverable({ node: self(), name, reason: overloaded(name) });
    }
  }

  /** Sends a message that came in through the interposition functions; `proceed` takes what comes out, if anything. */
  interpose(message: unknown, context: MessageContext, proceed: (message: unknown) => void): void {
    if (!this.#options.interpositions.active || message instanceof UndecodableMessage) return proceed(message);
    const { from: node, channel } = context;
    const { interpositions, delayed, stats, undeliverable, self } = this.#options;
    const result = interpositions.run({ type: "receive_message", node, channel, message });
    if (!(result instanceof DelayedMessage)) {
      if (result === undefined) stats.intercepted++;
      else proceed(result);
    } else if (!delayed.add(() => this.interpose(result.message, context, proceed))) {
      stats.turnedAway++;
      undeliverable({ node: self(), name: "", reason: "Too many messages are delayed already" });
    }
  }

  /** Whether there is a handler. */
  handles(name: string): boolean {
    return this.#options.registry.find(name) !== undefined;
  }

  /** Counts a message that has no handler. */
  unhandled(name: string, isToTell = true): void {
    this.#options.stats.unhandled++;
    if (!isToTell) return;
    this.#options.undeliverable({ node: this.#options.self(), name, reason: noHandler(name) });
  }

  /**
   * Hands a message to its handler, which is there, and tells what goes wrong.
   *
   * @returns Result of the handler; a promise of it rejects as the handler's does.
   * @throws What the handler throws.
   */
  handle(name: string, message: unknown, context: MessageContext): unknown {
    const { registry, tracing: { tracer } } = this.#options;
    const { take } = registry.find(name)!;
    const traced: MessageHandler = tracer === null || !isTraced(name)
      ? take
      : (message, context) => tracer.process(name, context, traceOf(context), () => take(message, context));
    return this.#hand(traced, name, message, context);
  }

  #hand(take: MessageHandler, name: string, message: unknown, context: MessageContext): unknown {
    const { stats } = this.#options;
    try {
      if (message instanceof UndecodableMessage) {
        stats.undecodable++;
        throw message.error;
      }
      stats.delivered++;
      const result = take(message, context);
      if (result instanceof Promise) this.#follow(result, name, context);
      return result;
    } catch (error) {
      stats.failed++;
      this.#options.handlerFailed(name, context.from, error);
      throw error;
    }
  }

  /** The usual case: nothing stands between a message and its handler. */
  #takeNumbered(
    connection: Connection,
    numbered: NumberedHandler,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { registry, codec } = this.#options;
    const { name } = numbered;
    const registered = numbered.in(registry);
    if (registered === undefined) return this.unhandled(name);
    const { take, takeRange, isBorrowing } = registered;
    const contexts = numbered.contexts ??= this.#contextsOf(connection);
    const context = (readU16(buffer, start) & CAST_BIT) !== 0 ? contexts.cast : contexts.forward;
    const bytesAt = takeRange === undefined ? -1 : codec.binaryAt(buffer, start + 2, end);
    if (bytesAt >= 0) return this.#handRange(takeRange!, name, buffer, bytesAt, end, context);
    const message = codec.read(buffer, start + 2, end, isBorrowing ? undefined : connection.reader);
    try {
      this.#hand(take, name, message, context);
    } catch {
      // It was told.
    }
  }

  #handRange(
    takeRange: RangeHandler,
    name: string,
    buffer: Uint8Array,
    start: number,
    end: number,
    context: MessageContext,
  ): void {
    const { stats } = this.#options;
    try {
      stats.delivered++;
      const result = takeRange(buffer, start, end, context);
      if (result instanceof Promise) this.#follow(result, name, context);
    } catch (error) {
      stats.failed++;
      this.#options.handlerFailed(name, context.from, error);
    }
  }

  /** A promise of a handler counts until it settles. */
  #follow(result: Promise<unknown>, name: string, { from }: MessageContext): void {
    const { registry: { workload }, stats, handlerFailed } = this.#options;
    workload.begin(name);
    result.then(() => workload.end(name), (error) => {
      workload.end(name);
      stats.failed++;
      handlerFailed(name, from, error);
    });
  }

  /**
   * Hands a request to its handler.
   *
   * @returns Result of the handler.
   * @throws What the handler throws; an error when there is none, or no room.
   */
  async answer(name: string, message: unknown, context: MessageContext): Promise<unknown> {
    if (!this.handles(name)) {
      this.unhandled(name, false);
      throw new NoHandlerError(noHandler(name));
    }
    if (!this.hasRoom(name)) {
      this.#options.stats.overloaded++;
      this.#options.stats.turnedAway++;
      throw new OverloadedError(overloaded(name));
    }
    return await this.handle(name, message, context);
  }

  /**
   * Hands a message to its handler.
   *
   * @returns Result of the handler; `undefined` when it threw, when there is none, or the message could not be decoded.
   */
  deliver(name: string, message: unknown, context: MessageContext): unknown {
    if (!this.handles(name)) return this.unhandled(name);
    try {
      return this.handle(name, message, context);
    } catch {
      // It was told.
      return undefined;
    }
  }

  /** Interposition functions may keep what they see, so nothing is lent while there are any; nor what may wait while its connection is read. */
  readonly #isLent = (name: string, _: unknown, { channel }: Connection): boolean =>
    this.#options.registry.find(name)?.isBorrowing === true && !this.interposing && channel !== MEMBERSHIP_CHANNEL;

  #contextsOf(connection: Connection): ConnectionContexts {
    if (connection !== this.#latest) this.#latestContexts = this.#findContexts(this.#latest = connection);
    return this.#latestContexts!;
  }

  #findContexts(connection: Connection): ConnectionContexts {
    let contexts = this.#contexts.get(connection);
    if (contexts === undefined) {
      const { peer: { name, incarnation }, channel } = connection;
      contexts = {
        cast: this.context(name, channel, true, incarnation),
        forward: this.context(name, channel, false, incarnation),
      };
      this.#contexts.set(connection, contexts);
    }
    return contexts;
  }
}

function overloaded(name: string): string {
  return `The handler "${name}" has no room: too much waits for it, or for this node`;
}

function noHandler(name: string): string {
  return `No handler is registered as "${name}"`;
}
