// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { AckTimeoutError, NotConnectedError, PartitionedError, StoppedError } from "../../mod.ts";
import { seededRandom } from "../seeded_random.ts";
import { entryOf, nthOf } from "../values.ts";
import { scenario } from "./worlds.ts";

const QUICK = { initial: 20, cap: 100 };

scenario(
  "With ack, forwardMessage() resolves when the receiving manager has handed the message over",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const heard = world.inbox(b, "log");
    for (let n = 0; n < 50; n++) {
      await a.forwardMessage("b", "log", n, { ack: true });
      assertEquals(heard.messages.length, n + 1);
    }
    assertEquals(heard.messages, Array.from({ length: 50 }, (_, n) => n));
  },
);

for (const seed of [1, 2, 3]) {
  scenario(
    `Each acknowledged message reaches its handler once, under 30 % of connections cut and 50 % of frames replayed: seed ${seed}`,
    async (world) => {
      const options = { channels: { default: { parallelism: 3 }, bulk: { parallelism: 2 } } };
      const nodes = await world.cluster(["a", "b", "c"], options);
      await world.opened(nodes);
      const random = seededRandom(seed);
      for (const transport of world.transports.values()) transport.replay = () => random.chance(0.5);
      const inboxes = nodes.map((node) => world.inbox(node, "log"));
      const acknowledged: Promise<void>[] = [];
      const expected = new Map<string, unknown[]>(nodes.map(({ name }) => [name, []]));
      for (let round = 0; round < 50; round++) {
        for (let count = 0; count < 8; count++) {
          const from = random.pick(nodes);
          const to = random.pick(nodes.filter((node) => node !== from));
          const message = `${from.name} ${to.name} ${round} ${count}`;
          const channel = random.pick(["default", "bulk"]);
          entryOf(expected, to.name).push(message);
          acknowledged.push(
            from.forwardMessage(to.name, "log", message, { ack: true, channel, retransmission: QUICK }),
          );
        }
        for (const transport of world.transports.values()) transport.breakStreams(() => random.chance(0.3));
        const next = world.clock.now() + 10 + random.int(40);
        await world.until("the next round", () => world.clock.now() >= next);
      }
      await Promise.all(acknowledged);
      for (const { replayed } of world.transports.values()) assert(replayed > 10, `${replayed} frames were replayed`);
      for (const [index, { messages }] of inboxes.entries()) {
        assertEquals(messages.toSorted(), entryOf(expected, nthOf(nodes, index).name).toSorted());
      }
      await world.settled(nodes);
    },
  );
}

scenario(
  "An acknowledged message carries its bytes as they were, whether it goes out at once or waits for room",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"], { channels: { default: { maxQueuedBytes: 64 * 1_024 } } });
    const heard = world.inbox(b, "log");
    const bytes = new Uint8Array(1_000);
    const sent = Array.from(
      { length: 200 },
      (_, number) => a.forwardMessage("b", "log", bytes.fill(number), { ack: true }),
    );
    bytes.fill(255);
    await Promise.all(sent);
    assertEquals(
      heard.messages,
      Array.from({ length: 200 }, (_, number) => new Uint8Array(1_000).fill(number)),
    );
  },
);

scenario(
  "A message acknowledged across a restart of the receiver's connections is sent again at once",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const heard = world.inbox(b, "log");
    const { spec } = b;
    await b.stop();
    await world.until("a noticed", () => !a.isConnected("b"));
    const bytes = new Uint8Array([1, 2, 3]);
    const sent = a.forwardMessage("b", "log", bytes, { ack: true });
    bytes.fill(0);
    const again = await world.start("b", { listen: spec.addresses[0] });
    const after = world.inbox(again, "log");
    await sent;
    assertEquals([heard.messages, after.messages], [[], [new Uint8Array([1, 2, 3])]]);
  },
);

