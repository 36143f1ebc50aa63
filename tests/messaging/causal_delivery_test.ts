// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { OutstandingMessages } from "../../messaging/outstanding_messages.ts";
import { type CausalStamp, participantKey } from "../../wire/causal_stamp.ts";
import { CausalOrder } from "../../messaging/causality.ts";
import { Deduplication, DELIVERY_WINDOW } from "../../messaging/deduplication.ts";
import { type Acknowledgement, parseAcknowledgement } from "../../messaging/acknowledgement.ts";
import { fromRanges } from "../../wire/sequence_ranges.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";
import { entryOf, present, takeOf } from "../values.ts";

/** Message of the application, with the truth about what happened before: the number of messages sent, by sender. */
interface Payload {
  readonly from: string;
  readonly clock: ReadonlyMap<string, number>;
}

/** Message that is kept until it is acknowledged; without a payload it only takes the place of a message in the order. */
interface Envelope {
  readonly payload?: Payload;
  stamp?: CausalStamp;
}

interface Frame {
  readonly sequence: number;
  readonly floor: number;
  readonly envelope: Envelope;
}

/** A node: acknowledgement, de-duplication and causal order wired together as the manager does. */
class Node {
  readonly key: string;
  readonly clock = new Map<string, number>();
  readonly delivered: Payload[] = [];
  readonly acknowledged: Payload[] = [];
  readonly expired: Payload[] = [];
  readonly outstanding: OutstandingMessages<Envelope>;
  readonly deduplication = new Deduplication();
  readonly order: CausalOrder<Envelope>;

  constructor(readonly name: string, readonly network: Network, random: SeededRandom, others: readonly string[]) {
    this.key = participantKey(name, 1);
    this.outstanding = new OutstandingMessages({ random: random.next, retransmission: { initial: 100, cap: 400 } });
    this.order = new CausalOrder(this.key, { messagesMax: 5, patience: Infinity });
    for (const other of others) if (other !== name) this.order.up(participantKey(other, 1), 0);
  }

  send(to: string, timeout?: number): void {
    this.clock.set(this.name, (this.clock.get(this.name) ?? 0) + 1);
    const envelope: Envelope = { payload: { from: this.name, clock: new Map(this.clock) } };
    const placeholder: Envelope = {};
    const { now } = this.network;
    const deadline = timeout === undefined ? {} : { deadline: now + timeout };
    const sequence = this.outstanding.add(to, envelope, { now, bytes: 1, placeholder, ...deadline });
    // Only now is it sure to be sent.
    envelope.stamp = placeholder.stamp = this.order.send(participantKey(to, 1));
    this.#transmit(to, sequence, envelope);
  }

  receive(from: string, { sequence, floor, envelope }: Frame): void {
    const sender = { name: from, incarnation: 1 };
    if (this.deduplication.admit(sender, sequence, floor) !== "new") return;
    const key = participantKey(from, 1);
    const { outcome, deliverable } = this.order.receive(key, present(envelope.stamp), envelope, {
      bytes: 1,
      now: this.network.now,
    });
    if (outcome === "full" || outcome === "late") this.deduplication.refuse(sender, sequence, outcome);
    else if (outcome === "gone" || outcome === "misaddressed") {
      assert(false, `no node leaves here, but a message is ${outcome}`);
    } else this.deduplication.settle(sender, sequence);
    for (const { payload: { payload } } of deliverable) if (payload !== undefined) this.#handle(payload);
  }

  receiveAcknowledgement(from: string, acknowledgement: Acknowledgement): void {
    for (const { payload } of this.outstanding.acknowledge(from, acknowledgement)) {
      if (payload !== undefined) this.acknowledged.push(payload);
    }
    for (const sequence of fromRanges(acknowledgement.full)) this.outstanding.refuse(from, sequence);
    assertEquals(acknowledgement.late, [], "no sender loses patience here");
  }

