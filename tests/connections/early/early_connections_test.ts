// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { MEMBERSHIP_CHANNEL } from "../../../connections/peer.ts";
import { FrameKind } from "../../../wire/frame_kind.ts";
import { readU32 } from "../../../wire/integers.ts";
import { uniformLatency } from "../../../transport/memory/memory_links.ts";
import { FEATURES } from "../../../connections/handshake/introduction.ts";
import { nthOf, present } from "../../values.ts";
import {
  assertConnected,
  HANDSHAKE_TIMEOUT,
  type PoolNode,
  type PoolNodeOptions,
  PoolWorld,
  wantEachOther,
} from "../pool_world.ts";

const SOON = 1_000;
const CHANNELS = { bulk: 2 };
/** The slots that are used, by number. */
const SLOTS = [["default", 0], ["bulk", 0], ["bulk", 1]] as const;

async function pair(world: PoolWorld, options: PoolNodeOptions = {}): Promise<[PoolNode, PoolNode]> {
  const a = await world.start("a", { channels: CHANNELS, ...options });
  const b = await world.start("b", { channels: CHANNELS, ...options });
  a.usesAll = b.usesAll = false;
  wantEachOther(a, b);
  await world.advance(SOON);
  return [a, b];
}

/**
 * Sends a numbered message to a slot. The message says which slot has taken it: while its own has no connection, another one of the channel
 * does, and there is no order between the two.
 *
 * @returns Whether there was a connection to take it.
 */
function send(from: PoolNode, to: PoolNode, slot: number, number: number, bytes: number): boolean {
  const [channel, index] = nthOf(SLOTS, slot);
  const connection = from.peer(to.spec.name).pick(channel, index, false);
  if (connection === null) return false;
  const writer = connection.queue.begin(FrameKind.message);
  writer.u8(SLOTS.findIndex((taken) => taken[0] === channel && taken[1] === connection.index));
  writer.u32(number);
  writer.raw(new Uint8Array(bytes));
  connection.queue.commit();
  return true;
}

/** The numbers that came over a slot, in their order. */
function received({ messages }: PoolNode, slot: number): number[] {
  return messages.filter(([, body]) => body[0] === slot).map(([, body]) => readU32(body, 1));
}

Deno.test("a channel has no connection until it is used, and its first message does not wait for one", async () => {
  for (const user of [0, 1]) {
    const world = new PoolWorld({ latency: uniformLatency(10, 10) });
    const nodes = await pair(world);
    const [from, to] = user === 0 ? nodes : [nodes[1], nodes[0]];
    assertEquals([world.streams("a"), world.streams("b")], [1, 1]);
    for (const [node, other] of [[from, to], [to, from]] as const) {
      const { name } = other.spec;
      assertEquals(node.newlyTold(), [
        `linked ${name}`,
        `up ${name}`,
        `+default ${name}`,
        `+membership ${name}`,
        `+bulk ${name}`,
      ]);
      assert(node.peer(name).fullyConnected);
    }
    assert(await world.isQuiet());
    assert(send(from, to, 0, 1, 10));
    await world.advance(11);
    assertEquals(received(to, 0), [1]);
    await world.advance(SOON);
    assertEquals([world.streams("a"), world.streams("b")], [2, 2]);
    assertEquals(from.peer(to.spec.name).at("bulk", 0), null);
    for (const node of nodes) assertEquals(node.newlyTold(), []);
    assert(await world.isQuiet());
  }
});

Deno.test("a node that does not know of early connections is dialed at once on all channels", async () => {
  const world = new PoolWorld();
  const nodes = await pair(world, { identity: { features: FEATURES.filter((feature) => feature !== "early") } });
  assertConnected(world, nodes);
  assertEquals(world.streams("a"), 4);
});

Deno.test("first uses that cross, and membership connections that change meanwhile, lose nothing, double nothing and keep the order of each slot", async () => {
  for (let seed = 1; seed <= 120; seed++) {
    const world = new PoolWorld({ seed, latency: uniformLatency(1, seed % 3 === 0 ? 120 : 30) });
    const secrets = seed % 4 === 0 ? ["s3cret"] : [];
    const [a, b] = await pair(world, { secrets });
    const random = world.world.random("uses");
    const counts = new Map<string, number>();
    for (let at = 0; at < 300; at++) {
      const [from, to] = random.next() < 0.5 ? [a, b] : [b, a];
      world.world.schedule(random.int(400), () => {
        const slot = random.int(SLOTS.length);
        const key = `${from.spec.name}${slot}`;
        const number = counts.get(key) ?? 0;
        // Some are larger than what may be on its way.
        const bytes = random.next() < 0.1 ? random.int(60_000) : random.int(2_000);
        assert(send(from, to, slot, number, bytes), `seed ${seed}`);
        counts.set(key, number + 1);
      });
    }
    // Two that both dial at the same time may have neither for a moment; they have time for one after the other here.
    const first = random.int(100);
    for (let round = random.int(3); round > 0; round--) {
      const [by, other] = random.next() < 0.5 ? [a, b] : [b, a];
      world.world.schedule(first + 250 * (round - 1), () => {
        by.pool.dial(by.peer(other.spec.name), MEMBERSHIP_CHANNEL, 0).catch(() => {});
      });
    }
    await world.advance(10_000);
    for (const [from, to] of [[a, b], [b, a]] as const) {
      for (const slot of SLOTS.keys()) {
        const count = counts.get(`${from.spec.name}${slot}`) ?? 0;
        assertEquals(received(to, slot), [...Array(count).keys()], `seed ${seed}: ${from.spec.name} ${slot}`);
      }
    }
    assertConnected(world, [a, b], `seed ${seed}`);
    assert([...a.told, ...b.told].every((event) => !/down|un|-/.test(event)), `seed ${seed}`);
    assert(await world.isQuiet(), `seed ${seed}`);
  }
});

