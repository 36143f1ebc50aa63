// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { SimulatedEvent } from "../../testing/simulated_event.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import type { ByteStream } from "../../transport/transport.ts";

/** Nodes that pass tokens in a ring, with random pauses and some work outside the event loop. */
async function ring(world: SimulatedWorld, size: number): Promise<void> {
  const names = Array.from({ length: size }, (_, index) => `n${index}`);
  for (const [index, name] of names.entries()) {
    const { clock, random, transport, outside } = bind(world, name);
    const next = { hostname: names[(index + 1) % size] ?? "", port: 1 };
    let out: ByteStream | undefined;
    await transport.listen({ hostname: name, port: 1 }, async (stream) => {
      const buffer = new Uint8Array(64);
      for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
        await outside(crypto.subtle.digest("SHA-256", buffer.slice(0, count)));
        const token = random.bytes(1 + Math.floor(random.next() * 50));
        clock.schedule(random.next() * 3, () => out?.write(token).catch(() => {}));
      }
    });
    clock.schedule(5, async () => {
      out = await transport.connect(next);
      await out.write(random.bytes(10));
    });
  }
}

function bind(world: SimulatedWorld, name: string) {
  const node = world.node(name);
  return { ...node, clock: node.clock, random: node.random, outside: node.outside.bind(node) };
}

async function history(
  seed: number | string,
  disturb = (_: SimulatedWorld) => {},
): Promise<[string, SimulatedEvent[]]> {
  const trace: SimulatedEvent[] = [];
  const world = new SimulatedWorld({ seed, trace: (event) => trace.push(event) });
  await ring(world, 8);
  disturb(world);
  await world.advance(200);
  return [world.historyHash, trace];
}

Deno.test("the same seed gives the same history, another seed another", async () => {
  const [hash, trace] = await history(1);
  assert(trace.length > 500, `${trace.length} events`);
  const [hashAgain, traceAgain] = await history(1);
  assertEquals(traceAgain, trace);
  assertEquals(hashAgain, hash);
  assertNotEquals((await history(2))[0], hash);
});

Deno.test("the history does not depend on how long outside operations take", async () => {
  const slowly = async <T>(operation: Promise<T>): Promise<T> => {
    const result = await operation;
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    return result;
  };
  const { digest } = crypto.subtle;
  const [hash] = await history(3);
  try {
    crypto.subtle.digest = (...args) => slowly(digest.apply(crypto.subtle, args));
    assertEquals((await history(3))[0], hash);
  } finally {
    crypto.subtle.digest = digest;
  }
});

Deno.test("a test that draws its own randomness does not change the history", async () => {
  const [hash] = await history(4);
  const disturbed = await history(4, (world) => world.random("mine").bytes(100));
  assertEquals(disturbed[0], hash);
});

Deno.test("faults are part of the history", async () => {
  const [hash] = await history(5);
  const [cut] = await history(5, (world) => world.schedule(50, () => world.network.cut("n1", "n2")));
  const [paused] = await history(5, (world) => world.schedule(50, () => world.pause("n1")));
  assertEquals(new Set([hash, cut, paused]).size, 3);
});

Deno.test("what happened is the same however the time is cut into advances", async () => {
  const run = async (step: number) => {
    const world = new SimulatedWorld({ seed: 6 });
    await ring(world, 4);
    for (let time = 0; time < 100; time += step) await world.advance(step);
    return [world.now, world.historyHash];
  };
  assertEquals(await run(1), await run(100));
});

Deno.test("advance() follows up all promises of an event before the next", async () => {
  const world = new SimulatedWorld();
  const { clock } = world.node("a");
  const log: string[] = [];
  const chatter = async (name: string) => {
    for (let step = 0; step < 20; step++) await null;
    log.push(`${name} at ${clock.now()}`);
  };
  for (const delay of [1, 1, 2]) clock.schedule(delay, () => chatter(`timer ${delay}`));
  world.node("b").clock.schedule(1, () => chatter("other"));
  await world.advance(1.5);
  assertEquals(log, ["timer 1 at 1", "timer 1 at 1", "other at 1"]);
  assertEquals(world.now, 1.5);
  await world.advance(10);
  assertEquals(log.length, 4);
  assertEquals(world.now, 11.5);
});

