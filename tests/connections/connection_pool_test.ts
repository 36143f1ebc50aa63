// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertLessOrEqual, assertRejects, assertStrictEquals } from "@std/assert";
import { FEATURES } from "../../connections/handshake/introduction.ts";
import { PATIENCE } from "../../connections/dialer/peer_dialer.ts";
import { uniformLatency } from "../../transport/memory/memory_links.ts";
import { HandshakeRefusedError } from "../../connections/handshake/refusal.ts";
import type { Transport } from "../../transport/transport.ts";
import { nodeSpec } from "../node_spec.ts";
import { firstOf, nthOf, present } from "../values.ts";
import {
  assertConnected,
  assertPaired,
  BACKOFF,
  COURTESY,
  HANDSHAKE_TIMEOUT,
  IDLE_GRACE,
  type PoolNode,
  PoolWorld,
  slowWrites,
  wantEachOther,
} from "./pool_world.ts";

/** Time for anything that goes well. */
const SOON = 1000;

async function pair(world: PoolWorld): Promise<[PoolNode, PoolNode]> {
  const [a, b] = [await world.start("a"), await world.start("b")];
  wantEachOther(a, b);
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  a.newlyTold();
  b.newlyTold();
  return [a, b];
}

/** Has `a` dial `b`, and expects that there is no use for the connection once it is open. */
function reachInVain(a: PoolNode, b: PoolNode): Promise<unknown> {
  return assertRejects(
    () => a.pool.reach("b", b.spec.addresses),
    Error,
    "no use for the connection any more",
  );
}

Deno.test("two pools that want each other have one connection per slot, and tell so once", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  wantEachOther(a, b);
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  for (const [node, other] of [[a, "b"], [b, "a"]] as const) {
    assertEquals(node.newlyTold(), [`linked ${other}`, `up ${other}`, `+default ${other}`, `+membership ${other}`]);
  }
  assertEquals([a.pool.stats.dials, b.pool.stats.dials], [2, 0]);
  assert(await world.isQuiet());
});

Deno.test("two pools that dial each other at once end with one connection per slot, in any order of events", async () => {
  for (let seed = 1; seed <= 80; seed++) {
    // Beyond a latency of 40 ms a handshake with a secret takes longer than the courtesy time.
    const latencyMax = seed % 2 === 0 ? 40 : 120;
    const world = new PoolWorld({ seed, latency: uniformLatency(1, latencyMax) });
    const secrets = seed % 3 === 0 ? ["s3cret"] : [];
    const a = await world.start("a", { secrets, channels: { bulk: 3 } });
    const b = await world.start("b", { secrets, channels: { bulk: 2, theirs: 2 } });
    const random = world.world.random("starts");
    // Both sides dial of their own accord, whichever side would have to.
    for (const [node, other] of [[a, b], [b, a]] as const) {
      world.world.schedule(random.int(300), () => {
        node.pool.reach(other.spec.name, other.spec.addresses).catch(() => {});
        node.pool.want([other.spec]);
      });
      if (random.next() < 0.5) world.world.schedule(random.int(300), () => node.pool.want([other.spec]));
    }
    await world.advance(10_000);
    assertConnected(world, [a, b], `seed ${seed}`);
    const lost = [...a.told, ...b.told].filter((event) => /un|down|-/.test(event));
    if (latencyMax === 40) assertEquals(lost, [], `seed ${seed}`);
    assert(await world.isQuiet(), `seed ${seed}`);
  }
});

Deno.test("what two pools send each other arrives, over every connection", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  assertEquals([a.greet("b"), b.greet("a")], [2, 2]);
  await world.advance(SOON);
  assertEquals(a.messages, [["b", Uint8Array.of(7)], ["b", Uint8Array.of(7)]]);
  assertEquals(b.messages, [["a", Uint8Array.of(7)], ["a", Uint8Array.of(7)]]);
});

Deno.test("a pool that wants another one which does not want it has all connections, whatever their names", async () => {
  for (const [wanting, other] of [["a", "b"], ["b", "a"]] as const) {
    const world = new PoolWorld();
    const nodes = [await world.start(wanting), await world.start(other)] as const;
    nodes[0].pool.want([nodes[1].spec]);
    await world.advance(SOON);
    assertConnected(world, nodes);
    assertEquals(nodes[1].peer(wanting).wanted, false);
    await world.advance(10 * IDLE_GRACE);
    assertConnected(world, nodes);
  }
});

