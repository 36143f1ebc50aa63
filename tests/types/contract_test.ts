// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  CallError,
  type PeerServiceManager,
  type ServerRef,
  type StandardSchema,
  startPeerService,
} from "../../mod.ts";
import { scenario } from "../manager/worlds.ts";
import { present } from "../values.ts";

interface Contract {
  adder(message: { x: number; y: number }): number;
  later(message: string): Promise<Date>;
  log(line: string): void;
}

interface Other {
  ping(): "pong";
}

interface Values {
  count(to: number): AsyncIterable<number>;
  lines(path: string): Promise<AsyncGenerator<string>>;
  plain(message: string): number;
}

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles only for types that are the same. */
function isSame<_ extends true>(): void {}

/** Has what must compile, and what must not. It is compiled, never called. */
export async function mustCompile(node: PeerServiceManager<Contract>, any: PeerServiceManager): Promise<void> {
  node.register("adder", ({ x, y }) => x + y);
  node.register("adder", ({ x, y }, { from, signal }) => Promise.resolve(x + y + from.length + Number(signal.aborted)));
  node.register("log", (line) => [line].push("what it returns is nobody's business"));
  any.register("bytes", (buffer, start, end, { from }) => present(buffer[start]) + end + from.length, {
    borrow: "range",
  });
  const bytes = node.as<{ size(message: Uint8Array): number }>();
  bytes.register("size", (_, start, end) => end - start, { borrow: "range" });
  // @ts-expect-error: the reply is a number
  bytes.register("size", (_, start) => `${start}`, { borrow: "range" });
  // @ts-expect-error: a line is a string, which has no range
  node.register("log", (buffer: Uint8Array, start: number) => buffer[start], { borrow: "range" });
  const sum = await node.call("b", "adder", { x: 1, y: 2 }, { timeout: 1_000 });
  isSame<Same<typeof sum, number>>();
  isSame<Same<Awaited<ReturnType<typeof node.call<"later">>>, Date>>();
  isSame<Same<Awaited<ReturnType<typeof node.call<"log">>>, null>>();
  const all = await node.callAll("adder", { x: 1, y: 2 });
  isSame<Same<typeof all, Map<string, PromiseSettledResult<number>>>>();
  await node.forwardMessage("b", "log", "line", { ack: true });
  await node.forwardMessage({ node: "b", name: "log" }, "line");
  node.castMessage("b", "log", "line");
  node.castMessage({ node: "b", name: "adder" }, { x: 1, y: 2 });
  node.broadcast("log", "line");
  node.monitor({ node: "b", name: "log" });
  const pong = await node.as<Other>().call("b", "ping", undefined);
  isSame<Same<typeof pong, "pong">>();

  const values = node.as<Values>();
  values.register("count", async function* (to) {
    for (let n = 0; n < to; n++) yield n;
  });
  for await (const n of values.callStream("b", "count", 3)) isSame<Same<typeof n, number>>();
  for await (const line of values.callStream("b", "lines", "a.txt")) isSame<Same<typeof line, string>>();
  for await (const value of any.callStream("b", "anything", 1)) isSame<Same<typeof value, unknown>>();
  isSame<Same<Awaited<ReturnType<typeof values.call<"count">>>, never>>();
  const none = values.callStream("b", "plain", "x");
  isSame<Same<typeof none, AsyncIterableIterator<never>>>();
  // @ts-expect-error: it yields numbers
  values.register("count", async function* () {
    yield "one";
  });
  // @ts-expect-error: the message is a number
  values.callStream("b", "count", "three");
  // @ts-expect-error: there is no such handler
  values.callStream("b", "countdown", 3);

  // @ts-expect-error: there is no such handler
  node.register("added", () => 1);
  // @ts-expect-error: the message has no z
  node.register("adder", ({ z }) => z);
  // @ts-expect-error: the reply is a number
  node.register("adder", () => "three");
  // @ts-expect-error: a handler is called without a "this"
  node.register("log", function (this: Date, line) {
    this.setTime(line.length);
  });
  // @ts-expect-error: there is no such handler
  await node.callAll("addr", { x: 1, y: 2 });
  // @ts-expect-error: many replies do not fit into one place
  await node.callAll("adder", { x: 1, y: 2 }, { into: new Uint8Array(8) });
  // @ts-expect-error: there is no such handler
  node.broadcast("lag", "line");
  // @ts-expect-error: there is no such handler
  await node.forwardMessage("b", "lag", "line");
  // @ts-expect-error: this contract has no adder
  node.as<Other>().register("adder", () => 1);
  // @ts-expect-error: there is no such handler
  await node.call("b", "addr", { x: 1, y: 2 });
  // @ts-expect-error: y is missing
  await node.call("b", "adder", { x: 1 });
  // @ts-expect-error: the reply is no string
  const text: string = await node.call("b", "adder", { x: 1, y: 2 });
  // @ts-expect-error: y is missing
  await node.callAll("adder", { x: 1 });
  // @ts-expect-error: a line is a string
  await node.forwardMessage("b", "log", 1);
  // @ts-expect-error: a line is a string
  await node.forwardMessage({ node: "b", name: "log" }, 1);
  // @ts-expect-error: there is no such handler
  node.castMessage("b", "lag", "line");
  // @ts-expect-error: a line is a string
  node.castMessage({ node: "b", name: "log" }, 1);
  // @ts-expect-error: a line is a string
  node.broadcast("log", { line: 1 });
  // @ts-expect-error: there is no such handler
  node.monitor({ node: "b", name: "lag" });
  // @ts-expect-error: this contract has no adder
  await node.as<Other>().call("b", "adder", { x: 1, y: 2 });
  // @ts-expect-error: there is no such event
  node.addEventListener("dwon", () => {});
  // @ts-expect-error: there is no such event
  node.removeEventListener("dwon", () => {});
  // @ts-expect-error: the detail of that event has no message
  node.addEventListener("up", ({ detail }) => detail.message);
  node.addEventListener("up", { handleEvent: ({ detail }) => void detail.node });

  // Without a contract there is any name, any message, and a reply that has to be looked at.
  any.register("anything", (message, { from }) => [message.of.any.kind, from]);
  const reply = await any.call("b", "anything", 1);
  isSame<Same<typeof reply, unknown>>();
  const ref: ServerRef = { node: "b", name: "anything" };
  any.castMessage(ref, [text]);
  takesAny(node);
  takesTarget(node);
}