Deno.test("within one instant, a node's timers and those of the test each wait for the promises before them", async () => {
  const world = new SimulatedWorld();
  const { clock } = world.node("a");
  const log: string[] = [];
  const note = (name: string) => () => {
    log.push(name);
    Promise.resolve().then(() => log.push(`after ${name}`));
  };
  clock.schedule(1, note("first"));
  clock.schedule(1, note("second"));
  world.schedule(1, note("test"));
  world.node("b").clock.schedule(1, note("third"));
  await world.advance(1);
  const expected = ["first", "second", "test", "third"].flatMap((name) => [name, `after ${name}`]);
  assertEquals(log, expected);
});

Deno.test("time waits for outside operations, and each is passed on in its turn", async () => {
  const world = new SimulatedWorld();
  const log: string[] = [];
  const work = Promise.withResolvers<string>();
  for (const name of ["a", "b"]) {
    const node = world.node(name);
    node.clock.schedule(1, async () => {
      const operation = name === "a" ? work.promise : Promise.resolve("quick");
      log.push(`${await node.outside(operation)} at ${node.clock.now()}`);
    });
  }
  world.node("a").clock.schedule(2, () => log.push("later"));
  const advanced = world.advance(5);
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  assertEquals(log, []);
  work.resolve("slow");
  await advanced;
  assertEquals(log, ["slow at 1", "quick at 1", "later"]);
});

Deno.test("outside operations finish without time passing", async () => {
  const world = new SimulatedWorld();
  assertEquals(await world.node("a").outside(Promise.resolve(7)), 7);
  assertStrictEquals(await world.node("a").outside(Promise.reject("no")).catch((reason) => reason), "no");
});

Deno.test("runUntil() stops at the first event after which the condition holds, or at its limit", async () => {
  const world = new SimulatedWorld();
  let ticks = 0;
  const { clock } = world.node("a");
  const tick = () => {
    ticks++;
    clock.schedule(10, tick);
  };
  clock.schedule(10, tick);
  assertEquals(await world.runUntil(() => ticks === 3, 1000), true);
  assertEquals(world.now, 30);
  assertEquals(await world.runUntil(() => ticks === 100, 50), false);
  assertEquals([world.now, ticks], [80, 8]);
});

Deno.test("wait() settles like its promise, or rejects at its limit", async () => {
  const world = new SimulatedWorld();
  const { clock } = world.node("a");
  const later = new Promise<string>((resolve) => clock.schedule(30, () => resolve("yes")));
  assertEquals(await world.wait(later, 100), "yes");
  assertEquals(world.now, 30);
  await assertRejects(() => world.wait(Promise.reject(new RangeError("no")), 100), RangeError, "no");
  await assertRejects(() => world.wait(new Promise(() => {}), 5), Error, "still pending after 5 ms of virtual time");
});

Deno.test("time passes for one caller at a time", async () => {
  const world = new SimulatedWorld();
  const advanced = world.advance(1);
  await assertRejects(() => world.advance(1), TypeError, "it is passing already");
  await advanced;
});

Deno.test("advance() rejects with what a timer throws, and can go on afterwards", async () => {
  const world = new SimulatedWorld();
  const { clock } = world.node("a");
  let after = false;
  clock.schedule(1, () => {
    throw new Error("a bug");
  });
  clock.schedule(2, () => after = true);
  await assertRejects(() => world.advance(10), Error, "a bug");
  await world.advance(10);
  assert(after);
});

Deno.test("a paused node's timers run late, in order, once it resumes; cancelled ones do not", async () => {
  const world = new SimulatedWorld();
  const { clock } = world.node("a");
  const log: string[] = [];
  const note = (name: string) => () => log.push(`${name} at ${clock.now()}`);
  clock.schedule(10, note("ten"));
  clock.schedule(20, note("twenty"));
  const cancelled = clock.schedule(15, note("cancelled"));
  clock.schedule(500, note("five hundred"));
  world.pause("a");
  await world.advance(100);
  assertEquals(log, []);
  cancelled.cancel();
  world.resume("a");
  await world.advance(1000);
  assertEquals(log, ["ten at 100", "twenty at 100", "five hundred at 500"]);
});