Deno.test("connections outlive the interest in them by the idle grace, and leave nothing behind", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  a.pool.want([]);
  b.pool.want([]);
  await world.advance(IDLE_GRACE - 100);
  assertPaired(a, b);
  await world.advance(200);
  for (const node of [a, b]) {
    assertEquals([node.pool.peers.size, world.streams(node.spec.name)], [0, 0]);
    assertEquals(node.newlyTold().length, 4);
  }
  assert(await world.isQuiet());
});

Deno.test("a pool does not close what the other side dialed and still wants", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  b.pool.want([]);
  await world.advance(10 * IDLE_GRACE);
  assertPaired(a, b);
  assertEquals([a.newlyTold(), b.newlyTold()], [[], []]);
  a.pool.want([]);
  await world.advance(IDLE_GRACE + SOON);
  assertEquals([world.streams("a"), world.streams("b"), a.pool.peers.size, b.pool.peers.size], [0, 0, 0, 0]);
  assert(await world.isQuiet());
});

Deno.test("a pool keeps what it dialed for as long as the other side wants it, and closes it then", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  const before = a.peer("b").connections();
  a.pool.want([]);
  await world.advance(10 * IDLE_GRACE);
  assertEquals(a.peer("b").connections(), before);
  assertEquals([a.newlyTold(), b.newlyTold()], [[], []]);
  b.pool.want([]);
  await world.advance(2 * IDLE_GRACE);
  assertEquals([world.streams("a"), world.streams("b"), a.pool.peers.size, b.pool.peers.size], [0, 0, 0, 0]);
  assert(await world.isQuiet());
});

Deno.test("a pool that wants a peer again in time keeps its connections", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  const before = a.peer("b").connections();
  a.pool.want([]);
  b.pool.want([]);
  await world.advance(IDLE_GRACE - 100);
  wantEachOther(a, b);
  await world.advance(10 * IDLE_GRACE);
  assertEquals(a.peer("b").connections(), before);
  assertEquals(a.newlyTold(), []);
});

Deno.test("a node takes it that a peer wants connections, until that says otherwise, and again when they reconnect", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  const interests = () => [a.peer("b").wantedThere, b.peer("a").wantedThere];
  a.pool.want([b.spec]);
  await world.advance(SOON);
  assertEquals(interests(), [false, true]);
  b.pool.want([a.spec]);
  await world.advance(SOON);
  assertEquals(interests(), [true, true]);
  b.pool.want([]);
  await world.advance(SOON);
  assertEquals(interests(), [false, true]);
  b.pool.want([a.spec]);
  a.pool.disconnect(a.peer("b"));
  await world.advance(BACKOFF.cap + COURTESY + SOON);
  assertConnected(world, [a, b]);
  assertEquals(interests(), [true, true]);
});

Deno.test("nodes that want each other when they connect, or do not, say so in the handshake and in no frame", async () => {
  const INTEREST_BYTES = 6;
  const said = async (features: readonly string[]) => {
    const world = new PoolWorld();
    const [a, b] = [await world.start("a", { identity: { features } }), await world.start("b")];
    a.pool.want([b.spec]);
    await world.advance(SOON);
    assertEquals([a.peer("b").wantedThere, b.peer("a").wantedThere], [false, true]);
    assertEquals([a.peer("b").toldInterest, b.peer("a").toldInterest], [true, true]);
    const before = [a, b].map((node) => present(firstOf([...node.pool.peers.values()]).membership).bytesOut);
    b.pool.want([a.spec]);
    await world.advance(SOON);
    assertEquals([a.peer("b").wantedThere, b.peer("a").wantedThere], [true, true]);
    return before;
  };
  const old = await said(FEATURES.filter((feature) => feature !== "interest"));
  assertEquals(old.map((bytes) => bytes - INTEREST_BYTES), await said(FEATURES));
});

