// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, HandshakeRefusedError, type PeerServiceManager, startPeerService } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { uniformLatency } from "../../transport/memory/memory_links.ts";
import { entryOf, firstOf } from "../values.ts";
import { scenario, type World } from "./worlds.ts";
import type { OneForEach } from "../tuples.ts";

/** Gives each node an address of its own at one port, as containers behind one name have them. */
async function behindOneName<const Names extends readonly [string, ...string[]]>(
  world: World,
  names: Names,
): Promise<OneForEach<Names, PeerServiceManager>> {
  const first = await world.start(names[0]);
  const { port } = firstOf(first.spec.addresses);
  const nodes = [first];
  for (const [index, name] of names.entries()) {
    if (index === 0) continue;
    const hostname = world.kind === "TCP" ? `127.0.0.${index + 1}` : name;
    nodes.push(await world.start(name, { listen: { hostname, port } }));
  }
  const hosts = nodes.map(({ spec }) => firstOf(spec.addresses).hostname);
  for (const name of names) entryOf(world.transports, name).names.set("peers", hosts);
  // One was started for each name.
  return nodes as OneForEach<Names, PeerServiceManager>;
}

scenario(
  "syncJoin() by a name that leads to several hosts goes on to the next where its own node answers",
  async (world) => {
    const [a, b] = await behindOneName(world, ["a", "b"]);
    await a.syncJoin({ hostname: "peers", port: firstOf(a.spec.addresses).port });
    assertEquals(a.members(), ["a", "b"]);
    assert(a.isFullyConnected("b"));
    await world.settled([a, b]);
  },
);

scenario("syncJoin() by a name that leads to its own node alone rejects and says so", async (world) => {
  const [a] = await behindOneName(world, ["a"]);
  const { port } = firstOf(a.spec.addresses);
  const error = await assertRejects(() => a.syncJoin(`peers:${port}`), HandshakeRefusedError);
  assertEquals(
    error.message,
    `Cannot join "peers:${port}": it leads to this node alone, expected the address of another one`,
  );
  assertEquals(error.refusal.code, "self");
});

scenario("syncJoin() goes on while another host behind the name does not answer yet", async (world) => {
  const [a, b] = await behindOneName(world, ["a", "b"]);
  const listen = firstOf(b.spec.addresses);
  await b.stop();
  const joining = a.syncJoin({ hostname: "peers", port: listen.port });
  const again = await world.start("b", { listen });
  await joining;
  assertEquals(a.members(), ["a", "b"]);
  await world.settled([a, again]);
});

scenario("syncJoin() by a name that leads to several hosts does not wait long for one that is mute", async (world) => {
  const [a, , c] = await behindOneName(world, ["a", "b", "c"]);
  world.simulated.pause("b");
  const before = world.clock.now();
  await a.syncJoin({ hostname: "peers", port: firstOf(a.spec.addresses).port });
  assert(a.isFullyConnected("c"));
  assert(world.clock.now() - before < 1_200, `${world.clock.now() - before} ms`);
  world.simulated.resume("b");
  await world.settled([a, c]);
}, ["memory"]);

scenario("syncJoin() of its own name with another incarnation rejects", async (world) => {
  const a = await world.start("a");
  const other = { ...a.spec, incarnation: a.spec.incarnation + 1 };
  const error = await assertRejects(
    () => a.syncJoin(other),
    HandshakeRefusedError,
    `Cannot join "a": this node has that name`,
  );
  assertEquals(error.refusal.code, "name-in-use");
});

scenario("Right after syncJoin() a message reaches every member that can be reached", async (world) => {
  const nodes = await world.cluster(["a", "b", "c", "d", "e", "f"]);
  const inboxes = nodes.map((node) => world.inbox(node, "log"));
  const newcomer = await world.start("z");
  await newcomer.syncJoin(nodes[0].spec);
  assertEquals(newcomer.members().length, 7);
  for (const { name } of nodes) await newcomer.forwardMessage(name, "log", "hello", { ack: true });
  assertEquals(inboxes.map(({ messages }) => messages.length), [1, 1, 1, 1, 1, 1]);
});

scenario("syncJoin() does not wait for members that refuse connections", async (world) => {
  const nodes = await world.cluster(["a", "b", "c", "d"]);
  await nodes[3].stop();
  const newcomer = await world.start("z");
  await newcomer.syncJoin(nodes[0].spec);
  assertEquals(newcomer.members(), ["a", "b", "c", "d", "z"]);
  assertEquals(newcomer.connected(), ["a", "b", "c"]);
});

