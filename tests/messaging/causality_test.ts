// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLess,
  assertLessOrEqual,
  assertThrows,
} from "@std/assert";
import type { CausalOrderOptions } from "../../messaging/causal_options.ts";
import { KNOWN_MAX } from "../../messaging/causal_knowledge.ts";
import { UNKNOWN_MAX } from "../../messaging/causal_presence.ts";
import { DELIVERY_WINDOW } from "../../messaging/deduplication.ts";
import { CausalOrder } from "../../messaging/causality.ts";
import { type CausalStamp, parseCausalStamp, participantKey } from "../../wire/causal_stamp.ts";
import type { CausalDelivery } from "../../messaging/causal_delivery.ts";
import { entryOf, firstOf, nthOf } from "../values.ts";

const A = participantKey("a", 1);
const B = participantKey("b", 1);
const C = participantKey("c", 1);
const D = participantKey("d", 1);

/** Participants that know each other. */
function group(options: CausalOrderOptions = {}, keys = [A, B, C, D]): CausalOrder<string>[] {
  return keys.map((self) => {
    const order = new CausalOrder<string>(self, options);
    for (const key of keys) if (key !== self) order.up(key, 0);
    return order;
  });
}

function payloads(deliverable: readonly CausalDelivery<string>[]): string[] {
  return deliverable.map(({ payload }) => payload);
}

function receive(order: CausalOrder<string>, from: string, stamp: CausalStamp, payload: string, now = 0, bytes = 1) {
  const { outcome, deliverable } = order.receive(from, stamp, payload, { now, bytes });
  return [outcome, ...payloads(deliverable)];
}

Deno.test("CausalOrder delivers A's message to B before C's, which A's to C has caused", () => {
  const [a, b, c] = group() as [CausalOrder<string>, CausalOrder<string>, CausalOrder<string>];
  const first = a.send(B);
  const cause = a.send(C);
  assertEquals(receive(c, A, cause, "cause"), ["delivered", "cause"]);
  const effect = c.send(B);
  assertEquals(receive(b, C, effect, "effect"), ["buffered"]);
  assertEquals([b.size, b.bytes], [1, 1]);
  assertEquals(receive(b, A, first, "first"), ["delivered", "first", "effect"]);
  assertEquals([b.size, b.bytes], [0, 0]);
});

Deno.test("CausalOrder delivers the messages of one sender in their order, each once", () => {
  const [a, b] = group() as [CausalOrder<string>, CausalOrder<string>];
  const [one, two, three] = [a.send(B), a.send(B), a.send(B)];
  assertEquals(receive(b, A, three, "three"), ["buffered"]);
  assertEquals(receive(b, A, three, "three"), ["duplicate"]);
  assertEquals(receive(b, A, two, "two"), ["buffered"]);
  assertEquals(receive(b, A, one, "one"), ["delivered", "one", "two", "three"]);
  assertEquals(receive(b, A, two, "two"), ["late"]);
});

Deno.test("CausalOrder does not make independent messages wait for each other", () => {
  const [a, b, c] = group() as [CausalOrder<string>, CausalOrder<string>, CausalOrder<string>];
  a.send(C);
  assertEquals(receive(c, B, b.send(C), "b"), ["delivered", "b"]);
});

/** B holds C's message for a message of A to B that never comes. */
function blocked(options: CausalOrderOptions = {}) {
  const [a, b, c, d] = group(options) as [
    CausalOrder<string>,
    CausalOrder<string>,
    CausalOrder<string>,
    CausalOrder<string>,
  ];
  const lost = a.send(B);
  receive(c, A, a.send(C), "cause");
  assertEquals(receive(b, C, c.send(B), "effect"), ["buffered"]);
  return { a, b, c, d, lost };
}

Deno.test("CausalOrder.gone() ends the waiting for one that has left, and its messages are not heard any more", () => {
  const { b, lost } = blocked();
  assertEquals(payloads(b.gone(A, 10)), ["effect"]);
  assertEquals(receive(b, A, lost, "lost"), ["gone"]);
  assertEquals(payloads(b.gone(A, 20)), []);
});

Deno.test("CausalOrder has one that is gone come back under no circumstances, however long that is known", () => {
  const { a, b, lost } = blocked();
  b.gone(A, 0);
  assertEquals(b.tick(60_000), []);
  // What it sent before would not come again, and what it sends now would wait for that.
  b.up(A, 60_001);
  assertFalse(b.expect(A, 60_001));
  for (const stamp of [lost, a.send(B)]) assertEquals(receive(b, A, stamp, "x", 60_001), ["gone"]);
});

