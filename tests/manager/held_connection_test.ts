// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Traffic over a connection that is not read, because a handler of plain messages has no room, and over the others. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type MessageContext, OverloadedError } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { firstOf } from "../values.ts";

const LATENCY_MS = 10;
const ROUND_TRIP_MS = 2 * LATENCY_MS;

/** A cluster where a handler of "b" has been busy since before the time begins. */
async function busyCluster(nodes: string[]) {
  const cluster = await SimulatedCluster.start({ nodes, latency: LATENCY_MS, options: { preset: "lan" } });
  const finish = Promise.withResolvers<void>();
  const handled: unknown[] = [];
  cluster.node("b").register("busy", (message) => {
    handled.push(message);
    return finish.promise;
  }, { concurrency: 1 });
  cluster.node("a").castMessage("b", "busy", 0);
  await cluster.advance(100);
  return { cluster, handled, finish: finish.resolve };
}

Deno.test("a caller learns that a handler has no room within one round trip", async () => {
  const { cluster, finish } = await busyCluster(["a", "b", "c"]);
  await using _ = cluster;
  const a = cluster.node("a");
  const sentAt = cluster.now;
  const once = { ack: true, retransmission: false };
  await cluster.wait(Promise.all([
    assertRejects(() => a.call("b", "busy", 1), OverloadedError),
    assertRejects(() => a.forwardMessage("b", "busy", 2, once), OverloadedError),
  ]));
  assert(cluster.now - sentAt <= ROUND_TRIP_MS + 1, `${cluster.now - sentAt} ms`);
  finish();
});

Deno.test("while the connection with messages is not read, nodes join and leave, handlers are told of calls that were given up, and no node is suspected", async () => {
  const { cluster, handled, finish } = await busyCluster(["a", "b", "c"]);
  await using _ = cluster;
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const contexts: MessageContext[] = [];
  b.register("patient", (_, context) => {
    contexts.push(context);
    return new Promise(() => {});
  });
  const enough = new AbortController();
  const given = assertRejects(() => a.call("b", "patient", null, { signal: enough.signal }), Error, "Enough");
  await cluster.runUntil(() => contexts.length === 1);
  const suspects: string[] = [];
  for (const node of cluster.nodes) {
    node.addEventListener("suspect", ({ detail }) => suspects.push(detail.node));
    node.onDown("*", (peer) => suspects.push(peer));
  }
  for (let number = 1; number <= 5; number++) a.castMessage("b", "busy", number);
  await cluster.advance(100);
  assertEquals(PeerService.nodeOf(b).messaging.registry.workload.waiting, 1);

  enough.abort(new Error("Enough"));
  await given;
  await cluster.advance(ROUND_TRIP_MS);
  assert(firstOf(contexts).signal.aborted);
  const d = await cluster.startNode("d");
  await cluster.runUntil(() => b.members().includes("d"), 2_000);
  await cluster.wait(d.leave());
  await cluster.runUntil(() => !b.members().includes("d"), 2_000);
  assertEquals(b.members(), ["a", "b", "c"]);
  a.setAttribute("told", "of a");
  await cluster.runUntil(() => b.attribute("a", "told") === "of a", 2_000);
  await cluster.advance(20_000);
  assertEquals(suspects.filter((node) => node !== "d"), []);

  finish();
  await cluster.advance(100);
  assertEquals(handled, [0, 1, 2, 3, 4, 5]);
});