scenario("syncJoin() waits for a mute member no longer than half of the handshake's time", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  world.simulated.pause("c");
  const newcomer = await world.start("z");
  const before = world.clock.now();
  await newcomer.syncJoin(nodes[0].spec);
  assertEquals(newcomer.connected(), ["a", "b"]);
  assert(world.clock.now() - before < 1_200, `${world.clock.now() - before} ms`);
  world.simulated.resume("c");
}, ["memory"]);

Deno.test("joinTimeout counts from the last progress", async () => {
  const world = new SimulatedWorld({ latency: uniformLatency(20, 20) });
  const options = { preset: "local", joinTimeout: 110 } as const;
  const start = (name: string) =>
    startPeerService({ ...options, name, runtime: world.node(name), listen: { hostname: name, port: 1 } });
  await world.wait(
    (async () => {
      await using a = await start("a");
      await using b = await start("b");
      await b.syncJoin(a.spec);
      assert(world.now > options.joinTimeout, `it took ${world.now} ms, too short to show anything`);
      assert(b.isFullyConnected("a"));
    })(),
    10_000,
  );
});

scenario("syncJoin() goes on for a while where connections are accepted and nothing is said", async (world) => {
  const options = { joinTimeout: 2_500 };
  const a = await world.start("a");
  const b = await world.start("b", options);
  world.simulated.pause("a");
  const joined = b.syncJoin(a.spec);
  await new Promise<void>((resolve) => world.clock.schedule(7_000, resolve));
  world.simulated.resume("a");
  await joined;
  await world.settled([a, b]);
  // Not without end: a host that never says anything looks the same.
  world.simulated.pause("a");
  const c = await world.start("c", options);
  const begin = world.clock.now();
  await assertRejects(() => c.syncJoin(a.spec), DOMException, "it was accepted, and no handshake came");
  const seconds = (world.clock.now() - begin) / 1_000;
  assert(seconds > 8 && seconds < 14, `${seconds}`);
}, ["memory"]);

scenario("syncJoin() goes on for a while where its contact is connected and has not handled that", async (world) => {
  const a = await world.start("a");
  const b = await world.start("b", { joinTimeout: 1_500 });
  const joined = b.syncJoin(a.spec);
  await world.until("b is connected", () => PeerService.nodeOf(b).pool.peers.get("a")?.connected === true);
  world.simulated.pause("a");
  await new Promise<void>((resolve) => world.clock.schedule(3_000, resolve));
  world.simulated.resume("a");
  await joined;
  await world.settled([a, b]);
}, ["memory"]);

scenario(
  "syncJoin() gives what has taken the connection the time of a handshake, even where joinTimeout is shorter",
  async (world) => {
    const a = await world.start("a");
    const b = await world.start("b", { joinTimeout: 300 });
    world.simulated.pause("a");
    const joined = b.syncJoin(a.spec);
    // The first handshake has 2 s, the one after it 4 s.
    await new Promise<void>((resolve) => world.clock.schedule(5_000, resolve));
    world.simulated.resume("a");
    await joined;
    await world.settled([a, b]);
  },
  ["memory"],
);

scenario("A node whose first three addresses are mute is reached long before joinTimeout", async (world) => {
  const mute: { readonly address: Address; close(): void }[] = [];
  for (const name of ["m1", "m2", "m3"]) {
    if (world.kind === "TCP") {
      // Nothing is ever taken from its backlog.
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      mute.push({ address: { hostname: "127.0.0.1", port: listener.addr.port }, close: () => listener.close() });
    } else {
      const node = await world.start(name);
      world.simulated.pause(name);
      mute.push({ address: firstOf(node.spec.addresses), close: () => world.simulated.resume(name) });
    }
  }
  const a = await world.start("a");
  const b = await world.start("b");
  const begin = world.clock.now();
  await b.syncJoin({ ...a.spec, addresses: [...mute.map(({ address }) => address), ...a.spec.addresses] });
  if (world.kind === "memory") assert(world.clock.now() - begin < 4_000, `${world.clock.now() - begin} ms`);
  assert(b.isFullyConnected("a"));
  for (const each of mute) each.close();
});
