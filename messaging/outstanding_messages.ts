// Copyright 2026 the Partisan peer-service authors. MIT license.

import { MessageTooLargeError, QueueFullError } from "./errors.ts";
import { DELIVERY_WINDOW } from "./deduplication.ts";
import { fromRanges } from "../wire/sequence_ranges.ts";
import type {
  DueMessages,
  OutstandingMessage,
  OutstandingMessageOptions,
  OutstandingOptions,
} from "./outstanding_message.ts";
import type { Acknowledgement } from "./acknowledgement.ts";
import { Entry, Repetition, type Unacknowledged } from "./repetition.ts";
import {
  completeRetransmission,
  DEFAULT_RETRANSMISSION,
  type Retransmission,
  retransmissionDelay,
} from "./retransmission.ts";
import { SequenceRing } from "../wire/sequence_ring.ts";
import { TimingWheel } from "./timing_wheel.ts";

/** Milliseconds by which a repetition may be late. */
const RESOLUTION = 10;

/**
 * The sender's side of acknowledged delivery: what was sent and has not been acknowledged, when to repeat it, and when
 * to give up. Every step but {@linkcode OutstandingMessages.peerLeft} and {@linkcode OutstandingMessages.expedite} takes
 * time in proportion to what it returns, however much is outstanding.
 *
 * Nearly every message is acknowledged long before it would be repeated. So it begins without a time at which it is due, and what is
 * still there when {@linkcode OutstandingMessages.age} comes by gets one.
 *
 * Messages to one receiver are numbered in their order. Each carries its number and the sender's floor, which tells the receiver
 * what it need not wait for (see `deduplication.ts`).
 *
 * @typeParam T What the owner keeps of a message.
 */
export class OutstandingMessages<T> {
  readonly #random: () => number;
  readonly #retransmission: Required<Retransmission>;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #skip: () => number;
  readonly #aged: (message: T) => void;
  readonly #peers = new Map<string, Unacknowledged<T>>();
  readonly #wheel = new TimingWheel<Repetition<T>>(RESOLUTION);
  /** The peer that was asked about last, which is likely to be the next one too. */
  #latest: Unacknowledged<T> | undefined;
  #size = 0;
  #bytes = 0;
  /** Above every number used for a peer that was forgotten, so that no number is used twice when it comes back. */
  #start = 1;

  /** Begins with nothing outstanding. */
  constructor(options: OutstandingOptions<T>) {
    this.#random = options.random;
    this.#retransmission = completeRetransmission(options.retransmission, DEFAULT_RETRANSMISSION);
    this.#messagesMax = options.messagesMax ?? 65_536;
    this.#bytesMax = options.bytesMax ?? 64 * 1024 * 1024;
    this.#skip = options.skip ?? (() => 0);
    this.#aged = options.aged ?? (() => {});
  }