Deno.test("a node that has changed its mind since it answered a dial says so in a frame", async () => {
  const world = new PoolWorld({ latency: uniformLatency(5, 5) });
  const [a, b] = [await world.start("a"), await world.start("b")];
  a.pool.want([b.spec]);
  // Its dial has begun, and says that the node is wanted.
  await world.advance(12);
  a.pool.want([]);
  await world.advance(SOON);
  assertEquals(b.pool.peers.get("a")?.wantedThere ?? false, false);
});

Deno.test("reach() opens the membership connection only, which closes after the idle grace unless it is wanted", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  const peer = await world.world.wait(a.pool.reach(null, b.spec.addresses), SOON);
  assertEquals([peer.name, peer.connections().length, peer.wanted], ["b", 1, false]);
  await world.advance(IDLE_GRACE - SOON);
  assertStrictEquals(await a.pool.reach("b", b.spec.addresses), peer);
  await world.advance(IDLE_GRACE - 100);
  assertEquals([world.streams("a"), world.streams("b")], [1, 1]);
  await world.advance(SOON);
  assertEquals([world.streams("a"), world.streams("b"), a.pool.peers.size, b.pool.peers.size], [0, 0, 0, 0]);
  assert(await world.isQuiet());
});

Deno.test("reach() opens a new connection with a doubtful peer, and joins the dial that is under way for it", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  const old = a.peer("b").membership;
  a.pool.doubt(a.peer("b"));
  const peer = await world.world.wait(a.pool.reach("b", b.spec.addresses), SOON);
  assert(peer.membership !== null && peer.membership !== old);
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  assertEquals(a.pool.stats.dials, 4);
});

Deno.test("a peer that is gone before its idle grace is over leaves no timer behind", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  a.pool.want([]);
  b.pool.want([]);
  await world.advance(100);
  world.world.network.reset("a", "b");
  await world.advance(100);
  assertEquals([a.pool.peers.size, b.pool.peers.size], [0, 0]);
  assert(await world.isQuiet());

  // Gone even before it was announced.
  const impatient = await world.start("impatient");
  impatient.linked = (peer) => impatient.pool.disconnect(peer);
  await world.world.wait(impatient.pool.reach("b", b.spec.addresses).catch(() => {}), SOON);
  await world.advance(100);
  assertEquals(impatient.pool.peers.size, 0);
  assert(await world.isQuiet());
});

Deno.test("two pools that reach each other by address at once both end up linked, by one connection", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const world = new PoolWorld({ seed, latency: uniformLatency(1, 60) });
    const [a, b] = [await world.start("a"), await world.start("b")];
    const reaching = [a.pool.reach(null, b.spec.addresses), b.pool.reach(null, a.spec.addresses)];
    const results = await world.world.wait(Promise.allSettled(reaching), SOON);
    for (const result of results) {
      const isDuplicate = result.status === "rejected" && result.reason instanceof HandshakeRefusedError &&
        result.reason.refusal.code === "duplicate";
      assert(result.status === "fulfilled" || isDuplicate, `seed ${seed}: ${(result as PromiseRejectedResult).reason}`);
    }
    await world.advance(SOON);
    assertEquals([world.streams("a"), world.streams("b")], [1, 1], `seed ${seed}`);
    assertEquals([a.peer("b").connected, b.peer("a").connected], [true, true], `seed ${seed}`);
    wantEachOther(a, b);
    await world.advance(2 * SOON);
    assertConnected(world, [a, b], `seed ${seed}`);
  }
});

Deno.test("a pool that cannot be dialed back is reached all the same, whichever node hangs in dialing it", async () => {
  const world = new PoolWorld();
  // What "a" dials vanishes, as behind a firewall that drops packets; "b" could refuse nothing.
  const a = await world.start("a", {
    wrap: (transport) => ({
      listen: (...args) => transport.listen(...args),
      connect: (_, options) => {
        const signal = present(options?.signal);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    }),
  });
  const b = await world.start("b");
  wantEachOther(a, b);
  await world.advance(4 * COURTESY);
  assertConnected(world, [a, b]);
  await world.advance(10 * HANDSHAKE_TIMEOUT);
  assertConnected(world, [a, b]);
  assertEquals(a.newlyTold().filter((event) => event.startsWith("down")), []);
  assertLessOrEqual(a.pool.stats.dials, 3);
});

Deno.test("a pool that is late gives the side that is to dial more time: it may just not have read that it is being dialed", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  b.health.late(250);
  b.pool.want([a.spec]);
  await world.advance(3 * COURTESY - 1);
  assertEquals(b.pool.stats.dials, 0);
  await world.advance(1);
  assertEquals(b.pool.stats.dials, 1);
});

