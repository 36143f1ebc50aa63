// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { delay } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";

Deno.test("a message that a peer has numbered 0 costs it the connection, also where interposition functions put messages back", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  const [heard, told]: [unknown[], string[]] = [[], []];
  a.register("ear", (message) => void heard.push(message));
  a.addEventListener("error", ({ detail: { error } }) => told.push(`${error}`));
  await cluster.wait(b.forwardMessage("a", "ear", 1, { ack: true }));
  const delayed = new Set<unknown>();
  a.addInterpositionFun("later", ({ message }) => {
    if (delayed.has(message)) return message;
    delayed.add(message);
    return delay(message);
  });
  const envelope = { sequence: 0, floor: 0 };
  const { outbound } = PeerService.nodeOf(b).messaging;
  outbound.forward({ node: "a", name: "ear", message: "made up", options: {}, cast: false, envelope });
  assert(await cluster.runUntil(() => told.length > 0));
  assertEquals(told, [
    "TypeError: Cannot read an envelope: number and floor must be integers from 1, the floor the smaller one",
  ]);
  await cluster.wait(b.forwardMessage("a", "ear", 2, { ack: true }));
  assertEquals(heard, [1, 2]);
});

Deno.test("what others have passed on and cannot be read costs the peer nothing that has brought it", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  const [a, c] = [PeerService.nodeOf(cluster.node("a")), cluster.node("c")];
  cluster.cut("a", "c");
  await cluster.advance(20_000);
  const told: string[] = [];
  c.addEventListener("error", ({ detail: { error } }) => told.push(`${error}`));
  c.addEventListener("down", ({ detail: { node } }) => told.push(node));
  const message = { node: "c", name: "ear", message: 1, options: {}, cast: false };
  const { lost } = c.stats().relay;
  a.messaging.relaying.send({ ...message, envelope: { sequence: 0, floor: 0 } });
  a.messaging.relaying.sendCancel("c", "nonsense" as unknown as number);
  await cluster.advance(1_000);
  assertEquals([c.stats().relay.lost - lost, told], [2, []]);
});
