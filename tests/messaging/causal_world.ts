// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert } from "@std/assert";
import type { CausalOrderOptions } from "../../messaging/causal_options.ts";
import { CausalOrder } from "../../messaging/causality.ts";
import type { CausalDelivery, CausalOutcome } from "../../messaging/causal_delivery.ts";
import { type CausalStamp, parseCausalStamp, participantKey } from "../../wire/causal_stamp.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { entryOf, firstOf, nthOf } from "../values.ts";

/** Messages that each node sent or delivered, as far as one node can know: the oracle's own, true clock. */
type VectorClock = Map<string, number>;

/** A message of the application, with the truth about it. */
export interface Message {
  readonly from: string;
  readonly to: string;
  readonly clock: VectorClock;
}

interface Outstanding {
  readonly message: Message;
  readonly stamp: CausalStamp;
  /** Whether its sender still repeats it; if not, one copy is on its way. */
  isRepeated: boolean;
}

/** One incarnation of a node. */
class Participant {
  readonly key: string;
  readonly clock: VectorClock = new Map();
  readonly delivered: Message[] = [];
  readonly order: CausalOrder<Message>;
  /** Incarnations by name, as this incarnation knows them. */
  readonly known = new Map<string, number>();

  constructor(readonly name: string, readonly incarnation: number, options: CausalOrderOptions) {
    this.key = participantKey(name, incarnation);
    this.order = new CausalOrder(this.key, options);
  }
}

const IN_SAFE_HANDS: readonly CausalOutcome[] = ["delivered", "buffered", "duplicate", "late"];

/**
 * Nodes that send each other messages under one label, over a network that reorders and repeats them as it likes, and
 * learn of each other's restarts one by one.
 */
export class CausalWorld {
  readonly participants = new Map<string, Participant>();
  readonly sent: Message[] = [];
  now = 0;
  #inFlight: Outstanding[] = [];
  #notices: { readonly to: string; readonly about: string; readonly incarnation: number }[] = [];
  readonly #random: SeededRandom;
  readonly #options: CausalOrderOptions;

  constructor(random: SeededRandom, nodes: number, options: CausalOrderOptions) {
    this.#random = random;
    this.#options = options;
    const names = Array.from({ length: nodes }, (_, index) => String.fromCharCode(97 + index));
    for (const name of names) this.#start(name, 1, new Map(names.map((other) => [other, 1])));
  }

  get isQuiet(): boolean {
    return this.#inFlight.length === 0 && this.#notices.length === 0;
  }

  /** Every unordered pair of messages that one incarnation was delivered was delivered in causal order, or the test fails. */
  step(): void {
    this.now++;
    const chance = this.#random.next();
    if (chance < 0.35) this.#sendFrom(this.#random.pick([...this.participants.keys()]));
    else if (chance < 0.9) this.deliverOne();
    else if (chance < 0.95) this.noticeOne();
    else if (chance < 0.98) this.#restart(this.#random.pick([...this.participants.keys()]));
    else this.#tick();
  }

  noticeOne(): void {
    if (this.#notices.length === 0) return;
    const notice = firstOf(this.#notices.splice(this.#random.int(this.#notices.length), 1));
    const participant = entryOf(this.participants, notice.to);
    const before = entryOf(participant.known, notice.about);
    if (notice.incarnation <= before) return;
    participant.known.set(notice.about, notice.incarnation);
    const old = participantKey(notice.about, before);
    this.#take(participant, participant.order.up(participantKey(notice.about, notice.incarnation), this.now));
    // What it still repeats to the old incarnation is given up, or sent to the new one.
    const lost = this.#inFlight.filter(({ message, isRepeated }) =>
      isRepeated && message.from === participant.key && message.to === old
    );
    this.#inFlight = this.#inFlight.filter((outstanding) => !lost.includes(outstanding));
    if (this.#random.chance(0.5)) { for (const _ of lost) this.#send(participant, notice.about); }
  }

  deliverOne(): void {
    if (this.#inFlight.length === 0) return;
    const index = this.#random.int(this.#inFlight.length);
    const outstanding = nthOf(this.#inFlight, index);
    const { message, stamp } = outstanding;
    const participant = entryOf(this.participants, message.to.slice(message.to.indexOf(":") + 1));
    const { outcome, deliverable } = participant.order.receive(message.from, stamp, message, {
      bytes: 1,
      now: this.now,
    });
    // The acknowledgement may be lost, and then the message comes again.
    const isAcknowledged = IN_SAFE_HANDS.includes(outcome) && this.#random.chance(0.7);
    if (isAcknowledged || !outstanding.isRepeated) this.#inFlight.splice(index, 1);
    this.#take(participant, deliverable);
  }

  #start(name: string, incarnation: number, known: Map<string, number>): void {
    const participant = new Participant(name, incarnation, this.#options);
    this.participants.set(name, participant);
    for (const [other, its] of known) {
      participant.known.set(other, its);
      if (other !== name) participant.order.up(participantKey(other, its), this.now);
    }
  }

  #restart(name: string): void {
    const { key, incarnation, known } = entryOf(this.participants, name);
    // Of what the old incarnation sent, only what the network holds already can still arrive.
    this.#inFlight = this.#inFlight.filter(({ message }) => message.from !== key || this.#random.chance(0.5));
    for (const outstanding of this.#inFlight) if (outstanding.message.from === key) outstanding.isRepeated = false;
    this.#notices = this.#notices.filter(({ to }) => to !== name);
    const current = new Map([...known.keys()].map((other) => [other, entryOf(this.participants, other).incarnation]));
    this.#start(name, incarnation + 1, current.set(name, incarnation + 1));
    for (const other of this.participants.keys()) {
      if (other !== name) this.#notices.push({ to: other, about: name, incarnation: incarnation + 1 });
    }
  }

  #sendFrom(name: string): void {
    const others = [...this.participants.keys()].filter((other) => other !== name);
    this.#send(entryOf(this.participants, name), this.#random.pick(others));
  }

  #send(participant: Participant, to: string): void {
    const receiver = participantKey(to, entryOf(participant.known, to));
    participant.clock.set(participant.key, (participant.clock.get(participant.key) ?? 0) + 1);
    const message = { from: participant.key, to: receiver, clock: new Map(participant.clock) };
    const stamp = parseCausalStamp(structuredClone(participant.order.send(receiver)));
    this.sent.push(message);
    this.#inFlight.push({ message, stamp, isRepeated: true });
  }

  /** Hands messages to the application, which now and then answers, or tells a third. */
  #tick(): void {
    for (const participant of this.participants.values()) this.#take(participant, participant.order.tick(this.now));
  }

  #take(participant: Participant, deliverable: readonly CausalDelivery<Message>[]): void {
    for (const { from, payload: message } of deliverable) {
      assert(
        from === message.from && message.to === participant.key,
        "at the receiver that it was sent to, from its sender",
      );
      assert(!participant.delivered.includes(message), "never twice");
      for (const earlier of participant.delivered) {
        assert(!happenedBefore(message, earlier), `${describe(message)} after ${describe(earlier)}`);
      }
      participant.delivered.push(message);
      for (const [key, count] of message.clock) {
        participant.clock.set(key, Math.max(count, participant.clock.get(key) ?? 0));
      }
      if (this.#random.chance(0.3)) this.#sendFrom(participant.name);
    }
  }
}

function happenedBefore(one: Message, other: Message): boolean {
  return (other.clock.get(one.from) ?? 0) >= entryOf(one.clock, one.from);
}

function describe({ from, to, clock }: Message): string {
  return `message ${clock.get(from)} from ${from} to ${to}`;
}