Deno.test("CausalOrder.up() of a newer incarnation ends the waiting for the older", () => {
  const { a, b, lost } = blocked();
  assertEquals(payloads(b.up(participantKey("a", 2), 10)), ["effect"]);
  assertEquals(receive(b, A, lost, "lost"), ["gone"]);
  assertEquals(b.up(A, 20), []);
  assertThrows(() => b.send(A), RangeError, `Cannot stamp a message to "1:a": it is gone`);
  // An incarnation in between, which was never heard of, is over as well.
  b.up(participantKey("a", 9), 30);
  const between = new CausalOrder<string>(participantKey("a", 5));
  assertEquals(receive(b, participantKey("a", 5), between.send(B), "between"), ["gone"]);
  assertEquals(receive(b, A, a.send(B), "old"), ["gone"]);
});

Deno.test("CausalOrder.tick() ends the waiting for one that is down once patience is over, and not before", () => {
  const { a, b, lost } = blocked({ patience: 1_000, belief: Infinity });
  assertEquals(b.tick(100_000), []);
  b.down(A, 100_000);
  assertEquals(b.tick(100_999), []);
  b.down(A, 100_999);
  assertEquals(payloads(b.tick(101_000)), ["effect"]);
  // What comes all the same would come in the wrong order. What follows it does not.
  b.up(A, 102_000);
  assertEquals(receive(b, A, lost, "lost", 102_000), ["late"]);
  assertEquals(receive(b, A, a.send(B), "next", 102_000), ["delivered", "next"]);
});

Deno.test("CausalOrder waits on when one that was down comes back in time", () => {
  const { b, lost } = blocked({ patience: 1_000 });
  b.down(A, 0);
  b.up(A, 900);
  assertEquals(b.tick(5_000), []);
  assertEquals(receive(b, A, lost, "lost"), ["delivered", "lost", "effect"]);
});

Deno.test("CausalOrder goes on with the numbers of one that the owner sends to before it was ever there, however long that takes", () => {
  for (const isSentBefore of [true, false]) {
    const a = new CausalOrder<string>(A);
    const c = new CausalOrder<string>(C);
    a.up(C, 0);
    const b = new CausalOrder<string>(B);
    const sent: CausalStamp[] = [];
    const send = (now: number) => {
      assert(a.expect(B, now));
      sent.push(a.send(B));
    };
    if (isSentBefore) send(0);
    // C has sent B something, so A hears of B as well.
    assertEquals(receive(b, C, c.send(B), "x"), ["delivered", "x"]);
    receive(a, C, c.send(A), "news");
    a.tick(60_000);
    send(60_000);
    a.up(B, 70_000);
    a.tick(200_000);
    send(200_000);
    for (const stamp of sent) assertEquals(receive(b, A, stamp, "x").shift(), "delivered");
  }
});

Deno.test("CausalOrder expects nothing of an incarnation that is gone, or followed by another", () => {
  const [, b] = group() as [CausalOrder<string>, CausalOrder<string>];
  b.gone(A, 0);
  b.up(participantKey("c", 3), 0);
  assertEquals([A, C, participantKey("c", 2), participantKey("c", 3), D].map((key) => b.expect(key, 0)), [
    ...[false, false, false, true, true],
  ]);
});

Deno.test("CausalOrder waits for one that no node has told of as for one that is down", () => {
  const [a, c] = group({}, [A, C]) as [CausalOrder<string>, CausalOrder<string>];
  const b = new CausalOrder<string>(B, { patience: 1_000 });
  b.up(C, 0);
  c.up(B, 0);
  a.send(B);
  receive(c, A, a.send(C), "cause");
  assertEquals(receive(b, C, c.send(B), "effect", 500), ["buffered"]);
  assertEquals(b.tick(1_499), []);
  assertEquals(payloads(b.tick(1_500)), ["effect"]);
});

