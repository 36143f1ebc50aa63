// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Plumtree } from "../../gossip/plumtree.ts";
import type { PlumtreeOptions } from "../../gossip/plumtree_options.ts";
import type { PlumtreeStep } from "../../gossip/plumtree_step.ts";
import { firstOf, takeOf } from "../values.ts";

const ID = { root: "r", incarnation: 1, sequence: 1 };
const IDS = [{ root: "r", incarnation: 1, ranges: [1, 1] }];
const GOSSIP = { kind: "gossip", id: ID, age: 0, payload: "x" } as const;

/** A node with three neighbours. */
function plumtree(options: Partial<PlumtreeOptions<string>> = {}): Plumtree<string> {
  const tree = new Plumtree<string>({ name: "a", incarnation: 1 }, {
    random: () => 0.5,
    sizeOf: (payload) => payload.length,
    ...options,
  });
  tree.setNeighbours(["b", "c", "d"], 0);
  return tree;
}

function sent({ outgoing }: PlumtreeStep<string>): string[] {
  return outgoing.map(({ to, message }) => `${message.kind} to ${to}`);
}

Deno.test("Plumtree.broadcast() pushes to eager neighbours and announces to lazy ones at the lazy tick", () => {
  const tree = plumtree();
  tree.receive("d", { kind: "prune", roots: ["a"] }, 0);
  const step = tree.broadcast("x", 100);
  assertEquals(step.id, { root: "a", incarnation: 1, sequence: 1 });
  assertEquals(sent(step), ["gossip to b", "gossip to c"]);
  assertEquals(step.events, []);
  const next = tree.broadcast("y", 600);
  assertEquals([sent(next), next.nextAt, tree.nextAt], [["gossip to b", "gossip to c"], 1_100, 1_100]);
  assertEquals(sent(tree.tick(1_099)), []);
  assertEquals(tree.tick(1_100).outgoing, [
    { to: "d", message: { kind: "ihave", ids: [{ root: "a", incarnation: 1, ranges: [1, 2] }] } },
  ]);
});

Deno.test("Plumtree.receive() delivers a new broadcast and passes it on, and prunes the link of a duplicate", () => {
  const tree = plumtree();
  const first = tree.receive("b", GOSSIP, 0);
  assertEquals(first.events, [{ id: ID, payload: "x", age: 0, repaired: false }]);
  assertEquals(sent(first), ["gossip to c", "gossip to d"]);
  const second = tree.receive("c", GOSSIP, 0);
  assertEquals(second.events, []);
  assertEquals(second.outgoing, [{ to: "c", message: { kind: "prune", roots: ["r"] } }]);
  assertEquals([tree.eager("r"), tree.lazy("r")], [["b", "d"], ["c"]]);
});

Deno.test("Plumtree.receive() makes the link by which a new broadcast comes one of the tree", () => {
  const tree = plumtree();
  tree.receive("b", { kind: "prune", roots: ["r"] }, 0);
  assertEquals(tree.eager("r"), ["c", "d"]);
  tree.receive("b", GOSSIP, 0);
  assertEquals(tree.eager("r"), ["b", "c", "d"]);
});

Deno.test("Plumtree.receive() answers one request with a mebibyte of broadcasts at most, and a bit", () => {
  const tree = plumtree({ sizeOf: () => 400_000 });
  for (let count = 0; count < 10; count++) tree.broadcast("x", 0);
  const ids = [{ root: "a", incarnation: 1, ranges: [1, 10] }];
  assertEquals(tree.receive("b", { kind: "request", ids }, 0).outgoing.length, 3);
});

Deno.test("Plumtree announces nothing to one that is a neighbour no longer", () => {
  const tree = plumtree();
  tree.receive("d", { kind: "prune", roots: ["a"] }, 0);
  tree.broadcast("x", 0);
  tree.setNeighbours(["b", "c"], 500);
  assertEquals(sent(tree.tick(1_000)), []);
});

Deno.test("Plumtree keeps a tree for each root, and begins that of a new one with a copy", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  tree.receive("c", GOSSIP, 0);
  assertEquals(sent(tree.broadcast("x", 0)), ["gossip to b", "gossip to d"]);
  tree.receive("d", { kind: "prune", roots: ["a"] }, 0);
  assertEquals([tree.eager("a"), tree.eager("r"), tree.eager()], [["b"], ["b", "d"], ["b"]]);
});

