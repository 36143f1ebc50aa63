// Copyright 2026 the Partisan peer-service authors. MIT license.

import { QueueFullError } from "./errors.ts";
import { DELIVERY_WINDOW } from "./deduplication.ts";
import { fromRanges } from "./sequence_ranges.ts";
import type {
  DueMessages,
  OutstandingMessage,
  OutstandingMessageOptions,
  OutstandingOptions,
} from "./outstanding_message.ts";
import type { Receipt } from "./receipt.ts";
import {
  completeRetransmission,
  DEFAULT_RETRANSMISSION,
  type Retransmission,
  retransmissionDelay,
} from "./retransmission.ts";
import { SequenceRing } from "./sequence_ring.ts";
import { TimingWheel, WheelEntry } from "./timing_wheel.ts";

/** Milliseconds by which a repetition may be late. */
const RESOLUTION = 10;

class Entry<T> extends WheelEntry implements OutstandingMessage<T> {
  repetitions = 0;
  refused = false;
  /** Whether only the placeholder is left. */
  replaced = false;
  constructor(
    readonly peer: string,
    readonly sequence: number,
    public message: T,
    public bytes: number,
    public deadline: number,
    readonly retransmission: Required<Retransmission> | undefined,
    readonly placeholder: T | undefined,
  ) {
    super();
  }
}

/**
 * The sender's side of acknowledged delivery: what was sent and has not been acknowledged, when to repeat it, and when
 * to give up. Every step but {@linkcode OutstandingMessages.peerLeft} and {@linkcode OutstandingMessages.expedite} takes
 * time in proportion to what it returns, however much is outstanding.
 *
 * Messages to one receiver are numbered from 1. Each carries its number and the sender's floor, which tells the receiver
 * what it need not wait for (see `deduplication.ts`).
 *
 * @typeParam T What the owner keeps of a message.
 */
export class OutstandingMessages<T> {
  readonly #random: () => number;
  readonly #retransmission: Required<Retransmission>;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #peers = new Map<string, SequenceRing<Entry<T>>>();
  readonly #wheel = new TimingWheel<Entry<T>>(RESOLUTION);
  #size = 0;
  #bytes = 0;
  /** Above every number used for a peer that was forgotten, so that no number is used twice when it comes back. */
  #start = 1;

  /** Begins with nothing outstanding. */
  constructor(options: OutstandingOptions) {
    this.#random = options.random;
    this.#retransmission = completeRetransmission(options.retransmission, DEFAULT_RETRANSMISSION);
    this.#messagesMax = options.messagesMax ?? 65_536;
    this.#bytesMax = options.bytesMax ?? 64 * 1024 * 1024;
  }

  /** How many messages are outstanding. */
  get size(): number {
    return this.#size;
  }