Deno.test("first uses under resets and cuts double nothing, keep the order of each slot, and end with one connection per slot", async () => {
  let lost = 0;
  let came = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const world = new PoolWorld({ seed, latency: uniformLatency(1, 30) });
    const [a, b] = await pair(world);
    const { network } = world.world;
    const random = world.world.random("trouble");
    let number = 0;
    for (let at = 0; at < 200; at++) {
      const [from, to] = random.next() < 0.5 ? [a, b] : [b, a];
      world.world.schedule(random.int(1_000), () => {
        send(from, to, random.int(SLOTS.length), number++, random.int(random.next() < 0.1 ? 60_000 : 2_000));
      });
    }
    world.world.schedule(random.int(60), () => {
      const trouble = random.pick(["reset", "one way", "both ways"]);
      if (trouble === "reset") network.reset("a", "b");
      else if (trouble === "one way") network.cutOneWay("a", "b");
      else network.cut("a", "b", { connects: random.pick(["hang", "refuse"]) });
    });
    world.world.schedule(200 + random.int(300), () => network.heal());
    await world.advance(30_000);
    for (const node of [a, b]) {
      for (const slot of SLOTS.keys()) {
        const numbers = received(node, slot);
        assertEquals(numbers, [...new Set(numbers)].sort((one, other) => one - other), `seed ${seed}`);
        came += numbers.length;
      }
    }
    lost += number;
    for (const [from, to] of [[a, b], [b, a]] as const) {
      for (const slot of SLOTS.keys()) send(from, to, slot, number, 1);
    }
    await world.advance(SOON);
    assertConnected(world, [a, b], `seed ${seed}`);
    for (const node of [a, b]) {
      for (const slot of SLOTS.keys()) assertEquals(received(node, slot).at(-1), number, `seed ${seed}`);
    }
  }
  // Trouble has come, and most went through it.
  assertLess(came, lost);
  assertGreater(came, lost / 2);
});

Deno.test("a large first message does not hold up what else the membership connection carries, and goes on where there never is a socket", async () => {
  const world = new PoolWorld({ latency: uniformLatency(5, 5) });
  const hasRoom = { value: true };
  const [a, b] = await pair(world, {
    wrap: (transport) => ({
      listen: (...listening) => transport.listen(...listening),
      connect: (...dialed) => {
        if (hasRoom.value) return transport.connect(...dialed);
        return Promise.reject(new Error("Cannot connect: Too many open files (os error 24)"));
      },
    }),
  });
  hasRoom.value = false;
  assert(send(a, b, 0, 0, 500_000));
  assert(send(a, b, 0, 1, 10));
  const { queue } = present(a.peer("b").membership);
  let most = 0;
  let answered = 0;
  for (let at = 0; at < 400; at++) {
    most = Math.max(most, queue.queuedBytes);
    if (at % 50 === 0) a.pinger.ping(a.peer("b"), 20).then((isAnswered) => answered += isAnswered ? 1 : 0);
    await world.advance(1);
  }
  assertLessOrEqual(most, 40_000);
  assertEquals(answered, 8);
  assertEquals(received(b, 0), [0, 1]);
  assertEquals(present(present(a.peer("b").at("default", 0)).early).hasSocket, false);
  hasRoom.value = true;
  await world.advance(60_000);
  assertEquals(present(a.peer("b").at("default", 0)).early, null);
});

Deno.test("a node that dies while a first use goes over to its socket is down at once, whatever has come over which of the two", async () => {
  for (const user of [0, 1]) {
    for (const isReset of [true, false]) {
      for (let after = 0; after <= 80; after += 5) {
        const world = new PoolWorld({ latency: uniformLatency(10, 10) });
        const nodes = await pair(world);
        const [from, to] = user === 0 ? nodes : [nodes[1], nodes[0]];
        assert(send(from, to, 0, 1, 10));
        await world.advance(after);
        if (isReset) world.world.network.reset("a", "b");
        from.pool.stop();
        await world.advance(50);
        const note = `user ${user}, reset ${isReset}, after ${after}`;
        assert(to.told.includes(`down ${from.spec.name}`), note);
        assertFalse(to.peer(from.spec.name).hasConnections, note);
      }
    }
  }
});

Deno.test("a node that has forgotten a peer, and that it is connected with again, takes nothing twice of what the other one says again", async () => {
  for (const user of [0, 1]) {
    const world = new PoolWorld({ latency: uniformLatency(10, 10) });
    const nodes = await pair(world);
    const [from, to] = user === 0 ? nodes : [nodes[1], nodes[0]];
    assert(send(from, to, 0, 1, 10));
    await world.advance(11);
    assertEquals(received(to, 0), [1]);
    // From here on, no word that either end says to the other arrives.
    world.world.network.forget("a", "b");
    const former = to.peer(from.spec.name);
    to.pool.want([]);
    to.pool.disconnect(former);
    assertEquals(to.pool.peers.size, 0);
    wantEachOther(from, to);
    from.pool.doubt(from.peer(to.spec.name));
    // A dial may still be under way through the hole.
    await world.advance(HANDSHAKE_TIMEOUT + SOON);
    assert(to.peer(from.spec.name) !== former);
    for (const [one, other] of [[from, to], [to, from]] as const) {
      assert(send(one, other, 0, 2, 10));
      await world.advance(SOON);
      assertEquals(received(other, 0).at(-1), 2);
    }
    assertEquals(received(to, 0), [1, 2]);
    assert(await world.isQuiet());
  }
});
