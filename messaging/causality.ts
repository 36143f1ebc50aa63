// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Blocker, CausalBuffer, type HeldMessage } from "./causal_buffer.ts";
import { CausalClaims } from "./causal_claims.ts";
import type { CausalDelivery, CausalOutcome } from "./causal_delivery.ts";
import { CausalKnowledge } from "./causal_knowledge.ts";
import type { CausalOrderOptions } from "./causal_options.ts";
import { CausalPresence, UNKNOWN_MAX } from "./causal_presence.ts";
import { DELIVERY_WINDOW } from "./deduplication.ts";
import { type CausalStamp, CausalStampBuilder } from "../wire/causal_stamp.ts";

/** Messages of one participant to this one. */
interface Inbound {
  /** The number up to which they were delivered, or skipped. */
  delivered: number;
  /** Time of its last increase, on this object's own clock. */
  changed: number;
}

/**
 * Causal order of point-to-point messages among any number of participants, under one label: when the sending of one message
 * happened before the sending of another (by the same participant, or through a chain of messages under this label)
 * and both go to the same participant, it is delivered the first one first.
 *
 * The algorithm is that of Raynal, Schiper and Toueg ("The causal ordering abstraction and a simple way to implement it",
 * Information Processing Letters 39(6), 1991): each message tells which messages were sent before it; the receiver holds
 * it until it was delivered those among them that were sent to itself. Messages that are known to be delivered are left out (see
 * `causal_knowledge.ts`). A participant is one incarnation of a node: see {@linkcode CausalOrderOptions} for how long one
 * waits for an incarnation that has ended, and `docs/guarantees.md` for what is promised.
 *
 * Two rules for the owner. A stamped message must be repeated until its receiver has it or is gone; one that is given up must be
 * followed, under its stamp, by a placeholder. And every participant must be told of, with `up()`, `down()` and `gone()`.
 *
 * @typeParam T A message.
 */
export class CausalOrder<T> {
  readonly #self: string;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #belief: number;
  readonly #presence: CausalPresence;
  readonly #claims = new CausalClaims();
  readonly #knowledge = new CausalKnowledge();
  readonly #buffer = new CausalBuffer<T>();
  readonly #inbound = new Map<string, Inbound>();
  /** By receiver: the number of the last message to it. */
  readonly #outbound = new Map<string, number>();
  /** By receiver: the clock when it was last told what was delivered here. */
  readonly #told = new Map<string, number>();
  #clock = 0;
  /** Time of the last call. */
  #now = 0;

  /** @param self This node's present incarnation, as `participantKey()` names it. */
  constructor(self: string, options: CausalOrderOptions = {}) {
    this.#self = self;
    this.#messagesMax = options.messagesMax ?? 10_000;
    this.#bytesMax = options.bytesMax ?? 16 * 1024 * 1024;
    this.#belief = options.belief ?? 60_000;
    this.#presence = new CausalPresence(options);
    this.#presence.up(self, 0);
  }

  /** Number of messages that wait for others. */
  get size(): number {
    return this.#buffer.size;
  }

  /** Bytes that they count for together. */
  get bytes(): number {
    return this.#buffer.bytes;
  }

  /** Number of participants of which it is remembered what was delivered of them. */
  get senders(): number {
    return this.#inbound.size;
  }

  /** Number of sequence numbers that a stamp has to tell now. */
  get dependencies(): number {
    return this.#knowledge.size;
  }

