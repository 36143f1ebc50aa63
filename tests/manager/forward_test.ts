// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { CallError, EncodeError, MessageTooLargeError, NotConnectedError, type Undeliverable } from "../../mod.ts";
import { nthOf, present } from "../values.ts";
import { scenario } from "./worlds.ts";

scenario("forwardMessage() reaches any handler on any node in one hop, in both shapes", async (world) => {
  const nodes = await world.cluster(["a", "b", "c", "d"]);
  const inboxes = nodes.map((node) => world.inbox(node, "log"));
  for (const from of nodes) {
    for (const to of nodes) {
      await from.forwardMessage(to.name, "log", `${from.name} to ${to.name}`);
      await from.forwardMessage({ node: to.name, name: "log" }, `${from.name} to ${to.name} again`);
      await from.forwardMessage(to.spec, "log", `${from.name} to ${to.name} by specification`);
    }
  }
  await world.until("all arrived", () => inboxes.every(({ messages }) => messages.length === 12));
  for (const { messages, contexts } of inboxes) {
    for (const [index, message] of messages.entries()) {
      assert((message as string).startsWith(`${nthOf(contexts, index).from} to `));
      assertEquals([nthOf(contexts, index).channel, nthOf(contexts, index).cast], ["default", false]);
    }
  }
});

scenario("Messages from one node to one handler arrive in the order in which they were sent", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  for (let n = 0; n < 5_000; n++) a.forwardMessage("b", "log", n);
  await world.until("all arrived", () => heard.messages.length === 5_000);
  assertEquals(heard.messages, Array.from({ length: 5_000 }, (_, n) => n));
});

scenario("Every kind of value arrives as it was, bytes included", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  const values = [
    null,
    true,
    -1,
    2 ** 40,
    1.5,
    "text ☃ 𝄞",
    [1, [2, { three: 3 }]],
    { nested: { list: [null, false] } },
    new Uint8Array([0, 255]),
    new Uint8Array(100_000).fill(7),
    "x".repeat(70_000),
    {},
    [],
    "",
    new Uint8Array(),
  ];
  for (const value of values) await a.forwardMessage("b", "log", value);
  await world.until("all arrived", () => heard.messages.length === values.length);
  assertEquals(heard.messages, values);
});

scenario("A handler may keep the bytes that it is given", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  const sizes = [10, 64, 1_000, 15_000, 17_000, 200_000];
  for (let n = 0; n < 120; n++) await a.forwardMessage("b", "log", new Uint8Array(nthOf(sizes, n % 6)).fill(n));
  await world.until("all arrived", () => heard.messages.length === 120);
  for (const [n, bytes] of heard.messages.entries()) {
    assertEquals(bytes instanceof Uint8Array && bytes.length, sizes[n % 6]);
    assert((bytes as Uint8Array).every((byte) => byte === n), `message ${n} was overwritten`);
  }
});

scenario(
  "What is changed after it was accepted arrives as it was, however large",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    for (const to of [a, b]) {
      const heard = world.inbox(to, "log");
      for (const size of [100, 200_000]) {
        const bytes = new Uint8Array(size);
        for (const n of [1, 2, 3]) await a.forwardMessage(to.name, "log", bytes.fill(n));
        for (const n of [4, 5, 6]) a.castMessage(to.name, "log", bytes.fill(n));
        for (const n of [7, 8]) await a.forwardMessage(to.name, "log", bytes.fill(n), { ack: true });
        bytes.fill(99);
      }
      await world.until("all arrived", () => heard.messages.length === 16);
      const seen = (heard.messages as Uint8Array[]).map((bytes) => [bytes.length, bytes[0], bytes.at(-1)]);
      const expected = [100, 200_000].flatMap((size) => [1, 2, 3, 4, 5, 6, 7, 8].map((n) => [size, n, n]));
      assertEquals(seen, expected);
    }
  },
);

