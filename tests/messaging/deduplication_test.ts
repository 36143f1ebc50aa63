// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { Deduplication, DELIVERY_WINDOW, DEPARTED_MAX, HEARSAY_MAX } from "../../messaging/deduplication.ts";
import { parseAcknowledgement } from "../../messaging/acknowledgement.ts";
import type { NodeIncarnation } from "../../wire/node_spec.ts";
import { firstOf } from "../values.ts";

const A = { name: "a", incarnation: 5 };

/** The lists of an acknowledgement that says nothing. */
const NOTHING = { ranges: [], full: [], late: [], missing: [], failed: [] };

/** Admits and settles. */
function handle(deduplication: Deduplication, sequence: number, floor = 1, sender = A) {
  const admission = deduplication.admit(sender, sequence, floor);
  if (admission === "new") deduplication.settle(sender, sequence);
  return admission;
}

Deno.test("Deduplication.admit() lets each number through once, in any order", () => {
  const deduplication = new Deduplication();
  for (const sequence of [2, 1, 5, 3]) assertEquals(handle(deduplication, sequence), "new");
  for (const sequence of [1, 2, 3, 5]) assertEquals(handle(deduplication, sequence), "duplicate");
  assertEquals(handle(deduplication, 4), "new");
});

Deno.test("Deduplication.admit() neither repeats nor acknowledges what is being handled", () => {
  const deduplication = new Deduplication();
  assertEquals(deduplication.admit(A, 1, 1), "new");
  assertEquals(deduplication.admit(A, 1, 1), "pending");
  assertEquals(deduplication.takeAcknowledgements(), []);
  deduplication.settle(A, 1);
  assertEquals(deduplication.admit(A, 1, 1), "duplicate");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.through, 1);
});

Deno.test("Deduplication.fail() tells of a failure whenever the message is repeated, until its sender has done with it", () => {
  const deduplication = new Deduplication();
  const error = { name: "RangeError", message: "no" };
  for (const sequence of [1, 2]) deduplication.admit(A, sequence, 1);
  deduplication.fail(A, 1, error);
  deduplication.settle(A, 2);
  const acknowledgement = { incarnation: 5, through: 0, ...NOTHING };
  assertEquals(deduplication.takeAcknowledgements(), [{
    to: "a",
    acknowledgement: { ...acknowledgement, ranges: [2, 2], failed: [[1, error]] },
    isRepeated: false,
  }]);
  assertEquals(deduplication.takeAcknowledgements(), []);
  assertEquals(deduplication.admit(A, 1, 1), "duplicate");
  assertEquals(deduplication.takeAcknowledgements(), [{
    to: "a",
    acknowledgement: { ...acknowledgement, failed: [[1, error]] },
    isRepeated: true,
  }]);
  assertEquals(handle(deduplication, 3, 3), "new");
  assertEquals(deduplication.takeAcknowledgements(), [{
    to: "a",
    acknowledgement: { ...acknowledgement, through: 3 },
    isRepeated: false,
  }]);
});

Deno.test("Deduplication.fail() admits nothing new when its sender has heard of none of very many failures", () => {
  const deduplication = new Deduplication();
  for (let sequence = 1; sequence <= 1_024; sequence++) {
    assertEquals(deduplication.admit(A, sequence, 1), "new");
    deduplication.fail(A, sequence, { name: "Error", message: "" });
  }
  assertEquals(deduplication.admit(A, 1_025, 1), "ahead");
  assertEquals(deduplication.admit(A, 1_025, 2), "new");
});

Deno.test("Deduplication.miss() makes a repetition new again, and says what has no handler", () => {
  const deduplication = new Deduplication();
  deduplication.admit(A, 1, 1);
  assertEquals(deduplication.miss(A, 1), true);
  assertEquals(deduplication.takeAcknowledgements(), [
    { to: "a", acknowledgement: { incarnation: 5, through: 0, ...NOTHING, missing: [1, 1] }, isRepeated: false },
  ]);
  assertEquals(deduplication.admit(A, 1, 1), "new");
  assertEquals(deduplication.miss(A, 1), false);
  assertEquals(handle(deduplication, 1), "new");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.through, 1);
});

