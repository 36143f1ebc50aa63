// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  HandshakeRefusedError,
  hyparview,
  type PeerServiceManager,
  startPeerService,
  StoppedError,
  type Warning,
} from "../../mod.ts";
import { memoryStore } from "../../testing/mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { scenario } from "./worlds.ts";
import { firstOf, present } from "../values.ts";

/** Warnings of a node. */
function warnings(node: PeerServiceManager): Warning[] {
  const told: Warning[] = [];
  node.addEventListener("warning", ({ detail }) => told.push(detail));
  return told;
}

/** Reasons for which nodes were removed, as a node tells them. */
function removals(node: PeerServiceManager): string[] {
  const told: string[] = [];
  node.addEventListener("removed", ({ detail }) => told.push(detail.reason));
  return told;
}

async function failureOf(peer: string, signal = AbortSignal.timeout(400)): Promise<DOMException> {
  await using node = await startPeerService({ name: "a", preset: "local", log: false });
  const error = await assertRejects(() => node.syncJoin(peer, { signal }), DOMException);
  assertEquals(error.name, "TimeoutError");
  return error;
}

Deno.test("syncJoin() rejects with the reason where no node listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { message, cause } = await failureOf(`127.0.0.1:${port}`);
  assertStringIncludes(message, `Cannot join "127.0.0.1:${port}" in time: Cannot connect to "127.0.0.1:${port}"`);
  assertStringIncludes(message, "refused");
  assert(cause instanceof Error && cause.cause instanceof Deno.errors.ConnectionRefused);
});

Deno.test("syncJoin() rejects with the reason where no host has the name", async () => {
  const { message } = await failureOf("no-such-host.invalid:9090", AbortSignal.timeout(2_000));
  assertStringIncludes(message, `Cannot connect to "no-such-host.invalid:9090": `);
  assertStringIncludes(message, "lookup");
});

Deno.test("syncJoin() rejects with the reason where a node accepts, and says nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const { message } = await failureOf(`127.0.0.1:${listener.addr.port}`);
  assertStringIncludes(message, "timed out, it was accepted, and no handshake came within");
  (await accepted).close();
});

Deno.test("syncJoin() rejects with the reason where a web server answers", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("Hello"));
  const { message } = await failureOf(`127.0.0.1:${server.addr.port}`);
  assertStringIncludes(message, "does not speak this protocol");
  assertStringIncludes(message, `"HTTP"`);
});

Deno.test("syncJoin() rejects with the reason where a node closes without a word", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const closing = (async () => {
    let accepted = 0;
    for await (const conn of listener) {
      // By the second attempt the first one has failed.
      if (++accepted === 2) controller.abort(new DOMException("It took too long", "TimeoutError"));
      await conn.read(new Uint8Array(4096));
      conn.close();
    }
  })();
  const { message } = await failureOf(`127.0.0.1:${listener.addr.port}`, controller.signal);
  assertStringIncludes(message, "closed there without a word");
  listener.close();
  await closing;
});

Deno.test("syncJoin() rejects with the reason of an attempt that failed by itself, also when its end cuts another one off", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a"], latency: 40 });
  const { spec } = cluster.node("a");
  await cluster.wait(cluster.node("a").stop());
  const node = await cluster.startNode("b", { join: false });
  for (let timeout = 300; timeout < 600; timeout += 10) {
    const controller = new AbortController();
    node.runtime.clock.schedule(timeout, () => controller.abort(new DOMException("It took too long", "TimeoutError")));
    const joining = assertRejects(() => node.syncJoin(spec, { signal: controller.signal }), DOMException);
    const { message } = await cluster.wait(joining);
    assertStringIncludes(message, "refused", `after ${timeout} ms`);
  }
});