  /**
   * Stamps a message to `to`. It must then really be sent: see the rules above.
   *
   * @throws {RangeError} When `to` is this participant itself, or gone.
   */
  send(to: string): CausalStamp {
    if (to === this.#self) throw new RangeError(`Cannot stamp a message to "${to}": it is its sender`);
    if (this.#presence.isGone(to)) throw new RangeError(`Cannot stamp a message to "${to}": it is gone`);
    const sequence = (this.#outbound.get(to) ?? 0) + 1;
    const builder = new CausalStampBuilder();
    this.#knowledge.forEachSent((destination, sender, last) => {
      // The receiver takes this sender's messages in the order of their numbers in any case.
      if (destination !== to || sender !== this.#self) builder.addSent(destination, sender, last);
    });
    const told = this.#told.get(to) ?? 0;
    for (const [from, { delivered, changed }] of this.#inbound) {
      if (changed > told && this.#presence.knows(from)) builder.addDelivered(from, delivered);
    }
    // The one that was spoken to last comes last.
    this.#outbound.delete(to);
    this.#outbound.set(to, sequence);
    this.#told.set(to, this.#clock);
    this.#knowledge.noteSent(to, this.#self, sequence);
    return builder.build(to, sequence);
  }

  /** Takes note of a message that arrived, and that the owner had to refuse. */
  see(from: string, stamp: CausalStamp): void {
    if (stamp.to === this.#self) this.#claims.show(from, stamp.sequence);
  }

  /** Takes a message that arrived, and returns those whose turn has come, in their order. */
  receive(
    from: string,
    stamp: CausalStamp,
    payload: T,
    { bytes, now }: { readonly bytes: number; readonly now: number },
  ): { readonly outcome: CausalOutcome; readonly deliverable: CausalDelivery<T>[] } {
    const deliverable: CausalDelivery<T>[] = [];
    const end = (outcome: CausalOutcome) => ({ outcome, deliverable });
    if (stamp.to !== this.#self) return end("misaddressed");
    this.#now = now;
    this.#presence.meet(from, now);
    for (const participant of stamp.participants) this.#presence.see(participant, now);
    if (this.#presence.isGone(from)) return end("gone");
    if (stamp.sequence <= this.#delivered(from)) return end("late");
    if (this.#buffer.has(from, stamp.sequence)) return end("duplicate");
    // No more of it can be under way.
    if (stamp.sequence - this.#delivered(from) > DELIVERY_WINDOW) return end("full");
    this.#claims.show(from, stamp.sequence);
    this.#learnDelivered(from, stamp);
    const message = { from, stamp, payload, bytes, since: now };
    const blocker = this.#awaitedBlockerOf(message, now, deliverable);
    if (blocker === undefined) {
      this.#deliver([message], deliverable);
    } else {
      if (!this.#hasRoom(message)) return end("full");
      this.#buffer.add(message);
      this.#buffer.wait(message, blocker);
    }
    this.#release(now, deliverable);
    return end(blocker === undefined ? "delivered" : "buffered");
  }

  /** `participant` is there, for the first time or again. Its earlier incarnations are gone by that: returns what waited for them alone. */
  up(participant: string, now: number): CausalDelivery<T>[] {
    for (const earlier of this.#presence.up(participant, now)) this.#forgetDestination(earlier);
    return this.#released(now);
  }

  /** `participant` is a member, though it may not have been there yet. Returns whether it can be sent anything: it cannot when it is gone. */
  expect(participant: string, now: number): boolean {
    return this.#presence.expect(participant, now);
  }

  /** `participant` is not there; it may come back. */
  down(participant: string, now: number): void {
    this.#presence.down(participant, now);
  }

  /** `participant` has left and never comes back. Returns what waited for it alone. */
  gone(participant: string, now: number): CausalDelivery<T>[] {
    this.#presence.leave(participant, now);
    this.#forgetDestination(participant);
    return this.#released(now);
  }

  /** Ends the patience with those that were down for too long, and forgets those that are long gone. Call it every second or so. */
  tick(now: number): CausalDelivery<T>[] {
    const deliverable = this.#released(now);
    this.#disbelieve(now, deliverable);
    const { over, silent } = this.#presence.sweep(now);
    for (const participant of over) this.#knowledge.forgetDestination(participant);
    for (const participant of silent) this.#knowledge.release(participant);
    for (const participant of [...over, ...silent]) {
      this.#knowledge.forgetSender(participant);
      this.#claims.forget(participant);
    }
    this.#forgetNumbers(this.#inbound, (from) => this.#buffer.lowest(from) !== undefined);
    this.#forgetNumbers(this.#outbound, () => false);
    for (const to of this.#told.keys()) if (!this.#outbound.has(to)) this.#told.delete(to);
    return deliverable;
  }

  /** Forgets the numbers of those that are gone; of those that may be there, and have not shown themselves of late, beyond a bound. */
  #forgetNumbers(numbers: Map<string, unknown>, isInUse: (participant: string) => boolean): void {
    const silent: string[] = [];
    for (const participant of numbers.keys()) {
      if (isInUse(participant)) continue;
      if (this.#presence.isForgotten(participant)) numbers.delete(participant);
      else if (!this.#presence.knows(participant)) silent.push(participant);
    }
    for (const participant of silent.slice(0, Math.max(0, silent.length - UNKNOWN_MAX))) numbers.delete(participant);
  }

  #forgetDestination(participant: string): void {
    this.#knowledge.forgetDestination(participant);
    this.#outbound.delete(participant);
    this.#told.delete(participant);
  }

  #delivered(from: string): number {
    return this.#inbound.get(from)?.delivered ?? 0;
  }

  #advance(from: string, sequence: number): void {
    this.#inbound.set(from, { delivered: sequence, changed: ++this.#clock });
  }

  /** A message that has to be delivered before `message`; `undefined` when there is none any more. */
  #blockerOf({ from, stamp }: HeldMessage<T>): Blocker | undefined {
    if (this.#delivered(from) < stamp.sequence - 1) return { from, sequence: stamp.sequence - 1 };
    const { participants, sent } = stamp;
    for (let index = 0; index < sent.length; index += 3) {
      if (participants[sent[index]!] !== this.#self) continue;
      const blocker = { from: participants[sent[index + 1]!]!, sequence: sent[index + 2]! };
      const delivered = this.#delivered(blocker.from);
      if (delivered >= blocker.sequence || !this.#presence.knows(blocker.from)) continue;
      if (this.#claims.isBelieved(blocker, delivered)) return blocker;
    }
    return undefined;
  }

  /** One sender fills half of the room at most, or has one message in it. */
  #hasRoom({ from, bytes }: HeldMessage<T>): boolean {
    const { size, bytes: held } = this.#buffer;
    if (size >= this.#messagesMax || held + bytes > this.#bytesMax) return false;
    const own = this.#buffer.sizeOf(from);
    return own === 0 || (own < this.#messagesMax / 2 && this.#buffer.bytesOf(from) + bytes <= this.#bytesMax / 2);
  }

  /** Delivers what waited for messages that others have told of, and that were waited for in vain. */
  #disbelieve(now: number, deliverable: CausalDelivery<T>[]): void {
    for (const message of this.#buffer.heldSince(now - this.#belief)) {
      if (!this.#buffer.has(message.from, message.stamp.sequence)) continue;
      const blocker = this.#blockerOf(message);
      if (blocker === undefined) continue;
      if (blocker.from === message.from) {
        // It repeats what it waits for. So this has forgotten that it was delivered.
        if (this.#presence.isUnknown(blocker.from)) this.#skip(blocker.from, blocker.sequence, deliverable);
        continue;
      }
      if (!this.#claims.doubt(blocker)) continue;
      const ready = this.#wake(blocker.from, this.#delivered(blocker.from), blocker.sequence);
      this.#deliver(ready, deliverable);
    }
  }

  /** The same for a message that is about to be held, once all that will not come before it was skipped. */
  #awaitedBlockerOf(message: HeldMessage<T>, now: number, deliverable: CausalDelivery<T>[]): Blocker | undefined {
    for (;;) {
      const blocker = this.#blockerOf(message);
      if (blocker === undefined || !this.#presence.isReleased(blocker.from, now)) return blocker;
      if ((this.#buffer.lowest(blocker.from) ?? Infinity) <= blocker.sequence) return blocker;
      this.#skip(blocker.from, blocker.sequence, deliverable);
    }
  }

  /** Delivers messages that wait for nothing, then those that waited for them, and so on. */
  #deliver(ready: HeldMessage<T>[], deliverable: CausalDelivery<T>[]): void {
    // Grows while it is walked along.
    for (const { from, stamp, payload } of ready) {
      deliverable.push({ from, payload });
      const before = this.#delivered(from);
      this.#advance(from, stamp.sequence);
      this.#learnSent(stamp);
      ready.push(...this.#wake(from, before, this.#delivered(from)));
    }
  }

  /** Lets those that waited for `from` wait for the next one. Returns those that wait for nothing any more. */
  #wake(from: string, before: number, through: number): HeldMessage<T>[] {
    return this.#buffer.wake(from, before, through).filter((message) => {
      const blocker = this.#blockerOf(message);
      if (blocker === undefined) this.#buffer.remove(message);
      else this.#buffer.wait(message, blocker);
      return blocker === undefined;
    });
  }

  #released(now: number): CausalDelivery<T>[] {
    this.#now = now;
    const deliverable: CausalDelivery<T>[] = [];
    this.#release(now, deliverable);
    return deliverable;
  }

  /**
   * Skips what has not arrived of those that are not waited for any longer. Those of them that have arrived are still delivered
   * in their turn, and before what depends on it.
   */
  #release(now: number, deliverable: CausalDelivery<T>[]): void {
    for (let before = -1; before !== this.#clock;) {
      before = this.#clock;
      for (const from of this.#buffer.awaited()) {
        if (!this.#presence.isReleased(from, now)) continue;
        const lowest = this.#buffer.lowest(from);
        const target = lowest === undefined ? this.#buffer.furthestAwaited(from) : lowest - 1;
        if (target > this.#delivered(from)) this.#skip(from, target, deliverable);
      }
    }
  }

  /** Goes on as if the messages of `from` up to `sequence` had been delivered. */
  #skip(from: string, sequence: number, deliverable: CausalDelivery<T>[]): void {
    const before = this.#delivered(from);
    this.#advance(from, sequence);
    this.#deliver(this.#wake(from, before, sequence), deliverable);
  }

  /** Takes over what the sender of a delivered message knew. */
  #learnSent({ participants, sent }: CausalStamp): void {
    for (let index = 0; index < sent.length; index += 3) {
      const destination = participants[sent[index]!]!;
      const sender = participants[sent[index + 1]!]!;
      const sequence = sent[index + 2]!;
      if (destination === this.#self || !this.#knowledge.isNews(destination, sender, sequence)) continue;
      if (!this.#presence.knows(sender) || this.#presence.isForgotten(sender)) continue;
      if (this.#presence.hear(destination, this.#now)) this.#knowledge.noteSent(destination, sender, sequence);
    }
  }

  /** Takes note of what the sender of a message was delivered. That is true before its turn has come. */
  #learnDelivered(from: string, { participants, delivered }: CausalStamp): void {
    for (let index = 0; index < delivered.length; index += 2) {
      const sender = participants[delivered[index]!]!;
      if (!this.#presence.knows(sender) || this.#presence.isForgotten(sender)) continue;
      this.#knowledge.noteDelivered(from, sender, delivered[index + 1]!);
    }
  }
}
