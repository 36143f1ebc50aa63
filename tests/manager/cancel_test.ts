// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { CallError, hyparview, type MessageContext, NotConnectedError, StoppedError } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { entryOf, firstOf, nthOf, present } from "../values.ts";
import { scenario, type World } from "./worlds.ts";

/** A handler that goes on until its signal is aborted. */
function patient(world: World, contexts: MessageContext[]): (message: unknown, context: MessageContext) => unknown {
  return (_, context) => {
    contexts.push(context);
    world.look();
    return new Promise((resolve) =>
      context.signal.addEventListener("abort", () => {
        resolve(null);
        world.look();
      })
    );
  };
}

scenario("A call that is aborted or timed out aborts the signal of its handler, here and there", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  for (const to of [b, a]) {
    const contexts: MessageContext[] = [];
    to.register("patient", patient(world, contexts));
    const controller = new AbortController();
    const call = a.call(to.name, "patient", 1, { signal: controller.signal });
    await world.until("it has begun", () => contexts.length === 1);
    assertFalse(firstOf(contexts).signal.aborted);
    controller.abort(new Error("Enough"));
    await assertRejects(() => call, Error, "Enough");
    await world.until("its handler knows", () => firstOf(contexts).signal.aborted);
    assertEquals(`${firstOf(contexts).signal.reason}`, `AbortError: "a" has given the call up`);
    await assertRejects(() => a.call(to.name, "patient", 2, { timeout: 200 }), DOMException);
    await world.until("its handler knows", () => nthOf(contexts, 1).signal.aborted);
  }
});

scenario("A caller that goes down or stops aborts the signals of what it has sent", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const contexts: MessageContext[] = [];
  const plain: MessageContext[] = [];
  b.register("patient", patient(world, contexts));
  b.register("plain", patient(world, plain));
  const call = assertRejects(() => a.call("b", "patient", 1), StoppedError);
  const other = assertRejects(() => c.call("b", "patient", 1), NotConnectedError);
  a.castMessage("b", "plain", 1);
  c.castMessage("b", "plain", 1);
  await world.until("all have begun", () => contexts.length === 2 && plain.length === 2);
  const signals = new Map(
    [contexts, plain].map((list) => [list, new Map(list.map(({ from, signal }) => [from, signal]))]),
  );
  const of = (list: MessageContext[], from: string) => entryOf(entryOf(signals, list), from);
  assertFalse(of(plain, "a").aborted);
  await a.stop();
  await world.until("the handlers know", () => of(contexts, "a").aborted && of(plain, "a").aborted);
  assertFalse(of(contexts, "c").aborted || of(plain, "c").aborted);
  await b.stop();
  assert(of(contexts, "c").aborted && of(plain, "c").aborted);
  await Promise.all([call, other]);
});

scenario("A call that was given up before it came is not carried out", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let carriedOut = 0;
  b.register("count", () => ++carriedOut);
  // The connection is held, so that the calls wait in it; the word that they were given up does not.
  const gate = Promise.withResolvers<void>();
  b.register("slow", () => gate.promise, { concurrency: 1 });
  for (let i = 0; i < 2; i++) a.castMessage("b", "slow", null);
  for (let i = 0; i < 3; i++) {
    const controller = new AbortController();
    const call = a.call("b", "count", i, { signal: controller.signal });
    controller.abort(new Error("Enough"));
    await assertRejects(() => call, Error, "Enough");
  }
  await new Promise<void>((resolve) => world.clock.schedule(200, resolve));
  gate.resolve();
  assertEquals(await a.call("b", "count", 0), 1);
  await a.forwardMessage("b", "count", 0, { ack: true });
  assertEquals(carriedOut, 2);
});