Deno.test({
  name: "syncJoin() rejects at once with NotCapable where --allow-net says no",
  permissions: { net: ["127.0.0.1"], env: true, sys: true },
  async fn() {
    await using node = await startPeerService({ name: "a", listen: "127.0.0.1:0", preset: "local", log: false });
    const error = await assertRejects(() => node.syncJoin("127.0.0.2:9090"), Deno.errors.NotCapable);
    assertStringIncludes(error.message, `Cannot connect to "127.0.0.2:9090"`);
    const told = Promise.withResolvers<unknown>();
    node.addEventListener("error", ({ detail }) => told.resolve(detail.error));
    await node.join("127.0.0.2:9090");
    assert(await told.promise instanceof Deno.errors.NotCapable);
  },
});

scenario("syncJoin() rejects at once where allow.addresses says no", async (world) => {
  const a = await world.start("a");
  const b = await world.start("b", { allow: { addresses: ["10.0.0.0/8"] } });
  const error = await assertRejects(() => b.syncJoin(a.spec), Error, "allow.addresses");
  assertEquals(error.name, "ForbiddenAddressError");
});

scenario("join() warns once of each reason for which it has to try again", async (world) => {
  const a = await world.start("a");
  const { spec } = a;
  await a.stop();
  const b = await world.start("b");
  const told = warnings(b);
  await b.join(spec);
  await world.until("b has tried three times", () => b.stats().connections.dialFailures > 2);
  assertEquals(told.map(({ code, node }) => [code, node]), [["cannot-connect", "a"]]);
  assertStringIncludes(firstOf(told).message, "refused");
});

scenario("A member that cannot be reached is warned of once, and memberInfo() says why", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const told = warnings(a);
  const { spec } = b;
  let tries: number | undefined;
  await b.stop();
  await world.until("a has told, and dialed three times more", () => {
    if (told.length > 0) tries ??= a.stats().connections.dialFailures;
    return a.stats().connections.dialFailures > (tries ?? Infinity) + 2;
  });
  assertEquals(told.map(({ code, node }) => [code, node]), [["cannot-connect", "b"]]);
  assertStringIncludes(`${present(a.memberInfo("b")).lastError}`, "refused");
  const again = await world.start("b", { listen: spec.addresses[0] });
  await world.settled([a, again]);
  assertEquals(present(a.memberInfo("b")).lastError, null);
  await again.stop();
  await world.until("a is told of the second time", () => told.length === 2);
});

for (
  const [what, former, later] of [
    ["secret", { secret: "one that is long enough" }, { secret: "another that is long enough" }],
    ["cluster", {}, { cluster: "green" }],
    ["strategy", {}, { strategy: hyparview() }],
  ] as const
) {
  scenario(`A node that comes back with another ${what} is told of on both sides`, async (world) => {
    const [a, b] = await world.cluster(["a", "b"], former);
    const told = warnings(a);
    const { spec } = b;
    await b.stop();
    const again = await world.start("b", { ...former, ...later, listen: spec.addresses[0] });
    const trust: string[] = [];
    again.addEventListener("trust", ({ detail }) => trust.push(detail.reason));
    const refusals = () => told.filter(({ error }) => error instanceof HandshakeRefusedError);
    await world.until("both are told", () => refusals().length > 0 && trust.length > 0);
    assertEquals(refusals().map(({ code, node }) => [code, node]), [["cannot-connect", "b"]]);
    assertStringIncludes(firstOf(refusals()).message, what);
    assertStringIncludes(firstOf(trust), what);
    assertEquals((present(a.memberInfo("b")).lastError as HandshakeRefusedError).refusal.code, what);
  });
}

scenario(
  "Where two clusters meet that each have a node of one name, the older one is told, and stops",
  async (world) => {
    const a = await world.cluster(["node1", "x"]);
    const [older] = a;
    const told = removals(older);
    const warned = warnings(older);
    // Incarnations are times: the other one is to be newer.
    await world.until("a millisecond has passed", () => world.clock.now() > 0);
    const newer = await world.start("node1", {
      listen: { hostname: world.kind === "TCP" ? "127.0.0.1" : "other", port: 9_191 },
    });
    const y = await world.start("y");
    await y.syncJoin(newer.spec);
    await a[1].join(y.spec);
    await world.until("the older one is told", () => told.length > 0);
    assertStringIncludes(firstOf(told), `another node has the name "node1", lives at "`);
    assertEquals(warned.filter(({ code }) => code === "name-taken").length, 1);
    await world.settled([newer, y, a[1]]);
  },
);

