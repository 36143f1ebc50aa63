// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { Relay, type RelayStep } from "../../messaging/relay.ts";
import { parseRelayHeader, type RelayHeader } from "../../wire/relay_header.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";
import { entryOf, firstOf, lastOf, nthOf, present } from "../values.ts";

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const SELF = { name: "a", incarnation: 1 };

function graphOf(links: readonly (readonly [string, string])[]): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const [one, other] of [...links, ...links.map(([one, other]) => [other, one] as const)]) {
    if (!graph.has(one)) graph.set(one, new Set());
    entryOf(graph, one).add(other);
  }
  return graph;
}

/** A line, a ring, a star or a random connected graph. */
function anyGraph(random: SeededRandom): Map<string, Set<string>> {
  const names = Array.from({ length: 3 + random.int(20) }, (_, index) => `n${index}`);
  const line = names.slice(1).map((name, index) => [nthOf(names, index), name] as const);
  const star = names.slice(1).map((name) => [firstOf(names), name] as const);
  const tree = names.slice(1).map((name, index) => [present(names[random.int(index + 1)]), name] as const);
  const more = Array.from({ length: random.int(20) }, () => random.shuffle(names).slice(0, 2) as [string, string]);
  return graphOf(random.pick([line, [...line, [lastOf(names), firstOf(names)] as const], star, [...tree, ...more]]));
}

function distances(graph: Graph, from: string): Map<string, number> {
  const distances = new Map([[from, 0]]);
  for (const [name, distance] of distances) {
    for (const neighbour of entryOf(graph, name)) if (!distances.has(neighbour)) distances.set(neighbour, distance + 1);
  }
  return distances;
}

/** The links of a spanning tree. */
function spanningTree(graph: Graph, root: string): Map<string, string[]> {
  const tree = new Map([...graph.keys()].map((name) => [name, [] as string[]]));
  const reached = new Set([root]);
  for (const name of reached) {
    for (const neighbour of entryOf(graph, name)) {
      if (reached.has(neighbour)) continue;
      reached.add(neighbour);
      entryOf(tree, name).push(neighbour);
      entryOf(tree, neighbour).push(name);
    }
  }
  return tree;
}

/** Sends one message over a graph, in any order of arrival, some of them twice. Returns how often it arrived, and over how many links it went. */
function relay(
  random: SeededRandom,
  graph: Graph,
  [from, to]: readonly [string, string],
  ttl: number,
  tree?: ReadonlyMap<string, readonly string[]>,
): { arrived: number; hops: number } {
  const relays = new Map([...graph.keys()].map((name) => [name, new Relay({ name, incarnation: 1 }, { ttl })]));
  const linksOf = (name: string) => ({ connected: entryOf(graph, name), outLinks: tree?.get(name) ?? [] });
  const flying: { to: string; header: RelayHeader }[] = [];
  const fly = (name: string, { outcome, header, next }: RelayStep) => {
    assertEquals(next.length > 0, outcome === "forwarded");
    for (const to of next) {
      assert(entryOf(graph, name).has(to), "only along links");
      assert(!header.path.includes(to), "never back");
      flying.push({ to, header: parseRelayHeader(structuredClone(header)) });
    }
  };
  fly(from, entryOf(relays, from).send(to, linksOf(from)));
  let arrived = 0;
  let hops = 0;
  while (flying.length > 0) {
    const index = random.int(flying.length);
    const { to: name, header } = nthOf(flying, index);
    if (random.chance(0.8)) flying.splice(index, 1);
    hops++;
    const step = entryOf(relays, name).receive(header, linksOf(name));
    if (step.outcome === "arrived") {
      assertEquals(name, to);
      assertLessOrEqual(header.path.length, ttl);
      arrived++;
    }
    fly(name, step);
  }
  return { arrived, hops };
}

Deno.test("Relay reaches each node within its number of links once, and no other, in whatever order copies arrive", () => {
  forEachSeed(2_000, (random) => {
    const graph = anyGraph(random);
    const [from, to] = random.shuffle([...graph.keys()]) as [string, string];
    const ttl = 1 + random.int(6);
    const { arrived } = relay(random, graph, [from, to], ttl);
    assertEquals(arrived, entryOf(distances(graph, from), to) <= ttl ? 1 : 0);
  });
});

Deno.test("Relay reaches each node of a spanning tree once, over no more links than the tree and the destination have", () => {
  forEachSeed(1_000, (random) => {
    const graph = anyGraph(random);
    const [root, from, to] = random.shuffle([...graph.keys()]) as [string, string, string];
    const tree = spanningTree(graph, root);
    const { arrived, hops } = relay({ ...random, chance: () => true }, graph, [from, to], 255, tree);
    assertEquals(arrived, 1);
    assertLessOrEqual(hops, graph.size - 1 + entryOf(graph, to).size);
    assertEquals(relay(random, graph, [from, to], 255, tree).arrived, 1);
  });
});

