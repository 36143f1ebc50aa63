// Copyright 2026 the Partisan peer-service authors. MIT license.

// What the web platform tests ask of a BroadcastChannel (`webmessaging/broadcastchannel/basics.any.js` and `interface.any.js`), as far as it
// applies to channels of one node and of several, each in words of our own. Windows, workers, blobs, shared memory, opaque origins and
// detached documents have no counterpart here.

import { assert, assertEquals, assertFalse, assertInstanceOf, assertNotStrictEquals, assertThrows } from "@std/assert";
import { ClusterBroadcastChannel } from "../../groups/mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { forEachOf, type OneForEach } from "../tuples.ts";

/** Channels of the name `c` on the nodes `a` and `b`, and one of each given node, all of which know each other. */
async function open<const Names extends readonly string[]>(...nodes: Names): Promise<{
  cluster: SimulatedCluster;
  channels: OneForEach<Names, ClusterBroadcastChannel>;
}> {
  const cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const channels = forEachOf(nodes, (name) => new ClusterBroadcastChannel("c", cluster.node(name)));
  await cluster.advance(1_000);
  return { cluster, channels };
}

for (const there of ["a", "b"]) {
  const where = there === "a" ? "on the same node" : "on another node";

  Deno.test(`A message ${where} arrives as a MessageEvent at its channel, with the data, the sender's origin and nothing else`, async () => {
    const { cluster, channels } = await open("a", there);
    await using _cluster = cluster;
    const [sender, receiver] = channels;
    const events: MessageEvent[] = [];
    receiver.onmessage = function (event) {
      assertEquals([this, event.target, event.currentTarget], [receiver, receiver, receiver]);
      events.push(event);
    };
    sender.onmessage = () => events.push(new MessageEvent("to the sender"));
    sender.postMessage({ deep: ["data", 1, true, null] });
    await cluster.advance(1_000);
    const [event] = events;
    assertInstanceOf(event, MessageEvent);
    assertEquals([events.length, event.type, event.origin, event.source], [1, "message", "a", null]);
    assertEquals([event.data, event.ports.length, event.lastEventId], [{ deep: ["data", 1, true, null] }, 0, ""]);
    assertFalse(event.bubbles || event.cancelable);
  });

  Deno.test(`Messages ${where} arrive in the order in which channels were made, message by message`, async () => {
    const { cluster, channels } = await open("a", there, there, there);
    await using _cluster = cluster;
    const [sender, ...receivers] = channels;
    const heard: string[] = [];
    for (const [index, receiver] of receivers.entries()) {
      receiver.onmessage = ({ data }) => heard.push(`${index} ${data}`);
    }
    sender.postMessage("x");
    sender.postMessage("y");
    await cluster.advance(1_000);
    assertEquals(heard, ["0 x", "1 x", "2 x", "0 y", "1 y", "2 y"]);
  });

  Deno.test(`A channel ${where} that is closed hears nothing, not even what was posted before`, async () => {
    const { cluster, channels } = await open("a", there, there, there);
    await using _cluster = cluster;
    const [sender, before, after, open_] = channels;
    const heard: string[] = [];
    for (const [name, channel] of [["before", before], ["after", after], ["open", open_]] as const) {
      channel.onmessage = ({ data }) => heard.push(`${name} ${data}`);
    }
    before.close();
    sender.postMessage("x");
    after.close();
    await cluster.advance(1_000);
    assertEquals(heard, ["open x"]);
  });

  Deno.test(`Closing a channel ${where} in its listener prevents the messages that wait already`, async () => {
    const { cluster, channels } = await open("a", there);
    await using _cluster = cluster;
    const [sender, receiver] = channels;
    const heard: unknown[] = [];
    receiver.onmessage = ({ data }) => {
      heard.push(data);
      receiver.close();
    };
    for (const data of ["first", "second", "third"]) sender.postMessage(data);
    await cluster.advance(1_000);
    assertEquals(heard, ["first"]);
  });

  Deno.test(`Channels ${where} may be closed and made while a message is delivered: what is closed hears it no more, what is new does not`, async () => {
    const { cluster, channels } = await open("a", there, there);
    await using _cluster = cluster;
    const [sender, first, second] = channels;
    const heard: string[] = [];
    first.onmessage = ({ data }) => {
      heard.push(`first ${data}`);
      second.close();
      if (data !== "x") return;
      const made = new ClusterBroadcastChannel("c", cluster.node(there));
      made.onmessage = ({ data }) => heard.push(`made ${data}`);
    };
    second.onmessage = ({ data }) => heard.push(`second ${data}`);
    sender.postMessage("x");
    await cluster.advance(1_000);
    assertEquals(heard, ["first x"]);
    sender.postMessage("y");
    await cluster.advance(1_000);
    assertEquals(heard, ["first x", "first y", "made y"]);
  });

  Deno.test(`Each channel ${where} is given data of its own`, async () => {
    const { cluster, channels } = await open("a", there, there);
    await using _cluster = cluster;
    const [sender, first, second] = channels;
    const given: { list: number[]; bytes: Uint8Array }[] = [];
    first.onmessage = ({ data }) => {
      given.push(data);
      data.list.push(2);
      data.bytes[0] = 9;
    };
    second.onmessage = ({ data }) => given.push(data);
    sender.postMessage({ list: [1], bytes: Uint8Array.of(1) });
    await cluster.advance(1_000);
    assertEquals(given[1], { list: [1], bytes: Uint8Array.of(1) });
    assertNotStrictEquals(given[0], given[1]);
  });
}

