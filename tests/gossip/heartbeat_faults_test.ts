// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { assertWithinBudget } from "./budget.ts";
import { HeartbeatWorld, seconds } from "./heartbeat_world.ts";
import { lastOf, nthOf, present } from "../values.ts";

const SIZE = 16;

function eachPair(act: (a: number, b: number) => void): void {
  for (let a = 0; a < SIZE; a++) {
    for (let b = 0; b < a; b++) act(a, b);
  }
}

function cutHalf(world: HeartbeatWorld): void {
  eachPair((a, b) => world.cut(a, b, world.random.next() < 0.5));
}

/** Every way in which half of the links are bad while all nodes live. */
const badLinks: Readonly<Record<string, (world: HeartbeatWorld) => void>> = {
  "cut for good": cutHalf,
  "cut, others every 2 s": (world) => world.every(seconds(2), () => cutHalf(world)),
  "cut and healed each at its own pace": (world) =>
    eachPair((a, b) => {
      let cut = world.random.next() < 0.5;
      world.cut(a, b, cut);
      world.every(seconds(0.5 + 6 * world.random.next()), () => world.cut(a, b, cut = !cut));
    }),
  "closed and redialed": (world) =>
    world.every(seconds(2), () =>
      eachPair((a, b) => {
        if (world.random.next() < 0.5) world.reconnect(a, b, seconds(3 * world.random.next()));
      })),
};

for (const [how, spoil] of Object.entries(badLinks)) {
  Deno.test(`no living node is declared down while half of the links are ${how}`, () => {
    const seeds = 40;
    let falsely = 0;
    let suspects = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const world = new HeartbeatWorld({ size: SIZE, seed });
      world.run(seconds(5 + world.random.next()));
      spoil(world);
      world.run(seconds(30));
      falsely += world.said("down").length;
      suspects += world.said("suspect").length;
      assert(world.said("down").length === 0, `seed ${seed}: a living node is down`);
    }
    assertWithinBudget(
      `false messages, half of the links ${how} for 30 s, ${suspects} suspicions`,
      falsely,
      0,
      "messages",
    );
  });
}

Deno.test("a node that stalls for 20 beats is the only one that is down, and up everywhere at once when it goes on", () => {
  let worst = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const world = new HeartbeatWorld({ size: SIZE, seed });
    world.run(seconds(5 + world.random.next()));
    world.pause(3);
    world.run(seconds(20));
    assertEquals(new Set(world.said("down").map(({ node }) => node)), new Set(["n3"]), `seed ${seed}`);
    assertEquals(world.said("down").length, SIZE - 1, `seed ${seed}`);
    const resumedAt = world.now;
    world.resume(3);
    world.run(seconds(10));
    assertEquals(world.said("suspect", resumedAt), [], `seed ${seed}`);
    assertEquals(world.said("down", resumedAt), [], `seed ${seed}`);
    assertEquals(world.said("up").length, SIZE - 1, `seed ${seed}`);
    worst = Math.max(worst, lastOf(world.said("up")).at - resumedAt);
  }
  assertWithinBudget("up everywhere after a stall, worst of 30", worst, 50, "ms");
});

Deno.test("no node is down after the whole machine slept", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new HeartbeatWorld({ size: SIZE, seed }).run(seconds(5));
    const indices = world.nodes.map(({ index }) => index);
    for (const index of indices) world.after(seconds(world.random.next()), () => world.pause(index));
    for (const index of indices) world.after(seconds(20 + 2 * world.random.next()), () => world.resume(index));
    world.run(seconds(40));
    assertEquals(world.said("down"), [], `seed ${seed}`);
  }
});

Deno.test("no node is down while nodes stall for up to two intervals again and again", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new HeartbeatWorld({ size: SIZE, seed }).run(seconds(5));
    world.every(200, () => {
      const index = world.random.int(SIZE);
      world.pause(index);
      world.after(seconds(1.9 * world.random.next()), () => world.resume(index));
    });
    world.run(seconds(30));
    assertEquals(world.said("down"), [], `seed ${seed}`);
  }
});

