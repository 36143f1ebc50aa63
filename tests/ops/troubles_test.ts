// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Provokes the troubles of `docs/operating.md`, and looks at what that says can be seen of them. */

import { assert, assertEquals, assertGreater, assertRejects, assertStringIncludes } from "@std/assert";
import {
  AckTimeoutError,
  HandshakeRefusedError,
  NoHandlerError,
  OverloadedError,
  type PeerServiceManager,
  type RefusalCode,
} from "../../mod.ts";
import { httpHandler } from "../../ops/mod.ts";
import { scenario, type World } from "../manager/worlds.ts";
import { valueOf } from "./metrics_of.ts";
import { firstOf, nthOf, present } from "../values.ts";

/** A node that is well is not to be unready because other tests hold the processor. */
const PATIENT = { heartbeat: { missed: 50 } };

/** Details of the checks of a probe that fail, by name. */
async function failing(node: PeerServiceManager, path: string): Promise<Record<string, string>> {
  const response = await httpHandler(node)(new Request(`http://localhost${path}`));
  const checks: { name: string; ok: boolean; detail: string }[] = await response.json();
  const failed = checks.filter(({ ok }) => !ok);
  assertEquals(response.status, failed.length === 0 ? 200 : 503);
  return Object.fromEntries(failed.map(({ name, detail }) => [name, detail]));
}

/** Entry of a member in `/members`. */
async function memberOf(node: PeerServiceManager, name: string): Promise<{ status: string; reason: string }> {
  const response = await httpHandler(node)(new Request("http://localhost/members"));
  const members: { name: string; status: string; reason: string }[] = await response.json();
  return present(members.find((member) => member.name === name));
}

/** One node cannot join another, which refuses it. */
async function refused(a: PeerServiceManager, b: PeerServiceManager, code: RefusalCode): Promise<void> {
  const { refusal } = await assertRejects(() => b.syncJoin(a.spec), HandshakeRefusedError);
  assertEquals(refusal.code, code);
  assertStringIncludes(present((await failing(b, "/ready")).joined), "it could not join");
  const counts = [await valueOf(a, "partisan_refused_total", { reason: code })];
  counts.push(await valueOf(b, "partisan_dial_refusals_total", { reason: code }));
  assertGreater(firstOf(counts) + nthOf(counts, 1), 0);
}

function counted(
  world: World,
  node: PeerServiceManager,
  type: "partition" | "undeliverable" | "warning",
): { n: number } {
  const count = { n: 0 };
  node.addEventListener(type, () => {
    count.n++;
    world.look();
  });
  return count;
}

scenario("trouble: no node answers where a node is to join", async (world) => {
  const [a, b] = [await world.start("a", PATIENT), await world.start("b", PATIENT)];
  const { spec } = a;
  await a.stop();
  const given = new AbortController();
  const joining = b.syncJoin(spec, { signal: given.signal }).catch(() => {});
  await world.until("a dial has failed", () => b.stats().connections.dialFailures > 0);
  assertEquals(await failing(b, "/ready"), { joined: "it was told to join, and has not yet" });
  assertGreater(await valueOf(b, "partisan_dial_failures_total", { reason: "unreachable" }), 0);
  given.abort();
  await joining;
});

scenario("trouble: the cluster is another one", async (world) => {
  await refused(
    await world.start("a", { ...PATIENT, cluster: "blue" }),
    await world.start("b", { ...PATIENT, cluster: "green" }),
    "cluster",
  );
});

scenario("trouble: the secret is another one", async (world) => {
  const [right, wrong] = ["a secret that is long enough", "another one that is long enough"];
  await refused(
    await world.start("a", { ...PATIENT, secret: right }),
    await world.start("b", { ...PATIENT, secret: wrong }),
    "secret",
  );
}, ["TCP"]);

scenario("trouble: two nodes have one name", async (world) => {
  const [a] = await world.cluster(["a", "b"], PATIENT);
  const twin = await world.start("b", {
    ...PATIENT,
    listen: world.kind === "TCP" ? "127.0.0.1:0" : { hostname: "b", port: 9_091 },
  });
  await refused(a, twin, "name-in-use");
});