Deno.test("A name is made a string as the web does, is read-only, and channels of other names hear nothing", async () => {
  const { cluster } = await open();
  await using _cluster = cluster;
  const heard: string[] = [];
  for (const [given, name] of [[null, "null"], [undefined, "undefined"], [{}, "[object Object]"], [1, "1"]] as const) {
    const channel = new ClusterBroadcastChannel(given as unknown as string, cluster.node("a"));
    channel.onmessage = () => heard.push(name);
    assertEquals(channel.name, name);
    assertInstanceOf(channel, EventTarget);
  }
  const channel = new ClusterBroadcastChannel("1", cluster.node("b"));
  await cluster.advance(1_000);
  channel.postMessage("x");
  await cluster.advance(1_000);
  assertEquals(heard, ["1"]);
});

Deno.test("Listeners are properties that keep their turn when they are replaced, and lose it when they are removed", async () => {
  const { cluster, channels } = await open("a", "a");
  await using _cluster = cluster;
  const [sender, receiver] = channels;
  assertEquals([receiver.onmessage, receiver.onmessageerror], [null, null]);
  const heard: string[] = [];
  const later = () => heard.push("later");
  const post = async () => {
    heard.splice(0);
    sender.postMessage(null);
    await cluster.advance(1_000);
    return heard.join();
  };
  receiver.onmessage = () => heard.push("first");
  receiver.addEventListener("message", () => heard.push("added"));
  receiver.onmessage = later;
  assertEquals([receiver.onmessage, await post()], [later, "later,added"]);
  receiver.onmessage = null;
  assertEquals([receiver.onmessage, await post()], [null, "added"]);
  receiver.onmessage = later;
  assertEquals(await post(), "added,later");
  receiver.onmessage = 7 as unknown as null;
  assertEquals([receiver.onmessage, await post()], [null, "added"]);
  receiver.onmessageerror = () => heard.push("error");
  receiver.dispatchEvent(new MessageEvent("messageerror"));
  assertEquals(heard, ["added", "error"]);
});

Deno.test("Closing twice does nothing, and posting after it throws an InvalidStateError", async () => {
  const { cluster, channels } = await open("a");
  await using _cluster = cluster;
  const [channel] = channels;
  channel?.close();
  channel?.close();
  const error = assertThrows(() => channel?.postMessage("x"), DOMException);
  assertEquals(error.name, "InvalidStateError");
  assert(error.message.includes("closed"));
});
