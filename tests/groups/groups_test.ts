// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type GroupCallOptions, type GroupChange, Groups } from "../../groups/mod.ts";
import { CallError, NotConnectedError, type PeerServiceManager, StoppedError } from "../../mod.ts";
import { scenario, type World } from "../manager/worlds.ts";

async function three(world: World): Promise<[PeerServiceManager, PeerServiceManager, PeerServiceManager]> {
  const [a, b, c] = await world.cluster(["a", "b", "c"]);
  assert(a !== undefined && b !== undefined && c !== undefined);
  return [a, b, c];
}

function describe({ type, entry }: GroupChange): string {
  return `${type} ${entry.node} ${entry.meta}`;
}

scenario("Every node knows the members of all groups, several of one node among them", async (world) => {
  const [a, b, c] = await three(world);
  const [atA, atB, atC] = [new Groups(a), new Groups(b), new Groups(c)];
  const first = atA.join("g", { meta: 1, weight: 2 });
  const second = atA.join("g", { meta: 2 });
  atB.join("h");
  const metas = () => atC.members("g").map(({ node, meta, weight }) => [node, meta, weight]);
  await world.until("c knows both", () => metas().length === 2 && atC.groups().length === 2);
  assertEquals(metas(), [["a", 1, 2], ["a", 2, 1]]);
  second.update("two");
  await world.until("c knows the update", () => metas()[1]?.[1] === "two");
  first.leave();
  first.leave();
  first.update("late");
  await world.until("c knows that one left", () => metas().length === 1);
  assertEquals(new Groups(c, { scope: "other" }).groups(), []);
  assertEquals(atC.groups(), ["g", "h"]);
});

scenario("watch() tells who comes, changes, goes and dies, and ends with the node", async (world) => {
  const [a, b, c] = await three(world);
  const changes = new Groups(a).watch("g");
  const seen: string[] = [];
  const watching = (async () => {
    for await (const change of changes) seen.push(describe(change));
  })();
  const member = new Groups(b).join("g", { meta: "x" });
  await world.until("it came", () => seen.length === 1);
  member.update("y");
  await world.until("it changed", () => seen.length === 2);
  new Groups(c).join("g", { meta: "z" });
  await world.until("another came", () => seen.length === 3);
  await c.stop();
  await world.until("that one died", () => seen.length === 4);
  member[Symbol.dispose]();
  await world.until("the first one left", () => seen.length === 5);
  await a.stop();
  await watching;
  assertEquals(seen, ["join b x", "update b y", "join c z", "leave c z", "leave b y"]);
});

scenario("publish() gives a message to all members that take some, except one", async (world) => {
  const [a, b, c] = await three(world);
  const heard: string[] = [];
  const hear = (who: string) => (message: unknown) => {
    heard.push(`${who} ${message}`);
    world.look();
  };
  const [atA, atB, atC] = [new Groups(a), new Groups(b), new Groups(c)];
  const own = atA.join("g", { handler: hear("a1") });
  atA.join("g", { handler: hear("a2") });
  atB.join("g", { handler: hear("b") });
  atC.join("g");
  await world.until("a knows all", () => atA.members("g").length === 4);
  atA.publish("g", 1);
  await world.until("all heard it", () => heard.length === 3);
  atA.publish("g", 2, { except: own });
  await world.until("the others heard it", () => heard.length === 5);
  atA.publish("g", 3, { except: "b" });
  await world.until("those of a heard it", () => heard.length === 7);
  assertEquals(heard.toSorted(), ["a1 1", "a1 3", "a2 1", "a2 2", "a2 3", "b 1", "b 2"]);
});

scenario("call() asks one member, by turns, at random, by load or by key", async (world) => {
  const [a, b, c] = await three(world);
  for (const node of [a, b, c]) new Groups(node).join("g", { handler: (message) => `${node.name} ${message}` });
  const groups = new Groups(a);
  await world.until("a knows all", () => groups.members("g").length === 3);
  const turns: unknown[] = [];
  for (let turn = 0; turn < 6; turn++) turns.push(await groups.call("g", turn, { pick: "round-robin" }));
  assertEquals(turns, ["a 0", "b 1", "c 2", "a 3", "b 4", "c 5"]);
  const keyed = await Promise.all([1, 2, 3].map(() => groups.call("g", "k", { pick: { key: "user-1" } })));
  assertEquals(new Set(keyed).size, 1);
  assertEquals(await new Groups(b).call("g", "k", { pick: { key: "user-1" } }), keyed[0]);
  const spread = await Promise.all([0, 1, 2].map(() => groups.call("g", "x", { pick: "least-busy" })));
  assertEquals(spread.toSorted(), ["a x", "b x", "c x"]);
  assert(typeof await groups.call("g", "r", { pick: "random" }) === "string");
});

