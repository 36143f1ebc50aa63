// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import type { MessageStats } from "./message_stats.ts";
import type { LocalRuntime, Timer } from "../runtime/runtime.ts";
import { OutstandingMessages } from "./outstanding_messages.ts";
import type { CausalOrders } from "./causal_orders.ts";
import { splitParticipantKey } from "../wire/causal_stamp.ts";
import { AckTimeoutError, NotConnectedError } from "./errors.ts";
import { MEMBERSHIP_CHANNEL } from "../connections/peer.ts";
import { callErrorOf, wasNeverSent } from "./failure.ts";
import type { GuaranteeOptions } from "./guarantee_options.ts";
import { NumberedMessage } from "./numbered_message.ts";
import type { Outbound, OutboundMessage } from "./outbound.ts";
import { EncodedMessage, type PayloadCodec } from "../wire/payload_codec.ts";
import { acknowledgementFromValue } from "./acknowledgement.ts";
import { fromRanges } from "../wire/sequence_ranges.ts";
import { RecentClocks } from "./recent_clocks.ts";
import { noHandler, noRoom, notMember } from "./undelivered.ts";

const DONE = Promise.resolve();

/** Milliseconds between two looks at what is due, at least. */
const TIMER_SLACK_MS = 10;

/** Milliseconds after which what is not acknowledged by then is given a time to be repeated at. */
const AGING_MS = 50;

/** Milliseconds in which a handler must have been registered for a message that has no deadline: a node that has just started does so a moment later. */
const HANDLER_PATIENCE_MS = 5_000;

/** Numbers that are left out before the first message to a node are fewer. What follows is an integer of 31 bits for V8 for long, not a float in a box. */
const SKIPPED_MAX = 2 ** 30;

