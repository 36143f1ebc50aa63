// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async";
import { CallError, type MessageContext, type PeerServiceManager, staticOverlay } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { instrument } from "../../ops/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { type KeptSpan, KeptTracer } from "./kept_tracer.ts";
import { attributeOf, exporting } from "./otlp_receiver.ts";
import { forEachOf, type OneForEach } from "../tuples.ts";
import { entryOf, firstOf, lastOf, nthOf, present, takeOf } from "../values.ts";
import { withoutFeature } from "../without_feature.ts";

const CLIENT = 2;
const PRODUCER = 3;
const CONSUMER = 4;

/** Gives every node a tracer of its own, as in processes of their own. */
function traced<const Nodes extends readonly PeerServiceManager[]>(nodes: Nodes): OneForEach<Nodes, KeptTracer> {
  return forEachOf(nodes, (node) => {
    const tracer = new KeptTracer();
    instrument(node, { meter: null, tracer });
    return tracer;
  });
}

/** Whether `below` is handled because of `above`, and both have ended. */
function assertFollows(below: KeptSpan | undefined, above: KeptSpan | undefined): void {
  assertEquals([below?.parent?.spanId, below?.parent?.traceId], [above?.context.spanId, above?.context.traceId]);
  assertEquals([below?.ended, above?.ended], [1, 1]);
}

scenario("a message has a span where it is sent, and one below it where it is handled", async (world) => {
  const nodes = await world.cluster(["a", "b"], { channels: { bulk: {} }, causalLabels: ["c"] });
  const [a] = nodes;
  const [here, there] = traced(nodes);
  const heard = world.inbox(nodes[1], "log");
  const ways: [string, () => unknown][] = [
    ["forward", () => a.forwardMessage("b", "log", 1, { channel: "bulk" })],
    ["cast", () => a.castMessage("b", "log", 1)],
    ["acknowledged", () => a.forwardMessage("b", "log", 1, { ack: true })],
    ["causal", () => a.forwardMessage("b", "log", 1, { causalLabel: "c", ack: true })],
  ];
  for (const [way, send] of ways) {
    const before = heard.messages.length;
    await send();
    await world.until(`${way} has come`, () => heard.messages.length === before + 1);
    const [sent, processed] = [lastOf(here.named("send log")), lastOf(there.named("process log"))];
    assertFollows(processed, sent);
    assertEquals([sent.kind, processed.kind], [PRODUCER, CONSUMER]);
  }
  assertEquals([here.spans.length, there.spans.length], [4, 4]);
  assertEquals(firstOf(here.spans).attributes, {
    "messaging.system": "partisan",
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "messaging.destination.name": "log",
    "messaging.client.id": "a",
    "partisan.peer": "b",
    "partisan.channel": "bulk",
  });
  assertEquals(firstOf(there.spans).attributes["messaging.operation.type"], "process");
  assertEquals(firstOf(there.spans).attributes["partisan.peer"], "a");
});

scenario("a call has a span until its reply is there, and what its handler sends is below it", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const [a, b, c] = nodes;
  const tracers = traced(nodes);
  c.register("last", (n: number) => n + 1);
  b.register("first", (n: number) => b.call("c", "last", n));
  b.register("faulty", () => Promise.reject(new RangeError("no such luck")));
  assertEquals(await a.call("b", "first", 1), 2);
  const span = (node: number, name: string) => present(tracers[node]).named(name)[0];
  assertEquals(present(span(0, "call first")).kind, CLIENT);
  assertFollows(span(1, "process first"), span(0, "call first"));
  assertFollows(span(1, "call last"), span(1, "process first"));
  assertFollows(span(2, "process last"), span(1, "call last"));

  await assertRejects(() => a.call("b", "faulty", 1), CallError);
  assertFollows(span(1, "process faulty"), span(0, "call faulty"));
  assertEquals([present(span(1, "process faulty")).status, present(span(0, "call faulty")).status], [2, 2]);
  assertEquals(present(span(1, "process faulty")).attributes["error.type"], "RangeError");
  assertEquals(present(span(0, "call faulty")).attributes["error.type"], "CallError");
  await world.until("the error was told", () => world.errors.length > 0);
  world.errors.length = 0;
});

scenario("a stream has a span until it is open, and one below it where its handler is called", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  const [here, there] = traced(nodes);
  b.registerStream("echo", ({ readable, writable }) => readable.pipeTo(writable));
  b.register("count", async function* (n: number) {
    for (let i = 0; i < n; i++) yield i;
  });
  const { readable, writable, closed } = await a.openStream("b", "echo");
  await writable.close();
  await readable.cancel();
  await closed.catch(() => {});
  assertEquals(await Array.fromAsync(a.callStream("b", "count", 3)), [0, 1, 2]);
  await world.until("the handlers are done", () => there.spans.every(({ ended }) => ended === 1));
  for (const name of ["echo", "count"]) {
    const [opened, processed] = [firstOf(here.named(`open ${name}`)), firstOf(there.named(`process ${name}`))];
    assertFollows(processed, opened);
    assertEquals(opened.kind, CLIENT);
  }
  const own = await a.openStream("a", "missing").catch((error: Error) => error.name);
  assertEquals([own, firstOf(here.named("open missing")).status], ["NoHandlerError", 2]);
});

scenario("a broadcast has a span at its root, and one below it at each node", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  const tracers = traced(nodes);
  const inboxes = nodes.map((node) => world.inbox(node, "news"));
  nodes[0].broadcast("news", 1);
  await world.until("all have it", () => inboxes.every(({ messages }) => messages.length === 1));
  const [root] = tracers[0].named("broadcast news");
  for (const tracer of tracers) assertFollows(tracer.named("process news")[0], root);
});

