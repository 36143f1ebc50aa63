// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- It prints what it measures.

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { hashString } from "../../membership/hash.ts";
import { isMember } from "../../strategy/full_mesh_state.ts";
import { encode } from "../../transport/message_pack_encode.ts";
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

/** A cluster in which one node came back in a new life, nobody has heard of it yet, and nobody noticed that it was away. */
function meshWithNews(random: SeededRandom, size: number): Mesh {
  const mesh = settledMesh(random, size);
  const node = mesh.node(random.pick(nodeNames(size)));
  const self = { ...node.spec, incarnation: 2 };
  mesh.nodes.set(self.name, { ...node, spec: self, state: { ...node.state, self, set: node.state.set.add(self).set } });
  return mesh;
}

for (const [size, runs] of [[10, 400], [64, 100], [200, 20]] as const) {
  const bound = Math.ceil(Math.log2(size)) + 2;
  Deno.test(`fullMesh() brings ${size} nodes to agree by gossip alone within ${bound} rounds`, () => {
    const rounds: number[] = [];
    forEachSeed(runs, (random) => rounds.push(roundsToAgree(meshWithNews(random, size))));
    console.log(
      `${size} nodes, ${runs} runs: ${p99(rounds)} rounds at p99, ${Math.max(...rounds)} at most, bound ${bound}`,
    );
    assert(Math.min(...rounds) > 0);
    assertLessOrEqual(p99(rounds), bound);
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
    console.log(
      `${size} nodes, 30 % cut: ${p99(rounds)} rounds at p99, ${Math.max(...rounds)} at most, bound ${bound + 3}`,
    );
    assertLessOrEqual(p99(rounds), bound + 3);
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
      assertEquals(mesh.members(nodeNames(1)[0]!).length, size);
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
      mesh.join(half, names[half === "left" ? 0 : 1]!);
    }
    mesh.leave(names[2]!, names[4]!);
    mesh.deliver();
    mesh.crash(names[4]!);
    mesh.reach = () => true;
    mesh.reconnect();
    mesh.deliver();
    mesh.tick();
    mesh.deliver();
    assert(mesh.agree());
    assertEquals(mesh.members(names[0]!), [...names.filter((name) => name !== names[4]), "left", "right"].sort());
  });
});

/** A cluster under random joins, departures, removals, restarts and cuts, while messages are lost and overtake each other. */
class Turmoil {
  readonly mesh: Mesh;
  /** For each running node, the newest life of each name that it has known to be removed. */
  readonly #removed = new Map<string, Map<string, number>>();
  readonly #random: SeededRandom;
  readonly #incarnations = new Map<string, number>();
  readonly #disks = new Map<string, unknown>();
  /** Nodes that left and live on alone. */
  readonly #alone = new Set<string>();

  constructor(random: SeededRandom, size: number) {
    this.#random = random;
    this.mesh = settledMesh(random, size, { reorder: true, loss: 0.2 });
    for (const name of nodeNames(size)) this.#incarnations.set(name, 1);
  }

  step(): void {
    const { mesh } = this;
    const alive = [...mesh.nodes.keys()];
    const roll = this.#random.next();
    if (roll < 0.15 && alive.length > 8) this.#crash(this.#random.pick(alive));
    else if (roll < 0.4) this.#start(this.#random.pick([...this.#incarnations.keys()]));
    else if (roll < 0.5) this.#leave(this.#random.pick(alive));
    else if (roll < 0.6) this.#cut();
    else if (roll < 0.7) mesh.tick();
    else mesh.deliver(this.#random.int(200));
    this.stopRemoved();
    this.checkRemoved();
    for (const name of this.#alone) assertEquals(this.mesh.members(name), [name]);
  }

  /** That nobody lists a life again that it has known to be removed; who has forgotten in a crash is somebody else. */
  checkRemoved(): void {
    for (const [name, { spec, state: { set } }] of this.mesh.nodes) {
      const key = `${name} ${spec.incarnation}`;
      const removed = this.#removed.get(key) ?? new Map<string, number>();
      this.#removed.set(key, removed);
      for (const other of set.names) {
        const { incarnation } = set.newest(other)!;
        if (!set.has(other)) removed.set(other, incarnation);
        else assert(incarnation > (removed.get(other) ?? -1), `${other} ${incarnation} is back at ${name}`);
      }
    }
  }

  /** What a manager does once its node is no member any more: stops, or begins a new life alone. */
  stopRemoved(): void {
    for (const [name, { state }] of this.mesh.nodes) {
      if (isMember(state)) continue;
      this.mesh.crash(name);
      this.#alone.delete(name);
      if (this.#random.chance(0.5)) continue;
      this.mesh.start(name, this.#nextLife(name), this.mesh.strategy.snapshot(state));
      this.#alone.add(name);
    }
  }

  /** All faults end; those who are alone because their join was lost ask again. */
  settle(): void {
    const { mesh } = this;
    mesh.loss = 0;
    mesh.reach = () => true;
    mesh.reconnect();
    mesh.deliver();
    this.stopRemoved();
    const contact = [...mesh.nodes.keys()].find((name) => mesh.members(name).length > 1)!;
    for (const name of mesh.nodes.keys()) if (mesh.members(name).length === 1) mesh.join(name, contact);
    mesh.deliver();
  }

  #crash(name: string): void {
    const { state } = this.mesh.node(name);
    this.#disks.set(name, this.#random.chance(0.5) ? this.mesh.strategy.snapshot(state) : undefined);
    this.mesh.crash(name);
    this.#alone.delete(name);
  }

  #start(name: string): void {
    if (this.mesh.nodes.has(name)) return;
    const contact = this.#random.pick([...this.mesh.nodes.keys()].filter((other) => !this.#alone.has(other)));
    this.mesh.start(name, this.#nextLife(name), this.#disks.get(name));
    if (this.mesh.reach(name, contact)) this.mesh.join(name, contact);
  }

  #nextLife(name: string): number {
    const incarnation = this.#incarnations.get(name)! + 1;
    this.#incarnations.set(name, incarnation);
    return incarnation;
  }

  #leave(by: string): void {
    const name = this.#random.pick(this.mesh.members(by));
    this.mesh.leave(by, name);
  }

  #cut(): void {
    const salt = this.#random.int(1e6);
    const isLeft = (name: string) => hashString(name, salt) % 2 === 0;
    this.mesh.reach = this.#random.chance(0.5) ? () => true : (a, b) => isLeft(a) === isLeft(b);
    this.mesh.reconnect();
  }
}

Deno.test("fullMesh() brings all to agree after any turmoil, on all who are there, and nobody takes back whom it knew to be removed", () => {
  const rounds: number[] = [];
  // The last two once failed.
  forEachSeed([1, 2, 3, 4, 5, 6, 7, 8, 10, 85], (random) => {
    const turmoil = new Turmoil(random, 64);
    for (let step = 0; step < 150; step++) turmoil.step();
    turmoil.settle();
    const { mesh } = turmoil;
    rounds.push(roundsToAgree(mesh));
    turmoil.checkRemoved();
    for (const { spec, state } of mesh.nodes.values()) assert(isMember(state), `${spec.name} is missing`);
  });
  console.log(`64 nodes after turmoil: ${Math.max(...rounds)} rounds at most`);
  assertLessOrEqual(Math.max(...rounds), 8);
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
  assertLessOrEqual(Math.max(...costs), 1.1 * costs[0]!);
  assertEquals(kept(), before);
});