Deno.test("Plumtree says how old a broadcast is, so that all count its age from one instant", () => {
  const tree = plumtree();
  tree.receive("b", { ...GOSSIP, age: 70 }, 1_000);
  const { outgoing } = tree.receive("c", { kind: "graft", ids: IDS }, 1_200);
  assertEquals(outgoing[0]?.message, { ...GOSSIP, age: 270 });
});

Deno.test("Plumtree grafts the link of an announcer when the tree does not bring what it announced, then of another", () => {
  const tree = plumtree({ graftTimeout: 200 });
  for (const root of ["b", "c"]) tree.receive(root, { kind: "prune", roots: ["r"] }, 0);
  tree.receive("b", { kind: "ihave", ids: IDS }, 1_000);
  tree.receive("c", { kind: "ihave", ids: IDS }, 1_100);
  assertEquals(tree.nextAt, 1_200);
  assertEquals(tree.tick(1_199).outgoing, []);
  assertEquals(tree.tick(1_200).outgoing, [{ to: "b", message: { kind: "graft", ids: IDS } }]);
  assertEquals(tree.eager("r"), ["b", "d"]);
  assertEquals(sent(tree.tick(1_400)), ["graft to c"]);
  assertEquals(sent(tree.tick(1_600)), []);
  assertEquals(tree.load.missing, 0);
});

Deno.test("Plumtree does not graft when the tree brings it in time, or when the announcer is gone", () => {
  const tree = plumtree({ graftTimeout: 200 });
  tree.receive("c", { kind: "ihave", ids: IDS }, 0);
  tree.receive("b", GOSSIP, 100);
  assertEquals(sent(tree.tick(200)), []);
  tree.receive("c", { kind: "ihave", ids: [{ root: "r", incarnation: 1, ranges: [2, 3] }] }, 300);
  tree.setNeighbours(["b"], 300);
  assertEquals(sent(tree.tick(500)), []);
});

Deno.test("Plumtree answers a graft with what it has, and pushes from then on", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  tree.receive("c", GOSSIP, 0);
  const step = tree.receive("c", { kind: "graft", ids: [{ root: "r", incarnation: 1, ranges: [1, 2] }] }, 0);
  assertEquals(sent(step), ["gossip to c"]);
  assertEquals(sent(tree.receive("b", { ...GOSSIP, id: { ...ID, sequence: 3 } }, 0)), ["gossip to c", "gossip to d"]);
});

Deno.test("Plumtree announces at once what has been on its way for longer than a lazy tick", () => {
  const tree = plumtree();
  tree.receive("c", { kind: "prune", roots: ["r"] }, 0);
  tree.receive("b", { ...GOSSIP, age: 1_300 }, 5_000);
  assertEquals(sent(tree.tick(5_000)), ["ihave to c"]);
});

Deno.test("Plumtree has a new neighbour push nothing of the roots whose trees bring it all, and of those only", () => {
  const tree = plumtree();
  tree.broadcast("own", 0);
  for (const [from, root] of [["b", "r"], ["c", "s"]] as const) {
    tree.receive(from, { ...GOSSIP, id: { ...ID, root } }, 0);
  }
  const prune = (roots: string[]) => ({ to: "e", message: { kind: "prune" as const, roots } });
  assertEquals(tree.setNeighbours(["b", "c", "d", "e"], 0).outgoing[0], prune(["a", "r", "s"]));
  assertEquals(tree.eager("r"), ["b", "c", "d", "e"], "it may need them itself");
  tree.receive("e", prune(["r"]).message, 0);
  assertEquals([tree.lazy("r"), tree.lazy("s")], [["e"], []]);
  tree.setNeighbours(["b", "d"], 0);
  assertEquals(tree.setNeighbours(["b", "d", "e"], 0).outgoing[0], prune(["a", "r"]), "the link of s is gone");
});

