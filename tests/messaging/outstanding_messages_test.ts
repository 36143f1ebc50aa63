// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertLessOrEqual, assertThrows } from "@std/assert";
import { OutstandingMessages } from "../../messaging/outstanding_messages.ts";
import { DELIVERY_WINDOW } from "../../messaging/deduplication.ts";
import { MessageTooLargeError, QueueFullError } from "../../messaging/errors.ts";
import type { OutstandingMessage } from "../../messaging/outstanding_message.ts";
import { forEachSeed } from "../seeded_random.ts";

const RETRANSMISSION = { initial: 100, factor: 2, cap: 1_000 };

function outstanding(options: { messagesMax?: number; bytesMax?: number; random?: () => number } = {}) {
  return new OutstandingMessages<string>({ random: () => 0, retransmission: RETRANSMISSION, ...options });
}

function sequences(messages: readonly OutstandingMessage<unknown>[]): number[] {
  return messages.map(({ sequence }) => sequence);
}

Deno.test("OutstandingMessages.add() numbers the messages to each peer from 1", () => {
  const messages = outstanding();
  assertEquals(messages.add("b", "x", { now: 0, bytes: 3 }), 1);
  assertEquals(messages.add("b", "y", { now: 0, bytes: 3 }), 2);
  assertEquals(messages.add("c", "z", { now: 0, bytes: 4 }), 1);
  assertEquals([messages.size, messages.bytes], [3, 10]);
});

Deno.test("OutstandingMessages.due() repeats with longer and longer waits, up to the cap", () => {
  const messages = outstanding();
  messages.add("b", "x", { now: 0, bytes: 1 });
  const times = [];
  for (let now = 0; now <= 4_600; now += 10) {
    for (const { repetitions } of messages.due(now).resend) times.push([now, repetitions]);
  }
  assertEquals(times, [[100, 1], [300, 2], [700, 3], [1_500, 4], [2_500, 5], [3_500, 6], [4_500, 7]]);
});

Deno.test("OutstandingMessages.age() counts as sent now what was added without a time, once", () => {
  const messages = outstanding();
  messages.add("b", "x", { bytes: 1 });
  messages.add("b", "timed", { now: 40, bytes: 1 });
  messages.add("c", "y", { bytes: 1 });
  messages.settle("b", 2);
  assertEquals(messages.due(1_000).resend, []);
  messages.age(1_000);
  messages.add("b", "z", { bytes: 1 });
  messages.age(1_050);
  assertEquals(messages.due(1_090).resend, []);
  assertEquals(messages.due(1_100).resend.map(({ message }) => message), ["x", "y"]);
  assertEquals(messages.due(1_150).resend.map(({ message, repetitions }) => [message, repetitions]), [["z", 1]]);
});

Deno.test("OutstandingMessages.age() finds nothing of what was acknowledged, and leaves no time behind", () => {
  const messages = outstanding();
  for (let count = 0; count < 100; count++) messages.add("b", "x", { bytes: 1 });
  messages.acknowledge("b", { through: 98, ranges: [] });
  messages.settle("b", 100);
  assertEquals(messages.nextAt(), undefined);
  messages.age(500);
  assertEquals(sequences(messages.due(5_000).resend), [99]);
});

Deno.test("OutstandingMessages gives up and expedites what is too young to have a time", () => {
  const messages = outstanding();
  for (let count = 0; count < 3; count++) messages.add("b", "x", { bytes: 1 });
  assertEquals(messages.abandon("b", 2)?.repetitions, 0);
  messages.refuse("b", 1);
  messages.expedite("b", 7);
  assertEquals(messages.due(7).resend.map(({ sequence, refused }) => [sequence, refused]), [[1, true], [3, false]]);
  messages.age(8);
  assertEquals(messages.due(190).resend, []);
  assertEquals(messages.due(210).resend.length, 2);
  assertEquals(sequences(messages.peerLeft("b")), [1, 3]);
  assertEquals([messages.size, messages.bytes, messages.nextAt()], [0, 0, undefined]);
});

Deno.test("OutstandingMessages.due() takes a random part off each wait, of a quarter at most", () => {
  forEachSeed(50, (random) => {
    const messages = outstanding({ random: random.next });
    messages.add("b", "x", { now: 0, bytes: 1 });
    const next = messages.nextAt();
    assertGreater(next, 100 * 0.75 - 1);
    assertLessOrEqual(next, 100 + 10);
  });
});

Deno.test("OutstandingMessages.due() hands over the message with its own retransmission, or never", () => {
  const messages = outstanding();
  messages.add("b", "slow", { now: 0, bytes: 1, retransmission: { initial: 1_000 } });
  messages.add("b", "never", { now: 0, bytes: 1, retransmission: false, deadline: 5_000 });
  assertEquals(messages.due(900).resend, []);
  assertEquals(messages.due(1_000).resend.map(({ message }) => message), ["slow"]);
  messages.settle("b", 1);
  const { resend, expired } = messages.due(5_000);
  assertEquals([resend.length, expired.map(({ message }) => message)], [0, ["never"]]);
  assertEquals(messages.nextAt(), undefined);
});

