// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreaterOrEqual, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { Breaks, denoRuntime } from "../../transport/deno_runtime.ts";
import { systemClock } from "../../runtime/system.ts";
import type { Random } from "../../runtime/runtime.ts";
import { SeededRandom } from "../../testing/seeded_random.ts";
import { MemoryNetwork } from "../../transport/memory/memory_transport.ts";
import { TcpTransport } from "../../transport/tcp/tcp_transport.ts";
import { present } from "../values.ts";

Deno.test("denoRuntime() tells the time of the system", () => {
  const { clock } = denoRuntime();
  const before = performance.now();
  assertGreaterOrEqual(clock.now(), before);
  const wall = clock.wallTime();
  assert(Math.abs(Date.now() - wall) < 10_000);
});

Deno.test("denoRuntime() schedules in order, never early, and cancels", async () => {
  const { clock } = denoRuntime();
  const ran: string[] = [];
  const begun = clock.now();
  const cancelled = clock.schedule(1, () => ran.push("cancelled"));
  clock.schedule(2, () => ran.push("two"));
  cancelled.cancel();
  cancelled.cancel();
  await new Promise<void>((resolve) => clock.schedule(20, resolve));
  assertGreaterOrEqual(clock.now() - begun, 20);
  assertEquals(ran, ["two"]);
});

Deno.test("denoRuntime() schedules delays that setTimeout would run at once", async () => {
  const { clock } = denoRuntime();
  let ran = false;
  const timer = clock.schedule(2 ** 31 + 5, () => ran = true);
  await new Promise<void>((resolve) => clock.schedule(5, resolve));
  assertEquals(ran, false);
  timer.cancel();
});

Deno.test("denoRuntime() gives as many random bytes as asked", () => {
  const { random } = denoRuntime();
  for (const length of [0, 16, 65_536, 200_000]) assertEquals(random.bytes(length).length, length);
  assertEquals(new Set(random.bytes(200_000).subarray(-20_000)).size, 256);
  const drawn = random.next();
  assert(drawn >= 0 && drawn < 1);
});

Deno.test("denoRuntime() defers until the running code has given way", async () => {
  const log: string[] = [];
  denoRuntime().defer(() => log.push("deferred"));
  log.push("now");
  await null;
  assertEquals(log, ["now", "deferred"]);
});

Deno.test("denoRuntime() has its next turn once no deferred code is left, however often that defers more", async () => {
  const { defer, nextTurn } = denoRuntime();
  const log: number[] = [];
  const again = (count: number) => {
    log.push(count);
    if (count < 5) defer(() => again(count + 1));
  };
  const turned = new Promise<void>((resolve) => present(nextTurn)(resolve)).then(() => log.push(-1));
  again(1);
  await turned;
  assertEquals(log, [1, 2, 3, 4, 5, -1]);
});

Deno.test("denoRuntime() returns outside operations as they are", () => {
  const operation = Promise.resolve(1);
  assertStrictEquals(denoRuntime().outside(operation), operation);
});

Deno.test("denoRuntime() takes another transport and randomness, and TCP by default", () => {
  const random: Random = new SeededRandom(1);
  const transport = new MemoryNetwork({ clock: systemClock }).transport("a");
  const runtime = denoRuntime({ random, transport });
  assertStrictEquals(runtime.random, random);
  assertStrictEquals(runtime.transport, transport);
  assertInstanceOf(denoRuntime().transport, TcpTransport);
});

Deno.test("denoRuntime() has all who ask give way together every few milliseconds, until other sockets had their turn", async () => {
  const giveWay = present(denoRuntime().giveWay);
  await giveWay();
  assertEquals(giveWay(), undefined);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connected = false;
  const connecting = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }).then((conn) => {
    connected = true;
    conn.close();
  });
  const start = performance.now();
  while (performance.now() - start < 5);
  const way = giveWay();
  assertInstanceOf(way, Promise);
  assertEquals(giveWay(), way);
  await way;
  assert(connected);
  assertEquals(giveWay(), undefined);
  await connecting;
});

/**
 * Has a first break pass. What is returned waits for the next one, which must come after so many milliseconds and no sooner, with so many short reads
 * before it and during it.
 */
async function followedBreaks(transport: { shortReads: number }) {
  let now = 1000;
  const breaks = new Breaks(transport, { now: () => now });
  await breaks.giveWay();
  return async (milliseconds: number, before: number, during: number): Promise<void> => {
    transport.shortReads += before;
    now += milliseconds - 2 ** -7;
    assertEquals(breaks.giveWay(), undefined, `before ${milliseconds} ms`);
    now += 2 ** -7;
    const present = breaks.giveWay();
    assertInstanceOf(present, Promise, `after ${milliseconds} ms`);
    transport.shortReads += during;
    await present;
  };
}

Deno.test("Breaks are frequent until 10 ms after the last one in which short messages were read, and then each twice as late as the one before", async () => {
  const nextAfter = await followedBreaks({ shortReads: 0 });
  await nextAfter(4, 0, 0);
  await nextAfter(4, 0, 1);
  for (let quiet = 0; quiet < 8; quiet += 0.0625) await nextAfter(0.0625, 0, 0);
  await nextAfter(0.0625, 0, 7);
  for (let quiet = 0; quiet < 10; quiet += 0.0625) await nextAfter(0.0625, 0, 0);
  for (const turn of [0.125, 0.25, 0.5, 1, 2, 4, 4]) await nextAfter(turn, 0, 0);
});

Deno.test("Breaks are rare as long as short messages are read between them as well", async () => {
  const nextAfter = await followedBreaks({ shortReads: 7 });
  await nextAfter(4, 1, 1);
  await nextAfter(4, 0, 1);
  for (const turn of [0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 4]) await nextAfter(turn, 1, 1);
  await nextAfter(4, 0, 1);
  await nextAfter(0.0625, 0, 1);
});

Deno.test("A break asks the system which sockets are ready where breaks are frequent, and waits for turns of the event loop where they are rare", async () => {
  let looks = 0;
  const transport = {
    shortReads: 0,
    look: () => {
      looks++;
      return looks < 3 ? Promise.resolve() : looks === 3 ? Promise.reject(new TypeError("It is gone")) : undefined;
    },
  };
  const nextAfter = await followedBreaks(transport);
  await nextAfter(4, 0, 0);
  await nextAfter(4, 0, 1);
  assertEquals(looks, 0);
  for (const expected of [1, 2, 3, 4]) {
    await nextAfter(0.0625, 0, 0);
    assertEquals(looks, expected);
  }
});

Deno.test("Breaks come every four milliseconds over a transport that does not count short reads", async () => {
  let now = 1000;
  const breaks = new Breaks({}, { now: () => now });
  for (let round = 0; round < 3; round++) {
    await breaks.giveWay();
    now += 4 - 2 ** -7;
    assertEquals(breaks.giveWay(), undefined);
    now += 2 ** -7;
  }
  assertInstanceOf(breaks.giveWay(), Promise);
});
