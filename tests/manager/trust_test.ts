// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { CallError, type Codec, fullMesh, HandshakeRefusedError, SealError } from "../../mod.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { MemoryStore } from "../../testing/memory_store.ts";
import { scenario } from "./worlds.ts";
import { entryOf, firstOf, present } from "../values.ts";

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
  const heard = world.inbox(b, "log");
  await a.forwardMessage("b", "log", 1, { ack: true });
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
  const heard = world.inbox(b, "log");
  b.register("double", (n: number) => n * 2);
  const messages = [{ a: [1, "two", null] }, "text", "x".repeat(50_000)];
  for (const message of messages) await a.forwardMessage("b", "log", message);
  await a.forwardMessage("b", "log", { acked: true }, { ack: true });
  await world.until("all arrived", () => heard.messages.length === 4);
  assertEquals(heard.messages, [...messages, { acked: true }]);
  assertEquals(await a.call("b", "double", 21), 42);
  await assertRejects(() => a.forwardMessage("b", "log", undefined), Error, "JSON knows no such value");
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

scenario(
  "With a secret, each node has a key that every node knows, also those that have never met it",
  async (world) => {
    const [a, b, c] = await world.cluster(["a", "b", "c"], { secret: "correct horse battery" });
    for (const node of [a, b, c]) {
      const keys = node.membersForOrchestration().map(({ key }) => key);
      assertEquals(keys, [a, b, c].map(({ spec }) => spec.key));
      assertEquals(new Set(keys.map(String)).size, 3);
    }
    // A specification survives JSON, as orchestrators pass it on.
    const d = await world.start("d", { secret: "correct horse battery" });
    await d.syncJoin(JSON.parse(JSON.stringify(a.spec)));
    assertEquals(d.member("c"), true);
  },
);

scenario(
  "A node with a store keeps its key, and one without a store has another one in its next incarnation",
  async (world) => {
    const secret = "correct horse battery";
    const keeper = await world.start("keeper", { secret, store: new MemoryStore() });
    const store = new MemoryStore();
    const first = await world.start("a", { secret, store });
    const { key } = first.spec;
    await first.syncJoin(keeper.spec);
    await first.stop();
    const second = await world.start("a", { secret, store });
    assertEquals(second.spec.key, key);
    await world.until("it is back", () => keeper.isConnected("a") && second.isConnected("keeper"));
    await second.stop();
    const third = await world.start("a", { secret });
    assertNotEquals(third.spec.key, key);
    await third.syncJoin(keeper.spec);
    await world.until(
      "it is known by its new key",
      () => `${firstOf(keeper.membersForOrchestration()).key}` === `${third.spec.key}`,
    );
  },
);

scenario(
  "What a machine in between changes or repeats is never handed to a handler, and the nodes connect again",
  async (world) => {
    const attacks: ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array)[] = [
      (bytes) => bytes.fill(present(bytes[bytes.length - 1]) ^ 1, bytes.length - 1),
      (bytes) => new Uint8Array([...bytes, ...bytes]),
      (bytes) => new Uint8Array([0, 0, 0, 9, FrameKind.message, 0x80, 1, 0x81, 0xa3, 0x61, 0x64, 0x64, 1, ...bytes]),
    ];
    const [a, b] = await world.cluster(["a", "b"], { secret: "correct horse battery" });
    const heard = world.inbox(b, "log");
    await a.forwardMessage("b", "log", 0, { ack: true });
    for (const [number, attack] of attacks.entries()) {
      const faulty = entryOf(world.transports, "a");
      faulty.tamper = (bytes) => {
        faulty.tamper = undefined;
        return attack(bytes);
      };
      await a.forwardMessage("b", "log", number + 1, { ack: true });
      await world.until("b tells", () => world.errors.some(({ error }) => error instanceof SealError));
      for (const { error, node } of world.errors.splice(0)) {
        assertEquals([error instanceof SealError && error.code, node], ["forged", "a"]);
      }
      await world.until("they are whole", () => a.isFullyConnected("b") && b.isFullyConnected("a"));
    }
    assertEquals(heard.messages, [0, 1, 2, 3]);
  },
);