Deno.test("OutstandingMessages.due() gives no more than the limit, and the rest the next time", () => {
  const messages = outstanding();
  for (let count = 0; count < 25; count++) messages.add("b", "x", { now: 0, bytes: 1 });
  const batches = [messages.due(100, 10), messages.due(100, 10), messages.due(100, 10), messages.due(100, 10)];
  assertEquals(batches.map(({ resend }) => resend.length), [10, 10, 5, 0]);
  assertEquals(batches.flatMap(({ resend }) => sequences(resend)), Array.from({ length: 25 }, (_, index) => index + 1));
});

Deno.test("OutstandingMessages.due() gives up at the deadline, and frees what the message held", () => {
  const messages = outstanding();
  messages.add("b", "x", { now: 0, bytes: 7, deadline: 250 });
  assertEquals(messages.due(249).expired, []);
  assertEquals(messages.due(250).expired, [
    { peer: "b", sequence: 1, message: "x", repetitions: 1, refused: false, lacking: false },
  ]);
  assertEquals([messages.size, messages.bytes, messages.floor("b")], [0, 0, 2]);
});

Deno.test("OutstandingMessages.due() says of an expired message that the receiver had no room for it", () => {
  const messages = outstanding();
  messages.add("b", "x", { now: 0, bytes: 1, deadline: 50 });
  messages.refuse("b", 1);
  messages.refuse("b", 2);
  assertEquals(messages.due(50).expired[0]?.refused, true);
});

Deno.test("OutstandingMessages goes on with the placeholder of a message that was given up, until it is acknowledged", () => {
  const messages = outstanding();
  messages.add("b", "x", { now: 0, bytes: 5, deadline: 50, placeholder: "void" });
  messages.add("b", "y", { now: 0, bytes: 5, placeholder: "void" });
  assertEquals(messages.due(60).expired.map(({ message }) => message), ["x"]);
  assertEquals(messages.abandon("b", 2)?.message, "y");
  assertEquals(messages.abandon("b", 2), undefined);
  assertEquals([messages.size, messages.bytes, messages.floor("b")], [2, 0, 1]);
  const { resend, expired } = messages.due(10_000);
  assertEquals(resend.map(({ message }) => message), ["void", "void"]);
  assertEquals(expired, []);
  assertEquals(messages.acknowledge("b", { through: 2, ranges: [] }).length, 2);
  assertEquals([messages.size, messages.bytes], [0, 0]);
});

Deno.test("OutstandingMessages.acknowledge() ends all up to a number, and ranges beyond it", () => {
  const messages = outstanding();
  for (let count = 1; count <= 10; count++) messages.add("b", `m${count}`, { now: 0, bytes: 1 });
  assertEquals(messages.acknowledge("b", { through: 3, ranges: [5, 6, 9, 9] }), ["m1", "m2", "m3", "m5", "m6", "m9"]);
  assertEquals(messages.acknowledge("b", { through: 3, ranges: [5, 6] }), []);
  assertEquals(messages.floor("b"), 4);
  assertEquals(messages.acknowledge("b", { through: Number.MAX_SAFE_INTEGER, ranges: [] }).length, 4);
  assertEquals(messages.acknowledge("unknown", { through: 4, ranges: [] }), []);
  assertEquals([messages.size, messages.bytes, messages.floor("b")], [0, 0, 11]);
});

Deno.test("OutstandingMessages.add() refuses what is above the bounds and changes nothing", () => {
  const byCount = outstanding({ messagesMax: 2 });
  byCount.add("b", "x", { now: 0, bytes: 1 });
  byCount.add("c", "x", { now: 0, bytes: 1 });
  assertThrows(() => byCount.add("b", "y", { now: 0, bytes: 1 }), QueueFullError, "2 messages are outstanding");
  byCount.settle("c", 1);
  assertEquals(byCount.add("b", "y", { now: 0, bytes: 1 }), 2);

  const byBytes = outstanding({ bytesMax: 10 });
  byBytes.add("b", "x", { now: 0, bytes: 6 });
  assertThrows(() => byBytes.add("b", "y", { now: 0, bytes: 5 }), QueueFullError, "6 + 5 bytes are outstanding");
  assertThrows(() => byBytes.add("b", "z", { now: 0, bytes: 11 }), MessageTooLargeError, "11 bytes, the limit is 10");
  assertEquals(byBytes.bytes, 6);
  assertEquals(byBytes.add("b", "y", { now: 0, bytes: 4 }), 2);
});