Deno.test("Plumtree tries all links for a root that was heard eight times, so that it gets a tree of its own", () => {
  const tree = plumtree();
  const hear = (sequence: number) => sent(tree.receive("b", { ...GOSSIP, id: { ...ID, sequence } }, 0));
  for (const name of ["c", "d"]) tree.receive(name, { kind: "prune", roots: ["r"] }, 0);
  for (let sequence = 1; sequence < 8; sequence++) assertEquals(hear(sequence), []);
  assertEquals(hear(8), ["gossip to c", "gossip to d"]);
  for (const name of ["c", "d"]) tree.receive(name, { kind: "prune", roots: ["r"] }, 0);
  assertEquals(hear(9), [], "once");
});

Deno.test("Plumtree sends a new neighbour a summary, which brings both what they lack", () => {
  const one = plumtree();
  const other = new Plumtree<string>({ name: "b", incarnation: 1 }, { random: () => 0, sizeOf: () => 1 });
  other.setNeighbours(["c"], 0);
  one.setNeighbours(["c"], 0);
  one.broadcast("one's", 0);
  other.broadcast("other's", 0);
  const [, summary] = takeOf(one.setNeighbours(["b", "c"], 10).outgoing, 2);
  assertEquals(summary.message.kind, "summary");
  const answer = other.receive("a", summary.message, 10);
  assertEquals(sent(answer), ["request to a", "summary to a"]);
  const [request, extra] = takeOf(answer.outgoing, 2);
  const repair = firstOf(one.receive("b", request.message, 20).outgoing);
  assertEquals(other.receive("a", repair.message, 20).events.map(({ payload }) => payload), ["one's"]);
  const further = one.receive("b", extra.message, 20);
  assertEquals(sent(further), ["request to b"]);
  const more = firstOf(other.receive("a", firstOf(further.outgoing).message, 20).outgoing);
  assertEquals(one.receive("b", more.message, 20).events.map(({ payload }) => payload), ["other's"]);
  assertEquals(one.receive("b", more.message, 20).events, []);
});

Deno.test("Plumtree exchanges a summary with a random neighbour now and then, while there is something to compare", () => {
  const tree = plumtree({ exchangeInterval: 10_000, cacheAge: 15_000 });
  tree.receive("b", GOSSIP, 0);
  assertEquals(tree.nextAt, 10_000);
  assertEquals(sent(tree.tick(10_000)), ["summary to c"]);
  assertEquals(sent(tree.tick(20_000)), []);
  assertEquals(tree.nextAt, Infinity);
});

Deno.test("Plumtree announces a repaired broadcast to all, and takes the tree's copy of it for no duplicate", () => {
  const tree = plumtree();
  const step = tree.receive("b", { ...GOSSIP, kind: "repair" }, 0);
  assertEquals([step.events.length, sent(step)], [1, []]);
  assertEquals(sent(tree.tick(1_000)), ["ihave to c", "ihave to d"]);
  assertEquals(sent(tree.receive("c", GOSSIP, 1_100)), []);
  assertEquals(sent(tree.receive("d", GOSSIP, 1_100)), ["prune to d"]);
});

Deno.test("Plumtree grafts the link that a repair has hidden to be missing, without asking for the payload", () => {
  const before = plumtree({ graftTimeout: 200 });
  before.receive("c", { kind: "ihave", ids: IDS }, 0);
  before.receive("b", { ...GOSSIP, kind: "repair" }, 100);
  const after = plumtree({ graftTimeout: 200 });
  after.receive("b", { ...GOSSIP, kind: "repair" }, 0);
  after.receive("c", { kind: "ihave", ids: IDS }, 0);
  for (const tree of [before, after]) {
    const graft = { kind: "graft", ids: [{ root: "r", incarnation: 1, ranges: [] }] } as const;
    assertEquals(tree.tick(200).outgoing, [{ to: "c", message: graft }]);
    assertEquals(tree.load.missing, 0);
    tree.receive("c", { kind: "prune", roots: ["r"] }, 300);
    tree.receive("c", graft, 400);
    assertEquals(tree.eager("r"), ["b", "c", "d"]);
  }
});

Deno.test("Plumtree hears strangers, but does not count them among its neighbours", () => {
  const tree = plumtree();
  assertEquals(tree.receive("z", GOSSIP, 0).events.length, 1);
  assertEquals(sent(tree.receive("z", GOSSIP, 0)), ["prune to z"]);
  assertEquals(sent(tree.receive("z", { kind: "graft", ids: IDS }, 0)), ["gossip to z"]);
  tree.receive("z", { kind: "prune", roots: ["r"] }, 0);
  assertEquals([tree.eager("r"), tree.lazy("r")], [["b", "c", "d"], []]);
});

