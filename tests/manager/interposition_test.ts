// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AckTimeoutError, delay, DelayedMessage, QueueFullError } from "../../mod.ts";
import { seededRandom } from "../seeded_random.ts";
import { scenario } from "./worlds.ts";

scenario("Functions run pre, transform, post, each in name order, at the sender and at the receiver", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  const seen: unknown[] = [];
  for (const node of [a, b]) {
    for (const name of ["2", "1"]) {
      node.addPreInterpositionFun(name, ({ type, node: other, message }) => {
        seen.push(`${node.name} pre ${name} ${type} ${other} ${message}`);
      });
      node.addInterpositionFun(name, ({ message }) => `${message}${node.name}${name}`);
      node.addPostInterpositionFun(name, ({ message }, result) => {
        seen.push(`${node.name} post ${name} ${message} ${result}`);
      });
    }
  }
  await a.forwardMessage("b", "log", "m");
  await world.until("it arrived", () => heard.messages.length === 1);
  assertEquals(heard.messages, ["ma1a2b1b2"]);
  assertEquals(seen, [
    "a pre 1 forward_message b m",
    "a pre 2 forward_message b m",
    "a post 1 m ma1a2",
    "a post 2 m ma1a2",
    "b pre 1 receive_message a ma1a2",
    "b pre 2 receive_message a ma1a2",
    "b post 1 ma1a2 ma1a2b1b2",
    "b post 2 ma1a2 ma1a2b1b2",
  ]);
});

scenario("Returning undefined drops a message, on the way out as on the way in", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  const results: unknown[] = [];
  a.addInterpositionFun("drop", ({ message }) => message === "out" ? undefined : message);
  a.addPostInterpositionFun("see", (_, result) => void results.push(result));
  b.addInterpositionFun("drop", ({ message }) => message === "in" ? undefined : message);
  for (const message of ["out", "in", "through"]) await a.forwardMessage("b", "log", message);
  await world.until("it arrived", () => heard.messages.length === 1);
  assertEquals(heard.messages, ["through"]);
  assertEquals(results, [undefined, "in", "through"]);
});

scenario("delay() puts a message back to the end of the queue", async (world) => {
  for (const side of ["a", "b"]) {
    const [a, b] = await world.cluster([`${side}a`, `${side}b`]);
    const heard = world.inbox(b, "log");
    const delayed = new Set<unknown>();
    const results: unknown[] = [];
    const node = side === "a" ? a : b;
    node.addInterpositionFun("delay", ({ message }) => {
      if (message !== 1 || delayed.has(message)) return message;
      delayed.add(message);
      return delay(message);
    });
    node.addPostInterpositionFun("see", (_, result) => void results.push(result));
    const sent = [1, 2, 3].map((n) => a.forwardMessage(b.name, "log", n));
    await Promise.all(sent);
    await world.until("all arrived", () => heard.messages.length === 3);
    assertEquals(heard.messages, [2, 3, 1]);
    assert(results[0] instanceof DelayedMessage);
  }
});

/** Messages that one node delays at a time. */
const DELAYED_MAX = 16_384;

scenario(
  "A sender delays a bounded number of messages: forwardMessage() rejects and castMessage() drops more",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const heard = world.inbox(b, "log");
    const dropped: string[] = [];
    a.addEventListener(
      "undeliverable",
      ({ detail }) => dropped.push(`${detail.node} ${detail.name} ${detail.reason}`),
    );
    a.addInterpositionFun("hold", ({ message }) => delay(message));
    const sent = Array.from({ length: DELAYED_MAX }, (_, n) => a.forwardMessage("b", "log", n));
    const reason = 'Cannot delay a message to "log" on "b": too many are delayed already';
    const refused = assertRejects(() => a.forwardMessage("b", "log", "more"), QueueFullError, reason);
    assertEquals(a.castMessage("b", "log", "more"), false);
    assertEquals(dropped, [`b log ${reason}`]);
    a.removeInterpositionFun("hold");
    await Promise.all([refused, ...sent]);
    await world.until("all arrived", () => heard.messages.length === DELAYED_MAX);
    assert(heard.messages.every((message, index) => message === index));
  },
  ["memory"],
);