Deno.test("a pool dials a peer that cannot be reached without end, and connects soon after it can", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  world.world.network.cut("a", "b", { connects: "refuse" });
  wantEachOther(a, b);
  await world.advance(PATIENCE);
  for (const node of [a, b]) {
    assertGreater(node.pool.stats.dials, PATIENCE / (BACKOFF.cap + COURTESY));
    assertLessOrEqual(node.pool.stats.dials, 10 + PATIENCE / (BACKOFF.cap / 2));
    assertEquals(node.pool.stats.dials - node.pool.stats.dialFailures, 0);
  }
  world.world.network.heal();
  await world.advance(3 * BACKOFF.cap + COURTESY + SOON);
  assertConnected(world, [a, b]);
});

Deno.test("a pool dials fifty long dead peers about once a minute each, and all soon when one of them is back", async () => {
  const world = new PoolWorld();
  const a = await world.start("a");
  const others: PoolNode[] = [];
  for (let at = 0; at < 50; at++) others.push(await world.start(`b${at}`));
  a.pool.want(others.map(({ spec }) => spec));
  await world.advance(SOON);
  world.world.network.cut("a", others.map(({ spec: { name } }) => name), { connects: "refuse" });
  world.world.network.reset("a", others.map(({ spec: { name } }) => name));
  await world.advance(600_000);
  const before = a.pool.stats.dials;
  await world.advance(600_000);
  assertLessOrEqual(a.pool.stats.dials - before, 50 * 11);
  world.world.network.heal();
  await world.advance(5_000);
  for (const { spec: { name } } of others) assertEquals(a.peer(name).linked, true);
});

Deno.test("a pool that is told of thousands of members that do not exist dials few of them a second, and living ones at once", async () => {
  const world = new PoolWorld();
  const a = await world.start("a");
  const others: PoolNode[] = [];
  for (let at = 0; at < 100; at++) others.push(await world.start(`b${at}`));
  a.pool.want(others.map(({ spec }) => spec));
  await world.advance(SOON);
  for (const { spec: { name } } of others) assertEquals(a.peer(name).linked, true);
  const ghosts = Array.from(
    { length: 5_000 },
    (_, at) => nodeSpec(`ghost${at}`, 1, { addresses: [{ hostname: "b0", port: 7 }] }),
  );
  const before = a.pool.stats.dials;
  a.pool.want([...others.map(({ spec }) => spec), ...ghosts]);
  await world.advance(10_000);
  assertLessOrEqual(a.pool.stats.dials - before, 40 + 10 * 6);
  world.world.network.reset("a", "b7");
  await world.advance(200);
  assertEquals(a.peer("b7").linked, true);
  await world.advance(600_000);
  assertLessOrEqual(a.pool.stats.dials - before, 40 + 610 * 6);
});

Deno.test("a host that takes connections and closes them at once is not dialed in a hot loop", async () => {
  const world = new PoolWorld();
  const a = await world.start("a");
  let accepted = 0;
  const { address } = await world.world.node("rude").transport.listen({ hostname: "rude", port: 0 }, (stream) => {
    accepted++;
    stream.close();
  });
  a.pool.want([nodeSpec("b", 1, { addresses: [address] })]);
  await world.advance(60_000);
  assertLessOrEqual(accepted, 100);
  assertGreater(accepted, 25);
});

Deno.test("a connection that breaks is dialed again by the node that dialed it, at once", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  await world.advance(10 * BACKOFF.cap);
  world.world.network.reset("a", "b");
  await world.advance(50);
  assertConnected(world, [a, b]);
  assertEquals(b.pool.stats.dials, 0);
  assertEquals(a.newlyTold().filter((event) => !/[+-]/.test(event)), ["down b", "unlinked b", "linked b", "up b"]);
});