for (const isGoneFirst of [false, true]) {
  const when = isGoneFirst ? "after" : "before";
  Deno.test(`CausalOrder still delivers in order what it holds of one that is gone, when others depend on it ${when}`, () => {
    const E = participantKey("e", 1);
    const [a, b, c, d, e] = group({}, [A, B, C, D, E]) as [
      CausalOrder<string>,
      CausalOrder<string>,
      CausalOrder<string>,
      CausalOrder<string>,
      CausalOrder<string>,
    ];
    const lost = a.send(B);
    const late = d.send(B);
    receive(c, D, d.send(C), "cause");
    receive(a, D, d.send(A), "cause");
    const held = a.send(B);
    a.send(B);
    for (const [key, order] of [[C, c], [E, e]] as const) receive(order, A, a.send(key), "cause");
    // B has C's, which waits for D's; then A's second, which waits for the first; then E's, which waits for A's third.
    const [fromC, fromE] = [c.send(B), e.send(B)];
    assertEquals(receive(b, C, fromC, "C's"), ["buffered"]);
    assertEquals(receive(b, A, held, "A's"), ["buffered"]);
    if (isGoneFirst) assertEquals(b.gone(A, 0), []);
    assertEquals(receive(b, E, fromE, "E's"), ["buffered"]);
    if (!isGoneFirst) assertEquals(b.gone(A, 0), []);
    assertEquals(receive(b, D, late, "D's").slice(0, 3), ["delivered", "D's", "A's"]);
    assertEquals(receive(b, A, lost, "lost"), ["gone"]);
    assertEquals([b.size, b.bytes], [0, 0]);
  });
}

Deno.test("CausalOrder.receive() refuses what it has no room for, but never what need not wait", () => {
  for (const options of [{ messagesMax: 4 }, { bytesMax: 40 }]) {
    const [a, b] = group(options) as [CausalOrder<string>, CausalOrder<string>];
    const [one, two, three, four] = [a.send(B), a.send(B), a.send(B), a.send(B)];
    assertEquals(receive(b, A, four, "four", 0, 10), ["buffered"]);
    assertEquals(receive(b, A, three, "three", 0, 10), ["buffered"]);
    assertEquals(receive(b, A, two, "two", 0, 10), ["full"]);
    assertEquals(b.size, 2);
    assertEquals(receive(b, A, one, "one", 0, 10), ["delivered", "one"]);
    assertEquals(receive(b, A, two, "two", 0, 10), ["delivered", "two", "three", "four"]);
  }
});

Deno.test("CausalOrder leaves half of its room, in messages and in bytes, to others than one sender", () => {
  for (const options of [{ messagesMax: 4 }, { bytesMax: 40 }]) {
    const [a, b, c] = group(options) as [CausalOrder<string>, CausalOrder<string>, CausalOrder<string>];
    const first = a.send(B);
    c.send(B);
    for (const held of ["buffered", "buffered", "full"]) assertEquals(receive(b, A, a.send(B), "a", 0, 10), [held]);
    for (const held of ["buffered", "buffered", "full"]) assertEquals(receive(b, C, c.send(B), "c", 0, 10), [held]);
    assertEquals(receive(b, A, first, "first", 0, 10), ["delivered", "first", "a", "a"]);
    assertEquals([b.size, b.bytes], [2, 20]);
    // What was held before counts no more.
    a.send(B);
    for (const held of ["buffered", "buffered", "full"]) assertEquals(receive(b, A, a.send(B), "a", 0, 10), [held]);
  }
});

Deno.test("CausalOrder holds one message of a sender that is larger than half of its room", () => {
  const [a, b] = group({ bytesMax: 40 }) as [CausalOrder<string>, CausalOrder<string>];
  a.send(B);
  assertEquals(receive(b, A, a.send(B), "large", 0, 30), ["buffered"]);
  assertEquals(receive(b, A, a.send(B), "small", 0, 5), ["full"]);
});

/** A stamp of C to B, which claims something. */
function claim(sequence: number, participants: string[], sent: number[], delivered: number[] = []): CausalStamp {
  return { to: B, sequence, participants, sent, delivered };
}

