// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../../testing/seeded_random.ts";
import { SimulatedWorld } from "../../../testing/simulated_world.ts";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { type Latency, uniformLatency } from "../../../transport/memory/memory_links.ts";
import { MemoryNetwork } from "../../../transport/memory/memory_transport.ts";
import type { ByteStream, Listener } from "../../../transport/transport.ts";

const WINDOW = 1024;

/** Two hosts, "a" and "b", with a stream between them. */
class Pair {
  readonly world: SimulatedWorld;
  listener!: Listener;
  a!: ByteStream;
  b!: ByteStream;
  /** Times at which bytes arrived at b, each with their number. */
  readonly arrivals: [time: number, count: number][] = [];
  /** Ends of the reading at b, and at a. */
  readonly ends: Record<string, unknown> = {};

  private constructor(latency: Latency) {
    this.world = new SimulatedWorld({ seed: 1, latency, resolution: 0, windowBytes: WINDOW, retransmission: false });
  }

  static async open(latency: Latency = 1): Promise<Pair> {
    const pair = new Pair(latency);
    const accepted = Promise.withResolvers<ByteStream>();
    pair.listener = await pair.world.node("b").transport.listen({ hostname: "b", port: 0 }, accepted.resolve);
    pair.a = await pair.world.wait(pair.dial(), 1000);
    pair.b = await accepted.promise;
    return pair;
  }

  get network(): MemoryNetwork {
    return this.world.network;
  }

  dial(signal?: AbortSignal): Promise<ByteStream> {
    return this.world.node("a").transport.connect(this.listener.address, signal && { signal });
  }

  /** Reads at both ends from now on. */
  readBoth(): void {
    const read = async (name: string, stream: ByteStream, onBytes: (count: number) => void) => {
      const buffer = new Uint8Array(4096);
      try {
        for (;;) {
          const count = await stream.read(buffer);
          if (count === null) break;
          onBytes(count);
        }
        this.ends[name] = null;
      } catch (error) {
        this.ends[name] = (error as Error).message;
      }
    };
    read("a", this.a, () => {});
    read("b", this.b, (count) => this.arrivals.push([this.world.now, count]));
  }
}

/** Watches what becomes of `promise`. */
function watch(promise: Promise<unknown>): { state: "pending" | "resolved" | "rejected" } {
  const watched: { state: "pending" | "resolved" | "rejected" } = { state: "pending" };
  promise.then(() => watched.state = "resolved", () => watched.state = "rejected");
  return watched;
}

Deno.test("connecting takes the way there and back, bytes the way there", async () => {
  const pair = await Pair.open(3);
  assertEquals(pair.world.now, 6);
  pair.readBoth();
  await pair.a.write(new Uint8Array(10));
  await pair.world.advance(10);
  assertEquals(pair.arrivals, [[9, 10]]);
});

Deno.test("latencies are drawn per write, and never change the order of bytes", async () => {
  const latencies = [5, 1, 9];
  const pair = await Pair.open((_, __, to) => to === "b" ? latencies.shift() ?? 2 : 0);
  assertEquals(pair.world.now, 5);
  pair.readBoth();
  for (const length of [1, 2, 4]) await pair.a.write(new Uint8Array(length));
  await pair.world.advance(20);
  assertEquals(pair.arrivals, [[6, 1], [14, 2], [14, 4]]);
});

Deno.test("uniformLatency() stays within its bounds and uses them", () => {
  const latency = uniformLatency(2, 6) as (random: SeededRandom, from: string, to: string) => number;
  const random = new SeededRandom(3);
  const drawn = Array.from({ length: 1000 }, () => latency(random, "a", "b"));
  assert(drawn.every((ms) => ms >= 2 && ms < 6));
  assert(Math.min(...drawn) < 2.1 && Math.max(...drawn) > 5.9);
});

Deno.test("a latency function without randomness is refused", () => {
  const make = () => new MemoryNetwork({ clock: new VirtualClock(), latency: uniformLatency(1, 2) });
  assertThrows(make, TypeError, "no source of randomness");
});

Deno.test("write() resolves when its last byte is within the window of what no node has read", async () => {
  const pair = await Pair.open();
  const first = watch(pair.a.write(new Uint8Array(WINDOW)));
  await pair.world.advance(0);
  assertEquals(first.state, "resolved");
  const second = watch(pair.a.write(new Uint8Array(1)));
  await pair.world.advance(1000);
  assertEquals(second.state, "pending");
  await pair.b.read(new Uint8Array(10));
  await pair.world.advance(0);
  assertEquals(second.state, "resolved");
});

