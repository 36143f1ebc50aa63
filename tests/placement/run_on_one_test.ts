// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Placement, type RunOnOneOptions } from "../../placement/mod.ts";
import { type Discovery, startPeerService } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { IS_FULL_SIZE } from "../sim/full_size.ts";

const NAMES = ["a", "b", "c", "d", "e"];

interface Run {
  readonly node: string;
  readonly token: number;
  readonly from: number;
  to: number;
}

/** Has every node ask for one task, and notes who ran it when. */
class Watch {
  readonly runs: Run[] = [];
  /** The same, a run that was frozen and went on as two. */
  readonly spans: Run[] = [];
  readonly #frozen = new Map<string, readonly Run[]>();
  /** Reasons for which runs ended. */
  readonly reasons: string[] = [];
  readonly #cluster: SimulatedCluster;
  readonly #options: RunOnOneOptions;

  readonly #task: string;

  constructor(cluster: SimulatedCluster, options: RunOnOneOptions, task = "task") {
    this.#cluster = cluster;
    this.#task = task;
    this.#options = options;
  }

  ask(name: string): Disposable {
    return new Placement(this.#cluster.node(name)).runOnOne(this.#task, (signal, { token }) => {
      const run = this.#begin({ node: name, token });
      this.runs.push(run);
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          for (const span of this.spans) {
            if (span.token === token) span.to = Math.min(span.to, this.#cluster.now);
          }
          this.reasons.push(signal.reason.message);
          resolve();
        })
      );
    }, this.#options);
  }

  /** A node that is frozen runs nothing, and goes on when it thaws. */
  pause(name: string): void {
    this.#cluster.pause(name);
    const frozen = this.spans.filter((run) => run.node === name && run.to === Infinity);
    for (const run of frozen) run.to = this.#cluster.now;
    this.#frozen.set(name, frozen);
  }

  resume(name: string): void {
    this.#cluster.resume(name);
    for (const { token } of this.#frozen.get(name) ?? []) this.#begin({ node: name, token });
    this.#frozen.delete(name);
  }

  /** A node that crashed runs nothing more. */
  crashed(name: string): void {
    for (const run of this.spans) if (run.node === name) run.to = Math.min(run.to, this.#cluster.now);
  }

  #begin({ node, token }: Pick<Run, "node" | "token">): Run {
    const run: Run = { node, token, from: this.#cluster.now, to: Infinity };
    this.spans.push(run);
    return run;
  }

  get running(): string[] {
    return this.spans.filter(({ to }) => to === Infinity).map(({ node }) => node);
  }

  /** The longest time in which two ran at once. */
  get overlap(): number {
    let longest = 0;
    for (const one of this.spans) {
      for (const other of this.spans) {
        if (one.node === other.node || one.from > other.from) continue;
        longest = Math.max(longest, Math.min(one.to, other.to, this.#cluster.now) - other.from);
      }
    }
    return longest;
  }
}

Deno.test("runOnOne() runs a task on exactly one node, and on another when that dies, with a higher token", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: NAMES });
  const watch = new Watch(cluster, {});
  for (const name of NAMES) watch.ask(name);
  await cluster.advance(2_000);
  assertEquals(watch.runs, [], "it began before anything was stable");
  await cluster.advance(10_000);
  const [first] = watch.running;
  assert(first !== undefined);
  assertEquals(watch.runs.map(({ node }) => node), [first]);
  cluster.crash(first);
  watch.crashed(first);
  await cluster.advance(30_000);
  const [second] = watch.running;
  assert(second !== undefined && second !== first);
  assertEquals(watch.runs.map(({ node }) => node), [first, second]);
  assert((watch.runs[1]?.token ?? 0) > (watch.runs[0]?.token ?? 0));
});

/** Cuts, resets, freezes and deaths at random: sides, single links, one direction only. */
async function disturb(cluster: SimulatedCluster, watch: Watch, random: SeededRandom): Promise<void> {
  const [one, other] = random.shuffle(NAMES) as [string, string];
  switch (random.int(8)) {
    case 0: {
      const side = NAMES.filter(() => random.chance(0.5));
      cluster.cut(side, NAMES.filter((name) => !side.includes(name)));
      break;
    }
    case 1:
    case 2:
      for (const name of NAMES) if (name !== one && random.chance(0.4)) cluster.cut(one, name);
      break;
    case 3:
      cluster.cutOneWay(one, other);
      break;
    case 4:
      cluster.crash(one);
      watch.crashed(one);
      await cluster.advance(random.int(20_000));
      await cluster.startNode(one);
      watch.ask(one);
      break;
    case 5:
      watch.pause(one);
      await cluster.advance(random.int(20_000));
      watch.resume(one);
      break;
    case 6:
      cluster.reset(one, NAMES.filter((name) => name !== one));
      break;
    default:
      cluster.heal();
  }
  await cluster.advance(random.int(30_000));
}

Deno.test("runOnOne() with a majority never runs two at once beyond the stated bound, whatever is cut or dies, tokens rise, and one runs in the end", async () => {
  let runs = 0;
  for (let seed = 1; seed <= (IS_FULL_SIZE ? 400 : 25); seed++) {
    const random = seededRandom(seed);
    await using cluster = await SimulatedCluster.start({ nodes: NAMES, seed: `one ${seed}` });
    const watch = new Watch(cluster, { quorum: "majority" }, `task ${seed}`);
    for (const name of NAMES) watch.ask(name);
    const { interval, missed } = cluster.node("a").heartbeat;
    for (let step = 0; step < 8; step++) await disturb(cluster, watch, random);
    cluster.heal();
    await cluster.settled();
    await cluster.advance(60_000);
    assert(watch.overlap <= interval * (missed + 3), `seed ${seed}: two ran for ${watch.overlap} ms`);
    assertEquals(watch.running.length, 1, `seed ${seed}`);
    const tokens = watch.runs.map(({ token }) => token);
    assertEquals(tokens, [...new Set(tokens)].toSorted((a, b) => a - b), `seed ${seed}: tokens did not rise`);
    runs += tokens.length;
  }
  assert(runs > 50, `only ${runs} runs`);
});