Deno.test("Plumtree.setNeighbours() makes new links eager for every root, and forgets the old", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  tree.receive("c", GOSSIP, 0);
  tree.setNeighbours(["b", "c", "d", "e"], 0);
  assertEquals([tree.eager("r"), tree.lazy("r")], [["b", "d", "e"], ["c"]]);
  tree.setNeighbours(["d"], 0);
  tree.setNeighbours(["c", "d"], 0);
  assertEquals([tree.eager("r"), tree.lazy("r")], [["c", "d"], []]);
});

Deno.test("Plumtree takes broadcasts of a root's present incarnation only, where it is known", () => {
  const incarnations = new Map<string, number>();
  const tree = plumtree({ incarnationOf: (root) => incarnations.get(root) });
  const of = (incarnation: number, sequence: number) =>
    tree.receive("b", { ...GOSSIP, id: { root: "r", incarnation, sequence } }, 0).events.length;
  assertEquals([of(2, 1), of(2, 1), of(3, 1), of(2, 2)], [1, 0, 1, 1]);
  incarnations.set("r", 3);
  assertEquals([of(2, 3), of(3, 1), of(3, 2)], [0, 0, 1]);
});

function linkOf(root: string) {
  return { kind: "graft", ids: [{ root, incarnation: 0, ranges: [] }] } as const;
}

const LINK = linkOf("r");

Deno.test("Plumtree asks another neighbour to push when the one that fed it is gone, and tells those that it feeds", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  tree.receive("c", GOSSIP, 0);
  const to = (name: string) => ({ to: name, message: LINK });
  const { outgoing } = tree.setNeighbours(["c", "d"], 0);
  assertEquals(outgoing.toSorted((one, other) => one.to < other.to ? -1 : 1), [to("c"), to("d")]);
  assertEquals(tree.eager("r"), ["c", "d"]);
  assertEquals(tree.setNeighbours(["d"], 0).outgoing, [], "there is no other one to ask");
});

Deno.test("Plumtree does the same when the one that feeds it asks to be fed, once", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  tree.receive("c", GOSSIP, 0);
  assertEquals(sent(tree.receive("d", LINK, 0)), [], "this one it feeds itself");
  assertEquals(sent(tree.receive("b", LINK, 0)).sort(), ["graft to c", "graft to d"]);
  assertEquals(sent(tree.receive("b", LINK, 0)), []);
});

Deno.test("Plumtree asks one more when the one that it asked asks it, too", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  for (const name of ["c", "d"]) tree.receive(name, GOSSIP, 0);
  const [first] = takeOf(tree.setNeighbours(["c", "d"], 0).outgoing, 1);
  const other = first.to === "c" ? "d" : "c";
  assertEquals(tree.lazy("r"), [other]);
  assertEquals(tree.receive(first.to, LINK, 0).outgoing, [{ to: other, message: LINK }]);
  assertEquals(sent(tree.receive(other, LINK, 0)), []);
});

Deno.test("Plumtree asks at once for what was announced of a root that no node feeds to it, and one neighbour at a time", () => {
  const next = [{ root: "r", incarnation: 1, ranges: [2, 2] }];
  for (const isKnownBefore of [true, false]) {
    const tree = plumtree({ graftTimeout: 200 });
    tree.receive("b", GOSSIP, 0);
    if (isKnownBefore) tree.receive("c", { kind: "ihave", ids: next }, 0);
    const { outgoing } = tree.setNeighbours(["c", "d"], 0);
    const answer = isKnownBefore ? outgoing : tree.receive("c", { kind: "ihave", ids: next }, 0).outgoing;
    assertEquals(answer.at(-1), { to: "c", message: { kind: "graft", ids: next } });
    assertEquals(sent(tree.receive("d", { kind: "ihave", ids: next }, 10)), []);
    assertEquals(sent(tree.tick(200)), ["graft to d"]);
    tree.receive("c", { ...GOSSIP, id: { ...ID, sequence: 2 } }, 210);
    assertEquals(sent(tree.receive("d", { kind: "ihave", ids: [{ ...firstOf(next), ranges: [3, 3] }] }, 220)), []);
  }
});