Deno.test("a reader that takes crumbs does not make the network carry crumbs", async () => {
  const arrived: number[] = [];
  const world = new SimulatedWorld({
    latency: 1,
    windowBytes: WINDOW,
    trace: ({ kind, bytes }) => kind === "data" && arrived.push(bytes),
  });
  const received = Promise.withResolvers<void>();
  await world.node("b").transport.listen({ hostname: "b", port: 1 }, async (stream) => {
    for (let count = 0; count < 3 * WINDOW; count++) await stream.read(new Uint8Array(1));
    received.resolve();
  });
  const stream = await world.wait(world.node("a").transport.connect({ hostname: "b", port: 1 }), 10);
  stream.write(new Uint8Array(3 * WINDOW));
  await world.wait(received.promise, 1000);
  assertEquals(arrived, [WINDOW, ...Array(8).fill(WINDOW / 4)]);
});

Deno.test("bytes that meet a cut wait, and arrive when it has healed", async () => {
  const pair = await Pair.open(1);
  pair.readBoth();
  pair.network.cut("a", "b");
  await pair.a.write(new Uint8Array(10));
  await pair.a.write(new Uint8Array(20));
  await pair.world.advance(100);
  assertEquals(pair.arrivals, []);
  pair.network.heal("a", "b");
  await pair.world.advance(100);
  assertEquals(pair.arrivals, [[103, 10], [103, 20]]);
});

Deno.test("a cut that comes and goes while bytes are under way does not touch them", async () => {
  const pair = await Pair.open(10);
  pair.readBoth();
  await pair.a.write(new Uint8Array(10));
  await pair.world.advance(2);
  pair.network.cut("a", "b");
  await pair.world.advance(2);
  pair.network.heal();
  await pair.world.advance(20);
  assertEquals(pair.arrivals, [[30, 10]]);
});

Deno.test("a cut that heals at once lets bytes without latency pass once", async () => {
  const pair = await Pair.open(0);
  pair.readBoth();
  pair.network.cut("a", "b");
  await pair.a.write(new Uint8Array(10));
  pair.network.heal();
  await pair.world.advance(1);
  await pair.a.write(new Uint8Array(20));
  await pair.world.advance(1);
  assertEquals(pair.arrivals, [[0, 10], [1, 20]]);
});

Deno.test("a one-way cut leaves the other direction open", async () => {
  const pair = await Pair.open(1);
  pair.readBoth();
  pair.network.cutOneWay("b", "a");
  await pair.a.write(new Uint8Array(10));
  const reading = watch(pair.b.write(new Uint8Array(5)));
  await pair.world.advance(50);
  assertEquals(pair.arrivals, [[3, 10]]);
  assertEquals(reading.state, "resolved");
  pair.b.close();
  await pair.world.advance(50);
  assertEquals(pair.ends, { b: 'Cannot read from the stream to "a": the stream is closed' });
  pair.network.heal();
  await pair.world.advance(50);
  assertEquals(pair.ends.a, null);
});

Deno.test("a cut stalls writers once the window is full", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  pair.network.cut("a", "b");
  const writing = watch(pair.a.write(new Uint8Array(3 * WINDOW)));
  await pair.world.advance(1000);
  assertEquals(writing.state, "pending");
  pair.network.heal();
  await pair.world.advance(100);
  assertEquals(writing.state, "resolved");
  assertEquals(pair.arrivals.reduce((sum, [, count]) => sum + count, 0), 3 * WINDOW);
});

Deno.test("groups can be cut from each other, and stay connected within", async () => {
  const world = new SimulatedWorld({ latency: 1 });
  const names = ["a", "b", "c", "d"];
  for (const name of names) {
    await world.node(name).transport.listen({ hostname: name, port: 1 }, () => {});
  }
  world.network.cut(["a", "b"], ["c", "d"]);
  const dials = names.flatMap((from) =>
    names.filter((to) => to > from).map((to) => {
      const state = watch(world.node(from).transport.connect({ hostname: to, port: 1 }));
      return { way: from + to, state };
    })
  );
  await world.advance(100);
  const open = () => dials.filter(({ state }) => state.state === "resolved").map(({ way }) => way);
  assertEquals(open(), ["ab", "cd"]);
  world.network.heal();
  // TCP tries again a second after it began.
  await world.advance(1_000);
  assertEquals(open(), ["ab", "ac", "ad", "bc", "bd", "cd"]);
});