Deno.test("CausalOrder does not wait for a number that others made up: not at all beyond what can be under way, else not for long", () => {
  const [a, b] = group({ belief: 1_000 }) as [CausalOrder<string>, CausalOrder<string>];
  for (const huge of [DELIVERY_WINDOW + 1, Number.MAX_SAFE_INTEGER]) {
    const sequence = huge === Number.MAX_SAFE_INTEGER ? 2 : 1;
    assertEquals(receive(b, C, claim(sequence, [B, A], [0, 1, huge]), "huge"), ["delivered", "huge"]);
  }
  assertEquals(receive(b, C, claim(3, [B, A], [0, 1, 30]), "plausible"), ["buffered"]);
  assertEquals(payloads(b.tick(999)), []);
  assertEquals(payloads(b.tick(1_000)), ["plausible"]);
  assertEquals(receive(b, C, claim(4, [B, A], [0, 1, 30]), "again", 1_001), ["delivered", "again"]);
  // It cost A nothing.
  for (let message = 0; message < 40; message++) {
    assertEquals(receive(b, A, a.send(B), `${message}`, 1_002), ["delivered", `${message}`]);
  }
});

Deno.test("CausalOrder goes on waiting for a number that its participant has shown, however long that takes", () => {
  const [a, b, c] = group({ belief: 1_000 }) as [CausalOrder<string>, CausalOrder<string>, CausalOrder<string>];
  const lost = a.send(B);
  const cause = a.send(C);
  receive(c, A, cause, "cause");
  assertEquals(receive(b, C, c.send(B), "effect"), ["buffered"]);
  // It came, and was refused for want of room.
  b.see(A, lost);
  assertEquals(payloads(b.tick(60_000)), []);
  assertEquals(receive(b, A, lost, "lost", 60_000), ["delivered", "lost", "effect"]);
});

Deno.test("CausalOrder refuses a number that is further ahead than can be under way", () => {
  const [, b] = group() as [CausalOrder<string>, CausalOrder<string>];
  assertEquals(receive(b, C, claim(DELIVERY_WINDOW + 1, [], []), "huge"), ["full"]);
  assertEquals(receive(b, C, claim(1, [], []), "first"), ["delivered", "first"]);
});

Deno.test("CausalOrder learns of a bounded number of participants and numbers that others make up", () => {
  const [, b] = group() as [CausalOrder<string>, CausalOrder<string>];
  for (let sequence = 1; sequence <= 40; sequence++) {
    const participants = Array.from({ length: 4_096 }, (_, index) => participantKey(`${sequence}/${index}`, 1));
    const places = participants.map((_, place) => place);
    const sent = places.flatMap((place) => [place, (place + sequence) % 1_024, 2 ** 40]);
    const delivered = places.flatMap((place) => [place, 2 ** 40]);
    receive(b, C, claim(sequence, participants, sent, delivered), "x");
  }
  assertLessOrEqual(b.dependencies, UNKNOWN_MAX);
  for (let sequence = 41; sequence <= 150; sequence++) {
    const participants = Array.from({ length: UNKNOWN_MAX }, (_, index) => participantKey(`1/${index}`, 1));
    const sent = participants.flatMap((_, place) => [place, (place + sequence) % UNKNOWN_MAX, 2 ** 40]);
    receive(b, C, claim(sequence, participants, sent), "x");
  }
  assertEquals(b.dependencies, KNOWN_MAX);
  parseCausalStamp(b.send(A));
  // No node ever told that they are there.
  b.tick(60_000);
  assertLessOrEqual(b.dependencies, 4);
});

Deno.test("CausalOrder stamps what its receiver can read, and remembers a bounded number, after messages of thousands of made-up incarnations", () => {
  const [, b] = group() as [CausalOrder<string>, CausalOrder<string>];
  for (let incarnation = 2; incarnation < 6_000; incarnation++) {
    assertEquals(receive(b, participantKey("a", incarnation), claim(1, [], []), "x"), ["delivered", "x"]);
  }
  assertLessOrEqual(parseCausalStamp(b.send(A)).participants.length, UNKNOWN_MAX);
  b.tick(1);
  assertLessOrEqual(b.senders, 2 * UNKNOWN_MAX);
  b.tick(60_000);
  assertLessOrEqual(b.senders, UNKNOWN_MAX);
});

Deno.test("CausalOrder goes on with one that it has no connection with, however long that is silent", () => {
  const [alone, other] = [A, B].map((self) => new CausalOrder<string>(self)) as [
    CausalOrder<string>,
    CausalOrder<string>,
  ];
  for (const now of [0, 100_000, 200_000]) {
    for (const order of [alone, other]) order.tick(now);
    assert(alone.expect(B, now));
    const [one, two] = [alone.send(B), alone.send(B)];
    assertEquals(receive(other, A, two, "two", now), ["buffered"]);
    assertEquals(receive(other, A, one, "one", now), ["delivered", "one", "two"]);
    assertEquals(receive(alone, B, other.send(A), "back", now), ["delivered", "back"]);
  }
});

