// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- It prints what it measures.

import { assert, assertLessOrEqual } from "@std/assert";
import { forEachSeed, type SeededRandom, seededRandom } from "../seeded_random.ts";
import { Mesh, nodeNames, settledMesh } from "./mesh.ts";

/** Gossip rounds until all agree; each is one exchange of every node with its fan-out, from the first word to the last. */
function roundsToAgree(mesh: Mesh): number {
  let rounds = 0;
  for (; !mesh.agree(); rounds++) {
    assertLessOrEqual(rounds, 100, "they never agree");
    mesh.tick();
    mesh.deliver();
  }
  return rounds;
}

/** The smallest value that 99 of 100 are not above. */
function p99(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(0.99 * values.length) - 1]!;
}

/** A cluster in which one node came back with another address and nobody has heard of it yet. */
function meshWithNews(random: SeededRandom, size: number): Mesh {
  const mesh = settledMesh(random, size);
  const name = random.pick(nodeNames(size));
  const { state } = mesh.node(name);
  mesh.reach = () => false;
  mesh.reconnect();
  mesh.crash(name);
  mesh.start(name, 2, mesh.strategy.snapshot(state));
  for (const node of mesh.nodes.values()) {
    node.state = { ...node.state, away: new Set() };
  }
  mesh.reach = () => true;
  mesh.reconnect();
  return mesh;
}

for (const [size, runs] of [[10, 300], [64, 100], [200, 20]] as const) {
  const bound = Math.ceil(Math.log2(size)) + 2;
  Deno.test(`fullMesh() brings ${size} nodes to agree by gossip alone within ${bound} rounds`, () => {
    const rounds: number[] = [];
    forEachSeed(runs, (random) => {
      const mesh = meshWithNews(random, size);
      rounds.push(roundsToAgree(mesh));
    });
    console.log(
      `${size} nodes, ${runs} runs: p99 ${p99(rounds)} rounds, bound ${bound}; at most ${Math.max(...rounds)}`,
    );
    assert(Math.min(...rounds) > 0);
    assertLessOrEqual(p99(rounds), bound);
  });
}
