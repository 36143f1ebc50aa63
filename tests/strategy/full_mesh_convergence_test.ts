// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- It prints what it measures.

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { hashString } from "../../wire/hash.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { assertWithinBudget } from "../gossip/budget.ts";
import { forEachSeed, type SeededRandom, seededRandom } from "../seeded_random.ts";
import { Mesh, nodeNames, roundsToAgree, settledMesh } from "./mesh.ts";
import { firstOf, nthOf, present } from "../values.ts";

/** The smallest value that 99 of 100 are not above. */
function p99(values: readonly number[]): number {
  return present([...values].sort((a, b) => a - b)[Math.ceil(0.99 * values.length) - 1]);
}

/** A cluster in which one node came back in a new incarnation, no node has heard of it yet, and no node noticed that it was away. */
function meshWithNews(random: SeededRandom, size: number): Mesh {
  const mesh = settledMesh(random, size);
  const node = mesh.node(random.pick(nodeNames(size)));
  const self = { ...node.spec, incarnation: 2 };
  mesh.nodes.set(self.name, { ...node, spec: self, state: { ...node.state, self, set: node.state.set.add(self).set } });
  return mesh;
}

for (const [size, runs] of [[10, 200], [64, 60], [200, 20]] as const) {
  const bound = Math.ceil(Math.log2(size)) + 2;
  Deno.test(`fullMesh() brings ${size} nodes to agree by gossip alone within ${bound} rounds`, () => {
    const rounds: number[] = [];
    forEachSeed(runs, (random) => rounds.push(roundsToAgree(meshWithNews(random, size))));
    assert(Math.min(...rounds) > 0);
    assertWithinBudget(`${size} nodes agree by gossip alone, p99 of ${runs}`, p99(rounds), bound, "rounds");
  });

  Deno.test(`fullMesh() brings ${size} nodes to agree within ${bound + 3} rounds when 30 % of the links are cut`, () => {
    const rounds: number[] = [];
    forEachSeed(runs / 4, (random, seed) => {
      const mesh = meshWithNews(random, size);
      mesh.reach = (a, b) => hashString([a, b].sort().join(), seed) % 10 >= 3;
      for (const node of mesh.nodes.values()) {
        for (const peer of node.connected) if (!mesh.reach(node.spec.name, peer)) node.connected.delete(peer);
      }
      rounds.push(roundsToAgree(mesh));
    });
    assertWithinBudget(`${size} nodes agree with 30 % of the links cut, p99`, p99(rounds), bound + 3, "rounds");
  });
}

Deno.test("fullMesh() sends the same few frames and bytes per node and interval, however large an idle cluster is", () => {
  for (const size of [10, 50, 200]) {
    const mesh = settledMesh(seededRandom(1), size);
    mesh.tick();
    mesh.deliver();
    console.log(
      `${size} idle nodes: ${mesh.frames / size} frames and ${mesh.bytes / size} bytes per node and interval`,
    );
    assertEquals(mesh.frames / size, 2);
    assertLessOrEqual(mesh.bytes / size, 24);
  }
});

Deno.test("fullMesh() tells everyone of a change at once, one frame each", () => {
  const mesh = settledMesh(seededRandom(1), 50);
  const [first, second] = nodeNames(50) as [string, string];
  mesh.leave(first, second);
  mesh.deliver();
  assertEquals(mesh.frames, 49);
  assert(mesh.agree() && !mesh.members(second).includes(second));
});

/** Lets `size` nodes join one seed at once; one gossip interval falls into the midst of it, or none. */
function joinStorm(size: number, random: SeededRandom, isTicking: boolean): Mesh {
  const mesh = new Mesh(random, { reorder: true });
  const [seed, ...others] = nodeNames(size) as [string, ...string[]];
  for (const name of nodeNames(size)) mesh.start(name);
  for (const name of others) mesh.join(name, seed);
  if (isTicking) {
    mesh.deliver(size * size / 8);
    mesh.tick();
  }
  mesh.deliver();
  return mesh;
}

for (const [isTicking, bound] of [[false, 70], [true, 150]] as const) {
  const when = isTicking ? "in the midst of a gossip interval" : "between two gossip intervals";
  Deno.test(`fullMesh() survives a join storm of 200 nodes ${when} with at most ${bound} bytes per pair of nodes`, () => {
    for (const size of [50, 100, 200]) {
      const mesh = joinStorm(size, seededRandom(size), isTicking);
      const perPair = mesh.bytes / (size * size);
      console.log(`${size} nodes join one: ${mesh.frames} frames, ${mesh.bytes} bytes, ${perPair.toFixed(1)} per pair`);
      assert(mesh.agree());
      assertEquals(mesh.members(firstOf(nodeNames(1))).length, size);
      assertLessOrEqual(perPair, bound);
    }
  });
}

Deno.test("fullMesh() heals in one interval after both halves have changed while they were apart", () => {
  forEachSeed(50, (random) => {
    const mesh = settledMesh(random, 16);
    const names = nodeNames(16);
    const isLeft = (name: string) => name === "left" || names.indexOf(name) % 2 === 0;
    mesh.reach = (a, b) => isLeft(a) === isLeft(b);
    mesh.reconnect();
    for (const half of ["left", "right"]) {
      mesh.start(half);
      mesh.join(half, present(names[half === "left" ? 0 : 1]));
    }
    mesh.leave(nthOf(names, 2), nthOf(names, 4));
    mesh.deliver();
    mesh.crash(nthOf(names, 4));
    mesh.reach = () => true;
    mesh.reconnect();
    mesh.deliver();
    mesh.tick();
    mesh.deliver();
    assert(mesh.agree());
    assertEquals(mesh.members(firstOf(names)), [...names.filter((name) => name !== names[4]), "left", "right"].sort());
  });
});

Deno.test("fullMesh(): what is sent does not grow with ever new names that come and go, and what is kept shrinks again", () => {
  const forgetAfter = 3_600_000;
  const mesh = settledMesh(seededRandom(1), 5, { forgetAfter });
  const [contact] = nodeNames(1) as [string];
  const kept = () => encode(mesh.strategy.snapshot(mesh.node(contact).state)).length;
  const before = kept();
  const costs: number[] = [];
  for (let cycle = 0; cycle < 1_000; cycle++) {
    const name = `visitor-${cycle}`.padEnd(12, "x");
    mesh.bytes = 0;
    mesh.start(name, cycle);
    mesh.join(name, contact);
    mesh.deliver();
    mesh.leave(name, name);
    mesh.deliver();
    mesh.crash(name);
    costs.push(mesh.bytes);
  }
  const grown = kept();
  mesh.tick(forgetAfter);
  console.log(`1,000 visitors: ${costs[0]} bytes sent for the first, ${costs.at(-1)} for the last`);
  console.log(`kept: ${before} bytes before, ${grown} after, ${kept()} when forgotten`);
  assertLessOrEqual(Math.max(...costs), 1.1 * firstOf(costs));
  assertEquals(kept(), before);
});