Deno.test("a channel connection that breaks alone comes back without disturbing the others", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  await world.advance(10 * BACKOFF.cap);
  const membership = a.peer("b").membership;
  present(b.peer("a").at("default", 0)).close();
  await world.advance(50);
  assertConnected(world, [a, b]);
  assertStrictEquals(a.peer("b").membership, membership);
  assertEquals(a.newlyTold(), ["-default b", "+default b"]);
  assertEquals(b.newlyTold(), ["-default a", "+default a"]);
});

Deno.test("each channel has as many connections as both sides agree on, also when only one side has it", async () => {
  for (
    const channels of [[{ bulk: 4 }, {}], [{}, { bulk: 4 }], [{ bulk: 6 }, { bulk: 4 }], [{ bulk: 4, x: 1 }, { y: 2 }]]
  ) {
    const world = new PoolWorld();
    const [a, b] = [
      await world.start("a", { channels: firstOf(channels) }),
      await world.start("b", { channels: nthOf(channels, 1) }),
    ];
    wantEachOther(a, b);
    await world.advance(SOON);
    assertConnected(world, [a, b]);
    assertEquals(a.peer("b").openOn("bulk"), 4);
  }
});

Deno.test("a peer that is known to have come back elsewhere is dialed there at once", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b", { incarnation: 2 })];
  a.pool.want([nodeSpec("b", 1, { addresses: [{ hostname: "nowhere", port: 1 }] })]);
  await world.advance(60_000);
  a.pool.want([b.spec]);
  await world.advance(50);
  assertEquals(a.peer("b").up, true);
});

/** Lets a node's process die and start again at the same address. */
async function restart(
  world: PoolWorld,
  node: PoolNode,
  options: { incarnation: number; reset?: boolean; channels?: Record<string, number> },
): Promise<PoolNode> {
  const { name, addresses } = node.spec;
  world.world.crash(name, { reset: options.reset ?? true });
  return await world.start(name, { ...options, port: firstOf(addresses).port });
}

Deno.test("a node that comes back as a newer incarnation takes its slot, whether or not its death was noticed", async () => {
  for (const reset of [true, false]) {
    for (const dialedBy of ["a", "b"]) {
      const world = new PoolWorld();
      const [a, b] = await pair(world);
      const reborn = await restart(world, b, { incarnation: 2, reset, channels: { bulk: 2 } });
      if (dialedBy === "b") reborn.pool.want([a.spec]);
      await world.advance(2 * HANDSHAKE_TIMEOUT);
      reborn.pool.want([a.spec]);
      await world.advance(SOON);
      assertConnected(world, [a, reborn], `reset ${reset}, dialed by ${dialedBy}`);
      assertEquals(a.told.filter((event) => /up b|down b/.test(event)), ["down b", "up b"]);
      assertEquals(a.peer("b").openOn("bulk"), 2);
      assertEquals([a.outlivedBy, reborn.outlivedBy], [[], []]);
    }
  }
});

Deno.test("a second node with the name of one that answers is refused, and the first one is not disturbed", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  const impostor = await world.start("elsewhere");
  impostor.spec = { ...impostor.spec, name: "b", incarnation: 2 };
  const error = await assertRejects(
    () => world.world.wait(impostor.pool.reach(null, a.spec.addresses), SOON),
    HandshakeRefusedError,
    "another living node has the name; choose a different one",
  );
  assertEquals(error.refusal.code, "name-in-use");
  await world.advance(10_000);
  assertConnected(world, [a, b]);
  assertEquals([a.newlyTold(), b.newlyTold(), b.outlivedBy], [[], [], []]);
});

Deno.test("several connections that a newer incarnation asks for at once do not disturb each other", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new PoolWorld({ seed });
    const [a, b] = await pair(world);
    const reborn = await restart(world, b, { incarnation: 2, reset: false });
    reborn.pool.reach(null, a.spec.addresses).catch(() => {});
    reborn.pool.reach(null, a.spec.addresses).catch(() => {});
    reborn.pool.want([a.spec]);
    await world.advance(10_000);
    assertConnected(world, [a, reborn], `seed ${seed}`);
    assertEquals(a.told.filter((event) => /up b|down b/.test(event)), ["down b", "up b"], `seed ${seed}`);
  }
});