Deno.test("CausalOrder forgets one that others alone speak of, and hears it when it speaks itself", () => {
  const [, b] = group() as [CausalOrder<string>, CausalOrder<string>];
  const unseen = participantKey("unseen", 1);
  receive(b, C, claim(1, [unseen, B], [1, 0, 1]), "of it", 0);
  b.tick(60_000);
  const itself = new CausalOrder<string>(unseen);
  assertEquals(receive(b, unseen, itself.send(B), "itself", 61_000), ["delivered", "itself"]);
});

/** Has all send each other a message every second for so long. Calls `act` before each round. */
function talk(
  orders: readonly CausalOrder<string>[],
  keys: readonly string[],
  seconds: number,
  act: (now: number) => void,
): void {
  for (let now = 0; now < seconds * 1_000; now += 1_000) {
    act(now);
    for (const [at, from] of orders.entries()) {
      for (const [to, other] of orders.entries()) {
        if (from !== other) receive(other, nthOf(keys, at), from.send(nthOf(keys, to)), "x", now);
      }
    }
    // One of them is late.
    for (const order of orders.slice(now % 7_000 === 0 ? 0 : 1)) order.tick(now);
  }
}

Deno.test("CausalOrder does not learn without end from others that messages to nodes that they never met are under way", () => {
  const keys = [A, B, C];
  const orders = group({}, keys);
  const madeUp = Array.from({ length: 100 }, (_, index) => participantKey(`made-up-${index}`, 1));
  const sent = madeUp.flatMap((_, place) => [place, madeUp.length, 7]);
  receive(nthOf(orders, 1), D, claim(1, [...madeUp, A], sent), "made up");
  talk(orders, keys, 130, () => {});
  for (const order of orders) assertLess(order.dependencies, 10);
});

Deno.test("CausalOrder forgets messages to nodes that are down for a while, where none tells that they are gone", () => {
  const keys = [A, B, C];
  const orders = group({ forgetsDown: true }, keys);
  talk(orders, keys, 300, (now) => {
    const one = nthOf(orders, now / 1_000 % 3);
    const neighbour = participantKey(`n${now}`, 1);
    one.up(neighbour, now);
    one.send(neighbour);
    one.down(neighbour, now);
  });
  // Those of the last minute, and of the two last ticks of the one that is late.
  for (const order of orders) assertLess(order.dependencies, 90);
});

Deno.test("CausalOrder goes on telling of messages to one that it never met as long as there is news of them", () => {
  const [, b] = group() as [CausalOrder<string>, CausalOrder<string>];
  const unmet = participantKey("unmet", 1);
  for (const [number, now] of [[1, 0], [2, 50_000], [3, 100_000]] as const) {
    receive(b, C, claim(number, [unmet, A], [0, 1, number]), "x", now);
    b.tick(now + 20_000);
    assertEquals(b.dependencies, 1);
  }
  b.tick(160_000);
  assertEquals(b.dependencies, 0);
});

Deno.test("CausalOrder does not wait without end for what it was delivered, and has forgotten", () => {
  const [, b] = group({ belief: 60_000 }) as [CausalOrder<string>, CausalOrder<string>];
  const stranger = participantKey("stranger", 1);
  assertEquals(receive(b, stranger, claim(5, [], []), "five"), ["buffered"]);
  assertEquals(receive(b, stranger, claim(5, [], []), "five", 40_000), ["duplicate"]);
  assertEquals(payloads(b.tick(50_000)), []);
  assertEquals(payloads(b.tick(60_000)), ["five"]);
});

Deno.test("CausalOrder.receive() does not take a message for an earlier incarnation", () => {
  const [a] = group() as [CausalOrder<string>];
  const reborn = new CausalOrder<string>(participantKey("b", 2));
  assertEquals(receive(reborn, A, a.send(B), "x"), ["misaddressed"]);
  assertThrows(() => a.send(A), RangeError, "it is its sender");
});

