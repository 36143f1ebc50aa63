// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { seededRandom } from "../seeded_random.ts";
import { scenario, type World } from "./worlds.ts";
import { entryOf } from "../values.ts";

const LABEL = "orders";

/** Lets messages from one node to another come late, as often as `late` says. */
function slow(node: PeerServiceManager, from: string, release: Promise<void>): void {
  let open = false;
  release.then(() => open = true);
  node.addInterpositionFun("slow", (interposed) => {
    const { type, node: other, message } = interposed;
    return type === "receive_message" && other === from && !open ? undefined : message;
  });
}

for (const ack of [false, true]) {
  scenario(`A tells B, A tells C, C tells B: B hears A first, ${ack ? "with" : "without"} ack`, async (world) => {
    const [a, b, c] = await world.cluster(["a", "b", "c"]);
    const heard = world.inbox(b, "log");
    const options = { causalLabel: LABEL, ack, retransmission: { initial: 20, cap: 40 } };
    c.register("tell", async (message) => {
      await c.forwardMessage("b", "log", `C, who knows ${message}`, { ...options, ack: false });
    });
    const release = Promise.withResolvers<void>();
    slow(b, "a", release.promise);
    const first = a.forwardMessage("b", "log", "A", options);
    await a.forwardMessage("c", "tell", "A", { ...options, ack: true });
    const later = world.clock.now() + 150;
    await world.until("C's message is there", () => world.clock.now() >= later);
    assertEquals(heard.messages, []);
    release.resolve();
    await first;
    await world.until("both arrived", () => heard.messages.length === 2);
    assertEquals(heard.messages, ["A", "C, who knows A"]);
  });
}

scenario(
  "Under one label nothing overtakes its cause among four nodes, with losses and broken connections",
  async (world) => {
    await gossipStory(world, 1);
  },
);

async function gossipStory(world: World, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const nodes = await world.cluster(["a", "b", "c", "d"]);
  const options = { causalLabel: LABEL, ack: true, retransmission: { initial: 20, cap: 60 } };
  const known = new Map(nodes.map(({ name }) => [name, new Set<string>()]));
  const violations: string[] = [];
  let arrived = 0;
  for (const node of nodes) {
    node.addInterpositionFun(
      "lossy",
      ({ type, message }) => type === "receive_message" && random.chance(0.3) ? undefined : message,
    );
    node.register("log", ({ id, after }: { id: string; after: string[] }) => {
      // What was addressed to this node and known to the sender must have been heard here before.
      const mine = entryOf(known, node.name);
      for (const cause of after) {
        if (cause.endsWith(` ${node.name}`) && !mine.has(cause)) violations.push(`${id} before ${cause}`);
      }
      for (const cause of after) mine.add(cause);
      mine.add(id);
      arrived++;
    });
  }
  const sent: Promise<void>[] = [];
  for (let n = 0; n < 120; n++) {
    const from = random.pick(nodes);
    const to = random.pick(nodes.filter((node) => node !== from));
    const id = `${n} ${to.name}`;
    const mine = entryOf(known, from.name);
    sent.push(from.forwardMessage(to.name, "log", { id, after: [...mine] }, options));
    mine.add(id);
    if (n % 30 === 29) world.breakConnections(from.name);
    if (n % 4 === 0) {
      const next = world.clock.now() + random.int(10);
      await world.until("a moment has passed", () => world.clock.now() >= next);
    }
  }
  await Promise.all(sent);
  await world.until("all arrived", () => arrived === 120);
  assertEquals(violations, []);
}

scenario(
  "An unknown label is an error at the sender; at a receiver that does not know it order is not promised",
  async (world) => {
    const a = await world.start("a", { causalLabels: ["known", "mine"] });
    const b = await world.start("b", { causalLabels: ["known"] });
    await b.syncJoin(a.spec);
    await world.settled([a, b]);
    const heard = world.inbox(b, "log");
    await assertRejects(
      () => a.forwardMessage("b", "log", 1, { causalLabel: "unknown" }),
      RangeError,
      `causal label "unknown" is unknown; name it in "causalLabels"`,
    );
    await a.forwardMessage("b", "log", 2, { causalLabel: "known", ack: true });
    await a.forwardMessage("b", "log", 3, { causalLabel: "mine", ack: true });
    assertEquals(heard.messages, [2, 3]);
  },
);

scenario("A participant's restart starts its order afresh", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const heard = world.inbox(c, "log");
  const options = { causalLabel: LABEL, ack: true, retransmission: { initial: 20, cap: 60 } };
  for (let n = 0; n < 5; n++) {
    await a.forwardMessage("c", "log", `a${n}`, options);
    await b.forwardMessage("c", "log", `b${n}`, options);
  }
  const { spec } = b;
  await b.stop();
  const again = await world.start("b", { listen: spec.addresses[0] });
  await world.settled([a, again, c]);
  const heardByB = world.inbox(again, "log");
  for (let n = 5; n < 8; n++) {
    await again.forwardMessage("c", "log", `b${n}`, options);
    await a.forwardMessage("c", "log", `a${n}`, options);
    await a.forwardMessage("b", "log", n, options);
  }
  assertEquals(heard.messages.length, 16);
  assertEquals(heardByB.messages, [5, 6, 7]);
});