Deno.test("an incarnation that is older than a known one learns so, whichever node dials", async () => {
  for (const dialedBy of ["a", "b"]) {
    const world = new PoolWorld();
    let canDial = true;
    const wrap = (transport: Transport): Transport => ({
      listen: (...args) => transport.listen(...args),
      connect: (...args) => canDial ? transport.connect(...args) : Promise.reject(new Error("Connection refused")),
    });
    const [a, b] = [await world.start("a", { wrap }), await world.start("b")];
    wantEachOther(a, b);
    await world.advance(SOON);
    canDial = dialedBy === "a";
    const reborn = await restart(world, b, { incarnation: 0 });
    if (dialedBy === "b") {
      const reaching = reborn.pool.reach("a", a.spec.addresses);
      await assertRejects(() => world.world.wait(reaching, SOON), HandshakeRefusedError, "older than the known 1");
    }
    await world.advance(SOON);
    assertEquals(reborn.outlivedBy[0], 1);
    assertEquals([reborn.pool.peers.size, a.peer("b").connections().length], [0, 0]);
    // It becomes newer, as a node does.
    reborn.spec = { ...reborn.spec, incarnation: 2 };
    reborn.pool.reset();
    reborn.pool.want([a.spec]);
    await world.advance(BACKOFF.cap + SOON);
    assertConnected(world, [a, reborn]);
  }
});

Deno.test("a peer of which an older incarnation answers a dial is not taken for the newer one", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a"), await world.start("b")];
  a.pool.want([{ ...b.spec, incarnation: 5 }]);
  await world.advance(10 * SOON);
  assertEquals([world.streams("a"), a.peer("b").incarnation, a.newlyTold()], [0, 5, []]);
  assert(b.outlivedBy.length > 0 && b.outlivedBy.every((known) => known === 5));
});

Deno.test("a dialer of an older incarnation that was let in is left outside once a newer incarnation is known", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a", { wrap: slowWrites(world, 100) }), await world.start("b")];
  const reaching = b.pool.reach("a", a.spec.addresses);
  reaching.catch(() => {});
  await world.advance(50);
  a.pool.want([{ ...b.spec, incarnation: 2 }]);
  a.newlyTold();
  await world.advance(100);
  assertEquals([a.peer("b").connections(), a.newlyTold()], [[], []]);
});

Deno.test("a dialer that this node let in during its former incarnation is left outside", async () => {
  const world = new PoolWorld();
  const [a, b] = [await world.start("a", { wrap: slowWrites(world, 100) }), await world.start("b")];
  b.pool.reach("a", a.spec.addresses).catch(() => {});
  await world.advance(50);
  a.spec = { ...a.spec, incarnation: 2 };
  a.pool.reset();
  await world.advance(SOON);
  assertEquals([world.streams("a"), world.streams("b"), a.newlyTold()], [0, 0, []]);
});

Deno.test("an older incarnation that was dialed is not taken for the newer one that became known meanwhile", async () => {
  const world = new PoolWorld({ latency: 10 });
  const [a, b] = [await world.start("a"), await world.start("b")];
  const reaching = reachInVain(a, b);
  await world.advance(35);
  a.pool.want([{ ...b.spec, incarnation: 2, addresses: [] }]);
  await world.advance(SOON);
  await reaching;
  assertEquals([world.streams("a"), world.streams("b"), a.newlyTold()], [0, 0, []]);
});

Deno.test("a slot that was promised to a dialer is dialed from here as soon as that has failed", async () => {
  const world = new PoolWorld();
  const [a, b] = [
    await world.start("a", { wrap: slowWrites(world, 100, new Error("Broken pipe")) }),
    await world.start("b"),
  ];
  b.pool.reach("a", a.spec.addresses).catch(() => {});
  await world.advance(50);
  a.pool.want([b.spec]);
  await world.advance(20);
  assertEquals(a.pool.stats.dials, 0);
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  assertEquals(a.pool.stats.dials, 2);
});

