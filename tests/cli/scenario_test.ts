// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { planScenario } from "../../cli/scenario.ts";
import { firstOf, nthOf } from "../values.ts";

const names = ["a", "b", "c", "d", "e"];

Deno.test("planScenario() kills, restarts, pauses, resumes and removes three different nodes, in this order", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { steps } = planScenario(names, 20, seed);
    assertEquals(steps.map(({ kind }) => kind), ["kill", "start", "pause", "resume", "leave"]);
    const [killed, started, paused, resumed, left] = steps.map(({ node }) => node);
    assertEquals([killed, paused], [started, resumed]);
    assertEquals(new Set([killed, paused, left]).size, 3, `seed ${seed}`);
  }
});

Deno.test("planScenario() leaves the pause out when time is short", () => {
  assertEquals(planScenario(names, 8, 1).steps.map(({ kind }) => kind), ["kill", "start", "leave"]);
});

Deno.test("planScenario() spreads the steps evenly and ends the traffic before the time is up", () => {
  for (const seconds of [8, 12, 60]) {
    const { steps, quietAt } = planScenario(names, seconds, 1);
    const times = [0, ...steps.map(({ at }) => at), quietAt];
    const gaps = times.slice(1).map((time, index) => time - nthOf(times, index));
    assert(Math.max(...gaps) - Math.min(...gaps) < 1e-9);
    assert(quietAt < seconds);
  }
});

Deno.test("planScenario() depends on the seed and on nothing else", () => {
  assertEquals(planScenario(names, 20, 7), planScenario(names, 20, 7));
  const victims = Array.from({ length: 20 }, (_, seed) => firstOf(planScenario(names, 20, seed).steps).node);
  assertNotEquals(new Set(victims).size, 1);
});

Deno.test("planScenario() makes do with two nodes", () => {
  const { steps } = planScenario(["a", "b"], 20, 1);
  assertEquals(steps.every(({ node }) => node === "a" || node === "b"), true);
});