scenario("call() goes to another member where one is gone, never where the handler failed", async (world) => {
  const [a, b, c] = await three(world);
  let tries = 0;
  const failing = new Groups(b).join("f", {
    handler: () => {
      tries++;
      throw new RangeError("no");
    },
  });
  new Groups(c).join("f", { handler: () => "fine" });
  const groups = new Groups(a);
  await world.until("a knows both", () => groups.members("f").length === 2);
  await assertRejects(() => groups.call("f", 1, { pick: "round-robin" }), CallError, "no");
  assertEquals(tries, 1);
  failing.leave();
  // Whether a knows yet or not: the member that has left says so, and another one is asked.
  for (let call = 0; call < 4; call++) assertEquals(await groups.call("f", 1, { pick: "round-robin" }), "fine");
  await c.stop();
  await assertRejects(() => groups.call("f", 1, { pick: "random" }), NotConnectedError);
  world.errors.splice(0);
});

scenario("A call whose member dies before the message arrives is asked of another", async (world) => {
  const [a, b, c] = await three(world);
  for (const node of [b, c]) new Groups(node).join("g", { handler: () => node.name });
  const groups = new Groups(a);
  await world.until("a knows both", () => groups.members("g").length === 2);
  const call = groups.call("g", 1, { pick: "round-robin" });
  world.simulated.crash("b");
  assertEquals(await call, "c");
}, ["memory"]);

scenario("A group takes no nonsense", async (world) => {
  const node = await world.start("a");
  const groups = new Groups(node);
  assertThrows(() => groups.join(""), TypeError);
  assertThrows(() => groups.join("g", { weight: 0 }), RangeError, "weight");
  assertThrows(() => groups.join("g", { meta: new Uint8Array(70_000) }), RangeError);
  assertThrows(() => new Groups(node, { scope: "" }), TypeError, "scope");
  assertEquals(groups.groups(), []);
  await assertRejects(() => groups.call("g", 1, { pick: "random" }), NotConnectedError, "no member");
  for (const pick of ["rand", null, {}, undefined] as unknown[] as GroupCallOptions["pick"][]) {
    await assertRejects(() => groups.call("g", 1, { pick }), TypeError, 'expected "random"');
  }
  const member = groups.join("g");
  await node.stop();
  member.leave();
  await assertRejects(() => groups.call("g", 1, { pick: "random" }), StoppedError);
  assertThrows(() => groups.publish("g", 1), StoppedError);
});

scenario("A node that drains leaves its groups", async (world) => {
  const [a, b] = await three(world);
  new Groups(a).join("g");
  const groups = new Groups(b);
  await world.until("b knows it", () => groups.members("g").length === 1);
  a.setAttribute("draining", true);
  await world.until("b knows that it left", () => groups.members("g").length === 0);
});

scenario("A node with a larger maxAttributeBytes has 2,000 memberships, and no more than 4,096", async (world) => {
  const options = { maxAttributeBytes: 1_048_576 };
  const [a, b] = await world.cluster(["a", "b"], options);
  assert(a !== undefined && b !== undefined);
  const [atA, atB] = [new Groups(a), new Groups(b)];
  for (let entry = 0; entry < 2_000; entry++) {
    atA.join(`group-${entry % 100}`, { meta: { device: "phone", tab: entry } });
    atB.join(`group-${entry % 100}`, { meta: { device: "desk", tab: entry } });
  }
  const count = (groups: Groups) => groups.groups().reduce((sum, group) => sum + groups.members(group).length, 0);
  await world.until("both know all", () => count(atA) === 4_000 && count(atB) === 4_000);
  const late = await world.start("c", options);
  const atC = new Groups(late);
  await late.syncJoin(a.spec);
  await world.until("a newcomer knows all", () => count(atC) === 4_000);
  assertThrows(
    () => {
      for (let entry = 0; entry < 3_000; entry++) atC.join("x");
      for (let entry = 0; entry < 3_000; entry++) atC.join("x");
    },
    RangeError,
    "has 4096",
  );
  assertEquals(atC.members("x").length, 4_096);
});
