// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Messages of a node to itself find the same bounds as those to another one. */

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { firstOf } from "../values.ts";

const MEBIBYTE = 1024 * 1024;

/** A node with a handler that finishes when it is told to. */
async function busyNode() {
  const cluster = await SimulatedCluster.start({ nodes: ["a"] });
  const node = cluster.node("a");
  const finish = Promise.withResolvers<void>();
  const handled: number[] = [];
  node.register("busy", (message: Uint8Array) => {
    handled.push(firstOf(message));
    return finish.promise;
  }, { concurrency: 1 });
  const told: string[] = [];
  node.addEventListener("undeliverable", ({ detail }) => told.push(detail.reason));
  return { cluster, node, handled, told, finish: finish.resolve };
}

/** A message of 1 MiB that says which one it is. */
function numbered(number: number): Uint8Array {
  return new Uint8Array(MEBIBYTE).fill(number);
}

Deno.test("forwardMessage() to oneself waits while the handler has no room, and what waits is delivered in order", async () => {
  const { cluster, node, handled, told, finish } = await busyNode();
  await using _ = cluster;
  let accepted = 0;
  const numbers = Array.from({ length: 30 }, (_, number) => number);
  const sent = numbers.map((number) => node.forwardMessage("a", "busy", numbered(number)).then(() => accepted++));
  await cluster.advance(1_000);
  assertEquals([handled, accepted], [[0], 0]);
  assertFalse(node.castMessage("a", "busy", numbered(99)));
  assertEquals(told, ['Cannot send to "busy" on "a": too much waits there already']);
  node.register("prompt", () => "at once");
  assertEquals(await cluster.wait(node.call("a", "prompt", null)), "at once");
  finish();
  await cluster.wait(Promise.all(sent));
  await cluster.advance(100);
  assertEquals(handled, numbers);
});

Deno.test("what is cast to oneself in one turn is bounded, and counts for nothing once it was delivered", async () => {
  const { cluster, node, handled, told, finish } = await busyNode();
  await using _ = cluster;
  finish();
  const taken = Array.from({ length: 30 }, (_, number) => node.castMessage("a", "busy", numbered(number)));
  assertEquals(taken.filter((isWelcome) => isWelcome), []);
  assertEquals(told.length, 30 - 7);
  await cluster.wait(node.ready("a"));
  await cluster.advance(100);
  assertEquals(handled, [0, 1, 2, 3, 4, 5, 6]);
  assert(node.castMessage("a", "busy", new Uint8Array([7])));
  await cluster.advance(100);
  assertEquals(handled.at(-1), 7);
});

Deno.test("forwardMessage() to oneself gives up with its signal, and when the node leaves or stops", async () => {
  const { cluster, node, handled, finish } = await busyNode();
  await using _ = cluster;
  for (let number = 0; number < 8; number++) node.castMessage("a", "busy", numbered(number));
  await cluster.advance(100);
  const enough = new AbortController();
  const given = assertRejects(
    () => node.forwardMessage("a", "busy", numbered(90), { signal: enough.signal }),
    Error,
    "Enough",
  );
  enough.abort(new Error("Enough"));
  await cluster.wait(given);
  const left = assertRejects(() => node.forwardMessage("a", "busy", numbered(91)), Error, "has left the cluster");
  await cluster.wait(node.leave());
  await cluster.wait(left);
  assertEquals(PeerService.nodeOf(node).messaging.registry.workload.waiting, 0);
  await cluster.wait(node.forwardMessage("a", "busy", new Uint8Array([92])));
  finish();
  await cluster.advance(100);
  assertEquals(handled, [0, 92]);
  node.register("stuck", () => new Promise(() => {}), { concurrency: 1 });
  for (let number = 0; number < 9; number++) node.castMessage("a", "stuck", numbered(number));
  const stopped = assertRejects(() => node.forwardMessage("a", "stuck", numbered(93)), Error, "stopped");
  await cluster.wait(node.stop());
  await cluster.wait(stopped);
});