Deno.test("CausalOrder does not tell what is known to be delivered", () => {
  const orders = new Map(group().map((order, index) => [nthOf([A, B, C, D], index), order]));
  const tell = (from: string, to: string) => {
    const stamp = entryOf(orders, from).send(to);
    assertEquals(receive(entryOf(orders, to), from, stamp, "x"), ["delivered", "x"]);
    return stamp;
  };
  // Every node tells every node, again and again, in turn.
  for (let round = 0; round < 20; round++) {
    for (const from of orders.keys()) for (const to of orders.keys()) if (from !== to) tell(from, to);
  }
  for (const order of orders.values()) assertLess(order.dependencies, 12);
  // A dialogue tells nothing but itself in the end.
  for (let round = 0; round < 20; round++) [tell(A, B), tell(B, A)];
  const { sent, delivered } = tell(A, B);
  assertEquals(entryOf(orders, A).dependencies - 1, sent.length / 3);
  assertEquals(delivered.length / 2, 1, "B's last message, and no older news");
  assertLessOrEqual(sent.length / 3, 6, "what A and B know of C and D, who are silent now");
});

Deno.test("CausalOrder does not take up again from others what it knows to be delivered", () => {
  const [a, b, c, d] = group() as [CausalOrder<string>, CausalOrder<string>, CausalOrder<string>, CausalOrder<string>];
  const toB = a.send(B);
  const toC = a.send(C);
  receive(b, A, toB, "x");
  receive(d, B, b.send(D), "news of it");
  receive(c, A, toC, "x");
  // C has not heard that B was delivered A's message; D has.
  const { participants, sent } = c.send(D);
  assertEquals(participants[firstOf(sent)], B);
  receive(d, C, { to: D, sequence: 1, participants, sent, delivered: [] }, "old news");
  assertEquals(d.dependencies, 0);
});

Deno.test("CausalOrder forgets one that is gone when its grace is over", () => {
  const [a, , c] = group({ grace: 1_000 }) as [CausalOrder<string>, CausalOrder<string>, CausalOrder<string>];
  a.send(B);
  receive(c, A, a.send(C), "x");
  assertEquals(c.dependencies, 1);
  c.gone(A, 0);
  c.tick(999);
  assertEquals(c.dependencies, 1, "B may not know yet");
  c.tick(1_000);
  assertEquals(c.dependencies, 0);
  assertEquals(c.send(B).participants, []);
  // Nor is it taken up again from one that is slower to forget.
  a.send(B);
  const fromD = new CausalOrder<string>(D);
  receive(fromD, A, a.send(D), "x");
  receive(c, D, fromD.send(C), "x", 1_001);
  assertEquals(c.dependencies, 1, "its own message to B");
  // What it sent before is not waited for.
  const b = new CausalOrder<string>(B, { grace: 1_000 });
  b.gone(A, 0);
  b.tick(1_000);
  const E = participantKey("e", 1);
  const slow = new CausalOrder<string>(E);
  receive(slow, A, a.send(E), "x");
  assertGreater(slow.dependencies, 0);
  assertEquals(receive(b, E, slow.send(B), "x", 1_001), ["delivered", "x"]);
});

Deno.test("CausalOrder drops what concerns messages to one that is gone, and does not take it up again", () => {
  const [a, , c] = group() as [CausalOrder<string>, CausalOrder<string>, CausalOrder<string>];
  a.send(B);
  receive(c, A, a.send(C), "x");
  c.gone(B, 0);
  assertEquals(c.dependencies, 0);
  receive(c, A, a.send(C), "x");
  assertEquals(c.dependencies, 0);
});

Deno.test("parseCausalStamp() takes what send() gives, and nothing malformed", () => {
  const [a] = group() as [CausalOrder<string>];
  a.send(B);
  const stamp = a.send(C);
  assertEquals(parseCausalStamp(structuredClone(stamp)), stamp);
  assertEquals(stamp.sent.length, 3);
  const malformed: unknown[] = [
    null,
    [],
    { ...stamp, to: 1 },
    { ...stamp, sequence: 0 },
    { ...stamp, sequence: 1.5 },
    { ...stamp, participants: [1] },
    { ...stamp, participants: ["b"] },
    { ...stamp, participants: undefined },
    { ...stamp, sent: [0, 1] },
    { ...stamp, sent: [0, 2, 1] },
    { ...stamp, sent: [-1, 0, 1] },
    { ...stamp, sent: [0, 0, 0] },
    { ...stamp, sent: [0, 0, 2 ** 60] },
    { ...stamp, delivered: [0, "1"] },
    { ...stamp, delivered: {} },
  ];
  for (const value of malformed) assertThrows(() => parseCausalStamp(value), TypeError, "Cannot read a causal stamp");
});