/** Delivery guarantees that are asked of a message. */
type ReliableOptions = GuaranteeOptions & {
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Dependencies of a {@linkcode ReliableSender}. */
export interface ReliableSenderOptions {
  readonly runtime: LocalRuntime;
  readonly outbound: Outbound;
  readonly codec: PayloadCodec;
  readonly orders: CausalOrders<unknown>;
  /** A positive number by chance, which cannot be guessed. */
  readonly chance: () => number;
  /** Name of this node. */
  readonly self: () => string;
  /** The incarnation of this node. */
  readonly incarnation: () => number;
  /** The newest known incarnation of a member, or `undefined` for a node that is none. */
  readonly stats: Pick<MessageStats, "repeated" | "expired">;
  readonly memberIncarnation: (node: string) => number | undefined;
  /** Whether there are connections with a node that has not left, be it a member or not. */
  readonly isPresent: (node: string) => boolean;
}

/** The sender's side of every promise that outlives a connection: keeps messages until they are acknowledged, and sends them again. */
export class ReliableSender {
  readonly #options: ReliableSenderOptions;
  readonly #clocks = new RecentClocks();
  /** Nodes for whose next incarnation causal messages wait that have places in the order of the one before. */
  readonly #followed = new Set<string>();
  #outstanding: OutstandingMessages<NumberedMessage>;
  #aging: Timer | null = null;
  #timer: Timer | null = null;
  #timerAt = Infinity;
  #stopped: Error | undefined;

  constructor(options: ReliableSenderOptions) {
    this.#options = options;
    this.#outstanding = this.#nothingOutstanding();
  }

  /** Number of messages that wait for their acknowledgement. */
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
  forward(message: OutboundMessage, options: ReliableOptions): Promise<void> {
    const { ack, clock } = options;
    if (ack !== true || clock === undefined) return this.#forward(message, options);
    return this.#clocks.once(JSON.stringify([`${clock}`, message.node]), () => this.#forward(message, options));
  }

  /**
   * Takes what a peer says about messages from here.
   *
   * @throws {TypeError} When it is malformed.
   */
  takeAcknowledgement({ name: from, incarnation }: NodeIncarnation, value: unknown): void {
    const acknowledgement = acknowledgementFromValue(value);
    if (acknowledgement.incarnation !== this.#options.incarnation()) return;
    for (const [sequence, error] of acknowledgement.failed) {
      this.#outstanding.settle(from, sequence)?.settle(callErrorOf(error));
    }
    for (const message of this.#outstanding.acknowledge(from, acknowledgement)) message.settle();
    for (const sequence of fromRanges(acknowledgement.missing)) {
      const { message } = this.#outstanding.lacking(from, sequence, this.#now(), HANDLER_PATIENCE_MS) ?? {};
      message?.settle(noHandler(message));
    }
    if (acknowledgement.missing.length > 0) this.#schedule();
    for (const sequence of fromRanges(acknowledgement.full)) {
      if (this.#outstanding.get(from, sequence)?.isForAnother(incarnation)) {
        this.#readdress(from, incarnation);
        continue;
      }
      const { message } = this.#outstanding.refuse(from, sequence) ?? {};
      message?.settle(noRoom(message));
    }
    for (const sequence of fromRanges(acknowledgement.late)) {
      this.#outstanding.settle(from, sequence)?.settle(
        new AckTimeoutError(`Cannot deliver to "${from}": the message came too late for its causal place`),
      );
    }
  }

  /** A peer can be reached again: what it has not acknowledged is sent at once. */
  up(node: string): void {
    this.#outstanding.expedite(node, this.#now());
    this.#work();
  }

  /**
   * An incarnation of a node has left the cluster. A later one may be known, and wait for what has a place among the messages to it.
   *
   * @param isFollowed Whether a later one has begun somewhere: others find it for what they may pass on.
   */
  left({ name, incarnation }: NodeIncarnation, isFollowed = false): void {
    const isForLater = ({ causal }: NumberedMessage) =>
      causal !== undefined && splitParticipantKey(causal.stamp.to).incarnation > incarnation;
    const isKept = ({ causal, options }: NumberedMessage) => {
      if (!isFollowed || options.transitive !== true) return false;
      if (causal !== undefined) this.#followed.add(name);
      return true;
    };
    const what = isFollowed ? "it has begun another incarnation, which is not connected" : "it has left the cluster";
    for (const { message } of this.#outstanding.peerLeft(name, isForLater, isKept)) {
      message.settle(new NotConnectedError(`Cannot deliver to "${name}": ${what}`));
    }
    if (isFollowed) this.up(name);
    else this.#followed.delete(name);
  }

  /** A node that is no member cannot be reached any more. It may join yet: the places of what was for it must be filled all the same. */
  lost(node: string): void {
    this.#followed.delete(node);
    for (const { message } of this.#outstanding.abandonAll(node)) {
      message.settle(new NotConnectedError(`Cannot deliver to "${node}": it is not a member`));
    }
  }

  /** Gives everything up for good; what comes later rejects with `reason` too. */
  stop(reason: Error): void {
    this.#stopped = reason;
    this.reset(reason);
  }

  /** Gives everything up, because this node begins another incarnation. */
  reset(reason: Error): void {
    this.#aging?.cancel();
    this.#timer?.cancel();
    this.#aging = this.#timer = null;
    this.#timerAt = Infinity;
    this.#followed.clear();
    const before = this.#outstanding;
    this.#outstanding = this.#nothingOutstanding();
    for (const peer of before.peers()) for (const { message } of before.peerLeft(peer)) message.settle(reason);
  }

  #nothingOutstanding(): OutstandingMessages<NumberedMessage> {
    const { runtime, chance } = this.#options;
    return new OutstandingMessages({
      random: () => runtime.random.next(),
      skip: () => chance() % SKIPPED_MAX | 0,
      // Nearly all others in the same buffer are acknowledged by now.
      aged: ({ message }) => message instanceof EncodedMessage && message.moveOut(),
    });
  }

  #forward(outgoing: OutboundMessage, options: ReliableOptions): Promise<void> {
    const { node } = outgoing;
    const { ack = false, causalLabel, signal } = options;
    signal?.throwIfAborted();
    if (this.#stopped !== undefined) throw this.#stopped;
    if (causalLabel === undefined) this.#checkReachable(outgoing);
    else this.#checkPlace(node, causalLabel);
    // What a node sends itself is in order anyway.
    const placed = causalLabel !== undefined && node !== this.#options.self();
    // What was sent before comes before it in the order of the next incarnation, too.
    if (placed && this.#followed.delete(node)) this.#readdress(node, this.#options.memberIncarnation(node)!);
    const placeholder = placed ? new NumberedMessage(outgoing, null) : undefined;
    const kept = this.#options.codec.keep(outgoing.message, !placed);
    const message = new NumberedMessage(outgoing, kept, placeholder);
    this.#keep(message, kept.length, options);
    if (placed && !this.#place(message, causalLabel, this.#options.memberIncarnation(node)!)) {
      this.#outstanding.settle(node, message.sequence);
      throw notMember(node);
    }
    const settled = ack ? message.settled() : undefined;
    const sent = this.#sendFirst(message, signal);
    // What was not written at once is written when the caller has gone on.
    kept.detach();
    if (settled === undefined) return sent ?? DONE;
    sent?.catch((error) => message.settle(error));
    return signal === undefined ? settled : this.#unlessAborted(settled, signal, message);
  }

  #checkReachable({ node, options }: OutboundMessage): void {
    const { isPresent, memberIncarnation } = this.#options;
    if (isPresent(node) || options.transitive || memberIncarnation(node) !== undefined) return;
    throw notMember(node);
  }

  /** A place in a causal order must be filled, or its owner leave: that can be told of members only. */
  #checkPlace(node: string, label: string): void {
    if (this.#options.memberIncarnation(node) === undefined) throw notMember(node);
    if (!this.#options.orders.knows(label)) {
      throw new RangeError(`Cannot send to "${node}": causal label "${label}" is unknown; name it in "causalLabels"`);
    }
  }

  /** Keeps a message until it is acknowledged, and numbers it. */
  #keep(message: NumberedMessage, bytes: number, { retransmission, timeout }: ReliableOptions): void {
    const { node, placeholder } = message;
    this.#ageSoon();
    if ((retransmission ?? true) === true && timeout === undefined && placeholder === undefined) {
      message.sequence = this.#outstanding.add(node, message, { bytes });
      return;
    }
    const now = this.#now();
    message.sequence = this.#outstanding.add(node, message, {
      now,
      bytes,
      deadline: timeout === undefined ? undefined : now + timeout,
      retransmission: retransmission === true ? undefined : retransmission,
      placeholder,
    });
    this.#schedule();
  }

  /**
   * Sends a message for the first time. One that cannot be sent now, but perhaps later, waits; one that never can is given up.
   */
  #sendFirst(message: NumberedMessage, signal: AbortSignal | undefined): Promise<void> | undefined {
    try {
      message.floor = this.#outstanding.floor(message.node);
      return this.#options.outbound.forward(message, signal)?.catch((error) => this.#failed(message, error));
    } catch (error) {
      return this.#failed(message, error);
    }
  }

  #failed({ node, sequence }: NumberedMessage, error: unknown): Promise<void> {
    if (!wasNeverSent(error)) return DONE;
    this.#outstanding.abandon(node, sequence);
    return Promise.reject(error);
  }

  /** Gives a message up when its sender does. */
  async #unlessAborted(
    settled: Promise<void>,
    signal: AbortSignal,
    { node, sequence }: NumberedMessage,
  ): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    const abort = () => {
      this.#outstanding.abandon(node, sequence);
      aborted.reject(signal.reason);
    };
    signal.addEventListener("abort", abort);
    try {
      await Promise.race([settled, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Sends again what is due, and gives up what is overdue. */
  #work(): void {
    const { resend, expired } = this.#outstanding.due(this.#now());
    const { stats } = this.#options;
    stats.repeated += resend.length;
    stats.expired += expired.length;
    for (const { peer, message, refused, lacking } of expired) {
      message.settle(
        lacking
          ? noHandler(message)
          : refused
          ? noRoom(message)
          : new AckTimeoutError(`Cannot deliver to "${peer}": no acknowledgement came in time`),
      );
    }
    for (const { peer, sequence, message } of resend) this.#sendAgain(peer, sequence, message);
    this.#schedule();
  }

  /** The receiver has begun another incarnation, as it says itself. What waits for it gets places in that one, in its order. */
  #readdress(peer: string, incarnation: number): void {
    for (const [sequence, message] of this.#outstanding.entries(peer)) {
      const { causal, isReaddressed } = message;
      if (causal === undefined || !message.isForAnother(incarnation)) continue;
      if (!this.#place(message, causal.label, incarnation)) continue;
      message.isReaddressed = true;
      // Only once, as others may have made it up; later, when it is due.
      if (!isReaddressed) this.#sendAgain(peer, sequence, message);
    }
  }

  #sendAgain(peer: string, sequence: number, message: NumberedMessage): void {
    const { orders, outbound } = this.#options;
    const incarnation = this.#options.memberIncarnation(peer) ?? 0;
    const { causal } = message;
    if (causal !== undefined) {
      // Where the receiver has begun another incarnation, the old place means nothing to that. Should that be over as well, the next one will be known.
      const isOver = incarnation > splitParticipantKey(causal.stamp.to).incarnation;
      if (isOver) this.#place(message, causal.label, incarnation);
      else orders.repeat(causal, this.#now());
    }
    message.sequence = sequence;
    message.floor = this.#outstanding.floor(peer);
    message.repeated = true;
    // The connection of a reply may be one that is not read for want of room, when the handler that waits for it takes the last of it.
    if (message.call?.ok !== undefined) message.options = { ...message.options, channel: MEMBERSHIP_CHANNEL };
    outbound.offer(message);
  }

  /** Gives a message, and what may come in its stead, a place in a causal order. @returns Whether that incarnation is not gone. */
  #place(message: NumberedMessage, label: string, incarnation: number): boolean {
    const place = this.#options.orders.place(label, { name: message.node, incarnation }, this.#now());
    if (place === undefined) return false;
    message.causal = { ...place, empty: message.causal?.empty ?? false };
    if (message.placeholder !== undefined) message.placeholder.causal = { ...place, empty: true };
    return true;
  }

  #ageSoon(): void {
    this.#aging ??= this.#options.runtime.clock.schedule(AGING_MS, () => {
      this.#aging = null;
      this.#outstanding.age(this.#now());
      this.#schedule();
    });
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
