// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime, Timer } from "../runtime/runtime.ts";
import { OutstandingMessages } from "./acknowledgement.ts";
import type { CausalOrders } from "./causal_orders.ts";
import { participantKey } from "./causal_stamp.ts";
import type { Sender } from "./deduplication.ts";
import { type CausalPlace, envelopeToValue } from "./envelope.ts";
import {
  AckTimeoutError,
  EncodeError,
  MessageTooLargeError,
  NotConnectedError,
  PartitionedError,
  ReceiveBufferFullError,
} from "./errors.ts";
import type { GuaranteeOptions } from "./guarantee_options.ts";
import type { Outbound, OutboundMessage } from "./outbound.ts";
import type { OutstandingMessage } from "./outstanding_message.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { receiptFromValue } from "./receipt.ts";
import { fromRanges } from "./sequence_ranges.ts";
import { RecentClocks } from "./recent_clocks.ts";

const DONE = Promise.resolve();

/** Milliseconds between two looks at what is due, at least. */
const TIMER_SLACK_MS = 10;

/** A message that is not yet acknowledged. */
interface Pending {
  readonly message: OutboundMessage;
  /** Its place in a causal order, if it has one, and the life of the receiver that the place is for. */
  place: CausalPlace | undefined;
  /** What goes on in its place when it is given up, lest others wait for it for ever. */
  readonly placeholder: Pending | undefined;
  readonly settle: ((error?: Error) => void) | undefined;
}

/** What a {@linkcode Guarantees} needs from its surroundings. */
export interface GuaranteesOptions {
  readonly runtime: Runtime;
  readonly outbound: Outbound;
  readonly codec: PayloadCodec;
  readonly orders: CausalOrders<unknown>;
  /** Name of this node. */
  readonly self: () => string;
  /** The life of this node. */
  readonly incarnation: () => number;
  /** The newest known life of a member, or `undefined` for a node that is none. */
  readonly memberLife: (node: string) => number | undefined;
  /** Whether there are connections with a node that has not left, be it a member or not. */
  readonly isPresent: (node: string) => boolean;
}

/** The sender's side of every promise that outlives a connection: keeps messages until they are acknowledged, and sends them again. */
export class Guarantees {
  readonly #options: GuaranteesOptions;
  readonly #clocks = new RecentClocks();
  #outstanding: OutstandingMessages<Pending>;
  #timer: Timer | null = null;
  #timerAt = Infinity;
  #stopped: Error | undefined;

  constructor(options: GuaranteesOptions) {
    this.#options = options;
    this.#outstanding = this.#nothingOutstanding();
  }