Deno.test("Deduplication.refuse() makes a repetition new again and says why", () => {
  const deduplication = new Deduplication();
  for (const sequence of [1, 2, 3]) deduplication.admit(A, sequence, 1);
  deduplication.refuse(A, 1, "full");
  deduplication.refuse(A, 2, "full");
  deduplication.refuse(A, 3, "late");
  assertEquals(deduplication.takeAcknowledgements(), [
    {
      to: "a",
      acknowledgement: { incarnation: 5, through: 0, ...NOTHING, full: [1, 2], late: [3, 3] },
      isRepeated: false,
    },
  ]);
  assertEquals(deduplication.takeAcknowledgements(), []);
  assertEquals(deduplication.admit(A, 1, 1), "new");
});

Deno.test("Deduplication.takeAcknowledgements() names what was handled since the last time, and repeats what is repeated", () => {
  const deduplication = new Deduplication();
  for (const sequence of [1, 2, 4, 5, 9]) handle(deduplication, sequence);
  handle(deduplication, 1, 1, { name: "b", incarnation: 1 });
  assertEquals(deduplication.takeAcknowledgements(), [
    { to: "a", acknowledgement: { incarnation: 5, through: 2, ...NOTHING, ranges: [4, 5, 9, 9] }, isRepeated: false },
    { to: "b", acknowledgement: { incarnation: 1, through: 1, ...NOTHING }, isRepeated: false },
  ]);
  assertEquals(deduplication.takeAcknowledgements(), []);
  handle(deduplication, 5);
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.ranges, [5, 5]);
  handle(deduplication, 1);
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.through, 2);
});

Deno.test("Deduplication.admit() refuses what lies ahead of the window, until the floor moves", () => {
  const deduplication = new Deduplication();
  assertEquals(deduplication.admit(A, DELIVERY_WINDOW + 1, 1), "ahead");
  assertEquals(handle(deduplication, DELIVERY_WINDOW), "new");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.ranges, [DELIVERY_WINDOW, DELIVERY_WINDOW]);
  assertEquals(handle(deduplication, DELIVERY_WINDOW + 1, 2), "new");
  assertEquals(handle(deduplication, DELIVERY_WINDOW), "duplicate");
});

Deno.test("Deduplication.admit() counts what its sender gave up as handled", () => {
  const deduplication = new Deduplication();
  assertEquals(handle(deduplication, 1), "new");
  assertEquals(handle(deduplication, 10_000_000, 9_999_999), "new");
  for (const sequence of [2, 5_000, 9_999_998]) assertEquals(handle(deduplication, sequence), "duplicate");
  assertEquals(handle(deduplication, 9_999_999), "new");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.through, 10_000_000);
});

Deno.test("Deduplication.settle() of a message that its sender has given up meanwhile does no harm", () => {
  const deduplication = new Deduplication();
  deduplication.admit(A, 1, 1);
  handle(deduplication, 2, 2);
  deduplication.settle(A, 1);
  assertEquals(handle(deduplication, 1), "duplicate");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.through, 2);
});

Deno.test("Deduplication starts afresh with a newer incarnation and is deaf to the older", () => {
  const deduplication = new Deduplication();
  const reborn = { name: "a", incarnation: 6 };
  handle(deduplication, 1);
  deduplication.admit(A, 2, 1);
  assertEquals(deduplication.admit(reborn, 2, 1), "new");
  assertEquals(deduplication.admit(A, 3, 1), "stale");
  // What was begun for the old incarnation ends without a trace in the new one.
  deduplication.settle(A, 2);
  deduplication.refuse(A, 2, "late");
  assertEquals(deduplication.admit(reborn, 2, 1), "pending");
  assertEquals(deduplication.takeAcknowledgements(), []);
  assertEquals(handle(deduplication, 1, 1, reborn), "new");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.incarnation, 6);
});

Deno.test("Deduplication knows what a sender has sent after it has left, until many others have left", () => {
  const deduplication = new Deduplication();
  handle(deduplication, 1);
  deduplication.leave(A);
  assertEquals(handle(deduplication, 1), "duplicate");
  assertEquals(handle(deduplication, 2), "new");
  for (let count = 0; count < DEPARTED_MAX; count++) {
    assertEquals(handle(deduplication, 1), "duplicate");
    handle(deduplication, 1, 1, { name: `b${count}`, incarnation: 1 });
    deduplication.leave({ name: `b${count}`, incarnation: 1 });
  }
  assertEquals(handle(deduplication, 1), "new");
});