Deno.test("connect() across a cut hangs until the cut has healed", async () => {
  for (const [from, to] of [["a", "b"], ["b", "a"]] as const) {
    const pair = await Pair.open();
    pair.network.cutOneWay(from, to);
    const dialing = watch(pair.dial());
    await pair.world.advance(10_000);
    assertEquals(dialing.state, "pending");
    pair.network.heal();
    await pair.world.advance(10);
    assertEquals(dialing.state, "resolved");
  }
});

Deno.test("connect() across a cut can be aborted", async () => {
  const pair = await Pair.open();
  pair.network.cut("a", "b");
  const controller = new AbortController();
  const dialing = pair.dial(controller.signal);
  await pair.world.advance(10);
  controller.abort("no more");
  assertStrictEquals(await dialing.catch((reason) => reason), "no more");
});

Deno.test("an aborted connect() across a cut leaves nothing behind", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, latency: 1 });
  network.cut("a", "b");
  const controller = new AbortController();
  const dialing = network.transport("a").connect({ hostname: "b", port: 1 }, { signal: controller.signal });
  while (clock.runNext());
  controller.abort("no more");
  await dialing.catch(() => {});
  network.heal();
  assertEquals(clock.pending, 0);
});

Deno.test("connect() that is aborted when it has been accepted closes the stream", async () => {
  const world = new SimulatedWorld({ latency: 1, resolution: 0 });
  let read: number | null | undefined;
  await world.node("b").transport.listen({ hostname: "b", port: 1 }, async (stream) => {
    read = await stream.read(new Uint8Array(1));
  });
  const controller = new AbortController();
  const dialing = world.node("a").transport.connect({ hostname: "b", port: 1 }, { signal: controller.signal });
  world.schedule(1.5, () => controller.abort("no more"));
  assertStrictEquals(await world.wait(dialing.catch((reason) => reason), 10), "no more");
  await world.advance(10);
  assertEquals(read, null);
});

Deno.test("connect() across a cut fails when the cut refuses", async () => {
  const pair = await Pair.open();
  pair.network.cut("a", "b", { connects: "refuse" });
  await assertRejects(() => pair.world.wait(pair.dial(), 10), Error, "connection refused");
});

Deno.test("reset() breaks both ends, across a cut too, and opens the way for a new stream", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  pair.network.cut("a", "b");
  const writing = assertRejects(() => pair.a.write(new Uint8Array(2 * WINDOW)), Error, "connection reset");
  await pair.world.advance(10);
  pair.network.reset("b", "a");
  await writing;
  await pair.world.advance(0);
  assertEquals(pair.ends, {
    a: 'Cannot use the stream to "b": connection reset',
    b: 'Cannot use the stream to "a": connection reset',
  });
  await assertRejects(() => pair.b.write(new Uint8Array(1)), Error, "connection reset");
  pair.network.heal();
  await pair.world.wait(pair.dial(), 10);
  assertEquals(pair.arrivals, []);
});

Deno.test("reset() breaks an end of which the other was closed, but could not tell", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  pair.network.cut("a", "b");
  pair.a.close();
  await pair.world.advance(10);
  pair.network.reset("a", "b");
  await pair.world.advance(10);
  assertEquals(pair.ends.b, 'Cannot use the stream to "a": connection reset');
});

Deno.test("a clogged link lets through so many bytes a second, of all streams together", async () => {
  const pair = await Pair.open(0);
  pair.readBoth();
  const other = await pair.world.wait(pair.dial(), 10);
  pair.network.clog("a", "b", 1000);
  await pair.a.write(new Uint8Array(500));
  await other.write(new Uint8Array(1000));
  await pair.a.write(new Uint8Array(250));
  await pair.world.advance(10_000);
  assertEquals(pair.arrivals, [[500, 500], [1750, 250]]);
  assertThrows(() => pair.network.clog("a", "b", 0), RangeError, "bytesPerSecond is 0");
});

