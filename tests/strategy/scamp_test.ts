// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { scampV1, scampV2, type Strategy } from "@partisan/peer-service/strategy";
import { StrategySimulator } from "@partisan/peer-service/testing";
import type { ScampState } from "../../strategy/scamp/state.ts";
import { OverlayGraph } from "../../testing/overlay_graph.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";
import { present } from "../values.ts";

/** A cluster whose nodes joined one after another, through a random one each, or all through the first one. */
function cluster(strategy: Strategy, size: number, random: SeededRandom, contact?: string): StrategySimulator {
  const cluster = new StrategySimulator(strategy, { seed: random.int(1_000_000) });
  for (let index = 0; index < size; index++) {
    const join = index === 0 ? undefined : contact ?? `n${random.int(index)}`;
    cluster.start(`n${index}`, { join });
    cluster.run(300);
  }
  cluster.run(10_000);
  return cluster;
}

function stateOf(cluster: StrategySimulator, name: string): ScampState {
  return cluster.state(name) as ScampState;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function meanView(cluster: StrategySimulator): number {
  return mean(cluster.alive.map((name) => stateOf(cluster, name).view.length));
}

function isConnected(cluster: StrategySimulator): boolean {
  return new OverlayGraph(cluster.alive, (name) => cluster.neighbours(name)).largestPart === 1;
}

/** That views hold about (c + 1) · ln(N) nodes on average over some clusters. The law is one for large N. */
function assertViewSize(views: readonly number[], c: number, size: number): void {
  const law = (c + 1) * Math.log(size);
  const view = mean(views);
  assert(view > 0.6 * law && view < 1.4 * law, `views of ${view} on average, expected about ${law}`);
}

for (const [name, create] of [["scampV1", scampV1], ["scampV2", scampV2]] as const) {
  for (const c of [0, 1, 2]) {
    Deno.test(`${name}(): with c = ${c} views hold about ${c + 1} · ln(N) nodes, and the graph is connected`, () => {
      const views: number[] = [];
      forEachSeed(4 - c, (random) => {
        const nodes = cluster(create({ c }), 150, random);
        views.push(meanView(nodes));
        assert(isConnected(nodes));
      });
      assertViewSize(views, c, 150);
    });
  }

  Deno.test(`${name}(): who has a node in its view is in that node's in-view`, () => {
    forEachSeed(1, (random) => {
      const nodes = cluster(create({ c: 1 }), 60, random);
      for (const holder of nodes.alive) {
        for (const { node } of stateOf(nodes, holder).view) {
          const { inView } = stateOf(nodes, node.name);
          assert(inView.some((arc) => arc.node.name === holder), `${holder} → ${node.name}`);
        }
      }
    });
  });

  Deno.test(`${name}(): views shrink as a cluster does whose nodes leave, and it stays connected`, () => {
    const views: number[] = [];
    forEachSeed(3, (random) => {
      const nodes = cluster(create({ c: 1 }), 100, random);
      for (const leaver of random.shuffle(nodes.alive).slice(0, 60)) {
        nodes.leave(leaver);
        nodes.run(200);
      }
      nodes.run(5_000);
      assertEquals(nodes.alive.length, 40);
      assert(isConnected(nodes));
      views.push(meanView(nodes));
    });
    assertViewSize(views, 1, 40);
  });

  Deno.test(`${name}(): a node all of whose neighbours crash at once turns to a node that it has heard of`, () => {
    forEachSeed(3, (random) => {
      const nodes = cluster(create({ c: 0 }), 80, random);
      const left = present(nodes.alive.find((name) => nodes.neighbours(name).length < 10));
      for (const neighbour of nodes.neighbours(left)) nodes.kill(neighbour);
      nodes.run(30_000);
      assertGreater(nodes.neighbours(left).length, 0);
    });
  });

  Deno.test(`${name}(): the others find together after a third of a small cluster crashed, as the last one was joining`, () => {
    forEachSeed(60, (random) => {
      const nodes = new StrategySimulator(create({ c: 1 }), { seed: random.int(1_000_000) });
      for (let index = 0; index < 16; index++) {
        nodes.start(`n${index}`, { join: index > 0 ? `n${index >> 1}` : undefined });
        nodes.run(200);
      }
      for (let index = 1; index < 16; index += 3) nodes.kill(`n${index}`);
      nodes.run(60_000);
      assert(isConnected(nodes));
    });
  });

  Deno.test(`${name}(): a node that is down for long is dialed no more`, () => {
    forEachSeed(1, (random) => {
      const nodes = cluster(create({ c: 1, forgetAfter: 20 }), 30, random);
      nodes.kill("n7");
      nodes.run(10_000);
      assert(nodes.alive.some((name) => nodes.peers(name).includes("n7")));
      nodes.run(15_000);
      assertEquals(nodes.alive.filter((name) => nodes.members(name).includes("n7")), []);
    });
  });
}

Deno.test("scampV2(): a contact that all newcomers come through has no more links than others", () => {
  forEachSeed(2, (random) => {
    const nodes = cluster(scampV2({ c: 1 }), 150, random, "n0");
    const degrees = nodes.alive.map((name) => nodes.neighbours(name).length);
    assertLess(nodes.neighbours("n0").length, 3 * mean(degrees));
    assertViewSize([meanView(nodes)], 1, 150);
    assert(isConnected(nodes));
  });
});

Deno.test("scampV2(): views keep their size when all subscriptions are renewed again and again", () => {
  forEachSeed(1, (random) => {
    const nodes = cluster(scampV2({ c: 1, lease: 30 }), 100, random);
    for (let lease = 0; lease < 6; lease++) {
      nodes.run(30_000);
      assertViewSize([meanView(nodes)], 1, 100);
      assert(isConnected(nodes));
    }
  });
});

Deno.test("scampV2(): a node that no node has in view any more becomes known again", () => {
  forEachSeed(3, (random) => {
    const nodes = cluster(scampV2({ c: 1, heartbeat: 2, lease: 10_000 }), 30, random);
    const holders = () => nodes.alive.filter((name) => nodes.peers(name).includes("n9"));
    for (const holder of holders()) nodes.prune(holder, ["n9"]);
    assertEquals(holders(), []);
    nodes.run(20_000);
    assertGreater(holders().length, 1);
  });
});

Deno.test("scampV1() and scampV2() refuse options that are out of range", () => {
  assertThrows(() => scampV1({ c: -1 }), RangeError, 'Cannot use option "c": -1');
  assertThrows(() => scampV2({ lease: 0 }), RangeError, "lease");
});
