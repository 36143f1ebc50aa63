// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { type Decision, TwoPhaseCommit } from "../../examples/two_phase_commit.ts";
import { scenario, type World } from "../manager/worlds.ts";
import { seededRandom } from "../seeded_random.ts";
import { disturb } from "./faults.ts";
import { firstOf, nthOf, present } from "../values.ts";

interface Player {
  readonly commit: TwoPhaseCommit;
  readonly decisions: [transaction: unknown, decision: Decision][];
  agrees: boolean;
}

async function players(world: World): Promise<Player[]> {
  const nodes = await world.cluster(["a", "b", "c", "d"]);
  return nodes.map((node) => {
    const decisions: Player["decisions"] = [];
    const player: Player = {
      decisions,
      agrees: true,
      commit: new TwoPhaseCommit(node, {
        prepare: () => player.agrees,
        decide: (transaction, decision) => decisions.push([transaction, decision]),
      }),
    };
    return player;
  });
}

scenario("Two-phase commit carries a transaction out everywhere although messages are lost and late", async (world) => {
  const random = seededRandom(11);
  const all = await players(world);
  for (const node of world.nodes) disturb(node, () => random.next(), { drop: 0.3, late: 0.2 });
  for (const n of [1, 2, 3]) assertEquals(await present(all[n]).commit.run(n, 20_000), "committed");
  for (const { decisions, commit } of all) {
    assertEquals(decisions, [[1, "committed"], [2, "committed"], [3, "committed"]]);
    assertEquals(commit.undecided, 0);
  }
}, ["memory"]);

scenario("Two-phase commit aborts everywhere when one participant refuses", async (world) => {
  const all = await players(world);
  nthOf(all, 2).agrees = false;
  assertEquals(await firstOf(all).commit.run("pay", 5_000), "aborted");
  assertEquals(all.map(({ decisions }) => decisions), [[["pay", "aborted"]], [["pay", "aborted"]], [], [[
    "pay",
    "aborted",
  ]]]);
});

scenario("Two-phase commit aborts when one participant stays silent, and binds no node without end", async (world) => {
  const all = await players(world);
  nthOf(world.nodes, 3).addInterpositionFun(
    "deaf",
    ({ type, message }) => type === "receive_message" ? undefined : message,
  );
  const run = firstOf(all).commit.run("pay", 500);
  await world.until("the others have heard", () => all.slice(0, 3).every(({ decisions }) => decisions.length === 1));
  nthOf(world.nodes, 3).removeInterpositionFun("deaf");
  assertEquals(await run, "aborted");
  assertEquals(all.map(({ commit }) => commit.undecided), [0, 0, 0, 0]);
});
