// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fullMesh, type FullMeshState, type Strategy } from "../../mod.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { scenario } from "./worlds.ts";
import { nthOf, present } from "../values.ts";

function otherName(strategy: Strategy<FullMeshState>, key: string | symbol): unknown {
  const value = Reflect.get(strategy, key);
  return key === "name" ? "other" : typeof value === "function" ? value.bind(strategy) : value;
}

scenario(
  "members(), membersForOrchestration() and member() tell who is in the cluster, sorted by name",
  async (world) => {
    const [c, a, b] = await world.cluster(["c", "a", "b"], { metadata: { zone: "eu-1" } });
    assertEquals(a.members(), ["a", "b", "c"]);
    assertEquals(a.membersForOrchestration(), [a.spec, b.spec, c.spec]);
    assertEquals(nthOf(c.membersForOrchestration(), 1).metadata, { zone: "eu-1" });
    assert(a.member("b") && a.member(b.spec) && a.member("a"));
    assert(!a.member("d"));
  },
);

scenario("updateMembers() joins those that are missing and removes the surplus", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const d = await world.start("d");
  await a.updateMembers([a.spec, b.spec, d.spec]);
  await world.settled([a, b, d]);
  await world.until("the surplus stopped", () => c.connected().length === 0);
});

scenario("updateMembers() with what is already so changes nothing", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const before = a.getLocalState();
  await a.updateMembers(b.membersForOrchestration());
  assertEquals(a.getLocalState(), before);
});

scenario("updateMembers() refuses a list without this node, and does nothing then", async (world) => {
  const nodes = await world.cluster(["a", "b", "c"]);
  for (const node of nodes) {
    for (const list of [[], nodes.map(({ spec }) => spec).filter(({ name }) => name !== node.name)]) {
      const refused = await assertRejects(() => node.updateMembers(list), TypeError, "does not have this node");
      assertEquals(refused.message.includes("{ removeSelf: true }"), true);
    }
  }
  await world.settled(nodes);
});

scenario(
  "updateMembers() with removeSelf removes all others, whatever the order of the names, and this node last",
  async (world) => {
    for (const by of [0, 1, 2]) {
      const nodes = await world.cluster(["a", "b", "c"].map((name) => `${name}${by}`));
      const removed = new Set<string>();
      for (const node of nodes) node.addEventListener("removed", () => removed.add(node.name));
      const others = nodes.filter((_, index) => index !== by);
      await present(nodes[by]).updateMembers([], { removeSelf: true });
      await world.until("the others know", () => removed.size === 2);
      assertEquals([...removed].sort(), others.map(({ name }) => name));
      assertEquals(present(nodes[by]).members(), [present(nodes[by]).name]);
    }
  },
);

scenario("updateMembers() with removeSelf leaves the others their cluster", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  await a.updateMembers([b.spec, c.spec], { removeSelf: true });
  await world.settled([b, c]);
  assertEquals(a.members(), ["a"]);
});

scenario(
  "updateMembers() with a ghost again and again makes one attempt, which ends when the ghost is off the list",
  async (world) => {
    const a = await world.start("a");
    const ghost = await world.start("ghost");
    const { spec } = ghost;
    await ghost.stop();
    for (let call = 0; call < 100; call++) await a.updateMembers([a.spec, spec]);
    await world.until("it was tried", () => a.stats().connections.dials > 0);
    assertEquals(a.stats().connections.dials < 5, true, `${a.stats().connections.dials} dials`);
    await a.updateMembers([a.spec]);
    const listen = spec.addresses[0];
    const back = await world.start("ghost", { listen });
    const { dials } = a.stats().connections;
    const other = await world.start("other");
    await other.syncJoin(a.spec);
    await new Promise<void>((resolve) => world.clock.schedule(1_000, resolve));
    assertEquals(back.members(), ["ghost"]);
    assertEquals(a.stats().connections.dials - dials <= 2, true);
  },
);

scenario("decode() reads what getLocalState() tells, here and on any other node", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const stranger = await world.start("stranger");
  const specs = [a.spec, b.spec, c.spec];
  for (const node of [a, b, stranger]) assertEquals(node.decode(a.getLocalState()), specs);
  await c.leave();
  assertEquals(stranger.decode(a.getLocalState()), specs.slice(0, 2));
  assertEquals(stranger.members(), ["stranger"]);
});

scenario("decode() refuses what is damaged, of another version or of another strategy", async (world) => {
  const a = await world.start("a");
  const other = await world.start("b", { strategy: new Proxy(fullMesh(), { get: otherName }) });
  assertThrows(() => a.decode(a.getLocalState().slice(0, -1)), SyntaxError);
  assertThrows(() => a.decode(encode("no state")), TypeError, "not made by getLocalState()");
  assertThrows(() => a.decode(encode({ version: 99, strategy: "full_mesh", snapshot: 0 })), TypeError, "version is 99");
  assertThrows(() => a.decode(other.getLocalState()), TypeError, `its strategy is "other", expected`);
});

scenario("supportsCapability() and reserve() answer as a full mesh does", async (world) => {
  const a = await world.start("a");
  assertEquals(a.supportsCapability("monitoring"), true);
  assertEquals(a.supportsCapability("telepathy"), false);
  assertEquals(a.reserve("anything"), true);
});