scenario("The word that a call was given up is said again when it may be lost with its connection", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const contexts: MessageContext[] = [];
  let downs = 0;
  b.register("patient", patient(world, contexts));
  b.addEventListener("down", () => downs++);
  const membership = () => PeerService.nodeOf(a).pool.peers.get("b")?.membership;
  await world.opened([a, b]);
  for (const isClosedBefore of [false, true]) {
    const controller = new AbortController();
    const call = assertRejects(() => a.call("b", "patient", 1, { signal: controller.signal }), Error, "Enough");
    await world.until("it has begun", () => contexts.length === 1);
    const { signal } = present(contexts.pop());
    if (isClosedBefore) present(membership()).close();
    controller.abort(new Error("Enough"));
    if (!isClosedBefore) present(membership()).close();
    await call;
    await world.until("its handler knows", () => signal.aborted);
    assertEquals(`${signal.reason}`, `AbortError: "a" has given the call up`);
    await world.until("there is another connection", () => a.isFullyConnected("b") && b.isFullyConnected("a"));
  }
  assertEquals(downs, 0);
});

scenario("A signal that no node reads is not made, and one that is read late is aborted already", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const contexts: MessageContext[] = [];
  const gate = Promise.withResolvers<void>();
  b.register("late", async (_, context) => {
    contexts.push(context);
    await gate.promise;
    assert(context.signal.aborted);
    return "no caller hears it";
  });
  await assertRejects(() => a.call("b", "late", 1, { timeout: 100 }), DOMException);
  await new Promise<void>((resolve) => world.clock.schedule(100, resolve));
  gate.resolve();
  await world.until("it was read", () => firstOf(contexts).signal.aborted);
}, ["memory"]);

scenario("callAll() tells for each node what its handler returned, or why it did not", async (world) => {
  const [a, b, c, d] = await world.cluster(["a", "b", "c", "d"]);
  for (const node of [a, b]) node.register("who", (_, { from }) => `${node.name} for ${from}`);
  c.register("who", () => {
    throw new RangeError("Not today");
  });
  d.register("who", () => new Promise(() => {}));
  const results = await a.callAll("who", null, { timeout: 200 });
  assertEquals([...results.keys()], ["a", "b", "c", "d"]);
  assertEquals(results.get("a"), { status: "fulfilled", value: "a for a" });
  assertEquals(results.get("b"), { status: "fulfilled", value: "b for a" });
  const reasonOf = (node: string) => {
    const result = entryOf(results, node);
    assert(result.status === "rejected");
    return result.reason;
  };
  assert(reasonOf("c") instanceof CallError);
  assertEquals(reasonOf("d").name, "TimeoutError");
  const some = await a.callAll("who", null, { nodes: [b.spec, "b", "nobody"] });
  assertEquals([...some].map(([node, { status }]) => [node, status]), [["b", "fulfilled"], ["nobody", "rejected"]]);
  const signal = AbortSignal.abort(new Error("Enough"));
  await assertRejects(() => a.callAll("who", null, { signal }), Error, "Enough");
  world.errors.length = 0;
});

scenario("callAll() reaches members without a connection, and so does word of a call given up", async (world) => {
  const nodes = await Promise.all(
    ["a", "b", "c", "d", "e", "f"].map((name) => world.start(name, { strategy: hyparview({ activeSize: 2 }) })),
  );
  const contexts: MessageContext[] = [];
  for (const node of nodes) {
    node.register("who", () => node.name);
    node.register("patient", patient(world, contexts));
  }
  for (const node of nodes.slice(1)) await node.syncJoin(firstOf(nodes).spec);
  const a = firstOf(nodes);
  const names = nodes.map(({ name }) => name);
  const results = await a.callAll("who", null, { nodes: names, timeout: 20_000 });
  assertEquals([...results].map(([, result]) => result.status === "fulfilled" && result.value), names);
  await a.callAll("patient", null, { nodes: names, timeout: 3_000 });
  await world.until("all know", () => contexts.length === 6 && contexts.every(({ signal }) => signal.aborted));
}, ["memory"]);