Deno.test("OutstandingMessages.add() stays within the window that the receiver can remember", () => {
  const messages = outstanding();
  for (let count = 0; count < DELIVERY_WINDOW; count++) messages.add("b", "x", { now: 0, bytes: 0 });
  for (let sequence = 2; sequence <= DELIVERY_WINDOW; sequence++) messages.settle("b", sequence);
  assertThrows(() => messages.add("b", "y", { now: 0, bytes: 0 }), QueueFullError, "number 1 is still outstanding");
  messages.settle("b", 1);
  assertEquals(messages.add("b", "y", { now: 0, bytes: 0 }), DELIVERY_WINDOW + 1);
});

Deno.test("OutstandingMessages.peerLeft() forgets the peer, and never uses its numbers again", () => {
  const messages = outstanding();
  messages.add("b", "x", { now: 0, bytes: 1 });
  messages.add("b", "y", { now: 0, bytes: 1 });
  messages.add("c", "z", { now: 0, bytes: 1 });
  assertEquals(messages.peerLeft("b").map(({ message }) => message), ["x", "y"]);
  assertEquals(messages.peerLeft("b"), []);
  assertEquals([messages.size, messages.bytes], [1, 1]);
  assertEquals(messages.due(10_000).resend.map(({ peer }) => peer), ["c"]);
  assertEquals(messages.floor("b"), 3);
  assertEquals(messages.add("b", "again", { now: 0, bytes: 1 }), 3);
});

Deno.test("OutstandingMessages.peerLeft() goes on with the placeholders of what the next incarnation of the peer waits for", () => {
  const messages = outstanding();
  messages.add("b", "for the old incarnation", { now: 0, bytes: 1, placeholder: "void" });
  messages.add("b", "for the next incarnation", { now: 0, bytes: 1, placeholder: "void" });
  messages.add("b", "for any", { bytes: 1 });
  const mustGoOn = (message: string) => message === "for the next incarnation" || message === "void";
  assertEquals(sequences(messages.peerLeft("b", mustGoOn)), [1, 2, 3]);
  assertEquals([messages.size, messages.bytes, messages.floor("b")], [1, 0, 2]);
  assertEquals(sequences(messages.peerLeft("b", mustGoOn)), []);
  assertEquals(messages.due(10_000).resend.map(({ sequence, message }) => [sequence, message]), [[2, "void"]]);
  assertEquals(messages.add("b", "y", { bytes: 1 }), 4);
});

Deno.test("OutstandingMessages.expedite() makes all messages to one peer due at once, oldest first", () => {
  const messages = outstanding();
  for (const peer of ["b", "c", "b", "b"]) messages.add(peer, "x", { now: 0, bytes: 1 });
  messages.add("b", "never", { now: 0, bytes: 1, retransmission: false });
  messages.settle("b", 2);
  messages.expedite("b", 10);
  assertEquals(messages.nextAt(), 10);
  const { resend } = messages.due(10);
  assertEquals(resend.map(({ peer, sequence }) => [peer, sequence]), [["b", 1], ["b", 3]]);
  assertEquals(sequences(messages.due(10).resend), []);
});

Deno.test("OutstandingMessages.expedite() lets the waits begin anew", () => {
  const messages = outstanding();
  messages.add("b", "x", { now: 0, bytes: 1 });
  for (let now = 0; now <= 5_000; now += 100) messages.due(now);
  messages.expedite("b", 5_050);
  assertEquals(messages.due(5_050).resend.map(({ repetitions }) => repetitions), [1]);
  assertEquals(messages.due(5_240).resend, []);
  assertEquals(messages.due(5_250).resend.length, 1);
});

Deno.test("OutstandingMessages refuses a retransmission that makes no sense", () => {
  const messages = outstanding();
  for (const retransmission of [{ initial: 0 }, { factor: 0.5 }, { initial: 20, cap: 10 }, { initial: NaN }]) {
    assertThrows(() => messages.add("b", "x", { now: 0, bytes: 0, retransmission }), RangeError, "Cannot retransmit");
  }
  assertEquals(messages.size, 0);
});

Deno.test("OutstandingMessages.floor() never moves down, whatever order acknowledgements come in", () => {
  forEachSeed(100, (random) => {
    const messages = outstanding();
    const open = new Set<number>();
    let before = 0;
    for (let step = 0; step < 200; step++) {
      if (random.chance(0.5)) open.add(messages.add("b", "x", { now: step, bytes: 1 }));
      const some = [...open].filter(() => random.chance(0.3));
      for (const sequence of some) {
        assert(messages.settle("b", sequence) !== undefined);
        open.delete(sequence);
      }
      const floor = messages.floor("b");
      assert(floor >= before && [...open].every((sequence) => sequence >= floor));
      if (open.size > 0) assert(open.has(floor));
      before = floor;
    }
  });
});