scenario("trouble: a node is not admitted", async (world) => {
  const a = await world.start("a", { ...PATIENT, admit: ({ name }) => name !== "b" });
  await refused(a, await world.start("b", PATIENT), "not-admitted");
});

scenario("trouble: a process has ended without leaving", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], PATIENT);
  await b.stop();
  await world.until("b is down", () => a.members({ status: "down" }).includes("b"));
  const { status, reason } = await memberOf(a, "b");
  assertEquals(status, "down");
  assertStringIncludes(reason, "its last connection");
  assertEquals(await valueOf(a, "partisan_members", { status: "down" }), 1);
  assertEquals(await failing(a, "/ready"), {});
});

scenario("trouble: a process stands still", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  world.simulated.pause("b");
  await world.until("b is down", () => a.members({ status: "down" }).includes("b"));
  assertEquals(await memberOf(a, "b").then(({ reason }) => reason), "it missed its heartbeats");
  assertGreater(await valueOf(a, "partisan_suspicions_total"), 0);
  assertGreater(await valueOf(a, "partisan_failures_detected_total"), 0);
  world.simulated.resume("b");
}, ["memory"]);

scenario("trouble: the network is split", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const seen = [a, b, c].map((node) => counted(world, node, "partition"));
  world.simulated.network.cut(["a"], ["b", "c"]);
  await world.until("all were told", () => seen.every(({ n }) => n > 0));
  assertEquals(await valueOf(a, "partisan_members", { status: "down" }), 2);
  assertEquals(await valueOf(b, "partisan_members", { status: "down" }), 1);
  assertGreater(await valueOf(a, "partisan_events_total", { type: "partition" }), 0);
}, ["memory"]);

scenario("trouble: messages are cast faster than they can be sent", async (world) => {
  const [a] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 100_000 } } });
  const told = counted(world, a, "undeliverable");
  world.simulated.pause("b");
  for (let n = 0; n < 100; n++) a.castMessage("b", "log", new Uint8Array(10_000));
  const { queuedBytes } = present(a.stats().peers.b);
  assertGreater(queuedBytes, 50_000);
  assertGreater(await valueOf(a, "partisan_messages_lost_total", { reason: "dropped" }), 0);
  await world.until("it was told", () => told.n > 0);
  world.simulated.resume("b");
}, ["memory"]);

scenario("trouble: a handler is slower than its senders", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { channels: { calls: {} } });
  const hold = Promise.withResolvers<void>();
  b.register("slow", () => hold.promise, { concurrency: 1 });
  for (let n = 0; n < 10; n++) a.castMessage("b", "slow", n);
  await world.until("some wait", () => b.stats().messages.delivered > 0);
  assertEquals(await valueOf(b, "partisan_handlers_pending"), 1);
  assertEquals(await valueOf(b, "partisan_handlers_waiting"), 1);
  await assertRejects(() => a.call("b", "slow", 1, { channel: "calls" }), OverloadedError);
  assertEquals(await valueOf(b, "partisan_overloaded_total"), 1);
  hold.resolve();
});

scenario("trouble: a handler is not registered", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const told = counted(world, b, "undeliverable");
  a.castMessage("b", "nobody", 1);
  await assertRejects(() => a.forwardMessage("b", "nobody", 1, { ack: true, timeout: 500 }), NoHandlerError);
  await world.until("it was told", () => told.n > 0);
  assertGreater(await valueOf(b, "partisan_messages_lost_total", { reason: "unhandled" }), 0);
});

scenario("trouble: a handler throws", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("faulty", () => {
    throw new Error("no such luck");
  });
  a.castMessage("b", "faulty", 1);
  await world.until("it was told", () => world.errors.length === 1);
  assertEquals(world.errors.splice(0).map(({ during }) => during), ['handling a message to "faulty"']);
  assertEquals(await valueOf(b, "partisan_handler_failures_total"), 1);
  assertEquals(await valueOf(b, "partisan_events_total", { type: "error" }), 1);
});