Deno.test("what is under way on a clogged link arrives soon after it has healed", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  pair.network.clog("a", "b", 1000);
  await pair.a.write(new Uint8Array(500));
  await pair.a.write(new Uint8Array(500));
  await pair.world.advance(100);
  pair.network.heal();
  await pair.world.advance(10);
  assertEquals(pair.arrivals, [[103, 500], [103, 500]]);
});

Deno.test("a slow reader takes so many bytes a second from each stream, and writing to it waits", async () => {
  const pair = await Pair.open(0);
  pair.readBoth();
  pair.network.slowReader("b", 1000);
  const writing = watch(pair.a.write(new Uint8Array(WINDOW + 200)));
  await pair.world.advance(50);
  assertEquals([writing.state, pair.arrivals], ["pending", [[0, 100]]]);
  await pair.world.advance(1000);
  assertEquals(pair.arrivals.slice(1, 4), [[100, 100], [200, 100], [300, 100]]);
  assertEquals(writing.state, "resolved");
  pair.network.slowReader("b", Infinity);
  await pair.world.advance(100);
  assertEquals(pair.arrivals.reduce((sum, [, count]) => sum + count, 0), WINDOW + 200);
  assertThrows(() => pair.network.slowReader("b", 0), RangeError, "bytesPerSecond is 0");
});

Deno.test("a paused host takes bytes up to the window, and learns of them when it goes on", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  pair.world.pause("b");
  const writing = watch(pair.a.write(new Uint8Array(WINDOW)));
  await pair.world.advance(1000);
  assertEquals(writing.state, "resolved");
  const stuck = watch(pair.a.write(new Uint8Array(1)));
  await pair.world.advance(1000);
  assertEquals(stuck.state, "pending");
  assertEquals(pair.arrivals, []);
  pair.world.resume("b");
  await pair.world.advance(0);
  assertEquals(pair.arrivals, [[2002, WINDOW]]);
  assertEquals(stuck.state, "resolved");
});

Deno.test("a paused host can be connected to, and accepts when it goes on", async () => {
  const world = new SimulatedWorld({ latency: 1 });
  const accepted: number[] = [];
  const b = world.node("b");
  await b.transport.listen({ hostname: "b", port: 1 }, () => accepted.push(world.now));
  world.pause("b");
  await world.wait(world.node("a").transport.connect({ hostname: "b", port: 1 }), 10);
  await world.advance(100);
  assertEquals(accepted, []);
  world.resume("b");
  await world.advance(0);
  assertEquals(accepted, [world.now]);
});

Deno.test("a listener that is closed before its paused host could accept resets the stream", async () => {
  const pair = await Pair.open();
  pair.world.pause("b");
  const stream = await pair.world.wait(pair.dial(), 10);
  const reading = assertRejects(() => stream.read(new Uint8Array(1)), Error, "connection reset");
  pair.listener.close();
  pair.world.resume("b");
  await pair.world.advance(10);
  await reading;
});

Deno.test("a host that dialed and was paused meanwhile gets its stream when it goes on", async () => {
  const pair = await Pair.open();
  const dialing = watch(pair.dial());
  pair.world.pause("a");
  await pair.world.advance(100);
  assertEquals(dialing.state, "pending");
  pair.world.resume("a");
  await pair.world.advance(0);
  assertEquals(dialing.state, "resolved");
});

Deno.test("a crashed host is silent: streams stall, connects hang", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  await pair.b.write(new Uint8Array(5));
  pair.world.crash("b");
  const writing = watch(pair.a.write(new Uint8Array(2 * WINDOW)));
  const dialing = watch(pair.dial());
  await pair.world.advance(100_000);
  assertEquals([writing.state, dialing.state], ["pending", "pending"]);
  assertEquals(pair.ends, {});
});

Deno.test("what a host had under way when it crashed is lost", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  await pair.a.write(new Uint8Array(5));
  pair.world.crash("a");
  await pair.world.advance(100);
  assertEquals(pair.arrivals, []);
});

Deno.test("a crashed host that lives again refuses its old streams", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  pair.world.crash("b");
  await pair.a.write(new Uint8Array(5));
  const dialing = pair.dial();
  await pair.world.advance(100);
  pair.world.node("b");
  await assertRejects(() => pair.world.wait(dialing, 10), Error, "connection refused");
  assertEquals(pair.ends, { a: 'Cannot use the stream to "b": connection reset' });
});

