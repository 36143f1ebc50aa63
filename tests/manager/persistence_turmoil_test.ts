// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { DiskCluster } from "./disk_cluster.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];
/** It neither moves nor leaves: where all have moved while they were down, no node could find any node. */
const LANDMARK = "a";
const STEPS = 40;
const SEEDS = 30;

/** Nodes that crash, come back by nothing but their disks, move, are removed and cut off, all at random. */
class Turmoil {
  readonly disks: DiskCluster;
  readonly removed = new Set<string>();
  readonly #removers = new Set<string>();
  readonly #random: SeededRandom;
  #ports = 7_000;

  constructor(disks: DiskCluster, random: SeededRandom) {
    this.disks = disks;
    this.#random = random;
  }

  get #down(): string[] {
    return NAMES.filter((name) => !this.disks.cluster.has(name) && !this.removed.has(name));
  }

  async step(): Promise<void> {
    const { cluster } = this.disks;
    const random = this.#random;
    const roll = random.next();
    const running = cluster.names.filter((name) => !this.removed.has(name));
    if (roll < 0.3 && running.length > 0) cluster.crash(random.pick(running), { reset: random.chance(0.5) });
    else if (roll < 0.35) { for (const name of running) cluster.crash(name); }
    else if (roll < 0.65 && this.#down.length > 0) await this.#start(random.pick(this.#down));
    else if (roll < 0.7) { for (const name of this.#down) await this.#start(name); }
    else if (roll < 0.75 && running.length > 0 && this.removed.size < 3) this.#remove(random.pick(running));
    else if (roll < 0.9) this.#cut();
    else cluster.heal();
    await cluster.advance(random.pick([1, 10, 100, 1_000, 5_000]));
  }

  /** All faults end, and every node runs. */
  async settle(): Promise<void> {
    this.disks.cluster.heal();
    for (const name of this.#down) await this.disks.restart(name);
    await this.disks.cluster.advance(60_000);
  }

  async #start(name: string): Promise<void> {
    const moves = name !== LANDMARK && this.#random.chance(0.3);
    if (moves) this.disks.options.set(name, { listen: { hostname: name, port: this.#ports++ } });
    await this.disks.restart(name);
  }

  /**
   * A node removes another one, or itself. Not where it has moved: a node that does not hear of that then has no node to ask. And not one that has
   * removed others: perhaps it alone knows of that.
   */
  #remove(by: string): void {
    const stays = new Set([LANDMARK, ...this.removed, ...this.#removers]);
    const name = this.#random.pick(NAMES.filter((name) => !stays.has(name)));
    if (name === by && this.disks.options.has(name)) return;
    this.removed.add(name);
    if (name !== by) this.#removers.add(by);
    this.disks.cluster.node(by).leave(name);
  }

  #cut(): void {
    const some = NAMES.filter(() => this.#random.chance(0.5));
    this.disks.cluster.cut(some, NAMES.filter((name) => !some.includes(name)));
  }
}

Deno.test(`After any turmoil of crashes, moves, removals and cuts all agree, and no removed node comes back`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = seededRandom(seed);
    await using disks = await DiskCluster.start(NAMES, {}, seed);
    const turmoil = new Turmoil(disks, random);
    for (let step = 0; step < STEPS; step++) await turmoil.step();
    await turmoil.settle();
    const { removed } = turmoil;
    const members = NAMES.filter((name) => !removed.has(name)).join(" ");
    const expected = Object.fromEntries(disks.cluster.names.map((name) => [name, removed.has(name) ? name : members]));
    assertEquals(disks.members(), expected, `seed ${seed}`);
    for (const name of members.split(" ")) assertEquals(disks.cluster.has(name), true, `${name} with seed ${seed}`);
    assertEquals(disks.told.filter((what) => !what.endsWith(" removed")), [], `seed ${seed}`);
  }
});
