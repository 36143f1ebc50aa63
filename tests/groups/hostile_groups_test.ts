// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { NameConflicts } from "../../groups/name_conflicts.ts";
import { GroupIndex } from "../../groups/group_index.ts";
import { Groups, Names } from "../../groups/mod.ts";
import { Placement } from "../../placement/mod.ts";
import { CallError } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";

/** Kinds of messages about names. */
const [CLAIM, MET] = [0, 3];
/** The word that a member of a group has begun with a call. */
const BEGUN = 2;

Deno.test("A membership whose weight is no number is none: calls of the group, and owners of keys, are as without it", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "liar"] });
  const [a, b] = ["a", "b"].map((name) => cluster.node(name));
  assert(a !== undefined && b !== undefined);
  new Groups(b).join("workers", { handler: (job: number) => job * 2 });
  const placement = new Placement(a, { group: "workers" });
  for (const [id, weight] of [5n, "5", [5], true, Infinity].entries()) {
    cluster.node("liar").setAttribute(`g/default/${id}`, ["workers", 1, weight, true, null]);
  }
  await cluster.advance(3_000);
  const groups = new Groups(a);
  for (const pick of ["random", "round-robin", "least-busy", { key: "k" }] as const) {
    assertEquals(await cluster.wait(groups.call("workers", 21, { pick })), 42);
  }
  assertEquals(groups.members("workers").map(({ node }) => node), ["b"]);
  assertEquals(placement.owner("k"), "b");
});

Deno.test("Only the node that was called says that it has begun: another one keeps no call from the next member", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "liar"] });
  for (const name of ["b", "c"]) new Groups(cluster.node(name)).join("workers", { handler: () => name });
  await cluster.advance(1_000);
  cluster.pause("b");
  const groups = new Groups(cluster.node("a"));
  const answers = Promise.all(
    Array.from({ length: 10 }, () => groups.call("workers", null, { pick: "round-robin" })),
  );
  for (let call = 0; call < 20; call++) cluster.node("liar").castMessage("a", "groups/default", [BEGUN, call]);
  assertEquals(await cluster.wait(answers), Array.from({ length: 10 }, () => "c"));
});

Deno.test("A member that makes up a token of a task uses no tokens up: those of later runs are numbers, and rise", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "liar"] });
  const tokens: number[] = [];
  const ask = (name: string) =>
    new Placement(cluster.node(name)).runOnOne("task", (signal, { token }) => {
      tokens.push(token);
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    });
  ask("a");
  ask("b");
  cluster.node("liar").setAttribute("placement/lease/task", [Number.MAX_SAFE_INTEGER, "liar"]);
  await cluster.advance(30_000);
  cluster.node("liar").setAttribute("placement/lease/task", undefined);
  await cluster.advance(30_000);
  cluster.crash(new Placement(cluster.node("a")).owner("task"));
  const [survivor] = cluster.names;
  assert(survivor !== undefined);
  await cluster.advance(60_000);
  assert(tokens.length >= 2, `${tokens.length} runs`);
  const most = cluster.node(survivor).runtime.clock.wallTime();
  assert(tokens.every((token, at) => token < most && token > (tokens[at - 1] ?? 0)), `${tokens}`);
});

Deno.test("Claims that a node agreed to are remembered within bounds, and names and numbers of any length are refused", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "liar"] });
  const [a, liar] = ["a", "liar"].map((name) => cluster.node(name));
  assert(a !== undefined && liar !== undefined);
  const conflicts = new NameConflicts(a, new GroupIndex(), {
    holders: () => [],
    introduce: () => Promise.resolve(true),
    dismiss: () => Promise.resolve(),
  });
  for (let number = 0; number < 20_000; number++) conflicts.agree(`name ${number}`, "liar");
  assertEquals([0, 19_999].map((number) => conflicts.rivals(`name ${number}`, ["liar"])), [[], ["liar"]]);

  new Names(a);
  const long = "x".repeat(1_000);
  for (const message of [[CLAIM, long, 1, []], [MET, "x", 1, long, "liar", null], [MET, "x", 1, "0", long, null]]) {
    const { remote } = await assertRejects(() => cluster.wait(liar.call("a", "names/default", message)), CallError);
    assert(["TypeError", "RangeError"].includes(remote.name), remote.message);
  }
});

Deno.test("A node remembers of so many claims against its name what was decided, and not of as many as others make up", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "liar"] });
  const asked: string[] = [];
  const names = new Names(cluster.node("a"), { onConflict: (_, [mine, other]) => (asked.push(other.node), mine) });
  await cluster.wait(names.claim("x"));
  const meet = (node: string) =>
    cluster.wait(cluster.node("liar").call("a", "names/default", [MET, "x", 1, "0", node, null]));
  for (let number = 0; number < 1_001; number++) await meet(`made up ${number}`);
  await meet("made up 1000");
  await meet("made up 0");
  assertEquals([asked.length, asked.at(-1)], [1_002, "made up 0"]);
});

Deno.test("A node that does not let go of a name that another one has is told so ever more rarely", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "liar"] });
  const [atA] = ["a", "b"].map((name) => new Names(cluster.node(name)));
  const claim = await cluster.wait(atA?.claim("x") ?? Promise.reject());
  let introduced = 0;
  cluster.node("a").addInterpositionFun("count", ({ type, message }) => {
    if (type === "receive_message" && Array.isArray(message) && message[0] === MET) introduced++;
    return message;
  });
  cluster.node("liar").setAttribute("g/names default/0", ["x", 1, 1, false, [1, null]]);
  await cluster.advance(300_000);
  assert(!claim.signal.aborted);
  assert(introduced > 1 && introduced < 20, `told ${introduced} times`);
});
