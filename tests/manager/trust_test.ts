// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallError, type Codec, fullMesh, HandshakeRefusedError } from "../../mod.ts";
import { scenario } from "./worlds.ts";

const json: Codec = {
  encode: (value) => {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError("JSON knows no such value");
    return new TextEncoder().encode(text);
  },
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
};

scenario("Nodes that share a secret trust each other", async (world) => {
  const [a, b] = await world.cluster(["a", "b", "c"], { secret: "s3cret" });
  const heard = world.inbox(b!, "log");
  await a!.forwardMessage("b", "log", 1, { ack: true });
  assertEquals(heard.messages, [1]);
});

scenario("A wrong secret, none where one is needed, or one where none is, is refused for good", async (world) => {
  const a = await world.start("a", { secret: "right" });
  const open = await world.start("open");
  const wrong = await world.start("b", { secret: "wrong" });
  for (const [joiner, target] of [[wrong, a], [open, a], [wrong, open]] as const) {
    const error = await assertRejects(() => joiner.syncJoin(target.spec), HandshakeRefusedError);
    assertEquals(error.refusal.code, "secret");
  }
  assertEquals([a.members(), open.members(), wrong.members()], [["a"], ["open"], ["b"]]);
});

scenario("Secrets can be rotated without an interruption: each node accepts several", async (world) => {
  const a = await world.start("a", { secret: "old" });
  const b = await world.start("b", { secret: ["new", "old"] });
  const c = await world.start("c", { secret: ["old", "new"] });
  const d = await world.start("d", { secret: "new" });
  await b.syncJoin(a.spec);
  await d.syncJoin(c.spec);
  await c.syncJoin(b.spec);
  for (const node of [b, c]) await world.until(`${node.name} knows all`, () => node.members().length === 4);
  await world.until("those in the middle see all", () => b.connected().length === 3 && c.connected().length === 3);
  assert(!a.isConnected("d"));
});

scenario("Another strategy is refused", async (world) => {
  const strategy = new Proxy(fullMesh(), {
    get(target, key) {
      const value = Reflect.get(target, key);
      return key === "name" ? "other" : typeof value === "function" ? value.bind(target) : value;
    },
  });
  const [a, b] = [await world.start("a"), await world.start("b", { strategy })];
  const error = await assertRejects(() => b.syncJoin(a.spec), HandshakeRefusedError);
  assertEquals(error.refusal.code, "strategy");
});

scenario("The codec option takes any pair of functions, such as JSON", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], { codec: json });
  const heard = world.inbox(b!, "log");
  b!.register("double", (n: number) => n * 2);
  const messages = [{ a: [1, "two", null] }, "text", "x".repeat(50_000)];
  for (const message of messages) await a!.forwardMessage("b", "log", message);
  await a!.forwardMessage("b", "log", { acked: true }, { ack: true });
  await world.until("all arrived", () => heard.messages.length === 4);
  assertEquals(heard.messages, [...messages, { acked: true }]);
  assertEquals(await a!.call("b", "double", 21), 42);
  await assertRejects(() => a!.forwardMessage("b", "log", undefined), Error, "JSON knows no such value");
});

scenario("What the codec of the receiver cannot read is told, and harms no other message", async (world) => {
  const a = await world.start("a");
  const b = await world.start("b", { codec: json });
  await b.syncJoin(a.spec);
  await world.settled([a, b]);
  const heard = world.inbox(b, "log");
  const downs: string[] = [];
  for (const node of [a, b]) node.onDown("*", (peer) => downs.push(peer));
  await a.forwardMessage("b", "log", "MessagePack is not JSON");
  await assertRejects(() => a.forwardMessage("b", "log", "not handled", { ack: true }), CallError);
  // A digit is the same in both.
  await a.forwardMessage("b", "log", 0x37);
  await world.until("all are told", () => world.errors.length === 2 && heard.messages.length === 1);
  for (const { error, node, during } of world.errors.splice(0)) {
    assertEquals([error instanceof SyntaxError, node, during], [true, "a", 'handling a message to "log"']);
  }
  assertEquals([heard.messages, downs], [[7], []]);

  b.register("reply", () => "JSON is not MessagePack");
  await assertRejects(() => a.call("b", "reply", 0x37), CallError, "Cannot decode the message");
  await assertRejects(() => a.call("b", "reply", "MessagePack is not JSON"), CallError);
  world.errors.length = 0;
});