scenario("A node that was held for dead is told so when it goes on", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const told = warnings(nodes[2]);
  const others = warnings(nodes[0]);
  world.simulated.pause("c");
  await world.until("c is down", () => present(firstOf(nodes).memberInfo("c")).status === "down");
  world.simulated.resume("c");
  await world.until("c is told", () => told.length > 0);
  await world.settled(nodes);
  assertEquals(told.map(({ code, node }) => [code, node]), [["held-for-dead", "c"]]);
  assertEquals(others.filter(({ code }) => code === "held-for-dead"), []);
}, ["memory"]);

Deno.test("stop() right after the start leaves no timer for what would have been warned of", async () => {
  const node = await startPeerService({ name: "a", preset: "local", secret: "weak", log: false });
  const told = warnings(node);
  await node.stop();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(told, []);
});

Deno.test("A node that stops while it dials a member warns of nothing", async () => {
  const store = memoryStore();
  await using b = await startPeerService({ name: "b", preset: "local", log: false });
  const a = await startPeerService({ name: "a", preset: "local", store, log: false });
  await a.syncJoin(b.spec);
  await a.stop();

  const again = await startPeerService({ preset: "local", store, log: false });
  const told = warnings(again);
  await again.stop();
  assertEquals(told, []);
});

Deno.test("A node that stops while it joins warns of nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const node = await startPeerService({ name: "a", preset: "local", log: false });
  const told = warnings(node);
  const { addr } = listener;
  await node.join({ hostname: addr.hostname, port: addr.port });
  await node.stop();
  assertEquals(told, []);
});

scenario("A node that tells other hosts loopback addresses is warned of once on both sides", async (world) => {
  const a = await world.start("a");
  const b = await world.start("b", { advertise: "127.0.0.1:9090" });
  const told = [warnings(a), warnings(b)];
  await b.syncJoin(a.spec);
  await world.until("both warn", () => told.every((warned) => warned.some(isLoopback)));
  for (const warned of told) assertEquals(warned.filter(isLoopback).map(({ node }) => node), ["b"]);
  assertStringIncludes(present(firstOf(told).find(isLoopback)).message, `"advertise"`);
}, ["memory"]);

function isLoopback({ code }: Warning): boolean {
  return code === "loopback-address";
}

Deno.test("Nodes of one host are not warned of for their loopback addresses", async () => {
  await using a = await startPeerService({ name: "a", preset: "local", log: false });
  await using b = await startPeerService({ name: "b", preset: "local", log: false });
  const told = [warnings(a), warnings(b)];
  await b.syncJoin(a.spec);
  assertEquals(told, [[], []]);
});

Deno.test("Where no node listens, the dial counts as unreachable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  await using node = await startPeerService({ name: "a", preset: "local", log: false });
  await assertRejects(() => node.syncJoin(`127.0.0.1:${listener.addr.port}`, { signal: AbortSignal.timeout(100) }));
  const { failed, dialFailures } = PeerService.nodeOf(node).pool.stats;
  assertEquals(failed, { unreachable: dialFailures });
});

scenario("What a stopped node is asked for rejects, and is not thrown", async (world) => {
  const a = await world.start("a");
  await a.stop();
  const calls: (() => Promise<unknown>)[] = [
    () => a.leave(),
    () => a.leave("b"),
    () => a.join("b:1"),
    () => a.syncJoin("b:1"),
    () => a.call("b", "x", 1),
    () => a.injectPartition("b", 1),
    () => a.updateMembers([]),
    () => a.drain(),
  ];
  for (const call of calls) {
    const promise = call();
    await assertRejects(() => promise, StoppedError);
  }
});