  /** What they count for together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Names of the receivers that anything was sent to. */
  peers(): string[] {
    return [...this.#peers.keys()];
  }

  /**
   * Takes a message that is about to be sent for the first time.
   *
   * @returns Its number.
   * @throws {QueueFullError} When a bound is reached. Nothing has changed then.
   */
  add(peer: string, message: T, options: OutstandingMessageOptions<T>): number {
    const messages = this.#peers.get(peer) ?? this.#begin(peer);
    this.#checkRoom(peer, messages, options.bytes);
    const { bytes, deadline = Infinity, placeholder } = options;
    const retransmission = options.retransmission === false && placeholder === undefined
      ? undefined
      : completeRetransmission(options.retransmission || undefined, this.#retransmission);
    const entry = new Entry(peer, messages.next, message, bytes, deadline, retransmission, placeholder);
    const sequence = messages.push(entry);
    this.#size++;
    this.#bytes += bytes;
    this.#schedule(entry, options.now);
    return sequence;
  }

  /** The oldest number outstanding at `peer`, or the next one when there is none. Every message to it says so. */
  floor(peer: string): number {
    return this.#peers.get(peer)?.floor ?? this.#start;
  }

  /** Ends one message. Returns it, or `undefined` when it was not outstanding. */
  settle(peer: string, sequence: number): T | undefined {
    const messages = this.#peers.get(peer);
    const entry = messages?.get(sequence);
    if (messages === undefined || entry === undefined) return undefined;
    messages.delete(sequence);
    this.#wheel.cancel(entry);
    this.#size--;
    this.#bytes -= entry.bytes;
    return entry.message;
  }

  /** Ends the messages that `receipt`, from `peer` and to this incarnation, says were handled. Returns them. */
  acknowledge(peer: string, receipt: Pick<Receipt, "through" | "ranges">): T[] {
    const acknowledged: T[] = [];
    const messages = this.#peers.get(peer);
    if (messages === undefined) return acknowledged;
    const take = (sequence: number) => {
      const message = this.settle(peer, sequence);
      if (message !== undefined) acknowledged.push(message);
    };
    const through = Math.min(receipt.through, messages.next - 1);
    for (let sequence = this.floor(peer); sequence <= through; sequence++) take(sequence);
    for (const sequence of fromRanges(receipt.ranges)) take(sequence);
    return acknowledged;
  }

  /** Notes that the receiver had no room for a message. It is repeated all the same. */
  refuse(peer: string, sequence: number): void {
    const entry = this.#peers.get(peer)?.get(sequence);
    if (entry !== undefined) entry.refused = true;
  }

  /** Gives one message up. Returns it, or `undefined` when it was not outstanding, or given up before. */
  abandon(peer: string, sequence: number): OutstandingMessage<T> | undefined {
    const entry = this.#peers.get(peer)?.get(sequence);
    return entry && this.#giveUp(entry);
  }

  /** Gives up everything for `peer`, which may come back. Returns what was given up. */
  abandonAll(peer: string): OutstandingMessage<T>[] {
    const messages = this.#peers.get(peer)?.values() ?? [];
    return messages.flatMap((entry) => this.#giveUp(entry) ?? []);
  }

  /** What is to be sent again, and what has to be given up. What is left over beyond `limit` is due the next time. */
  due(now: number, limit = 1_000): DueMessages<T> {
    const resend: Entry<T>[] = [];
    const expired: OutstandingMessage<T>[] = [];
    while (resend.length + expired.length < limit) {
      const entry = this.#wheel.take(now);
      if (entry === undefined) break;
      if (now >= entry.deadline) {
        expired.push(this.#giveUp(entry)!);
      } else {
        entry.repetitions++;
        resend.push(entry);
      }
      if (this.#isOutstanding(entry)) this.#schedule(entry, now);
    }
    return { resend, expired };
  }

  /** The earliest time at which {@linkcode due} may find something; `undefined` for never. May be too early. */
  nextAt(): number | undefined {
    return this.#wheel.nextAt();
  }

  /** Makes everything for `peer` due at once, oldest first: call it when a connection to it has opened again. */
  expedite(peer: string, now: number): void {
    const messages = this.#peers.get(peer);
    for (const entry of messages?.values() ?? []) {
      if (entry.retransmission === undefined) continue;
      entry.repetitions = 0;
      this.#wheel.expedite(entry, now);
    }
  }

  /** Forgets `peer`, which has left for good. Returns what it will never acknowledge. */
  peerLeft(peer: string): OutstandingMessage<T>[] {
    const messages = this.#peers.get(peer);
    if (messages === undefined) return [];
    const lost = messages.values();
    for (const { sequence } of lost) this.settle(peer, sequence);
    this.#peers.delete(peer);
    this.#start = Math.max(this.#start, messages.next);
    return lost;
  }

  #begin(peer: string): SequenceRing<Entry<T>> {
    const messages = new SequenceRing<Entry<T>>(this.#start);
    this.#peers.set(peer, messages);
    return messages;
  }

  #checkRoom(peer: string, messages: SequenceRing<Entry<T>>, bytes: number): void {
    const refuse = (state: string) => {
      throw new QueueFullError(`Cannot keep a message to "${peer}" until it is acknowledged: ${state}`);
    };
    if (this.#size >= this.#messagesMax) refuse(`${this.#size} messages are outstanding, at most ${this.#messagesMax}`);
    if (this.#bytes + bytes > this.#bytesMax) {
      refuse(`${this.#bytes} + ${bytes} bytes are outstanding, at most ${this.#bytesMax}`);
    }
    // Beyond this span the receiver would have to refuse it.
    if (messages.next - messages.floor >= DELIVERY_WINDOW) {
      refuse(`number ${messages.floor} is still outstanding, at most ${DELIVERY_WINDOW} behind`);
    }
  }

  /** Leaves the message's number to its placeholder, or frees it. */
  #giveUp(entry: Entry<T>): OutstandingMessage<T> | undefined {
    if (entry.replaced) return undefined;
    const { peer, sequence, message, repetitions, refused, placeholder } = entry;
    if (placeholder === undefined) {
      this.settle(peer, sequence);
    } else {
      this.#bytes -= entry.bytes;
      entry.bytes = 0;
      entry.message = placeholder;
      entry.replaced = true;
      entry.deadline = Infinity;
    }
    return { peer, sequence, message, repetitions, refused };
  }

  #isOutstanding(entry: Entry<T>): boolean {
    return this.#peers.get(entry.peer)?.get(entry.sequence) === entry;
  }

  #schedule(entry: Entry<T>, now: number): void {
    const { retransmission, repetitions, deadline } = entry;
    const wait = retransmission ? retransmissionDelay(retransmission, repetitions, this.#random()) : Infinity;
    const dueAt = Math.min(deadline, now + wait);
    if (dueAt < Infinity) this.#wheel.schedule(entry, dueAt, now);
  }
}