scenario("A receiver delays a bounded number of messages, and tells of those that it drops", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  let dropped = 0;
  b.addEventListener("undeliverable", ({ detail }) => {
    assertEquals(detail.reason, "Too many messages are delayed already");
    dropped++;
  });
  b.addInterpositionFun("hold", ({ message }) => message === "last" ? message : delay(message));
  const more = 10;
  for (let n = 0; n < DELAYED_MAX + more; n++) await a.forwardMessage("b", "log", n);
  await a.forwardMessage("b", "log", "last");
  await world.until("all came", () => heard.messages.length === 1);
  b.removeInterpositionFun("hold");
  assertEquals(dropped, more);
  await world.until("all others arrived", () => heard.messages.length === DELAYED_MAX + 1);
}, ["memory"]);

scenario("A function that throws drops the message and becomes an error event", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  const faulty = ({ message }: { message: unknown }) => {
    if (message === "bad") throw new Error("oops");
    return message;
  };
  for (const node of [a, b]) {
    node.addInterpositionFun("faulty", faulty);
    await a.forwardMessage("b", "log", "bad");
    a.castMessage("b", "log", "bad");
    await a.forwardMessage("b", "log", node.name);
    await world.until("the good one arrived", () => heard.messages.at(-1) === node.name);
    const told = world.errors.splice(0).map(({ during, error }) => `${during}: ${(error as Error).message}`);
    const type = node === a ? "forward_message" : "receive_message";
    assertEquals(told, Array(2).fill(`running interposition functions for ${type}: oops`));
    node.removeInterpositionFun("faulty");
  }
  assertEquals(heard.messages, ["a", "b"]);
});

scenario("get, replace and remove functions by name", async (world) => {
  const a = await world.start("a");
  const [one, two] = [() => 1, () => 2];
  a.addInterpositionFun("b", one);
  a.addInterpositionFun("a", one);
  a.addInterpositionFun("b", two);
  assertEquals([...a.getInterpositionFuns()], [["a", one], ["b", two]]);
  a.getInterpositionFuns().clear();
  assertEquals(a.getInterpositionFuns().size, 2);
  assertEquals([a.removeInterpositionFun("a"), a.removeInterpositionFun("a")], [true, false]);
  a.addPreInterpositionFun("p", () => {});
  a.addPostInterpositionFun("q", () => {});
  assertEquals([a.getPreInterpositionFuns().size, a.getPostInterpositionFuns().size], [1, 1]);
  assertEquals([a.removePreInterpositionFun("p"), a.removePostInterpositionFun("q")], [true, true]);
  // @ts-expect-error -- no function
  assertThrows(() => a.addInterpositionFun("x", 1), TypeError);
  // @ts-expect-error -- no name
  assertThrows(() => a.addPreInterpositionFun(1, () => {}), TypeError);
});

scenario(
  "An acknowledged message that functions drop now and then is sent again until it arrives, once",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const heard = world.inbox(b, "log");
    for (const node of [a, b]) {
      const random = seededRandom(1);
      node.addInterpositionFun("lossy", ({ message }) => random.chance(0.3) ? message : undefined);
    }
    const retransmission = { initial: 20, cap: 50 };
    await Promise.all([1, 2, 3, 4].map((n) => a.forwardMessage("b", "log", n, { ack: true, retransmission })));
    assertEquals(heard.messages.toSorted(), [1, 2, 3, 4]);
  },
);

scenario("An acknowledged message that is always dropped rejects with AckTimeoutError", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  b.addInterpositionFun("drop", () => undefined);
  await assertRejects(() => a.forwardMessage("b", "log", 1, { ack: true, timeout: 100 }), AckTimeoutError);
  assertEquals(heard.messages, []);
});

scenario("Calls pass the functions as well, requests and replies", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("double", (n: number) => n * 2);
  a.addInterpositionFun("add", ({ message }) => (message as number) + 1);
  assertEquals(await a.call("b", "double", 10), 23);
});
