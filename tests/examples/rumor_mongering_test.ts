// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { RumorMonger } from "../../examples/rumor_mongering.ts";
import { scenario } from "../manager/worlds.ts";
import { seededRandom } from "../seeded_random.ts";
import { disturb } from "./faults.ts";
import { firstOf } from "../values.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];

for (const seed of [1, 2, 3]) {
  scenario(
    `A rumor reaches everyone although a quarter of the messages is lost and another is late, seed ${seed}`,
    async (world) => {
      const random = seededRandom(seed);
      const nodes = await world.cluster(NAMES);
      const mongers = nodes.map((node) =>
        new RumorMonger(node, { fanout: 3, patience: 6, random: () => random.next() })
      );
      for (const node of nodes) disturb(node, () => random.next(), { drop: 0.25, late: 0.25 });

      firstOf(mongers).tell("the cluster is up");
      const rounds = setRounds(world.clock, () => mongers.forEach((monger) => monger.round()));
      await world.until("everyone has heard it", () => mongers.every(({ heard }) => heard.size === 1));
      rounds.cancel();
      for (const { heard } of mongers) assertEquals([...heard], ["the cluster is up"]);
    },
  );
}

/** Calls `round` every 10 ms of the world's time. */
function setRounds(
  clock: { schedule(delay: number, callback: () => void): { cancel(): void } },
  round: () => void,
): { cancel(): void } {
  let timer = { cancel: () => {} };
  const next = () => {
    timer = clock.schedule(10, next);
    round();
  };
  next();
  return { cancel: () => timer.cancel() };
}
