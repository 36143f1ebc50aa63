// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { OverlayGraph } from "../../testing/overlay_graph.ts";
import { nthOf } from "../values.ts";

function graph(...edges: readonly string[]): OverlayGraph {
  const names = [...new Set(edges.join(""))].sort();
  return new OverlayGraph(names, (name) => edges.filter((edge) => edge[0] === name).map((edge) => nthOf(edge, 1)));
}

Deno.test("OverlayGraph takes a link for one both ways, and counts it once", () => {
  assertEquals(graph("ab", "ba", "bc").degrees, [1, 2, 1]);
  assertEquals(new OverlayGraph(["a", "b"], () => ["a", "b", "stranger"]).degrees, [1, 1]);
});

Deno.test("OverlayGraph.largestPart is the share of the largest connected part", () => {
  assertEquals(graph("ab", "bc", "de").largestPart, 0.6);
  assertEquals(graph("ab", "bc").largestPart, 1);
  assertEquals(new OverlayGraph([], () => []).largestPart, 1);
});

Deno.test("OverlayGraph.distances() counts steps", () => {
  assertEquals(graph("ab", "bc", "cd").distances([0, 3]), { mean: 2, greatest: 3 });
  assertEquals([...graph("ab", "cd").distancesFrom(0)], [0, 1, -1, -1]);
});

Deno.test("OverlayGraph.clustering is the share of neighbours that know each other", () => {
  assertEquals(graph("ab", "bc", "ca").clustering, 1);
  assertEquals(graph("ab", "bc").clustering, 0);
  assertEquals(graph("ab", "bc", "ca", "ad").clustering, (1 / 3 + 1 + 1) / 3);
});

Deno.test("OverlayGraph.flood() costs nothing extra in a tree, and one message both ways for each further link", () => {
  assertEquals(graph("ab", "bc", "bd").flood(0), { reliability: 1, messages: 3, redundancy: 0, hops: 2 });
  assertEquals(graph("ab", "bc", "ca").flood(0), { reliability: 1, messages: 4, redundancy: 1, hops: 1 });
  assertEquals(graph("ab", "cd").flood(0), { reliability: 0.5, messages: 1, redundancy: 0, hops: 1 });
});