Deno.test("a host that crashes with reset tells the others, after what it had sent", async () => {
  const pair = await Pair.open();
  pair.readBoth();
  await pair.a.write(new Uint8Array(5));
  pair.world.crash("a", { reset: true });
  await pair.world.advance(10);
  assertEquals(pair.arrivals, [[3, 5]]);
  assertEquals(pair.ends, { b: 'Cannot use the stream to "a": connection reset' });
});

Deno.test("a host that crashed with reset refuses connects until it lives again", async () => {
  const pair = await Pair.open();
  const { address } = pair.listener;
  pair.world.crash("b", { reset: true });
  await assertRejects(() => pair.world.wait(pair.dial(), 10), Error, "connection refused");
  await pair.world.node("b").transport.listen(address, () => {});
  await pair.world.wait(pair.dial(), 10);
});

Deno.test("nothing that a crashed host waits for, or tries, ever settles", async () => {
  const pair = await Pair.open();
  const { transport } = pair.world.node("b");
  const reading = watch(pair.b.read(new Uint8Array(1)));
  pair.world.crash("b", { reset: true });
  const attempts = [
    reading,
    watch(pair.b.read(new Uint8Array(1))),
    watch(pair.b.write(new Uint8Array(1))),
    watch(transport.connect({ hostname: "a", port: 1 })),
    watch(transport.listen({ hostname: "b", port: 0 }, () => {})),
  ];
  pair.b.close();
  await pair.world.advance(1000);
  assertEquals(attempts.map(({ state }) => state), Array(5).fill("pending"));
});

Deno.test("listening on all interfaces makes a host reachable by its name", async () => {
  const world = new SimulatedWorld({ latency: 1 });
  const listen = (name: string) => world.node(name).transport.listen({ hostname: "0.0.0.0", port: 7 }, () => {});
  const listener = await listen("b");
  await listen("c");
  const dial = () => world.node("a").transport.connect({ hostname: "b", port: 7 });
  await world.wait(dial(), 10);
  listener.close();
  await assertRejects(() => world.wait(dial(), 10), Error, "connection refused");
});

Deno.test("port 0 gives free ports for as long as there are any", async () => {
  const transport = new MemoryNetwork({ clock: new VirtualClock() }).transport("a");
  const listen = (port: number) => transport.listen({ hostname: "a", port }, () => {});
  await listen(1024);
  const given = new Map<number, Listener>();
  for (let port = 1025; port <= 65_535; port++) {
    const listener = await listen(0);
    given.set(listener.address.port, listener);
  }
  assertEquals(given.size, 65_535 - 1024);
  await assertRejects(() => listen(0), Error, "all ports are taken");
  given.get(7777)?.close();
  assertEquals((await listen(0)).address.port, 7777);
});

Deno.test("endless traffic without latency does not keep timers from running", async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  let rounds = 0;
  const bounce = async (stream: ByteStream) => {
    for (;; rounds++) {
      await stream.write(new Uint8Array(1));
      await stream.read(new Uint8Array(1));
    }
  };
  const listener = await network.transport("b").listen({ hostname: "b", port: 0 }, bounce);
  bounce(await network.transport("a").connect(listener.address));
  await new Promise((resolve) => setImmediate(resolve));
  assert(rounds > 100);
  assertEquals(clock.pending, 1);
});

Deno.test("bytes that meet a cut go on when TCP would try again, later and later", async () => {
  for (const [cutFor, arrivesAt] of [[100, 201], [250, 601], [1_000, 1_401], [100_000, 115_001]] as const) {
    const world = new SimulatedWorld({ latency: 0, resolution: 0, retransmission: { initial: 200, cap: 32_000 } });
    let [arrived, accepted] = [0, false];
    await world.node("b").transport.listen({ hostname: "b", port: 1 }, async (stream) => {
      accepted = true;
      await stream.read(new Uint8Array(1));
      arrived = world.node("b").clock.now();
    });
    const stream = await world.wait(world.node("a").transport.connect({ hostname: "b", port: 1 }), 10);
    await world.advance(1 - world.node("a").clock.now());
    assert(accepted);
    world.network.cut("a", "b");
    await stream.write(new Uint8Array(1));
    await world.advance(cutFor);
    world.network.heal();
    await world.advance(40_000);
    assertEquals(arrived, arrivesAt);
  }
});