scenario("forwardMessage() to a handler here does without the network, and arrives in a later turn", async (world) => {
  const a = await world.start("a");
  const heard = world.inbox(a, "log");
  const message = { same: "value", bytes: new Uint8Array(3) };
  const sent = a.forwardMessage("a", "log", message);
  assertEquals(heard.messages, []);
  await sent;
  await world.until("it arrived", () => heard.messages.length === 1);
  assertEquals(heard.messages[0], message);
  assert(heard.messages[0] !== message);
  await a.forwardMessage("a", "log", "with ack", { ack: true });
  await world.until("it arrived", () => heard.messages.length === 2);
});

scenario(
  "forwardMessage() rejects with NotConnectedError for strangers and for members that are down",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const error = await assertRejects(() => a.forwardMessage("nobody", "log", 1), NotConnectedError);
    assertEquals(
      error.message,
      `Cannot send to "nobody": it is not a member, or this node does not want to connect to it`,
    );
    await b.stop();
    await world.until("a noticed", () => !a.isConnected("b"));
    await assertRejects(() => a.forwardMessage("b", "log", 1), NotConnectedError, "there is no connection now");
  },
);

scenario("forwardMessage() rejects what cannot be encoded or is too large; the connection lives on", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { maxFrameBytes: 4_096 });
  const heard = world.inbox(b, "log");
  const loop: unknown[] = [];
  loop.push(loop);
  for (const value of [() => {}, Symbol("s"), loop]) {
    await assertRejects(() => a.forwardMessage("b", "log", value), EncodeError);
    await assertRejects(() => a.forwardMessage("b", "log", value, { ack: true }), EncodeError);
  }
  for (const value of [new Uint8Array(4_096), "x".repeat(5_000), new Uint8Array(100_000)]) {
    await assertRejects(() => a.forwardMessage("b", "log", value), MessageTooLargeError, "the limit is 4096");
    await assertRejects(() => a.forwardMessage("b", "log", value, { ack: true }), MessageTooLargeError);
  }
  await a.forwardMessage("b", "log", new Uint8Array(4_000));
  await world.until("it arrived", () => heard.messages.length === 1);
  await world.until("its channel is open", () => present(a.stats().peers.b).connections === 2);
});

scenario("forwardMessage() rejects malformed arguments", async (world) => {
  const a = await world.start("a");
  // @ts-expect-error -- no handler name
  await assertRejects(() => a.forwardMessage("a"), TypeError, "expected a node and a handler name");
  // @ts-expect-error -- nothing at all
  await assertRejects(() => a.forwardMessage(), TypeError);
  // @ts-expect-error -- null is no reference
  await assertRejects(() => a.forwardMessage(null, "x", 1), TypeError);
  // @ts-expect-error -- a reference without a name
  await assertRejects(() => a.forwardMessage({ node: "a" }, 1), TypeError);
});

scenario("An unknown handler name is an undeliverable event at the receiver, and counted", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const told: Undeliverable[] = [];
  b.addEventListener("undeliverable", ({ detail }) => told.push(detail));
  await a.forwardMessage("b", "nobody", 1);
  await world.until("b told", () => told.length === 1);
  assertEquals(told, [{ node: "b", name: "nobody", reason: `No handler is registered as "nobody"` }]);
  assertEquals(b.stats().messages.unhandled, 1);
});

scenario("A handler that throws or rejects becomes an error event, and harms no other node", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  b.register("throws", () => {
    throw new Error("thrown");
  });
  b.register("rejects", () => Promise.reject(new Error("rejected")));
  for (const name of ["throws", "rejects", "log"]) await a.forwardMessage("b", name, 1);
  for (const name of ["throws", "rejects"]) {
    await assertRejects(() => a.forwardMessage("b", name, 1, { ack: true }), CallError);
  }
  await a.forwardMessage("b", "log", 1, { ack: true });
  await world.until("all happened", () => world.errors.length === 4 && heard.messages.length === 2);
  const told = world.errors.splice(0).map(({ during, node, error }) =>
    `${node}: ${during}: ${(error as Error).message}`
  );
  assertEquals(told.sort(), [
    `a: handling a message to "rejects": rejected`,
    `a: handling a message to "rejects": rejected`,
    `a: handling a message to "throws": thrown`,
    `a: handling a message to "throws": thrown`,
  ]);
});