  /** How many messages wait for their acknowledgement. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /**
   * Sends a message with the guarantees that are asked for.
   *
   * @returns With `ack`, resolves when the message is acknowledged; else, when it is queued or kept for later.
   * @throws {NotConnectedError} When the receiver is no member, or leaves.
   * @throws {RangeError} When the causal label is unknown.
   */
  forward(
    message: OutboundMessage,
    options: GuaranteeOptions & { readonly timeout?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    const { ack, clock } = options;
    if (ack !== true || clock === undefined) return this.#forward(message, options);
    return this.#clocks.once(`${clock} ${message.node}`, () => this.#forward(message, options));
  }

  /**
   * Takes what a peer says about messages from here.
   *
   * @throws {TypeError} When it is malformed.
   */
  takeReceipt(from: string, value: unknown): void {
    const receipt = receiptFromValue(value);
    if (receipt.incarnation !== this.#options.incarnation()) return;
    for (const pending of this.#outstanding.acknowledge(from, receipt)) pending.settle?.();
    for (const sequence of fromRanges(receipt.full)) this.#outstanding.refuse(from, sequence);
    for (const sequence of fromRanges(receipt.late)) {
      const late = this.#outstanding.settle(from, sequence);
      late?.settle?.(
        new AckTimeoutError(`Cannot deliver to "${from}": the message came too late for its causal place`),
      );
    }
  }

  /** A peer can be reached again: what it has not acknowledged is sent at once. */
  up(node: string): void {
    this.#outstanding.expedite(node, this.#now());
    this.#work();
  }

  /** A node has left the cluster. */
  left(node: string): void {
    for (const { message } of this.#outstanding.peerLeft(node)) {
      message.settle?.(new NotConnectedError(`Cannot deliver to "${node}": it has left the cluster`));
    }
  }

  /** A node that is no member cannot be reached any more. It may join yet: the places of what was for it must be filled all the same. */
  lost(node: string): void {
    for (const { message } of this.#outstanding.abandonAll(node)) {
      message.settle?.(new NotConnectedError(`Cannot deliver to "${node}": it is not a member`));
    }
  }

  /** Gives everything up for good; what comes later rejects with `reason` too. */
  stop(reason: Error): void {
    this.#stopped = reason;
    this.reset(reason);
  }

  /** Gives everything up, because this node begins another life. */
  reset(reason: Error): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAt = Infinity;
    const before = this.#outstanding;
    this.#outstanding = this.#nothingOutstanding();
    for (const peer of before.peers()) for (const { message } of before.peerLeft(peer)) message.settle?.(reason);
  }

  #nothingOutstanding(): OutstandingMessages<Pending> {
    return new OutstandingMessages({ random: () => this.#options.runtime.random.next() });
  }

  #forward(
    message: OutboundMessage,
    options: GuaranteeOptions & { readonly timeout?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    const { node } = message;
    const { ack = false, causalLabel, retransmission, signal, timeout } = options;
    signal?.throwIfAborted();
    if (this.#stopped !== undefined) throw this.#stopped;
    const incarnation = this.#options.memberLife(node);
    // A place in a causal order must be filled, or its owner leave: that can be told of members only.
    const mayReach = causalLabel === undefined && (message.options.transitive || this.#options.isPresent(node));
    if (incarnation === undefined && !mayReach) {
      throw new NotConnectedError(`Cannot send to "${node}": it is not a member`);
    }
    if (causalLabel !== undefined && !this.#options.orders.knows(causalLabel)) {
      throw new RangeError(
        `Cannot send to "${node}": causal label "${causalLabel}" is unknown; name it in "causalLabels"`,
      );
    }
    // What a node sends itself is in order anyway.
    const placed = causalLabel !== undefined && node !== this.#options.self();
    const receiver = incarnation === undefined ? undefined : { name: node, incarnation };
    const bytes = this.#options.codec.measure(message.message);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (error?: Error) => error === undefined ? resolve() : reject(error);
    const placeholder = placed ? placeholderFor(message) : undefined;
    const pending: Pending = { message, place: undefined, placeholder, settle: ack ? settle : undefined };
    const now = this.#now();
    const sequence = this.#outstanding.add(node, pending, {
      now,
      bytes,
      deadline: timeout === undefined ? undefined : now + timeout,
      retransmission: retransmission === true ? undefined : retransmission,
      placeholder,
    });
    if (placed && receiver !== undefined) this.#place(pending, causalLabel, receiver);
    const sent = this.#sendFirst(pending, sequence, signal, settle);
    this.#schedule();
    if (!ack) sent.then(() => settle());
    return ack && signal !== undefined ? this.#unlessAborted(promise, signal, node, sequence) : promise;
  }

  /** What cannot be sent now, but perhaps later, waits for later; what never can is given up. */
  #sendFirst(
    pending: Pending,
    sequence: number,
    signal: AbortSignal | undefined,
    settle: (error?: Error) => void,
  ): Promise<void> {
    const failed = (error: unknown) => {
      const hopeless = error instanceof PartitionedError || error instanceof EncodeError ||
        error instanceof MessageTooLargeError;
      if (!hopeless) return;
      this.#outstanding.abandon(pending.message.node, sequence);
      settle(error);
    };
    try {
      const waiting = this.#options.outbound.forward(this.#enveloped(pending, sequence), signal);
      if (waiting !== undefined) return waiting.catch(failed);
    } catch (error) {
      failed(error);
    }
    return DONE;
  }

  /** Gives a message up when its sender does. */
  async #unlessAborted(promise: Promise<void>, signal: AbortSignal, node: string, sequence: number): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => {
      this.#outstanding.abandon(node, sequence);
      aborted.reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    try {
      await Promise.race([promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #enveloped({ message, place }: Pending, sequence: number): OutboundMessage {
    const { node, name, options, cast, call } = message;
    const floor = this.#outstanding.floor(node);
    const envelope = envelopeToValue({ sequence, floor, causal: place, call });
    return { node, name, message: message.message, options, cast, call, envelope };
  }

  /** Sends again what is due, and gives up what is overdue. */
  #work(): void {
    const { resend, expired } = this.#outstanding.due(this.#now());
    for (const { peer, message, refused } of expired) {
      message.settle?.(
        refused
          ? new ReceiveBufferFullError(`Cannot deliver to "${peer}": its buffer for causally ordered messages is full`)
          : new AckTimeoutError(`Cannot deliver to "${peer}": no acknowledgement came in time`),
      );
    }
    for (const due of resend) this.#sendAgain(due);
    this.#schedule();
  }

  #sendAgain({ peer, sequence, message }: OutstandingMessage<Pending>): void {
    const incarnation = this.#options.memberLife(peer);
    const { place } = message;
    if (place !== undefined && incarnation !== undefined && place.stamp.to !== participantKey(peer, incarnation)) {
      // The receiver has begun another life, to which the old place means nothing.
      this.#place(message, place.label, { name: peer, incarnation });
    }
    this.#options.outbound.offer({ ...this.#enveloped(message, sequence), repeated: true });
  }

  /** Gives a message, and what may come in its stead, a place in a causal order. */
  #place(pending: Pending, label: string, to: Sender): void {
    const place = this.#options.orders.place(label, to, this.#now());
    const isEmpty = pending.place?.empty ?? false;
    pending.place = { ...place, empty: isEmpty };
    if (pending.placeholder !== undefined) pending.placeholder.place = { ...place, empty: true };
  }

  #schedule(): void {
    const at = this.#outstanding.nextAt();
    if (at === undefined || at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#options.runtime.clock.schedule(Math.max(TIMER_SLACK_MS, at - this.#now()), () => {
      this.#timerAt = Infinity;
      this.#work();
    });
  }

  #now(): number {
    return this.#options.runtime.clock.now();
  }
}

/** A message without content. */
function placeholderFor(message: OutboundMessage): Pending {
  return { message: { ...message, message: null }, place: undefined, placeholder: undefined, settle: undefined };
}