Deno.test("runOnOne() with a majority runs one where two nodes cannot reach each other, and all others reach both", async () => {
  for (const task of ["t1", "t2", "t3", "t4", "t5", "t6"]) {
    await using cluster = await SimulatedCluster.start({ nodes: NAMES });
    const watch = new Watch(cluster, { quorum: "majority" }, task);
    for (const name of NAMES) watch.ask(name);
    for (const name of ["a", "b"]) cluster.cut(name, ["d", "e"]);
    await cluster.advance(60_000);
    assertEquals(cluster.node("a").connected(), ["b", "c"]);
    assertEquals(watch.running.length, 1, `${task} is run by ${watch.running}`);
  }
});

Deno.test("runOnOne() does not begin on a node that has not looked for others yet, however often its discovery fails", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const watch = new Watch(cluster, {});
  for (const name of ["a", "b"]) watch.ask(name);
  await cluster.advance(15_000);
  const before = watch.running;
  let isFound = false;
  const slow: Discovery = {
    name: "slow",
    lookup: () => isFound ? Promise.resolve([{ hostname: "a", port: 9_090 }]) : Promise.reject(new Error("not yet")),
  };
  const runtime = cluster.world.node("c");
  await using late = await startPeerService({ name: "c", runtime, listen: "c:9090", discovery: slow });
  const own: unknown[] = [];
  new Placement(late).runOnOne("task", () => Promise.resolve(void own.push(late.members())));
  await cluster.advance(120_000);
  assertEquals([own, late.members(), before.length], [[], ["c"], 1]);
  isFound = true;
  await cluster.advance(60_000);
  assertEquals(late.members(), ["a", "b", "c"]);
  assertEquals(own.filter((members) => `${members}` !== "a,b,c"), []);
});

Deno.test("runOnOne() hands out a higher token after each restart, also where clocks of nodes differ", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  cluster.setSkew("a", 3_600_000);
  cluster.setSkew("c", -3_600_000);
  const watch = new Watch(cluster, {});
  for (const name of ["a", "b", "c"]) watch.ask(name);
  for (let round = 0; round < 6; round++) {
    await cluster.advance(20_000);
    const [name] = watch.running;
    assert(name !== undefined);
    cluster.crash(name);
    watch.crashed(name);
    await cluster.advance(20_000);
    await cluster.startNode(name);
    await cluster.settled();
    watch.ask(name);
  }
  const tokens = watch.runs.map(({ token }) => token);
  assert(tokens.length >= 7);
  assertEquals(tokens, [...new Set(tokens)].toSorted((a, b) => a - b));
});

Deno.test("runOnOne() runs nothing where there is no majority", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: NAMES });
  const watch = new Watch(cluster, { quorum: "majority" });
  for (const name of NAMES) watch.ask(name);
  cluster.cut(["a", "b"], ["c", "d", "e"]);
  await cluster.advance(60_000);
  assertEquals(watch.running.length, 1);
  assert(["c", "d", "e"].includes(watch.running[0] ?? ""));
  for (const name of ["c", "d", "e"]) {
    cluster.crash(name);
    watch.crashed(name);
  }
  await cluster.advance(60_000);
  assertEquals(watch.running, []);
});

Deno.test("runOnOne() leaves out nodes that do not ask for the task, and ends when it is taken back", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: NAMES });
  const watch = new Watch(cluster, {});
  const asked = [watch.ask("b"), watch.ask("d")];
  await cluster.advance(15_000);
  const [first] = watch.running;
  assert(first === "b" || first === "d");
  asked[first === "b" ? 0 : 1]?.[Symbol.dispose]();
  assertEquals(watch.running, []);
  await cluster.advance(15_000);
  const second = first === "b" ? "d" : "b";
  assertEquals(watch.running, [second]);
  await cluster.wait(cluster.stopNode(second));
  assertEquals(watch.running, []);
  assertEquals(watch.reasons, [
    'Cannot go on with "task": it is not wanted any more',
    'Cannot go on with "task": this node has stopped',
  ]);
});

Deno.test("runOnOne() begins a task that failed again, later each time, and one that returned as well", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a"] });
  const node = cluster.node("a");
  const errors: string[] = [];
  node.addEventListener("error", ({ detail }) => errors.push(detail.during));
  const begun: number[] = [];
  using _task = new Placement(node).runOnOne("task", () => {
    begun.push(cluster.now);
    return begun.length < 4 ? Promise.reject(new Error("no")) : Promise.resolve();
  }, { stableAfter: 0 });
  await cluster.advance(60_000);
  const waits = begun.slice(1, 5).map((time, index) => time - (begun[index] ?? 0));
  assert((waits[1] ?? 0) > (waits[0] ?? 0) && (waits[2] ?? 0) > (waits[1] ?? 0));
  assert((waits[3] ?? 0) < (waits[2] ?? 0));
  assertEquals(errors.slice(0, 3), Array(3).fill('running "task" on one node'));
  assertThrows(
    () => new Placement(node, { group: "x" }).runOnOne("t", () => Promise.resolve(), { quorum: 0 }),
    RangeError,
  );
});