Deno.test("Relay.send() prefers a direct connection, then the tree, then every node", () => {
  const relay = new Relay(SELF);
  const connected = new Set(["b", "c", "d"]);
  assertEquals(relay.send("c", { connected, outLinks: ["b"] }).next, ["c"]);
  assertEquals(relay.send("z", { connected, outLinks: ["b", "gone"] }).next, ["b"]);
  assertEquals(relay.send("z", { connected, outLinks: ["gone"] }).next, ["b", "c", "d"]);
  assertEquals(relay.send("z", { connected, outLinks: [] }).next, ["b", "c", "d"]);
  assertEquals(relay.send("z", { connected: new Set(), outLinks: [] }).outcome, "stuck");
});

Deno.test("Relay.send() writes a header that tells where the message comes from and how far it may go", () => {
  const relay = new Relay(SELF);
  const links = { connected: new Set(["b"]), outLinks: [] };
  const { header } = relay.send("z", links);
  assertEquals(header, { ...header, origin: "a", incarnation: 1, sequence: 1, destination: "z", ttl: 4, path: ["a"] });
  assertEquals(relay.send("z", links).header.sequence, 2);
  assertEquals([relay.send("z", links).header.tree, relay.send("z", links, "r").header.tree], [null, "r"]);
});

Deno.test("Relay.receive() tells what was dropped, and why", () => {
  const relay = new Relay({ name: "b", incarnation: 1 });
  const header = { origin: "a", incarnation: 1, sequence: 1, destination: "z", ttl: 0, tree: null, path: ["a"] };
  const links = { connected: new Set(["a", "c"]), outLinks: [] };
  assertEquals(relay.receive(header, links).outcome, "expired");
  assertEquals(relay.receive({ ...header, ttl: 1 }, links).next, ["c"]);
  assertEquals(relay.receive({ ...header, ttl: 1 }, links).outcome, "duplicate");
  assertEquals(
    relay.receive({ ...header, sequence: 2, ttl: 1 }, { ...links, connected: new Set("a") }).outcome,
    "stuck",
  );
  assertEquals(relay.receive({ ...header, incarnation: 2, ttl: 1 }, links).outcome, "forwarded");
  assertEquals(relay.receive({ ...header, sequence: 3, destination: "b" }, links).outcome, "arrived");
  assertEquals(relay.receive({ ...header, sequence: 3, destination: "b", ttl: 4 }, links).outcome, "duplicate");
});

Deno.test("Relay remembers a bounded number of messages", () => {
  const relay = new Relay(SELF, { memory: 100 });
  for (let count = 0; count < 1_000; count++) relay.send("z", { connected: new Set("b"), outLinks: [] });
  assertEquals(relay.size, 100);
});

Deno.test("Relay remembers what the former incarnation of its node was handed, and numbers its own messages anew", () => {
  const relay = new Relay({ name: "b", incarnation: 1 }, { first: () => 7 });
  const links = { connected: new Set(["a"]), outLinks: [] };
  const header = { origin: "a", incarnation: 1, sequence: 1, destination: "b", ttl: 3, tree: null, path: ["a"] };
  assertEquals(relay.receive(header, links).outcome, "arrived");
  assertEquals([1, 2].map(() => relay.send("z", links).header.sequence), [7, 8]);
  relay.restart({ name: "b", incarnation: 2 });
  assertEquals(relay.receive(header, links).outcome, "duplicate");
  const own = relay.send("z", links).header;
  assertEquals([own.incarnation, own.sequence], [2, 7]);
});

Deno.test("parseRelayHeader() refuses what is malformed", () => {
  const header = { origin: "a", incarnation: 1, sequence: 1, destination: "z", ttl: 3, tree: "r", path: ["a"] };
  assertEquals(parseRelayHeader(header), header);
  assertEquals(parseRelayHeader({ ...header, single: true }), { ...header, single: true });
  assertEquals(parseRelayHeader({ ...header, single: "yes" }), header);
  const malformed: unknown[] = [
    null,
    { ...header, origin: "" },
    { ...header, incarnation: -1 },
    { ...header, sequence: 0 },
    { ...header, destination: 5 },
    { ...header, ttl: 256 },
    { ...header, tree: "" },
    { ...header, tree: undefined },
    { ...header, path: "a" },
    { ...header, path: [1] },
    { ...header, path: Array(256).fill("a") },
  ];
  for (const value of malformed) {
    assertThrows(() => parseRelayHeader(value), TypeError, "Cannot read a relayed message");
  }
});
