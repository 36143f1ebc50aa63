// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert } from "@std/assert";
import { hyparview } from "../../mod.ts";
import { firstOf, nthOf } from "../values.ts";
import { scenario } from "./worlds.ts";

scenario(
  "With HyParView and default options, what is relayed arrives: 30 nodes, of which 10 have stopped",
  async (world) => {
    // Real time is waited for as little as possible.
    const isReal = world.kind === "TCP";
    const preset = isReal ? "local" : "lan";
    const pass = (milliseconds: number) =>
      new Promise<void>((resolve) => world.clock.schedule(isReal ? milliseconds / 5 : milliseconds, resolve));
    const nodes = [];
    for (let i = 0; i < 30; i++) nodes.push(await world.start(`n${i}`, { preset, strategy: hyparview() }));
    for (const node of nodes.slice(1)) await node.syncJoin(firstOf(nodes).spec);
    // The tree of a broadcast is what messages go along, and its root is among those that stop.
    for (const node of nodes) node.register("news", () => {});
    for (let i = 0; i < 5; i++) nthOf(nodes, 25).broadcast("news", i);
    await pass(2_000);
    for (const node of nodes.slice(20)) await node.stop();
    await pass(4_000);
    const living = nodes.slice(0, 20);
    const heard = new Set<string>();
    for (const node of living) {
      node.register("hear", (from: string) => {
        heard.add(`${from}>${node.name}`);
        world.look();
      });
    }
    for (const from of living) {
      for (const to of living) {
        if (from !== to) await from.forwardMessage(to.name, "hear", from.name, { transitive: true });
      }
    }
    await pass(10_000);
    const missing = living.flatMap((from) =>
      living.filter((to) => from !== to && !heard.has(`${from.name}>${to.name}`)).map((to) => `${from.name}>${to.name}`)
    );
    assert(missing.length === 0, `${missing.length} did not arrive: ${missing.slice(0, 10)}`);
  },
);
