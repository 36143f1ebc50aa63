// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { assertWithinBudget } from "./budget.ts";
import { HeartbeatWorld, seconds } from "./heartbeat_world.ts";
import { lastOf } from "../values.ts";

/** Lets a node die silently at a random moment; how long until the last of the others says that it is down. */
function timeToNotice(size: number, seed: number): number {
  const world = new HeartbeatWorld({ size, seed });
  world.run(seconds(5 + world.random.next()));
  const diedAt = world.now;
  world.kill(0);
  world.run(seconds(15));
  const downs = world.said("down");
  assertEquals(new Set(downs.map(({ node }) => node)), new Set(["n0"]), `seed ${seed}: only the dead is down`);
  assertEquals(new Set(downs.map(({ by }) => by)).size, size - 1, `seed ${seed}: everyone notices`);
  assertEquals(downs.length, size - 1, `seed ${seed}: everyone notices once`);
  return lastOf(downs).at - diedAt;
}

for (
  const { size, seeds, bound } of [
    { size: 2, seeds: 100, bound: 5.5 },
    { size: 3, seeds: 100, bound: 5.5 },
    { size: 10, seeds: 200, bound: 5.5 },
    { size: 100, seeds: 10, bound: 6.5 },
    { size: 200, seeds: 2, bound: 6.5 },
  ]
) {
  Deno.test(`a silent death is noticed by everyone else, ${size} nodes`, () => {
    const times = Array.from({ length: seeds }, (_, seed) => timeToNotice(size, seed + 1) / 1000);
    assertWithinBudget(
      `silent death noticed by everyone, N = ${size}, worst of ${seeds}`,
      Math.max(...times),
      bound,
      "s",
    );
  });
}

Deno.test("several silent deaths at once are noticed by all who live", () => {
  let worst = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const world = new HeartbeatWorld({ size: 12, seed });
    world.run(seconds(5 + world.random.next()));
    const diedAt = world.now;
    for (const dead of [0, 1, 2, 3, 4]) world.kill(dead);
    world.run(seconds(15));
    const downs = world.said("down");
    assertEquals(new Set(downs.map(({ by, node }) => `${by} ${node}`)).size, 7 * 5, `seed ${seed}`);
    worst = Math.max(worst, lastOf(downs).at - diedAt);
  }
  assertWithinBudget("5 of 12 die silently, noticed by all, worst of 20", worst / 1000, 8, "s");
});

Deno.test("the frames per node and interval do not grow with the cluster", () => {
  const load = (size: number): number => {
    const world = new HeartbeatWorld({ size, seed: size }).run(seconds(5));
    const before = world.frames;
    world.run(seconds(10));
    return (world.frames - before) / size / 10;
  };
  assertWithinBudget("frames per node and interval, N = 10", load(10), 9, "frames");
  for (const size of [20, 50, 100, 200]) {
    assertWithinBudget(`frames per node and interval, N = ${size}`, load(size), 10, "frames");
  }
});

Deno.test("a death costs each node a bounded number of frames, whatever the size of the cluster", () => {
  for (const size of [20, 50, 200]) {
    const world = new HeartbeatWorld({ size, seed: 1 }).run(seconds(6));
    world.kill(0);
    const before = world.frames;
    world.run(seconds(10));
    const extra = (world.frames - before) / size - 10 * 10;
    assertWithinBudget(`extra frames per node for one death, N = ${size}`, extra, 60, "frames");
  }
});

Deno.test("both halves of a cluster in two see the other as down, and all as up soon after they meet again", () => {
  for (const size of [2, 6, 10, 20, 100]) {
    let noticed = 0;
    let healed = 0;
    for (let seed = 1; seed <= (size === 100 ? 2 : 10); seed++) {
      const world = new HeartbeatWorld({ size, seed });
      world.run(seconds(5 + world.random.next()));
      const cutAt = world.now;
      cutInTwo(world, true);
      world.run(seconds(20));
      const downs = world.said("down");
      assertEquals(new Set(downs.map(({ by, node }) => `${by} ${node}`)).size, size * size / 2, `seed ${seed}`);
      assertEquals(downs.length, size * size / 2, `seed ${seed}`);
      noticed = Math.max(noticed, lastOf(downs).at - cutAt);
      cutInTwo(world, false);
      const metAt = world.now;
      world.run(seconds(20));
      assertEquals(world.heldForDead(), 0, `seed ${seed}`);
      assertEquals(world.said("down", metAt).length, 0, `seed ${seed}`);
      healed = Math.max(healed, lastOf(world.said("up")).at - metAt);
    }
    assertWithinBudget(`halves see each other down, N = ${size}`, noticed / 1000, 8, "s");
    assertWithinBudget(`halves see each other up again, N = ${size}`, healed / 1000, 1.5, "s");
  }
});

Deno.test("a node of a sparse overlay is watched by its neighbours", () => {
  const near = (a: number, b: number): boolean => [1, 2, 28, 29].includes(Math.abs(a - b));
  const world = new HeartbeatWorld({ size: 30, seed: 1, linked: near });
  world.run(seconds(6)).kill(10);
  const diedAt = world.now;
  world.run(seconds(15));
  assertEquals(
    world.said("down").map(({ by, node }) => `${by} ${node}`).sort(),
    [11, 12, 8, 9].map((by) => `n${by} n10`),
  );
  assertWithinBudget("silent death noticed by 4 neighbours", (lastOf(world.said("down")).at - diedAt) / 1000, 6.5, "s");
});

Deno.test("a node that comes back in a new incarnation is up everywhere, and watched again", () => {
  const world = new HeartbeatWorld({ size: 20, seed: 1 }).run(seconds(6));
  world.kill(7);
  world.run(seconds(10));
  assertEquals(world.said("down").length, 19);
  world.restart(7);
  world.run(seconds(10));
  assertEquals(world.said("up").map(({ incarnation }) => incarnation), Array(19).fill(2));
  assertEquals(world.said("down").length, 19);
  world.kill(7);
  world.run(seconds(10));
  assertEquals(world.said("down", seconds(26)).map(({ incarnation }) => incarnation), Array(19).fill(2));
});

function cutInTwo(world: HeartbeatWorld, cut: boolean): void {
  const half = world.nodes.length / 2;
  for (let a = 0; a < half; a++) {
    for (let b = half; b < world.nodes.length; b++) world.cut(a, b, cut);
  }
}