  tick(): void {
    const { resend, expired } = this.outstanding.due(this.network.now);
    for (const { peer, sequence, message } of resend) this.#transmit(peer, sequence, message);
    for (const { message } of expired) this.expired.push(present(message.payload));
    for (const { to, acknowledgement } of this.deduplication.takeAcknowledgements()) {
      this.network.post(
        this.name,
        to,
        (node) => node.receiveAcknowledgement(this.name, parseAcknowledgement(acknowledgement, DELIVERY_WINDOW)),
      );
    }
  }

  #transmit(to: string, sequence: number, envelope: Envelope): void {
    const frame = { sequence, floor: this.outstanding.floor(to), envelope };
    this.network.post(this.name, to, (node) => node.receive(this.name, frame));
  }

  #handle(payload: Payload): void {
    assert(!this.delivered.includes(payload), "never twice");
    for (const earlier of this.delivered) {
      const isBefore = (earlier.clock.get(payload.from) ?? 0) >= entryOf(payload.clock, payload.from);
      assert(!isBefore, `${payload.from}'s message ${payload.clock.get(payload.from)} comes after one that it caused`);
    }
    this.delivered.push(payload);
    for (const [name, count] of payload.clock) this.clock.set(name, Math.max(count, this.clock.get(name) ?? 0));
  }
}

/** Links that delay, that lose what is on its way when they are cut, and that repeat. */
class Network {
  now = 0;
  readonly nodes = new Map<string, Node>();
  #flying: { at: number; link: string; to: string; run: (node: Node) => void }[] = [];
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
    const names = ["a", "b", "c", "d"];
    for (const name of names) this.nodes.set(name, new Node(name, this, random, names));
  }

  post(from: string, to: string, run: (node: Node) => void): void {
    const link = [from, to].sort().join();
    this.#flying.push({ at: this.now + 10 + this.#random.int(100), link, to, run });
    if (this.#random.chance(0.5)) {
      this.#flying.push({ at: this.now + this.#random.int(2_000), link: "replay", to, run });
    }
  }

  cut(): void {
    const link = takeOf(this.#random.shuffle([...this.nodes.keys()]), 2).toSorted();
    this.#flying = this.#flying.filter((frame) => frame.link !== link.join());
    for (const [one, other] of [takeOf(link, 2), takeOf(link.toReversed(), 2)]) {
      entryOf(this.nodes, one).outstanding.expedite(other, this.now);
    }
  }

  step(): void {
    this.now += 20;
    const due = this.#flying.filter(({ at }) => at <= this.now);
    this.#flying = this.#flying.filter(({ at }) => at > this.now);
    for (const { to, run } of this.#random.shuffle(due)) run(entryOf(this.nodes, to));
    for (const node of this.nodes.values()) node.tick();
  }
}

Deno.test("Acknowledged causal messages come once and in order, through cuts, repetitions, refusals and timeouts", () => {
  let givenUp = 0;
  forEachSeed(150, (random) => {
    const network = new Network(random);
    const nodes = [...network.nodes.values()];
    for (let step = 0; step < 150; step++) {
      for (const node of nodes) {
        if (!random.chance(0.3)) continue;
        const to = random.pick(nodes.filter((other) => other !== node)).name;
        node.send(to, random.chance(0.2) ? random.int(300) : undefined);
      }
      if (random.chance(0.3)) network.cut();
      network.step();
    }
    for (let step = 0; nodes.some(({ outstanding }) => outstanding.size > 0); step++) {
      assertLess(step, 2_000, "everything is acknowledged in the end");
      network.step();
    }
    const delivered = new Set(nodes.flatMap((node) => node.delivered));
    for (const node of nodes) {
      for (const payload of node.acknowledged) assert(delivered.has(payload), "what is acknowledged was delivered");
      assertEquals([node.order.size, node.outstanding.bytes], [0, 0]);
      const sent = node.acknowledged.length + node.expired.length;
      assertEquals(new Set([...node.acknowledged, ...node.expired]).size, sent, "each ends in one way");
    }
    givenUp += nodes.flatMap((node) => node.expired).filter((payload) => !delivered.has(payload)).length;
  });
  assertGreater(givenUp, 50, "some were given up before they arrived");
});