scenario("trouble: no acknowledgement comes in time", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const hold = Promise.withResolvers<void>();
  b.register("slow", () => hold.promise);
  await assertRejects(() => a.forwardMessage("b", "slow", 1, { ack: true, timeout: 2_000 }), AckTimeoutError);
  assertEquals(await valueOf(a, "partisan_acknowledgements_expired_total"), 1);
  assertGreater(await valueOf(a, "partisan_retransmissions_total"), 0);
  assertGreater(await valueOf(b, "partisan_duplicates_total"), 0);
  hold.resolve();
}, ["memory"]);

scenario("trouble: calls are answered late, or not at all", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const hold = Promise.withResolvers<void>();
  b.register("slow", () => hold.promise);
  const call = a.call("b", "slow", 1, { timeout: 500 }).catch((error: Error) => error.name);
  await world.until("it is being answered", () => b.stats().messages.delivered === 1);
  assertEquals(await valueOf(a, "partisan_calls_in_flight"), 1);
  assertEquals(await valueOf(b, "partisan_requests_in_flight"), 1);
  assertEquals(await call, "TimeoutError");
  assertEquals(await valueOf(a, "partisan_call_seconds_count", { outcome: "error" }), 1);
  hold.resolve();
});

scenario("trouble: a source of addresses fails", async (world) => {
  const lookup = () => Promise.reject(new Error("no such host"));
  const a = await world.start("a", { ...PATIENT, discovery: { name: "dns", lookup } });
  const told = counted(world, a, "warning");
  await world.until("it was told, or asked before", () => told.n > 0 || firstOf(a.discovery()).error !== null);
  assertEquals(await failing(a, "/ready"), { joined: '"dns" cannot be asked: no such host' });
  assertEquals(await valueOf(a, "partisan_discovery_sources", { state: "failing" }), 1);
});

scenario("trouble: a rotation of secrets stops half-way", async (world) => {
  const [former, next] = ["a secret that is long enough", "another one that is long enough"];
  const [a] = await world.cluster(["a", "b"], { secret: former });
  const told = counted(world, a, "warning");
  await a.updateSecrets(next);
  await world.until("it was told", () => told.n > 0);
  assertGreater(await valueOf(a, "partisan_connections_on_old_keys"), 0);
  assert(a.isConnected("b"));
}, ["TCP"]);

scenario("trouble: a node was removed by another one", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], PATIENT);
  const removed = Promise.withResolvers<void>();
  b.addEventListener("removed", () => removed.resolve());
  await a.leave("b");
  await removed.promise;
  await b.stop();
  assertEquals(await failing(b, "/alive"), { running: "the node was stopped" });
  assertEquals(await valueOf(b, "partisan_events_total", { type: "removed" }), 1);
  assertEquals(await valueOf(b, "partisan_ready"), 0);
});

scenario("trouble: a fault that was injected is still there", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { ...PATIENT, allow: { faultInjection: true } });
  await a.injectPartition("b", 0);
  await world.until("b is apart", () => b.partitions().length > 0);
  assertEquals(await valueOf(b, "partisan_injected_partitions"), 1);
  assertEquals(await valueOf(b, "partisan_ready"), 1);
});

scenario("trouble: something else speaks to the port", async (world) => {
  const a = await world.start("a");
  const [{ hostname, port }] = a.spec.addresses as [{ hostname: string; port: number }];
  const response = await fetch(`http://${hostname}:${port}/`).catch((error: Error) => error);
  assert(response instanceof Error);
  await world.until("it was refused", () => a.stats().connections.protocolErrors > 0);
  assertGreater(await valueOf(a, "partisan_handshakes_unfinished_total", { reason: "protocol" }), 0);
  assertEquals(await valueOf(a, "partisan_connections", { channel: "membership" }), 0);
}, ["TCP"]);