scenario("register(), unregister() and whereis() manage names", async (world) => {
  const a = await world.start("a");
  const handler = () => {};
  a.register("x", handler);
  assert(a.whereis("x") === handler);
  assertEquals(a.whereis("y"), undefined);
  assertThrows(() => a.register("x", handler), RangeError, "the name is taken");
  assertEquals([a.unregister("x"), a.unregister("x")], [true, false]);
  assertEquals(a.whereis("x"), undefined);
  for (const name of ["", "\0x", "x".repeat(256)]) assertThrows(() => a.register(name, handler), TypeError);
  // @ts-expect-error -- no handler
  assertThrows(() => a.register("z", 1), TypeError, "the handler is number");
});

scenario("Many thousand handler names are each found", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let right = 0;
  const count = 5_000;
  for (let n = 0; n < count; n++) b.register(`handler ${n}`, (message) => void (message === n && right++));
  for (let n = 0; n < count; n++) await a.forwardMessage("b", `handler ${n}`, n);
  await world.until("all arrived", () => right === count);
});

scenario("sendMessage() becomes a message event of the other manager", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const told: unknown[] = [];
  for (const node of [a, b]) node.addEventListener("message", ({ detail }) => told.push([node.name, detail]));
  await a.sendMessage("b", { hello: 1 });
  await a.sendMessage(b.spec, { hello: 2 }, { ack: true });
  await a.sendMessage("a", "to myself");
  await world.until("all told", () => told.length === 3);
  assertEquals(told.filter((entry) => (entry as unknown[])[0] === "b"), [
    ["b", { from: "a", message: { hello: 1 } }],
    ["b", { from: "a", message: { hello: 2 } }],
  ]);
});

scenario("receiveMessage() takes a message as if it came off the wire", async (world) => {
  const a = await world.start("a");
  const heard = world.inbox(a, "log");
  const told: unknown[] = [];
  a.addEventListener("message", ({ detail }) => told.push(detail));
  const seen: unknown[] = [];
  a.addPreInterpositionFun("see", (message) => void seen.push(message));
  a.receiveMessage("b", "bulk", { name: "log", message: 1 });
  a.receiveMessage("b", "bulk", { anything: 1 });
  assertEquals(heard.messages, [1]);
  assertEquals(heard.contexts.map(({ from, channel, cast }) => [from, channel, cast]), [["b", "bulk", false]]);
  assertEquals(told, [{ from: "b", message: { anything: 1 } }]);
  assertEquals(seen, [
    { type: "receive_message", node: "b", channel: "bulk", message: 1 },
    { type: "receive_message", node: "b", channel: "bulk", message: { anything: 1 } },
  ]);
});

scenario("forwardMessage() rejects with the reason of an aborted signal and sends nothing", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  const signal = AbortSignal.abort(new RangeError("no"));
  await assertRejects(() => a.forwardMessage("b", "log", 1, { signal }), RangeError, "no");
  await assertRejects(() => a.forwardMessage("b", "log", 2, { signal, ack: true }), RangeError, "no");
  await a.forwardMessage("b", "log", 3);
  await world.until("it arrived", () => heard.messages.length > 0);
  assertEquals(heard.messages, [3]);
});

scenario("A timeout that is no number of milliseconds is refused, and nothing is sent or begun", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const seen: unknown[] = [];
  b.register("log", (message) => void seen.push(message));
  b.registerStream("log", () => void seen.push("stream"));
  for (const timeout of [-1, NaN]) {
    const refused = [
      () => a.forwardMessage("b", "log", 1, { timeout }),
      () => a.forwardMessage("b", "log", 1, { timeout, ack: true }),
      () => a.call("b", "log", 1, { timeout }),
      () => a.callAll("log", 1, { timeout }),
      () => a.openStream("b", "log", null, { timeout }),
      () => a.drain({ timeout }),
    ];
    for (const attempt of refused) {
      const { message } = await assertRejects(attempt, RangeError);
      assertStringIncludes(message, `"timeout" is ${timeout}; expected milliseconds, 0 or more`);
    }
  }
  await a.forwardMessage("b", "log", "last", { ack: true });
  assertEquals(seen, ["last"]);
  assertEquals(a.attribute("a", "draining"), undefined);
});