Deno.test("Deduplication does not forget a sender that has left and come back in a new incarnation", () => {
  const deduplication = new Deduplication();
  const reborn = { name: "a", incarnation: 6 };
  handle(deduplication, 1);
  deduplication.leave(A);
  handle(deduplication, 1, 1, reborn);
  deduplication.leave(A);
  for (let count = 0; count <= DEPARTED_MAX; count++) {
    handle(deduplication, 1, 1, { name: `b${count}`, incarnation: 1 });
    deduplication.leave({ name: `b${count}`, incarnation: 1 });
  }
  assertEquals(handle(deduplication, 1, 1, reborn), "duplicate");
});

Deno.test("Deduplication.admit() refuses impossible numbers", () => {
  const deduplication = new Deduplication();
  for (const [sequence, floor] of [[0, 0], [1, 2], [1.5, 1], [2, 0], [NaN, 1], [2 ** 60, 1]] as const) {
    assertThrows(() => deduplication.admit(A, sequence, floor), TypeError, "Cannot admit");
  }
});

Deno.test("parseAcknowledgement() takes what takeAcknowledgements() gives, and nothing malformed", () => {
  const deduplication = new Deduplication();
  handle(deduplication, 3);
  const { acknowledgement } = firstOf(deduplication.takeAcknowledgements());
  assertEquals(parseAcknowledgement(structuredClone(acknowledgement), 10), acknowledgement);
  for (
    const value of [null, 1, {}, { ...acknowledgement, through: -1 }, { ...acknowledgement, incarnation: "5" }, {
      ...acknowledgement,
      ranges: [1, 20],
    }, { ...acknowledgement, late: undefined }]
  ) {
    assertThrows(() => parseAcknowledgement(value, 10), TypeError, "Cannot read");
  }
});

Deno.test("Deduplication.admit() loses one number to one that others made up, none to its floor", () => {
  const deduplication = new Deduplication();
  const hear = (sequence: number, floor: number, incarnation = 5) => {
    const sender = { name: "a", incarnation };
    const admission = deduplication.admit(sender, sequence, floor, "b");
    if (admission === "new") deduplication.settle(sender, sequence);
    return admission;
  };
  handle(deduplication, 1);
  for (const madeUp of [Number.MAX_SAFE_INTEGER, 50_000, 7]) assertEquals(hear(madeUp, madeUp), "new");
  assertEquals(hear(1, 1, 6), "new");
  for (let sequence = 2; sequence <= 40; sequence++) {
    assertEquals(handle(deduplication, sequence), sequence === 7 ? "duplicate" : "new");
  }
  assertEquals(
    deduplication.takeAcknowledgements().find(({ acknowledgement }) => acknowledgement.incarnation === 5)
      ?.acknowledgement.through,
    40,
  );
});

Deno.test("Deduplication.admit() takes what others pass on of a sender once, and knows it when the sender itself comes", () => {
  const deduplication = new Deduplication();
  const hear = (sequence: number, floor: number) => {
    const admission = deduplication.admit(A, sequence, floor, "b");
    if (admission === "new") deduplication.settle(A, sequence);
    return admission;
  };
  // Its sender gave up very many messages before.
  const begin = 10 * DELIVERY_WINDOW;
  for (const sequence of [begin, begin + 1, begin + 3]) assertEquals(hear(sequence, begin), "new");
  for (const sequence of [begin, begin + 3]) assertEquals(hear(sequence, begin), "duplicate");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.ranges, [
    begin,
    begin + 1,
    begin + 3,
    begin + 3,
  ]);
  assertEquals(handle(deduplication, begin + 3, begin + 2), "duplicate");
  assertEquals(handle(deduplication, begin + 2, begin + 2), "new");
});

Deno.test("Deduplication remembers a bounded number of incarnations of which only others tell", () => {
  const deduplication = new Deduplication();
  const hear = (incarnation: number) => {
    const sender = { name: "a", incarnation };
    const admission = deduplication.admit(sender, 1, 1, "b");
    if (admission === "new") deduplication.settle(sender, 1);
    return admission;
  };
  for (let incarnation = 0; incarnation <= HEARSAY_MAX; incarnation++) assertEquals(hear(incarnation), "new");
  assertEquals([hear(HEARSAY_MAX), hear(0)], ["duplicate", "new"]);
});

