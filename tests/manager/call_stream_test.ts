// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallError, type MessageContext, NoHandlerError, NotConnectedError, OverloadedError } from "../../mod.ts";
import { scenario } from "./worlds.ts";
import { firstOf, nthOf } from "../values.ts";

scenario("callStream() reads what a generator yields, as values, in order, then its end", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const values = [1, "two", { three: [3, null] }, null, new Date(5), new Uint8Array([6, 7]), "x".repeat(100_000)];
  for (const to of [b, a]) {
    to.register("values", async function* (message: unknown, { from }: MessageContext) {
      yield [from, message];
      for (const value of values) yield value;
      yield new Uint8Array(3_000_000).fill(7);
    });
    const read: unknown[] = [];
    for await (const value of a.callStream(to.name, "values", { ask: 1 })) read.push(value);
    assertEquals(read.slice(0, -1), [["a", { ask: 1 }], ...values]);
    const bytes = read.at(-1) as Uint8Array;
    assert(bytes.length === 3_000_000 && bytes.every((byte) => byte === 7));
    assertEquals(await Array.fromAsync(a.callStream(to.name, "values", 0)).then((all) => all.length), read.length);
  }
});

scenario("A generator runs no faster than it is read, and ends when the reader has enough", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  for (const to of [b, a]) {
    let made = 0;
    let ended = 0;
    to.register("endless", async function* (size: number) {
      try {
        for (;;) yield new Uint8Array(size).fill(made++);
      } finally {
        ended++;
        world.look();
      }
    }, { concurrency: 1 });
    const values = a.callStream(to.name, "endless", 16_380);
    assertEquals(((await values.next()).value as Uint8Array)[0], 0);
    await new Promise<void>((resolve) => world.clock.schedule(300, resolve));
    assert(made >= 24 && made <= 28, `${made} were made`);
    await assertRejects(() => a.callStream(to.name, "endless", 1).next(), OverloadedError);
    await values.return?.();
    await world.until("it has ended", () => ended === 1);
    let sum = 0;
    for await (const value of a.callStream(to.name, "endless", 1)) {
      sum += (value as Uint8Array).length;
      if (sum === 5_000) break;
    }
    await world.until("it has ended", () => ended === 2);
    await world.until("nothing is left", () => to.stats().streams.open === 0);
  }
});

scenario("What a generator throws comes behind its values, and what is no generator is told", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("broken", async function* () {
    yield 1;
    yield 2;
    throw new RangeError("Out of numbers");
  });
  b.register("unfit", async function* () {
    yield 1;
    yield new Map();
  });
  b.register("plain", () => 1);
  b.register("refuses", () => {
    throw new RangeError("Not today");
  });
  const readAll = async (name: string) => {
    const read: unknown[] = [];
    try {
      for await (const value of a.callStream("b", name, null)) read.push(value);
    } catch (error) {
      read.push(error);
    }
    return read as [...number[], CallError];
  };
  const broken = await readAll("broken");
  assertEquals(broken.slice(0, 2), [1, 2]);
  assertEquals((broken[2] as unknown as CallError).remote, { name: "RangeError", message: "Out of numbers" });
  const [one, unfit] = await readAll("unfit") as unknown as [number, CallError];
  assertEquals([one, unfit.remote?.name], [1, "EncodeError"]);
  assertEquals(`${(await readAll("plain"))[0]}`, `CallError: The handler "plain" returned no AsyncIterable: call it`);
  assertEquals(`${(await readAll("refuses"))[0]}`, "CallError: Not today");
  await assertRejects(() => a.callStream("b", "nobody", null).next(), NoHandlerError);
  await assertRejects(() => a.callStream("nobody", "broken", null).next(), NotConnectedError);
  await assertRejects(() => a.call("b", "broken", null), CallError, "Cannot encode");
  assertEquals(world.errors.splice(0).map(({ during }) => during), [
    `handling a stream to "broken"`,
    `handling a stream to "unfit"`,
    `handling a message to "refuses"`,
  ]);
}, ["memory"]);

scenario("A caller that dies ends the generator and its signal, and a signal ends the reading", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const contexts: MessageContext[] = [];
  let ended = 0;
  b.register("ticks", async function* (_: unknown, context: MessageContext) {
    contexts.push(context);
    try {
      for (let n = 0;; n++) {
        yield n;
        await new Promise<void>((resolve) => world.clock.schedule(10, resolve));
      }
    } finally {
      ended++;
      world.look();
    }
  });
  const read: unknown[] = [];
  const controller = new AbortController();
  const reading = async (node: typeof a, signal?: AbortSignal) => {
    for await (const value of node.callStream("b", "ticks", null, { signal })) {
      read.push(value);
      world.look();
    }
  };
  const first = assertRejects(() => reading(a, controller.signal), Error, "Enough");
  await world.until("some have come", () => read.length > 2);
  controller.abort(new Error("Enough"));
  await first;
  await world.until("it has ended", () => ended === 1 && firstOf(contexts).signal.aborted);
  const second = assertRejects(() => reading(c), Error, "was stopped");
  await world.until("some have come", () => contexts.length === 2 && read.length > 5);
  await c.stop();
  await second;
  await world.until("it has ended", () => ended === 2 && nthOf(contexts, 1).signal.aborted);
});
