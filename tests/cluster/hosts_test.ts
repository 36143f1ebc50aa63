// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- What was measured is worth a line.

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "@std/async";
import { hostNetworkObstacle } from "./host_network.ts";
import { Hosts } from "./hosts.ts";
import { balance } from "./ledger.ts";
import type { NodeProcess } from "./processes.ts";
import { firstOf, nthOf } from "../values.ts";

/** Five missed beats of 200 ms, and the indirect probes take 1.1 s; the rest is for busy machines. TCP itself takes minutes. */
const NOTICED_MS_MAX = 10_000;
/**
 * Milliseconds for which a cut lasts that no node should take for a death: others vouch for who is there. On a busy machine a few of them come
 * too late, so that only most need to be right here; that all are is for the simulator to show (`tests/sim/budget_liveness_test.ts`).
 */
const CUT_MS = 2_000;
/** Treatment of packets by wide networks, in the words of `tc … netem`. */
const ROUGH = ["delay", "10ms", "5ms", "loss", "1%"];

/** Nodes of which such an event has been told since then: each `observer: node` once. */
function told(event: "down" | "suspect", observers: readonly NodeProcess[], since: number): string[] {
  const pairs = observers.flatMap(({ name, events }) =>
    events.flatMap((one) => one.event === event && one.at >= since ? [`${name}: ${one.node}`] : [])
  );
  return [...new Set(pairs)];
}

/** Cuts of every kind, one after the other, while every node sends acknowledged messages to every node. */
async function endure(t: Deno.TestContext, disturbance: readonly string[]): Promise<void> {
  await using hosts = await Hosts.start(...disturbance);
  const { network, at } = hosts;

  await t.step("notice within the bound of the heartbeats that a host is cut off, and nothing else", async () => {
    const since = Date.now();
    await network.cut(3);
    const others = hosts.others(3);
    const noticed = await Promise.all([
      hosts.untilDown(others, nthOf(at, 3), since),
      hosts.untilDown(nthOf(at, 3), others, since),
    ]);
    const all = told("down", [...others, ...nthOf(at, 3)], since);
    console.log(
      `  one host is cut off: noticed by all in ${noticed.join(" and ")} ms, healed in ${await hosts.heal()} ms`,
    );
    assertLess(Math.max(...noticed), NOTICED_MS_MAX);
    const separated = 2 * others.length * nthOf(at, 3).length;
    assertLess(all.length - separated, separated / 2);
  });

  await t.step("bear that two hosts reach all but each other", async () => {
    const since = Date.now();
    await network.separate(0, 1);
    await delay(CUT_MS);
    const nodes = [...hosts.nodes.values()];
    const [suspected, down] = [told("suspect", nodes, since), told("down", nodes, since)];
    console.log(
      `  two hosts do not reach each other for ${CUT_MS} ms: ${down.length} down, healed in ${await hosts.heal()} ms`,
    );
    assertGreater(suspected.filter((pair) => /^h0-.: h1-/.test(pair)).length, 0);
    assertLess(down.length, firstOf(at).length * nthOf(at, 1).length);
  });

  await t.step("recover from a host that sends and hears nothing", async () => {
    const since = Date.now();
    await network.deafen(2);
    const others = hosts.others(2);
    const noticed = await Promise.all([
      hosts.untilDown(nthOf(at, 2), others, since),
      hosts.untilDown(others, nthOf(at, 2), since),
    ]);
    const all = told("down", [...others, ...nthOf(at, 2)], since);
    console.log(`  one host hears nothing: noticed in ${noticed.join(" and ")} ms, healed in ${await hosts.heal()} ms`);
    assertEquals(all.length, 2 * others.length * nthOf(at, 2).length);
  });

  await t.step("have lost and doubled nothing", async () => {
    const { acknowledged, failed, wrong } = await balance(hosts.nodes);
    console.log(`  ${acknowledged} messages acknowledged, ${failed} given up`);
    assertEquals(wrong, []);
    assertGreater(acknowledged, 0);
  });
}

for (
  const [what, disturbance] of [["", []], [`, over links with ${ROUGH.join(" ")},`, ROUGH]] as const
) {
  const name = `Twelve processes on four hosts${what} with cuts`;
  const obstacle = await hostNetworkObstacle(...disturbance);
  if (obstacle === undefined) Deno.test(name, (t) => endure(t, disturbance));
  else Deno.test({ name: `${name}: skipped, ${obstacle}`, ignore: true, fn() {} });
}