scenario("a relayed message keeps its trace over nodes in between, traced or not", async (world) => {
  const edges = [["a", "b"], ["b", "c"]] as const;
  const nodes: PeerServiceManager[] = [];
  for (const name of ["a", "b", "c"]) nodes.push(await world.start(name, { strategy: staticOverlay(edges) }));
  await firstOf(nodes).syncJoin(nthOf(nodes, 1).spec);
  await nthOf(nodes, 2).syncJoin(nthOf(nodes, 1).spec);
  await world.until("all know all", () => nodes.every((node) => node.members().length === 3));
  const [a, , c] = takeOf(nodes, 3);
  const [here, there] = takeOf(traced([a, c]), 2);
  const heard = world.inbox(c, "log");
  await a.forwardMessage("c", "log", 1, { transitive: true });
  await a.forwardMessage("c", "log", 2, { transitive: true, ack: true });
  assertEquals(heard.messages, [1, 2]);
  for (const index of [0, 1]) assertFollows(there.named("process log")[index], here.named("send log")[index]);
});

scenario("a message to the node itself is traced like any other", async (world) => {
  const a = await world.start("a");
  const [tracer] = traced([a]);
  a.register("double", (n: number) => 2 * n);
  assertEquals(await a.call("a", "double", 4), 8);
  assertFollows(tracer.named("process double")[0], tracer.named("call double")[0]);
});

scenario(
  "a node without a tracer takes what others trace, and its own messages begin traces elsewhere",
  async (world) => {
    const nodes = await world.cluster(["a", "b"]);
    const [tracer] = traced([firstOf(nodes)]);
    const [from, to] = forEachOf(nodes, (node) => world.inbox(node, "log"));
    await firstOf(nodes).forwardMessage("b", "log", 1);
    await nthOf(nodes, 1).forwardMessage("a", "log", 2);
    await world.until("both have come", () => from.messages.length + to.messages.length === 2);
    assertEquals(firstOf(tracer.named("process log")).parent, undefined);
    assertEquals(firstOf(to.contexts).from, "a");
  },
);

scenario("a peer that does not know of traces is sent none", async (world) => {
  const nodes = await world.cluster(["a", "b"]);
  const [a, b] = nodes;
  const [here, there] = traced(nodes);
  const kinds: number[] = [];
  const node = PeerService.nodeOf(b);
  const { message: take } = node;
  node.message = (connection, kind, ...body) => {
    kinds.push(kind);
    return take(connection, kind, ...body);
  };
  for (const connection of entryOf(PeerService.nodeOf(a).pool.peers, "b").connections()) {
    withoutFeature(connection, "trace");
  }
  const heard = world.inbox(b, "log");
  await a.forwardMessage("b", "log", 1);
  await a.forwardMessage("b", "log", 2, { ack: true });
  a.broadcast("log", 3);
  await world.until("all have come", () => heard.messages.length === 3);
  assertEquals(kinds, [FrameKind.message, FrameKind.envelope]);
  assert(here.named("send log").length === 2);
  assertEquals(there.named("process log").map(({ parent }) => parent), [undefined, undefined, undefined]);
});

scenario("what a stranger traces is held until it has joined, like all that it sends", async (world) => {
  const [a, stranger] = [await world.start("a"), await world.start("stranger")];
  const heard = world.inbox(a, "log");
  const [tracer] = traced([stranger]);
  const { pool } = PeerService.nodeOf(stranger);
  const peer = await pool.reach("a", a.spec.addresses);
  await pool.dial(peer, "default", 0);
  await stranger.forwardMessage("a", "log", 1);
  await world.until(
    "a holds it",
    () => PeerService.nodeOf(a).pool.peers.get("stranger")?.at("default", 0)?.held === true,
  );
  assertEquals(heard.messages, []);
  await stranger.syncJoin(a.spec);
  await world.until("it has come", () => heard.messages.length === 1);
  assertEquals(tracer.spans.length, 1);
});

scenario("without a tracer nothing of a trace is sent, and a tracer that was disposed sees no more", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const contexts: MessageContext[] = [];
  b.register("log", (_, context) => void contexts.push(context));
  const tracer = new KeptTracer();
  const instrumented = instrument(a, { meter: null, tracer });
  await a.forwardMessage("b", "log", 1, { ack: true });
  instrumented[Symbol.dispose]();
  await a.forwardMessage("b", "log", 2, { ack: true });
  assertEquals(tracer.spans.length, 1);
  assertEquals(contexts.map((context) => "trace" in context && context.trace !== undefined), [true, false]);
});

Deno.test("what Deno exports over OTLP has the spans of two nodes in one trace, and the handler's own below", () =>
  exporting(async (receiver) => {
    const span = (name: string) => receiver.spans.find((span) => span.name === name);
    await deadline(receiver.until(() => ["call double", "process double", "work"].every(span)), 30_000);
    const [sent, processed, work] = [
      present(span("call double")),
      present(span("process double")),
      present(span("work")),
    ];
    assertEquals([processed.parentSpanId, processed.traceId], [sent.spanId, sent.traceId]);
    assertEquals([work.parentSpanId, work.traceId], [processed.spanId, sent.traceId]);
    assertEquals(attributeOf(sent.attributes, "messaging.system"), "partisan");
    // In OTLP, kinds are numbered from 1: 3 is a client, 5 a consumer.
    assertEquals([sent.kind, processed.kind], [3, 5]);
  }));
