// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { hyparview } from "@partisan/peer-service/strategy";
import { StrategySimulator, type StrategySimulatorOptions } from "@partisan/peer-service/testing";
import type { HyParViewState } from "../../strategy/hyparview/state.ts";
import { OverlayGraph } from "../../testing/overlay_graph.ts";
import { forEachSeed, seededRandom } from "../seeded_random.ts";

/** A cluster of `size` nodes that joined through one, settled. */
function cluster(size: number, options: StrategySimulatorOptions): StrategySimulator {
  const cluster = new StrategySimulator(hyparview(), options);
  for (let index = 0; index < size; index++) {
    cluster.start(`n${index}`, { join: index > 0 ? "n0" : undefined });
    cluster.run(50);
  }
  cluster.run(30_000);
  return cluster;
}

function activeViews(cluster: StrategySimulator): Map<string, string[]> {
  const active = (name: string) => (cluster.state(name) as HyParViewState).active.map((node) => node.name);
  return new Map(cluster.alive.map((name) => [name, active(name)]));
}

/** Links that only one end believes in, since a word about them is under way. */
function halfLinks(cluster: StrategySimulator): Set<string> {
  const views = activeViews(cluster);
  const links = [...views].flatMap(([name, view]) => view.map((neighbour) => [name, neighbour] as const));
  return new Set(links.filter(([a, b]) => !views.get(b)?.includes(a)).map(([a, b]) => `${a} → ${b}`));
}

function graphOf(cluster: StrategySimulator): OverlayGraph {
  return new OverlayGraph(cluster.alive, (name) => cluster.neighbours(name));
}

Deno.test("hyparview(): active views are symmetric, full and connected, and passive ones are full", () => {
  forEachSeed(3, (_, seed) => {
    const nodes = cluster(150, { seed });
    const reserves = nodes.alive.map((name) => (nodes.state(name) as HyParViewState).passive.length);
    assertGreater(reserves.reduce((sum, size) => sum + size) / reserves.length, 28);
    // Neighbours are still swapped often meanwhile.
    nodes.run(30_000);
    const halves = halfLinks(nodes);
    nodes.run(1_000);
    assertEquals(halves.intersection(halfLinks(nodes)), new Set(), "what one end has begun the other one ends");
    const views = activeViews(nodes);
    for (const view of views.values()) assertLessOrEqual(view.length, 5);
    const sizes = [...views.values()].map(({ length }) => length);
    assertGreater(sizes.filter((size) => size >= 4).length, 0.95 * sizes.length);
    const graph = graphOf(nodes);
    assertEquals(graph.largestPart, 1);
    assertLess(graph.clustering, 0.1);
  });
});

for (const tellUnreachable of [false, true]) {
  const how = tellUnreachable ? "is told who cannot be reached" : "has to find out by itself who cannot be reached";
  Deno.test(`hyparview(): a flood reaches everyone soon after 0, 30, 60 and 80 % of all nodes were killed, when it ${how}`, () => {
    for (const share of [0, 0.3, 0.6, 0.8]) {
      const nodes = cluster(200, { seed: `killed ${share}`, tellUnreachable });
      const victims = seededRandom(1).shuffle(nodes.alive).slice(0, share * 200);
      for (const name of victims) nodes.kill(name);
      nodes.run(tellUnreachable ? 3_000 : 20_000);
      const graph = graphOf(nodes);
      assertEquals(graph.flood(0).reliability, 1, `${share}`);
      nodes.run(30_000);
      const degrees = graphOf(nodes).degrees;
      assertGreater(degrees.reduce((sum, degree) => sum + degree) / degrees.length, 4);
    }
  });
}

Deno.test("hyparview(): nodes that all join at once through one node come to be as well mixed as in a random graph", () => {
  forEachSeed(2, (_, seed) => {
    const nodes = new StrategySimulator(hyparview(), { seed });
    for (let index = 0; index < 200; index++) nodes.start(`n${index}`, { join: index > 0 ? "n0" : undefined });
    nodes.run(120_000);
    const graph = graphOf(nodes);
    const { mean, greatest } = graph.distances(nodes.alive.keys().toArray());
    // In a random graph in which each node has d neighbours distances are about ln(N) / ln(d - 1).
    assertLess(mean, 1.1 * Math.log(200) / Math.log(4));
    assertLessOrEqual(greatest, 7);
    assertLess(graph.clustering, 0.05);
  });
});

Deno.test("hyparview(): links last, and no node is dialed, the longer the more, in a cluster to which nothing happens", () => {
  const nodes = cluster(100, { seed: 1 });
  const perNodeAndSecond = (seconds: number) => {
    const { dials, messages } = nodes;
    nodes.run(1_000 * seconds);
    return { dials: (nodes.dials - dials) / 100 / seconds, messages: (nodes.messages - messages) / 100 / seconds };
  };
  const young = perNodeAndSecond(60);
  assertLess(young.dials, 0.3);
  nodes.run(600_000);
  const old = perNodeAndSecond(300);
  assertLess(old.dials, young.dials / 4);
  assertLess(old.messages, 1.5);
});
