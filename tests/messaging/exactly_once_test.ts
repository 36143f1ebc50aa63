// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { OutstandingMessages } from "../../messaging/outstanding_messages.ts";
import { Deduplication } from "../../messaging/deduplication.ts";
import { type Acknowledgement, parseAcknowledgement } from "../../messaging/acknowledgement.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";

const SENDER = { name: "a", incarnation: 1 };
const STEP = 20;

interface Frame {
  readonly sequence: number;
  readonly floor: number;
  readonly message: number;
}

/**
 * A sender and a receiver over connections that break, and that lose what is in flight when they do. Half of the frames
 * that arrive come a second time, some of them much later, over another connection.
 */
class Pair {
  readonly outstanding: OutstandingMessages<number>;
  readonly deduplication = new Deduplication();
  readonly handled: number[] = [];
  readonly acknowledged: number[] = [];
  readonly expired: number[] = [];
  readonly #random: SeededRandom;
  #now = 0;
  #forward: { at: number; frame: Frame }[] = [];
  #back: { at: number; acknowledgement: Acknowledgement }[] = [];
  #replays: { at: number; frame: Frame }[] = [];
  #beingHandled: { at: number; frame: Frame }[] = [];
  #sent = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.outstanding = new OutstandingMessages({ random: random.next, retransmission: { initial: 100, cap: 800 } });
  }

  send(deadline?: number): void {
    const message = ++this.#sent;
    const options = { now: this.#now, bytes: 1, ...(deadline && { deadline: this.#now + deadline }) };
    this.#transmit(this.outstanding.add("b", message, options), message);
  }

  cut(): void {
    const kept = (flight: readonly unknown[]) => this.#random.int(flight.length + 1);
    this.#forward.length = kept(this.#forward);
    this.#back.length = kept(this.#back);
    this.outstanding.expedite("b", this.#now);
  }

  step(faulty: boolean): void {
    this.#now += STEP;
    const arrived = <T extends { at: number }>(flight: T[]) => flight.splice(0, flight.findLastIndex(this.#isDue) + 1);
    for (const { frame } of arrived(this.#forward)) {
      if (faulty && this.#random.chance(0.5)) {
        this.#replays.push({ at: this.#now + this.#random.int(this.#random.pick([50, 3_000])), frame });
      }
      this.#arrive(frame);
    }
    for (const { frame } of this.#replays.filter(this.#isDue)) this.#arrive(frame);
    this.#replays = this.#replays.filter((replay) => !this.#isDue(replay));
    for (const { frame } of this.#beingHandled.filter(this.#isDue)) this.#handle(frame);
    this.#beingHandled = this.#beingHandled.filter((task) => !this.#isDue(task));
    for (const { acknowledgement } of this.deduplication.takeAcknowledgements()) {
      this.#back.push({ at: this.#now + 30, acknowledgement });
    }
    for (const { acknowledgement } of arrived(this.#back)) {
      this.acknowledged.push(...this.outstanding.acknowledge("b", parseAcknowledgement(acknowledgement, 1_000)));
    }
    const { resend, expired } = this.outstanding.due(this.#now);
    for (const { sequence, message } of resend) this.#transmit(sequence, message);
    this.expired.push(...expired.map(({ message }) => message));
  }

  #isDue = ({ at }: { at: number }) => at <= this.#now;

  #transmit(sequence: number, message: number): void {
    this.#forward.push({ at: this.#now + 30, frame: { sequence, floor: this.outstanding.floor("b"), message } });
  }

  #arrive(frame: Frame): void {
    if (this.deduplication.admit(SENDER, frame.sequence, frame.floor) !== "new") return;
    const chance = this.#random.next();
    if (chance < 0.1) this.deduplication.refuse(SENDER, frame.sequence, "full");
    else if (chance < 0.3) this.#beingHandled.push({ at: this.#now + this.#random.int(500), frame });
    else this.#handle(frame);
  }

  #handle({ sequence, message }: Frame): void {
    this.handled.push(message);
    this.deduplication.settle(SENDER, sequence);
  }
}

Deno.test("Each acknowledged message reaches its handler once, under 30 % cut connections and 50 % replayed frames", () => {
  forEachSeed(300, (random) => {
    const pair = new Pair(random);
    for (let step = 0; step < 300; step++) {
      for (let count = random.int(4); count > 0; count--) pair.send(random.chance(0.2) ? random.int(400) : undefined);
      if (random.chance(0.3)) pair.cut();
      pair.step(true);
    }
    for (let step = 0; step < 300; step++) pair.step(false);

    const times = new Map<number, number>();
    for (const message of pair.handled) times.set(message, (times.get(message) ?? 0) + 1);
    for (const message of pair.acknowledged) assertEquals(times.get(message), 1, `message ${message}`);
    for (const [message, count] of times) assertEquals(count, 1, `message ${message}`);
    const ends = new Set([...pair.acknowledged, ...pair.expired]);
    assertEquals(ends.size, pair.acknowledged.length + pair.expired.length, "each message ends in one way");
    assert(pair.acknowledged.length > pair.expired.length, "most arrive");
    assertEquals([pair.outstanding.size, pair.outstanding.bytes], [0, 0], "nothing stays outstanding");
  });
});