Deno.test("a node that resumes runs its late timers before it learns what arrived", async () => {
  const world = new SimulatedWorld({ latency: 1 });
  const [a, b] = [world.node("a"), world.node("b")];
  const log: string[] = [];
  await a.transport.listen({ hostname: "a", port: 1 }, async (stream) => {
    await stream.read(new Uint8Array(10));
    log.push("bytes");
  });
  const stream = await world.wait(b.transport.connect({ hostname: "a", port: 1 }), 10);
  a.clock.schedule(50, () => log.push("timer"));
  world.pause("a");
  await stream.write(new Uint8Array(1));
  await world.advance(100);
  world.resume("a");
  await world.advance(0);
  assertEquals(log, ["timer", "bytes"]);
});

Deno.test("a node that is paused again at once learns nothing", async () => {
  const world = new SimulatedWorld();
  const log: string[] = [];
  const a = world.node("a");
  await a.transport.listen({ hostname: "a", port: 1 }, () => log.push("stream"));
  a.clock.schedule(1, () => log.push("timer"));
  world.pause("a");
  await world.wait(world.node("b").transport.connect({ hostname: "a", port: 1 }), 20);
  world.resume("a");
  world.pause("a");
  await world.advance(5);
  assertEquals(log, []);
  world.resume("a");
  await world.advance(0);
  assertEquals(log, ["timer", "stream"]);
});

Deno.test("nothing of a crashed node runs, and its next incarnation has its own timers and randomness", async () => {
  const world = new SimulatedWorld();
  const first = world.node("a");
  const log: string[] = [];
  first.clock.schedule(10, () => log.push("timer"));
  first.defer(() => log.push("deferred"));
  first.outside(Promise.resolve()).then(() => log.push("outside"));
  assertStrictEquals(world.node("a"), first);
  world.crash("a");
  first.clock.schedule(1, () => log.push("new timer"));
  const second = world.node("a");
  assertNotEquals(second, first);
  second.clock.schedule(1, () => log.push("second incarnation"));
  await world.advance(100);
  assertEquals(log, ["second incarnation"]);
  assertNotEquals(second.random.next(), first.random.next());
});

Deno.test("faults need a living node", () => {
  const world = new SimulatedWorld();
  assertThrows(() => world.pause("a"), Error, 'Cannot pause node "a": it is not alive');
  assertThrows(() => world.resume("a"), Error, 'Cannot resume node "a": it is not alive');
  world.node("a");
  world.crash("a");
  assertThrows(() => world.crash("a"), Error, 'Cannot crash node "a": it is not alive');
});

Deno.test("skew moves a node's wall clock only, over its incarnations", async () => {
  const world = new SimulatedWorld();
  const [a, b] = [world.node("a"), world.node("b")];
  world.setSkew("a", -5000);
  await world.advance(10);
  assertEquals(a.clock.wallTime() - b.clock.wallTime(), -5000);
  assertEquals([a.clock.now(), b.clock.now()], [10, 10]);
  world.crash("a");
  assertEquals(world.node("a").clock.wallTime() - b.clock.wallTime(), -5000);
});

Deno.test("defer() runs after the code that is running now, before time goes on", async () => {
  const world = new SimulatedWorld();
  const node = world.node("a");
  const log: string[] = [];
  node.clock.schedule(1, () => {
    node.defer(() => log.push(`deferred at ${node.clock.now()}`));
    log.push("now");
  });
  world.node("b").clock.schedule(1.25, () => log.push("later"));
  await world.advance(2);
  assertEquals(log, ["now", "deferred at 1", "later"]);
});

Deno.test("the network of a world rounds arrivals up to its resolution", async () => {
  const world = new SimulatedWorld({ resolution: 2, latency: 0.5 });
  await world.node("b").transport.listen({ hostname: "b", port: 1 }, () => {});
  await world.advance(1);
  await world.wait(world.node("a").transport.connect({ hostname: "b", port: 1 }), 10);
  assertEquals(world.now, 4);
});