Deno.test("a link that is cut one way makes a suspect, which others clear: the link is reported, no node is down", () => {
  for (const size of [3, 10, 40]) {
    for (let seed = 1; seed <= 5; seed++) {
      const world = new HeartbeatWorld({ size, seed }).run(seconds(5));
      const watcher = present(world.nodes.find(({ detector }) => detector.watched.includes("n0")));
      world.cutOneWay(0, watcher.index, true);
      world.run(seconds(30));
      const of = (type: "suspect" | "silentLink"): string[] => world.said(type).map(({ by, node }) => `${by} ${node}`);
      assertEquals(of("suspect"), [`${watcher.identity.name} n0`], `seed ${seed}`);
      assertEquals(new Set(of("silentLink")), new Set(of("suspect")), `seed ${seed}`);
      assert(of("silentLink").length >= 5 && of("silentLink").length <= 9, `seed ${seed}: ${of("silentLink").length}`);
      assertEquals(world.said("down"), [], `seed ${seed}`);
      world.cutOneWay(0, watcher.index, false);
      world.run(seconds(2));
      assertEquals(world.said("trusted").length, 1, `seed ${seed}`);
    }
  }
});

Deno.test("a deaf node makes no other node believe that others are down", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new HeartbeatWorld({ size: 40, seed }).run(seconds(5));
    for (let other = 1; other < 40; other++) world.cutOneWay(other, 0, true);
    world.run(seconds(20));
    assertEquals(new Set(world.said("down").map(({ by }) => by)), new Set(["n0"]), `seed ${seed}`);
    for (let other = 1; other < 40; other++) world.cutOneWay(other, 0, false);
    world.run(seconds(10));
    assertEquals(world.heldForDead(), 0, `seed ${seed}`);
  }
});

Deno.test("a mute node is down for all others, holds no node for dead, and is up when it is heard again", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new HeartbeatWorld({ size: 20, seed }).run(seconds(5));
    for (let other = 1; other < 20; other++) world.cutOneWay(0, other, true);
    world.run(seconds(15));
    assertEquals(new Set(world.said("down").map(({ node }) => node)), new Set(["n0"]), `seed ${seed}`);
    assertEquals(world.said("down").length, 19, `seed ${seed}`);
    for (let other = 1; other < 20; other++) world.cutOneWay(0, other, false);
    world.run(seconds(3));
    assertEquals(world.heldForDead(), 0, `seed ${seed}`);
  }
});

Deno.test("two nodes that cannot hear each other are down for one another until they can", () => {
  const world = new HeartbeatWorld({ size: 2, seed: 1 }).run(seconds(5));
  world.cut(0, 1, true);
  world.run(seconds(10));
  assertEquals(world.said("down").map(({ by }) => by).sort(), ["n0", "n1"]);
  world.cut(0, 1, false);
  world.run(seconds(2));
  assertEquals(world.said("up").map(({ by }) => by).sort(), ["n0", "n1"]);
});

Deno.test("with three nodes, the third clears a suspect whose link is cut", () => {
  const world = new HeartbeatWorld({ size: 3, seed: 1 }).run(seconds(5));
  world.cut(0, 1, true);
  world.run(seconds(60));
  assertEquals(world.said("down"), []);
  assertEquals(new Set(world.said("silentLink").map(({ by }) => by)), new Set(["n0", "n1"]));
});

Deno.test("after any faults are over, no node living is down and everyone dead is; down and up alternate", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = new HeartbeatWorld({ size: SIZE, seed }).run(seconds(3));
    const { random } = world;
    for (let step = 0; step < 40; step++) {
      const [a, b] = [1 + random.int(SIZE - 1), 1 + random.int(SIZE - 1)];
      const act = random.int(5);
      if (act === 0) world.pause(a);
      else if (act === 1) world.resume(a);
      else if (act === 2 && a !== b) world.cutOneWay(a, b, random.int(2) === 0);
      else if (act === 3 && a !== b) world.reconnect(a, b, seconds(4 * random.next()));
      else if (act === 4) world.restart(a);
      world.run(seconds(2 * random.next()));
    }
    world.kill(0);
    eachPair((a, b) => world.cut(a, b, false));
    for (let index = 1; index < SIZE; index++) world.resume(index);
    world.run(seconds(20));
    assertEquals(world.heldForDead(), SIZE - 1, `seed ${seed}: only the dead is down`);
    for (let index = 1; index < SIZE; index++) assert(nthOf(world.nodes, index).detector.isDown("n0"), `seed ${seed}`);
    assertAlternating(world, seed);
  }
});

/** Within one incarnation of the observer, "down" and "up" of one node take turns. */
function assertAlternating(world: HeartbeatWorld, seed: number): void {
  const last = new Map<string, string>();
  for (const { by, byIncarnation, node, type, at } of world.sayings) {
    if (type !== "down" && type !== "up") continue;
    const key = `${by}/${byIncarnation} ${node}`;
    assert((last.get(key) ?? "up") !== type, `seed ${seed}: ${by} says twice that ${node} is ${type}, at ${at}`);
    last.set(key, type);
  }
}
