// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClusterBroadcastChannel, Groups } from "../../groups/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { forEachOf } from "../tuples.ts";

scenario(
  "What is posted reaches every other channel of the name, on all nodes, in order, and not the sender",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    assert(a !== undefined && b !== undefined);
    const channels = forEachOf([a, a, b], (node) => new ClusterBroadcastChannel("news", node));
    const [sender, here, there] = channels;
    const other = new ClusterBroadcastChannel("other", b);
    const heard: string[] = [];
    for (const [index, channel] of [...channels, other].entries()) {
      channel.onmessage = ({ data, origin }) => {
        heard.push(`${index} ${data} ${origin}`);
        world.look();
      };
    }
    const groups = new Groups(a, { scope: "broadcast channels" });
    await world.until("a knows all", () => groups.members("news").length === 3);
    for (const number of [1, 2, 3]) sender.postMessage(number);
    await world.until("all was heard", () => heard.length === 6);
    assertEquals(heard.filter((line) => line.startsWith("1")), ["1 1 a", "1 2 a", "1 3 a"]);
    assertEquals(heard.filter((line) => line.startsWith("2")), ["2 1 a", "2 2 a", "2 3 a"]);
    assertEquals(here.name, "news");
    there.close();
    there.close();
    sender.postMessage(4);
    await world.until("the other one heard it", () => heard.length === 7);
    assertEquals(heard.at(-1), "1 4 a");
  },
);

Deno.test("What is posted comes in order on many nodes as well, where a message to all could go along the broadcast tree", async () => {
  for (const seed of [7, 21]) {
    await using cluster = await SimulatedCluster.start({ nodes: 20, seed });
    const [sender, ...others] = cluster.nodes.map((node) => new ClusterBroadcastChannel("news", node));
    const heard = others.map((channel) => {
      const messages: unknown[] = [];
      channel.onmessage = ({ data }) => messages.push(data);
      return messages;
    });
    await cluster.advance(3_000);
    const posted = Array.from({ length: 60 }, (_, number) => number);
    for (const number of posted) {
      sender?.postMessage(number);
      if (number % 3 === 0) await cluster.advance(1 + (number * 7) % 20);
    }
    await cluster.advance(1_000);
    assertEquals(heard, others.map(() => posted));
  }
});

scenario("A message is delivered in a task of its own, as it was when it was posted", async (world) => {
  const node = await world.start("a");
  const [here, there] = [new ClusterBroadcastChannel("c", node), new ClusterBroadcastChannel("c", node)];
  const heard: unknown[] = [];
  there.addEventListener("message", (event) => {
    heard.push((event as MessageEvent).data);
    world.look();
  });
  const data = { list: [1, 2] };
  here.postMessage(data);
  data.list.push(3);
  assertEquals(heard, []);
  await world.until("it was heard", () => heard.length === 1);
  assertEquals(heard, [{ list: [1, 2] }]);
});

scenario("onmessage takes one listener at a time, next to those of addEventListener", async (world) => {
  const node = await world.start("a");
  const [here, there] = [new ClusterBroadcastChannel("c", node), new ClusterBroadcastChannel("c", node)];
  const heard: string[] = [];
  assertEquals([there.onmessage, there.onmessageerror], [null, null]);
  there.onmessage = () => heard.push("replaced");
  const listener = () => heard.push("handler");
  there.onmessage = listener;
  assertEquals(there.onmessage, listener);
  there.addEventListener("message", () => {
    heard.push("listener");
    world.look();
  });
  here.postMessage(undefined);
  await world.until("both heard it", () => heard.length === 2);
  assertEquals(heard, ["handler", "listener"]);
  there.onmessage = null;
  here.postMessage(1);
  await world.until("one heard it", () => heard.length === 3);
  assertEquals(heard.at(-1), "listener");
});

scenario("postMessage() after close() and of what cannot be sent throws as the web's does", async (world) => {
  const node = await world.start("a");
  const channel = new ClusterBroadcastChannel("c", node);
  const there = new ClusterBroadcastChannel("c", node);
  assertEquals(assertThrows(() => channel.postMessage(() => 1), DOMException).name, "DataCloneError");
  channel.close();
  assertEquals(assertThrows(() => channel.postMessage(1), DOMException).name, "InvalidStateError");
  await node.stop();
  assertEquals(assertThrows(() => there.postMessage(1), DOMException).name, "InvalidStateError");
  there.close();
});