Deno.test("a silenced peer is dialed anew at once, carries its old connections meanwhile, and is up again with new ones", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  const old = a.peer("b").connections();
  a.pool.silence(a.peer("b"));
  assertEquals(a.newlyTold(), ["-default b", "-membership b", "down b", "unlinked b"]);
  assertEquals(a.peer("b").connections(), old);
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  assert(old.every(({ closed }) => closed));
  assertEquals(a.newlyTold(), ["linked b", "+membership b", "up b", "+default b"]);
});

Deno.test("a silenced peer that is heard of before a new connection opens keeps the old ones", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  const old = a.peer("b").connections();
  world.world.network.cut("a", "b");
  a.pool.silence(a.peer("b"));
  await world.advance(SOON);
  a.pool.revive(a.peer("b"));
  assertEquals(a.newlyTold().slice(-4), ["linked b", "up b", "+default b", "+membership b"]);
  assertEquals(a.peer("b").connections(), old);
  world.world.network.heal();
  await world.advance(2 * HANDSHAKE_TIMEOUT);
  assertConnected(world, [a, b]);
});

Deno.test("a doubtful peer gets new connections, with one dial per slot, whichever side doubts", async () => {
  for (const [doubting, other] of [["a", "b"], ["b", "a"]] as const) {
    const world = new PoolWorld();
    const [a, b] = await pair(world);
    const dials = () => a.pool.stats.dials + b.pool.stats.dials;
    const before = dials();
    const doubter = doubting === "a" ? a : b;
    doubter.pool.doubt(doubter.peer(other));
    await world.advance(4 * COURTESY);
    assertConnected(world, [a, b], `${doubting} doubts`);
    assertEquals(dials() - before, 2, `${doubting} doubts`);
    assertEquals(doubter.told.filter((event) => event.startsWith("down")), []);
  }
});

Deno.test("a connection that one side lost without the other one noticing is replaced", async () => {
  for (const loser of ["a", "b"]) {
    const world = new PoolWorld();
    const [a, b] = await pair(world);
    // The end never arrives.
    const [node, other] = loser === "a" ? [a, b] : [b, a];
    world.world.network.cutOneWay(node.spec.name, other.spec.name);
    const lost = other.peer(node.spec.name).connections();
    node.pool.disconnect(node.peer(other.spec.name));
    await world.advance(10);
    assert(lost.every(({ closed }) => !closed));
    world.world.network.heal();
    await world.advance(HANDSHAKE_TIMEOUT + BACKOFF.cap + SOON);
    assertConnected(world, [a, b], `lost by ${loser}`);
    assert(await world.isQuiet());
  }
});

Deno.test("stop() at any moment closes all, ends every dial and leaves no timer, here and on the other side", async () => {
  for (let moment = 0; moment <= 40; moment++) {
    for (const secrets of [[], ["x"]]) {
      const world = new PoolWorld({ seed: moment + 1 });
      const [a, b] = [await world.start("a", { secrets }), await world.start("b", { secrets })];
      wantEachOther(a, b);
      a.pool.reach("b", b.spec.addresses).catch(() => {});
      await world.advance(moment * 0.75);
      a.pool.stop();
      a.pool.want([b.spec]);
      await assertRejects(() => a.pool.reach("b", b.spec.addresses), Error, "the node was stopped");
      const dials = a.pool.stats.dials;
      b.pool.want([]);
      await world.advance(IDLE_GRACE + HANDSHAKE_TIMEOUT);
      const note = `stopped at ${moment}`;
      assertEquals([world.streams("a"), world.streams("b")], [0, 0], note);
      assertEquals([a.pool.peers.size, b.pool.peers.size, a.pool.stats.dials], [0, 0, dials], note);
      assert(await world.isQuiet(), note);
    }
  }
});

Deno.test("stop() resolves once a dial that does not heed the end has closed its stream", async () => {
  const world = new PoolWorld();
  const late = Promise.withResolvers<void>();
  const a = await world.start("a", {
    wrap: (transport) => ({
      listen: (...args) => transport.listen(...args),
      // The connection is there, but the word of it comes late, as it may from an operating system.
      connect: async (address) => {
        const stream = await transport.connect(address);
        await late.promise;
        return stream;
      },
    }),
  });
  const b = await world.start("b");
  a.pool.want([b.spec]);
  await world.advance(SOON);
  let streams: number | undefined;
  const stopped = a.pool.stop().then(() => streams = world.streams("a"));
  await world.advance(SOON);
  assertEquals([streams, world.streams("a")], [undefined, 1]);
  late.resolve();
  await world.advance(SOON);
  assertEquals(streams, 0);
  await stopped;
  assert(await world.isQuiet());
});