Deno.test("Deduplication.admit() takes what a sender itself sends, whatever others made up that fails, has no handler or is still handled", () => {
  const deduplication = new Deduplication();
  handle(deduplication, 1);
  const error = { name: "RangeError", message: "no" };
  const hear = (sequence: number) => assertEquals(deduplication.admit(A, sequence, 1, "b"), "new");
  for (const begin of [10, 2 ** 40]) {
    for (let sequence = begin; sequence < begin + 3_000; sequence++) {
      hear(sequence);
      deduplication.fail(A, sequence, error);
    }
  }
  for (let sequence = 2 ** 41; sequence < 2 ** 41 + DELIVERY_WINDOW; sequence++) hear(sequence);
  assertEquals(deduplication.admit(A, 2 ** 42, 1, "b"), "ahead");
  for (let sequence = 2; sequence <= 9; sequence++) assertEquals(handle(deduplication, sequence), "new");
});

Deno.test("Deduplication remembers the last of very many failures of messages that others pass on, and admits further ones", () => {
  const deduplication = new Deduplication();
  const error = { name: "RangeError", message: "no" };
  for (let sequence = 1; sequence <= 3_000; sequence++) {
    assertEquals(deduplication.admit(A, sequence, 1, "b"), "new");
    deduplication.fail(A, sequence, error);
    assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.failed, [[sequence, error]]);
  }
  assertEquals(deduplication.admit(A, 3_000, 1, "b"), "duplicate");
  // The sender itself is there: it need not be told of what it has done with.
  assertEquals(handle(deduplication, 3_001, 2_999), "new");
  assertEquals(deduplication.admit(A, 3_000, 2_999), "duplicate");
  assertEquals(deduplication.takeAcknowledgements()[0]?.acknowledgement.failed, [[3_000, error]]);
});

/** Tells of messages of `sender` that it has not sent: `count` numbers, far apart. Their handlers throw, or not. */
function forge(deduplication: Deduplication, sender: NodeIncarnation, count: number, by: string, fails = false): void {
  for (let forged = 1; forged <= count; forged++) {
    const sequence = 2 ** 45 + forged * 2 * DELIVERY_WINDOW;
    deduplication.admit(sender, sequence, 1, by);
    if (fails) deduplication.fail(sender, sequence, { name: "Error", message: "forged" });
    else deduplication.settle(sender, sequence);
  }
}

Deno.test("Deduplication knows what failed of what one node passes on, whatever another one makes up", () => {
  const deduplication = new Deduplication();
  const error = { name: "RangeError", message: "no" };
  assertEquals(deduplication.admit(A, 2 ** 40, 1, "honest"), "new");
  deduplication.fail(A, 2 ** 40, error);
  for (const forged of [10, 3_000]) {
    forge(deduplication, A, forged, "liar", true);
    deduplication.takeAcknowledgements();
    assertEquals(deduplication.admit(A, 2 ** 40, 1, "liar"), "duplicate");
    const { failed } = firstOf(deduplication.takeAcknowledgements()).acknowledgement;
    const forgotten = { name: "Error", message: "The handler threw, and what is not remembered any more" };
    assertEquals(failed, [[2 ** 40, forged === 10 ? error : forgotten]]);
  }
});

Deno.test("Deduplication knows what was handled of what one node passes on, whatever another one makes up", () => {
  const deduplication = new Deduplication();
  // Two nodes tell of numbers that are near each other: none of them alone can have them forgotten.
  const passed = [[2 ** 40, "honest"], [2 ** 40 + 1, "liar"], [2 ** 40 + 2, "honest"]] as const;
  for (const [sequence, by] of passed) {
    assertEquals(deduplication.admit(A, sequence, 1, by), "new");
    deduplication.settle(A, sequence);
  }
  forge(deduplication, A, 100, "liar");
  for (const [sequence] of passed) assertEquals(deduplication.admit(A, sequence, 1, "liar"), "duplicate");
  for (let madeUp = 0; madeUp < 2 * HEARSAY_MAX; madeUp++) {
    forge(deduplication, { name: `made-up-${madeUp}`, incarnation: 1 }, 1, "liar");
  }
  assertEquals(deduplication.admit(A, 2 ** 40, 1, "liar"), "duplicate");
});

Deno.test("Deduplication.miss() remembers a bounded number of messages without a handler that others pass on", () => {
  const deduplication = new Deduplication();
  const miss = (sequence: number) => {
    assertEquals(deduplication.admit(A, sequence, 1, "b"), "new");
    return deduplication.miss(A, sequence);
  };
  for (let sequence = 1; sequence <= 2 * DELIVERY_WINDOW; sequence++) miss(sequence);
  assertEquals([miss(2 * DELIVERY_WINDOW), miss(1)], [false, true]);
});