Deno.test("Plumtree announces at once what one that grafts has not been told of its root", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  tree.receive("b", { ...GOSSIP, id: { ...ID, root: "s" } }, 0);
  for (const root of ["r", "s"]) tree.receive("c", { kind: "prune", roots: [root] }, 0);
  tree.receive("b", { ...GOSSIP, id: { ...ID, sequence: 2 } }, 0);
  assertEquals(tree.receive("c", LINK, 0).outgoing, [{
    to: "c",
    message: { kind: "ihave", ids: [{ ...firstOf(IDS), ranges: [2, 2] }] },
  }]);
  assertEquals(sent(tree.tick(2_000)), []);
});

Deno.test("Plumtree forgets a tree that was quiet for long, except that of the last root", () => {
  const tree = plumtree();
  for (const [root, now] of [["r", 0], ["s", 50_000], ["t", 50_000]] as const) {
    tree.receive("b", { ...GOSSIP, id: { ...ID, root } }, now);
  }
  const roots = (now: number) => {
    const [step] = takeOf(tree.setNeighbours(["b", "c", "d", `e${now}`], now).outgoing, 1);
    return step.message.kind === "prune" ? step.message.roots : [];
  };
  assertEquals(roots(90_000), ["r", "s", "t"]);
  assertEquals(roots(110_000), ["s", "t"]);
  assertEquals(roots(1_000_000), ["t"]);
});

Deno.test("Plumtree forgets no tree for roots of which a neighbour only speaks, and those first for one that is heard", () => {
  const tree = plumtree({ rootsMax: 10 });
  const hear = (root: string) => tree.receive("b", { ...GOSSIP, id: { ...ID, root } }, 0);
  const isWhole = (root: string) => tree.lazy(root).includes("c");
  for (const root of ["r", "s"]) {
    hear(root);
    tree.receive("c", { kind: "prune", roots: [root] }, 0);
  }
  hear("last");
  tree.receive("c", { kind: "graft", ids: [{ root: "last", incarnation: 0, ranges: [] }] }, 0);
  const madeUp = Array.from({ length: 100 }, (_, number) => `made-up-${number}`);
  tree.receive("d", { kind: "prune", roots: madeUp }, 0);
  tree.receive("d", { kind: "graft", ids: madeUp.map((root) => ({ root, incarnation: 0, ranges: [] })) }, 0);
  assertEquals(["r", "s", "last"].map(isWhole), [true, true, false]);
  for (const root of ["t", "u", "v"]) hear(root);
  assertEquals(["r", "s"].map(isWhole), [true, true]);
  assertEquals(tree.load.roots, 10);
});

Deno.test("Plumtree asks another neighbour when the one that feeds it will not push to it any more", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  for (const name of ["c", "d"]) tree.receive(name, GOSSIP, 0);
  assertEquals(sent(tree.receive("c", { kind: "prune", roots: ["r"] }, 0)), [], "this one does not feed it");
  const { outgoing } = tree.receive("b", { kind: "prune", roots: ["r"] }, 0);
  const asked = firstOf(outgoing);
  assertEquals([outgoing, ["c", "d"].includes(asked.to)], [[{ to: asked.to, message: LINK }], true]);
  assertEquals([tree.eager("r"), tree.lazy("r").includes("b")], [[asked.to], true]);
});

Deno.test("Plumtree asks a neighbour again that says to be fed by others while no node feeds it", () => {
  const tree = plumtree();
  tree.receive("b", GOSSIP, 0);
  tree.setNeighbours(["c"], 0);
  const prune = { kind: "prune", roots: ["r", "s"] } as const;
  assertEquals(tree.receive("c", prune, 0).outgoing, [{ to: "c", message: LINK }]);
  assertEquals([tree.eager("r"), tree.lazy("s")], [["c"], ["c"]]);
});

