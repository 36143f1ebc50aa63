// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { scenario, type World } from "./worlds.ts";
import { firstOf } from "../values.ts";

const COUNT = 40;
const BYTES = 200 * 1024;
const BORROW = { borrow: true };

/** The byte that message `index` consists of, and nothing else; -1 when it is damaged. */
function contentOf(bytes: Uint8Array): number {
  return bytes.length === BYTES && bytes.every((byte) => byte === bytes[0]) ? firstOf(bytes) : -1;
}

/** Sends messages of one value each, all of which go different ways through the buffers of the receiver. */
async function sendAll(from: PeerServiceManager, name: (index: number) => string, options = {}): Promise<void> {
  for (let index = 0; index < COUNT; index++) {
    await from.forwardMessage("b", name(index), new Uint8Array(BYTES).fill(index), options);
  }
}

/** Registers a handler that keeps what it is given, as it must not when it only borrows it. */
function keeper(world: World, node: PeerServiceManager, name: string, options = {}) {
  const kept: Uint8Array[] = [];
  node.register(name, (message: Uint8Array) => void kept.push(message), options);
  return { kept, arrived: (count: number) => world.until(`${count} arrived`, () => kept.length === count) };
}

const ALL = Array.from({ length: COUNT }, (_, index) => index);

scenario(
  "A handler that borrows finds every message whole while it runs, in memory that is used again",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const contents: number[] = [];
    const buffers = new Set<ArrayBufferLike>();
    b.register("log", (message: Uint8Array) => {
      contents.push(contentOf(message));
      buffers.add(message.buffer);
    }, BORROW);
    await sendAll(a, () => "log");
    await world.until("all arrived", () => contents.length === COUNT);
    assertEquals(contents, ALL);
    assertLess(buffers.size, COUNT / 4);
  },
);

scenario("What other handlers keep stays as it was, however much others borrow", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const { kept, arrived } = keeper(world, b, "keep");
  b.register("borrow", () => {}, BORROW);
  await sendAll(a, (index) => index % 3 === 0 ? "keep" : "borrow");
  await arrived(Math.ceil(COUNT / 3));
  await sendAll(a, () => "borrow");
  assertEquals(kept.map(contentOf), ALL.filter((index) => index % 3 === 0));
});

scenario("Nothing is lent that has guarantees, or that interposition functions may keep", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const acknowledged = keeper(world, b, "acknowledged", BORROW);
  await sendAll(a, () => "acknowledged", { ack: true });
  assertEquals(acknowledged.kept.map(contentOf), ALL);
  const interposed = keeper(world, b, "interposed", BORROW);
  b.addInterpositionFun("look", ({ message }) => message);
  await sendAll(a, () => "interposed");
  await interposed.arrived(COUNT);
  assertEquals(interposed.kept.map(contentOf), ALL);
});

scenario("A name that is taken back is not lent to the caller that takes it next", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("log", () => {}, BORROW);
  assert(b.unregister("log"));
  const { kept, arrived } = keeper(world, b, "log");
  await sendAll(a, () => "log");
  await arrived(COUNT);
  assertEquals(kept.map(contentOf), ALL);
});

scenario("A handler of ranges finds every message in its place, in memory that is used again", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard: [content: number, from: string, cast: boolean][] = [];
  const buffers = new Set<ArrayBufferLike>();
  b.register("log", (buffer, start, end, { from, cast }) => {
    heard.push([contentOf(buffer.subarray(start, end)), from, cast]);
    buffers.add(buffer.buffer);
  }, { borrow: "range" });
  await sendAll(a, () => "log");
  await world.until("all arrived", () => heard.length === COUNT);
  assertEquals(heard, ALL.map((content) => [content, "a", false]));
  assertLess(buffers.size, COUNT / 4);
});

scenario("A handler of ranges is given what comes any other way as well, whole and with its reply", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("sum", (buffer, start, end) => buffer.subarray(start, end).reduce((x, y) => x + y, 0), {
    borrow: "range",
  });
  assertEquals(await a.call("b", "sum", new Uint8Array([1, 2, 3])), 6);
  assertEquals(await b.call("b", "sum", new Uint8Array([4, 5])), 9);
  b.addInterpositionFun("double", ({ message }) => message instanceof Uint8Array ? message.map((n) => 2 * n) : message);
  assertEquals(await a.call("b", "sum", new Uint8Array([1, 2, 3])), 12);
});

scenario("A message that is no bytes fails at a handler of ranges, and those behind it do not", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const lengths: number[] = [];
  b.register("log", (_, start, end) => void lengths.push(end - start), { borrow: "range" });
  for (const message of ["text", new Uint8Array(3), [1, 2], null, new Uint8Array(0), new Uint8Array(70_000)]) {
    await a.forwardMessage("b", "log", message);
  }
  await world.until("all arrived", () => lengths.length === 3);
  assertEquals(lengths, [3, 0, 70_000]);
  assertEquals(world.errors.splice(0).map(({ error }) => `${error}`), [
    'TypeError: Cannot take a message to "log": it is string, expected bytes',
    'TypeError: Cannot take a message to "log": it is an array, expected bytes',
    'TypeError: Cannot take a message to "log": it is null, expected bytes',
  ]);
});