scenario(
  "With ack and a timeout, forwardMessage() rejects with AckTimeoutError; with a signal, with its reason",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    await b.stop();
    await world.until("a noticed", () => !a.isConnected("b"));
    const error = await assertRejects(
      () => a.forwardMessage("b", "log", 1, { ack: true, timeout: 50 }),
      AckTimeoutError,
    );
    assertEquals(error.message, `Cannot deliver to "b": no acknowledgement came in time`);
    const controller = new AbortController();
    const aborted = a.forwardMessage("b", "log", 2, { ack: true, signal: controller.signal });
    controller.abort(new RangeError("enough"));
    await assertRejects(() => aborted, RangeError, "enough");
  },
);

scenario("What waits for an acknowledgement rejects when the receiver leaves, or this node stops", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  for (const node of [b, c]) {
    node.addInterpositionFun("drop", ({ type, message }) => type === "receive_message" ? undefined : message);
  }
  const toB = assertRejects(
    () => a.forwardMessage("b", "log", 1, { ack: true }),
    NotConnectedError,
    "has left the cluster",
  );
  const toC = assertRejects(() => a.forwardMessage("c", "log", 1, { ack: true }), StoppedError);
  await b.leave();
  await toB;
  await a.stop();
  await toC;
});

scenario("With ack, forwardMessage() rejects at once for a stranger", async (world) => {
  const a = await world.start("a");
  await assertRejects(() => a.forwardMessage("nobody", "x", 1, { ack: true }), NotConnectedError, "it is not a member");
});

scenario("With ack, forwardMessage() rejects with PartitionedError while a partition is in between", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  const reference = await a.injectPartition("a", 0);
  await assertRejects(() => a.forwardMessage("b", "x", 1, { ack: true }), PartitionedError);
  a.resolvePartition(reference);
});

scenario("A message with the same clock is sent once", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  await Promise.all([1, 2, 3].map((n) => a.forwardMessage("b", "log", n, { ack: true, clock: "order 7" })));
  await a.forwardMessage("b", "log", 4, { ack: true, clock: "order 7" });
  await a.forwardMessage("b", "log", 5, { ack: true, clock: "order 8" });
  assertEquals(heard.messages, [1, 5]);
});

scenario("Messages to two nodes are two, however their names and clocks are put together", async (world) => {
  const [a, c, bc] = await world.cluster(["a", "c", "b c"]);
  const [toC, toBc] = [world.inbox(c, "log"), world.inbox(bc, "log")];
  await a.forwardMessage("c", "log", 1, { ack: true, clock: "1 b" });
  await a.forwardMessage("b c", "log", 2, { ack: true, clock: "1" });
  assertEquals([toC.messages, toBc.messages], [[1], [2]]);
}, ["memory"]);

scenario("Without retransmission a lost message is not repeated", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let offered = 0;
  a.addInterpositionFun("drop", () => void offered++);
  const options = { ack: true, retransmission: false, timeout: 300 };
  await assertRejects(() => a.forwardMessage("b", "log", 1, options), AckTimeoutError);
  assertEquals(offered, 1);
  await assertRejects(() => a.forwardMessage("b", "log", 1, { ...options, retransmission: QUICK }), AckTimeoutError);
  assert(offered > 3, `${offered} attempts`);
  assert(b.member("a"));
});

scenario(
  "The replaying transport replays what is acknowledged, so that the tests above mean something",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    await world.opened([a, b]);
    const heard = world.inbox(b, "log");
    const transport = entryOf(world.transports, "a");
    await a.forwardMessage("b", "log", "once", { ack: true });
    assertEquals(transport.replayed, 0);
    let offered = 0;
    b.addInterpositionFun("count", ({ type, message }) => {
      if (type === "receive_message") offered++;
      return message;
    });
    transport.replay = () => true;
    for (let n = 0; n < 20; n++) await a.forwardMessage("b", "log", n, { ack: true, retransmission: false });
    await world.until("each arrived twice", () => offered === 40);
    assertEquals(transport.replayed, 20);
    assertEquals(heard.messages, ["once", ...Array.from({ length: 20 }, (_, n) => n)]);
  },
);