Deno.test("reset() in the middle of dials leaves nothing of the former incarnation behind", async () => {
  for (let moment = 0; moment <= 40; moment++) {
    const world = new PoolWorld({ seed: moment + 1 });
    const [a, b] = [await world.start("a"), await world.start("b")];
    wantEachOther(a, b);
    await world.advance(moment * 0.75);
    a.spec = { ...a.spec, incarnation: 2 };
    a.pool.reset();
    assertEquals([a.pool.peers.size, a.peer.length], [0, 1]);
    await world.advance(HANDSHAKE_TIMEOUT);
    // Only "b" wants the connection: it finds the newer incarnation.
    assertConnected(world, [a, b], `reset at ${moment}`);
    b.pool.want([]);
    await world.advance(IDLE_GRACE + SOON);
    assertEquals([world.streams("a"), world.streams("b")], [0, 0], `reset at ${moment}`);
    assert(await world.isQuiet());
  }
});

Deno.test("reset() does not wait for the dials of the former incarnation", async () => {
  const world = new PoolWorld();
  let connects = 0;
  const a = await world.start("a", {
    wrap: (transport) => ({
      listen: (...args) => transport.listen(...args),
      connect: (...args) => connects++ === 0 ? new Promise(() => {}) : transport.connect(...args),
    }),
  });
  const b = await world.start("b");
  a.pool.want([b.spec]);
  await world.advance(10);
  a.spec = { ...a.spec, incarnation: 2 };
  a.pool.reset();
  a.pool.want([b.spec]);
  await world.advance(SOON);
  assertConnected(world, [a, b]);
});

Deno.test("a dial of a former incarnation comes to nothing", async () => {
  const world = new PoolWorld({ latency: 10 });
  const [a, b] = [await world.start("a"), await world.start("b")];
  const reaching = reachInVain(a, b);
  await world.advance(35);
  a.spec = { ...a.spec, incarnation: 2 };
  a.pool.reset();
  await world.advance(SOON);
  await reaching;
  assertEquals([world.streams("a"), world.streams("b"), a.newlyTold()], [0, 0, []]);
});

Deno.test("stop() leaves no timer for a peer that was to be dialed again", async () => {
  const world = new PoolWorld();
  const a = await world.start("a");
  a.pool.want([nodeSpec("b", 1, { addresses: [{ hostname: "nowhere", port: 1 }] })]);
  await world.advance(10_000);
  a.pool.stop();
  assert(await world.isQuiet());
});

Deno.test("a peer that stops being wanted in the middle of dials is left alone after the idle grace", async () => {
  for (let moment = 0; moment <= 40; moment++) {
    const world = new PoolWorld({ seed: moment + 1 });
    const [a, b] = [await world.start("a"), await world.start("b")];
    a.pool.want([b.spec]);
    await world.advance(moment * 0.75);
    a.pool.want([]);
    await world.advance(IDLE_GRACE + SOON);
    const note = `unwanted at ${moment}`;
    assertEquals([world.streams("a"), world.streams("b"), a.pool.peers.size, b.pool.peers.size], [0, 0, 0, 0], note);
    assert(await world.isQuiet(), note);
  }
});

Deno.test("garbage on the port disturbs no peer", async () => {
  const world = new PoolWorld();
  const [a, b] = await pair(world);
  for (let count = 0; count < 20; count++) {
    const stream = await world.world.wait(
      world.world.node("stranger").transport.connect(firstOf(a.spec.addresses)),
      SOON,
    );
    await stream.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    if (count % 2 === 0) stream.close();
  }
  await world.advance(SOON);
  assertConnected(world, [a, b]);
  assertEquals(a.pool.stats.protocolErrors, 20);
  assertEquals([a.newlyTold(), b.newlyTold()], [[], []]);
});