  /** Number of messages outstanding. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that they count for together. */
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
    const { messages } = this.#of(peer) ?? this.#begin(peer);
    const { bytes, now } = options;
    this.#checkRoom(peer, messages, bytes);
    const entry = new Entry(message, bytes);
    if (now !== undefined) this.#repeatAsAsked(peer, messages.next, entry, options, now);
    this.#size++;
    this.#bytes += bytes;
    return messages.push(entry);
  }

  /** Counts as sent now what was added without a time, and tells of all that was added since the last call and is still there. */
  age(now: number): void {
    for (const unacknowledged of this.#peers.values()) {
      const { peer, messages, young } = unacknowledged;
      for (let sequence = Math.max(young, messages.floor); sequence < messages.next; sequence++) {
        const entry = messages.get(sequence);
        if (entry === undefined) continue;
        this.#aged(entry.message);
        if (entry.repetition === undefined) this.#schedule(this.#repeat(peer, sequence, entry), now);
      }
      unacknowledged.young = messages.next;
    }
  }

  /** The oldest number outstanding at `peer`, or the next one when there is none. Every message to it says so. */
  floor(peer: string): number {
    return this.#of(peer)?.messages.floor ?? this.#start;
  }

  /** A message that is outstanding. */
  get(peer: string, sequence: number): T | undefined {
    return this.#of(peer)?.messages.get(sequence)?.message;
  }

  /** Everything outstanding at `peer` with its numbers, oldest first. */
  entries(peer: string): [number, T][] {
    const entries: [number, T][] = [];
    const messages = this.#of(peer)?.messages;
    for (let sequence = messages?.floor ?? 0; sequence < (messages?.next ?? 0); sequence++) {
      const message = messages?.get(sequence)?.message;
      if (message !== undefined) entries.push([sequence, message]);
    }
    return entries;
  }

  /** Ends one message. Returns it, or `undefined` when it was not outstanding. */
  settle(peer: string, sequence: number): T | undefined {
    const messages = this.#of(peer)?.messages;
    return messages && this.#settle(messages, sequence);
  }

  /** Ends the messages that `acknowledgement`, from `peer` and to this incarnation, says were handled. Returns them. */
  acknowledge(peer: string, acknowledgement: Pick<Acknowledgement, "through" | "ranges">): T[] {
    const acknowledged: T[] = [];
    const messages = this.#of(peer)?.messages;
    if (messages === undefined) return acknowledged;
    const through = Math.min(acknowledgement.through, messages.next - 1);
    for (let sequence = messages.floor; sequence <= through; sequence++) {
      const message = this.#settle(messages, sequence);
      if (message !== undefined) acknowledged.push(message);
    }
    for (const sequence of fromRanges(acknowledgement.ranges)) {
      const message = this.#settle(messages, sequence);
      if (message !== undefined) acknowledged.push(message);
    }
    return acknowledged;
  }

  /** Notes that the receiver had no room for a message. It is repeated all the same. Returns it when it is one that is not to be repeated. */
  refuse(peer: string, sequence: number): OutstandingMessage<T> | undefined {
    const entry = this.#of(peer)?.messages.get(sequence);
    if (entry === undefined) return undefined;
    entry.refused = true;
    const { repetition } = entry;
    return repetition !== undefined && repetition.retransmission === undefined ? this.#giveUp(repetition) : undefined;
  }

  /** Notes that there is no handler for a message yet. It is given up at its deadline, or `patience` milliseconds from now when it has none. */
  lacking(peer: string, sequence: number, now: number, patience: number): OutstandingMessage<T> | undefined {
    const entry = this.#of(peer)?.messages.get(sequence);
    if (entry === undefined) return undefined;
    const repetition = this.#repeat(peer, sequence, entry);
    entry.lacking = true;
    if (repetition.retransmission === undefined) return this.#giveUp(repetition);
    if (repetition.deadline === Infinity && !repetition.replaced) {
      repetition.deadline = now + patience;
      this.#wheel.cancel(repetition);
      this.#schedule(repetition, now);
    }
    return undefined;
  }

  /** Gives one message up. Returns it, or `undefined` when it was not outstanding, or given up before. */
  abandon(peer: string, sequence: number): OutstandingMessage<T> | undefined {
    const entry = this.#of(peer)?.messages.get(sequence);
    return entry && this.#giveUp(this.#repeat(peer, sequence, entry));
  }

  /** Gives up everything for `peer`, which may come back. Returns what was given up. */
  abandonAll(peer: string): OutstandingMessage<T>[] {
    return this.#all(peer).flatMap((repetition) => this.#giveUp(repetition) ?? []);
  }

  /**
   * Takes the messages that are to be sent again, and those that have to be given up. The rest beyond `limit` is due the next
   * time.
   */
  due(now: number, limit = 1_000): DueMessages<T> {
    const resend: Repetition<T>[] = [];
    const expired: OutstandingMessage<T>[] = [];
    while (resend.length + expired.length < limit) {
      const repetition = this.#wheel.take(now);
      if (repetition === undefined) break;
      if (now >= repetition.deadline) {
        expired.push(this.#giveUp(repetition)!);
      } else {
        repetition.repetitions++;
        resend.push(repetition);
      }
      if (this.#isOutstanding(repetition)) this.#schedule(repetition, now);
    }
    return { resend, expired };
  }

  /** The earliest time at which {@linkcode due} may find something; `undefined` for never. May be too early. */
  nextAt(): number | undefined {
    return this.#wheel.nextAt();
  }

  /** Makes everything for `peer` due at once, oldest first: call it when a connection to it has opened again. */
  expedite(peer: string, now: number): void {
    for (const repetition of this.#all(peer)) {
      if (repetition.retransmission === undefined) continue;
      repetition.repetitions = 0;
      this.#wheel.expedite(repetition, now);
    }
  }

  /**
   * Forgets `peer`, which has left for good.
   *
   * @param mustGoOn Decides for each message whether it leaves its place to its placeholder nevertheless.
   * @param isKept Decides for each message whether it waits for another incarnation of that name.
   * @returns Messages that it will never acknowledge.
   */
  peerLeft(
    peer: string,
    mustGoOn: (message: T) => boolean = () => false,
    isKept: (message: T) => boolean = () => false,
  ): OutstandingMessage<T>[] {
    const lost: OutstandingMessage<T>[] = [];
    for (const repetition of this.#all(peer)) {
      if (isKept(repetition.message)) continue;
      const given = mustGoOn(repetition.message) ? this.#giveUp(repetition) : repetition;
      if (given === repetition) this.settle(peer, repetition.sequence);
      if (given !== undefined) lost.push(given);
    }
    const messages = this.#of(peer)?.messages;
    if (messages !== undefined && messages.floor === messages.next) {
      this.#start = Math.max(this.#start, messages.next);
      this.#peers.delete(peer);
      this.#latest = undefined;
    }
    return lost;
  }

  #begin(peer: string): Unacknowledged<T> {
    const first = this.#start + this.#skip();
    const unacknowledged = { peer, messages: new SequenceRing<Entry<T>>(first), young: first };
    this.#peers.set(peer, unacknowledged);
    return this.#latest = unacknowledged;
  }

  #of(peer: string): Unacknowledged<T> | undefined {
    if (this.#latest?.peer !== peer) this.#latest = this.#peers.get(peer);
    return this.#latest;
  }

  /** Everything for `peer`, oldest first. */
  #all(peer: string): Repetition<T>[] {
    const all: Repetition<T>[] = [];
    const messages = this.#of(peer)?.messages;
    if (messages === undefined) return all;
    for (let sequence = messages.floor; sequence < messages.next; sequence++) {
      const entry = messages.get(sequence);
      if (entry !== undefined) all.push(this.#repeat(peer, sequence, entry));
    }
    return all;
  }

  /** Entry on the wheel for a message, or the one to put there. */
  #repeat(peer: string, sequence: number, entry: Entry<T>): Repetition<T> {
    return entry.repetition ??= new Repetition(peer, sequence, entry, this.#retransmission);
  }

  #repeatAsAsked(
    peer: string,
    sequence: number,
    entry: Entry<T>,
    { retransmission, deadline, placeholder }: OutstandingMessageOptions<T>,
    now: number,
  ): void {
    const complete = retransmission === false && placeholder === undefined
      ? undefined
      : completeRetransmission(retransmission || undefined, this.#retransmission);
    entry.repetition = new Repetition(peer, sequence, entry, complete, deadline, placeholder);
    this.#schedule(entry.repetition, now);
  }

  #settle(messages: SequenceRing<Entry<T>>, sequence: number): T | undefined {
    const entry = messages.take(sequence);
    if (entry === undefined) return undefined;
    if (entry.repetition !== undefined) this.#wheel.cancel(entry.repetition);
    this.#size--;
    this.#bytes -= entry.bytes;
    return entry.message;
  }

  #checkRoom(peer: string, messages: SequenceRing<Entry<T>>, bytes: number): void {
    if (this.#size >= this.#messagesMax) {
      refuse(peer, `${this.#size} messages are outstanding, at most ${this.#messagesMax}`);
    }
    if (bytes > this.#bytesMax) {
      const limit = `it has ${bytes} bytes, the limit is ${this.#bytesMax}`;
      throw new MessageTooLargeError(`Cannot keep a message to "${peer}" until it is acknowledged: ${limit}`);
    }
    if (this.#bytes + bytes > this.#bytesMax) {
      refuse(peer, `${this.#bytes} + ${bytes} bytes are outstanding, at most ${this.#bytesMax}`);
    }
    // Beyond this span the receiver would have to refuse it.
    if (messages.next - messages.floor >= DELIVERY_WINDOW) {
      refuse(peer, `number ${messages.floor} is still outstanding, at most ${DELIVERY_WINDOW} behind`);
    }
  }

  /** Leaves the message's number to its placeholder, or frees it. */
  #giveUp(repetition: Repetition<T>): OutstandingMessage<T> | undefined {
    if (repetition.replaced) return undefined;
    const { peer, sequence, message, repetitions, refused, lacking, placeholder, entry } = repetition;
    if (placeholder === undefined) {
      this.settle(peer, sequence);
    } else {
      this.#bytes -= entry.bytes;
      entry.bytes = 0;
      entry.message = placeholder;
      repetition.replaced = true;
      repetition.deadline = Infinity;
    }
    return { peer, sequence, message, repetitions, refused, lacking };
  }

  #isOutstanding({ peer, sequence, entry }: Repetition<T>): boolean {
    return this.#of(peer)?.messages.get(sequence) === entry;
  }

  #schedule(repetition: Repetition<T>, now: number): void {
    const { retransmission, repetitions, deadline } = repetition;
    const wait = retransmission ? retransmissionDelay(retransmission, repetitions, this.#random()) : Infinity;
    const dueAt = Math.min(deadline, now + wait);
    if (dueAt < Infinity) this.#wheel.schedule(repetition, dueAt, now);
  }
}

function refuse(peer: string, state: string): never {
  throw new QueueFullError(`Cannot keep a message to "${peer}" until it is acknowledged: ${state}`);
}