function takesAny(_: PeerServiceManager): void {}
function takesTarget(_: EventTarget): void {}

/** Text in, a number out. */
const length: StandardSchema<string, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "string"
        ? { value: value.length }
        : { issues: [{ message: "Expected text", path: ["some", { key: 0 }] }] },
  },
};

/** The same, a moment later. */
const lengthLater: StandardSchema<string, number> = {
  "~standard": { ...length["~standard"], validate: async (value) => await length["~standard"].validate(value) },
};

scenario(
  "A handler with a schema is given what the schema makes of a message, and never what does not fit",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    for (const [name, schema] of [["now", length], ["later", lengthLater]] as const) {
      const given: number[] = [];
      b.register(name, (n) => {
        given.push(n);
        return n + 1;
      }, { schema });
      assertEquals(await a.call("b", name, "four"), 5);
      await assertRejects(() => a.call("b", name, 4), CallError, `"some.0": Expected text`);
      await assertRejects(() => a.forwardMessage("b", name, 4, { ack: true }), CallError, "Expected text");
      a.castMessage("b", name, 4);
      await a.forwardMessage("b", name, "five!", { ack: true });
      assertEquals(given, [4, 5]);
    }
    await world.until("what was cast is told too", () => world.errors.length === 6);
    world.errors.length = 0;
  },
);

Deno.test("register() refuses a schema that does not keep to the standard", async () => {
  await using node = await startPeerService({ name: "a" });
  for (const schema of [{}, { parse: () => 1 }, { "~standard": {} }, "text"]) {
    // What a program without types may give.
    const options = { schema: schema as unknown as StandardSchema };
    assertThrows(() => node.register("x", () => {}, options), TypeError, "no Standard Schema");
  }
});

Deno.test("as() is the same node", async () => {
  await using node = await startPeerService<Contract>({ name: "a" });
  const other: unknown = node.as<Other>();
  assertStrictEquals(other, node);
});
