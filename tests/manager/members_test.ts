// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { fullMesh, type FullMeshState, type Strategy } from "../../mod.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { scenario } from "./worlds.ts";

function otherName(strategy: Strategy<FullMeshState>, key: string | symbol): unknown {
  const value = Reflect.get(strategy, key);
  return key === "name" ? "other" : typeof value === "function" ? value.bind(strategy) : value;
}

scenario(
  "members(), membersForOrchestration() and member() tell who is in the cluster, sorted by name",
  async (world) => {
    const [c, a, b] = await world.cluster(["c", "a", "b"], { metadata: { zone: "eu-1" } });
    assertEquals(a!.members(), ["a", "b", "c"]);
    assertEquals(a!.membersForOrchestration(), [a!.spec, b!.spec, c!.spec]);
    assertEquals(c!.membersForOrchestration()[1]!.metadata, { zone: "eu-1" });
    assert(a!.member("b") && a!.member(b!.spec) && a!.member("a"));
    assert(!a!.member("d"));
  },
);

scenario("updateMembers() joins those that are missing and removes the surplus", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const d = await world.start("d");
  await a!.updateMembers([a!.spec, b!.spec, d.spec]);
  await world.settled([a!, b!, d]);
  await world.until("the surplus stopped", () => c!.connected().length === 0);
});

scenario("updateMembers() with what is already so changes nothing", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const before = a!.getLocalState();
  await a!.updateMembers(b!.membersForOrchestration());
  assertEquals(a!.getLocalState(), before);
});

scenario("updateMembers() without this node itself removes it last", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  await a!.updateMembers([b!.spec, c!.spec]);
  await world.settled([b!, c!]);
  assertEquals(a!.members(), ["a"]);
});

scenario("decode() reads what getLocalState() tells, here and on any other node", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  const stranger = await world.start("stranger");
  const specs = [a!.spec, b!.spec, c!.spec];
  for (const node of [a!, b!, stranger]) assertEquals(node.decode(a!.getLocalState()), specs);
  await c!.leave();
  assertEquals(stranger.decode(a!.getLocalState()), specs.slice(0, 2));
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