Deno.test("Plumtree keeps a link to the tree of its own broadcasts, which others begin as copies of", () => {
  const own = linkOf("a");
  const prune = { kind: "prune", roots: ["a"] } as const;
  const tree = plumtree();
  tree.broadcast("x", 0);
  for (const name of ["c", "d"]) assertEquals(sent(tree.receive(name, prune, 0)), []);
  assertEquals(tree.receive("b", prune, 0).outgoing, [{ to: "b", message: own }], "it is the last link");
  const asked = firstOf(tree.setNeighbours(["c", "d"], 0).outgoing);
  assertEquals([asked.message, tree.eager("a")], [own, [asked.to]]);
  const served = (step: PlumtreeStep<string>) => sent(step).includes("prune to e");
  assertEquals(served(tree.setNeighbours(["c", "d", "e"], 0)), true);
  tree.setNeighbours([], 0);
  assertEquals(served(tree.setNeighbours(["e"], 0)), false, "it has no link yet");
});

Deno.test("Plumtree.broadcast() pushes to one neighbour when a tree that it copies has no links here", () => {
  const tree = plumtree();
  tree.receive("z", GOSSIP, 0);
  for (const name of ["b", "c", "d"]) tree.receive(name, { kind: "prune", roots: ["r"] }, 0);
  assertEquals(sent(tree.broadcast("x", 0)).length, 1);
});

Deno.test("Plumtree pushes a broadcast that a repair brought first along the tree, to those that were not told of it", () => {
  const tree = plumtree();
  tree.receive("d", { kind: "repair", id: ID, age: 0, payload: "x" }, 0);
  assertEquals(sent(tree.receive("b", GOSSIP, 10)), ["gossip to c"], "one brought it, one has it already");
  assertEquals(sent(tree.tick(1_000)), []);
  const late = plumtree();
  late.receive("d", { kind: "repair", id: ID, age: 0, payload: "x" }, 0);
  assertEquals(sent(late.tick(1_000)), ["ihave to b", "ihave to c"]);
  assertEquals(sent(late.receive("b", GOSSIP, 1_010)), []);
  assertEquals(sent(late.setNeighbours(["c", "d"], 1_020)).sort(), ["graft to c", "graft to d"], "b fed it");
});

Deno.test("Plumtree hands over what a root broadcasts under a number that another node has used in its name", () => {
  const tree = plumtree({ digestOf: (payload) => payload.length });
  const handed = (from: string, payload: string, age = 0) =>
    tree.receive(from, { ...GOSSIP, payload, age }, 0).events.map((event) => event.payload);
  assertEquals([handed("b", "forged", 100_000), handed("c", "x"), handed("b", "x")], [["forged"], ["x"], []]);
  handed("b", "other");
  const answer = tree.receive("d", { kind: "request", ids: IDS }, 0).outgoing;
  assertEquals(answer.map(({ message }) => message.kind === "repair" && message.payload), ["x", "other"]);
});

Deno.test("Plumtree hands over once what one neighbour passes on, whatever another one makes up of its root", () => {
  const tree = plumtree({ rootsMax: 20 });
  const hear = (from: string, id: Partial<typeof ID>, payload = "made up") =>
    tree.receive(from, { ...GOSSIP, id: { ...ID, ...id }, payload }, 0).events.length;
  assertEquals(hear("b", {}, "x"), 1);
  const numbers = Array.from({ length: 30 }, (_, index) => index + 2);
  for (const number of numbers) assertEquals(hear("c", { sequence: number * 10_000 }), 1);
  for (const incarnation of numbers) assertEquals(hear("c", { incarnation }), 1);
  for (const number of numbers) assertEquals(hear("c", { root: `made-up-${number}` }), 1);
  assertEquals(hear("c", {}, "x"), 0);
  assertEquals(hear("b", {}, "x"), 0);
});

Deno.test("Plumtree hands over nothing that others have made up of its node, and does not use its number", () => {
  const tree = plumtree({ digestOf: (payload) => payload.length });
  tree.broadcast("x", 0);
  const told = (kind: "gossip" | "repair", sequence: number, incarnation = 1) => {
    const id = { root: "a", incarnation, sequence };
    const { events, outgoing } = tree.receive("b", { kind, id, age: 0, payload: "forged" }, 0);
    return [...events, ...outgoing].length;
  };
  const madeUp = [told("gossip", 1), told("gossip", 4), told("repair", 2), told("gossip", 9, 7)];
  assertEquals([...madeUp, told("repair", 2 ** 53 - 1)], [0, 0, 0, 0, 0]);
  assertEquals([tree.broadcast("y", 0).id.sequence, told("repair", 6), tree.broadcast("z", 0).id.sequence], [5, 0, 7]);
});
