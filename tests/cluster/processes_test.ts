// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- What was measured is worth a line.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type { PeerServiceStats } from "../../mod.ts";
import { type NodeProcess, ProcessCluster } from "./processes.ts";
import { firstOf, nthOf, present } from "../values.ts";

const NAMES = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"];

/** Prints how long after `since` each of these nodes told of something. */
function printDelays(what: string, nodes: readonly NodeProcess[], event: string, node: string, since: number): void {
  const delays = nodes.map(({ events }) =>
    present(events.find((told) => told.event === event && "node" in told && told.node === node && told.at >= since))
      .at - since
  );
  console.log(`  ${what}: first after ${Math.min(...delays)} ms, all after ${Math.max(...delays)} ms`);
}

/** Nodes, except `node`, of which any node said that they were down since then. */
function wronglyDown(nodes: readonly NodeProcess[], node: string, since: number): string[] {
  return nodes.flatMap(({ name, events }) =>
    events.flatMap((told) =>
      told.event === "down" && told.at >= since && told.node !== node ? [`${name}: ${told.node}`] : []
    )
  );
}

Deno.test("Eight processes", async (t) => {
  await using cluster = new ProcessCluster();
  let nodes: NodeProcess[] = [];

  await t.step("join one seed and all agree", async () => {
    const start = performance.now();
    nodes = await cluster.form(NAMES);
    console.log(`  8 processes start, join one seed and agree: ${Math.round(performance.now() - start)} ms`);
  });

  await t.step("reach any handler on any other in one hop", async () => {
    await Promise.all(nodes.map(async (from) => {
      for (const to of NAMES) await from.tell({ do: "forward", to, name: "log", message: from.name, ack: true });
    }));
    for (const node of nodes) {
      const heard = await node.tell<[string, string][]>({ do: "heard" });
      assertEquals(heard.map(([from]) => from).sort(), NAMES);
      for (const [from, message] of heard) assertEquals(from, message);
      const { messages, relay } = await node.tell<PeerServiceStats>({ do: "stats" });
      assertEquals([messages.delivered, relay.relayed, relay.lost], [NAMES.length, 0, 0]);
    }
  });

  await t.step("see SIGKILL of one as down, and keep it as a member", async () => {
    const since = Date.now();
    await nthOf(nodes, 7).kill();
    nodes = nodes.slice(0, 7);
    await cluster.until("all saw it", () => nodes.every((node) => node.saw("down", "n8", since)));
    printDelays("SIGKILL seen", nodes, "down", "n8", since);
    for (const node of nodes) {
      const { members, connected } = await node.view();
      assertEquals(members, NAMES);
      assertFalse(connected.includes("n8"));
    }
    assertEquals(wronglyDown(nodes, "n8", since), []);
  });

  await t.step("see it up again when it restarts under its name on another port, as one member", async () => {
    const since = Date.now();
    const again = await cluster.start("n8");
    await again.tell({ do: "join", peer: await nthOf(nodes, 3).ready });
    await cluster.until("all saw it", () => nodes.every((node) => node.saw("up", "n8", since)));
    printDelays("restart seen", nodes, "up", "n8", since);
    nodes = [...nodes, again];
    await cluster.agree(nodes);
    const spec = await again.ready;
    for (const node of nodes) {
      assertEquals((await node.view()).specs.filter(({ name }) => name === "n8"), [spec]);
    }
  });

  await t.step(
    "see one down while it is stopped by SIGSTOP, and up after SIGCONT; no other node is ever marked down",
    async () => {
      const since = Date.now();
      const [stopped, others] = [nthOf(nodes, 2), nodes.filter(({ name }) => name !== "n3")];
      stopped.signal("SIGSTOP");
      await cluster.until("all saw it", () => others.every((node) => node.saw("down", "n3", since)));
      printDelays("SIGSTOP seen (heartbeats every 200 ms, 5 missed)", others, "down", "n3", since);
      for (const node of others) assert((await node.view()).members.includes("n3"));
      const continued = Date.now();
      stopped.signal("SIGCONT");
      await cluster.until("all saw it", () => others.every((node) => node.saw("up", "n3", continued)));
      printDelays("SIGCONT seen", others, "up", "n3", continued);
      await cluster.agree(nodes);
      assertEquals(wronglyDown(nodes, "n3", since), []);
    },
  );

  await t.step("forget a node that leaves, before its connections close", async () => {
    const since = Date.now();
    const [leaver, others] = [nthOf(nodes, 4), nodes.filter(({ name }) => name !== "n5")];
    await leaver.tell({ do: "leave" });
    const left = Date.now();
    assertEquals((await leaver.view()).members, ["n5"]);
    for (const node of others) assertFalse((await node.view()).members.includes("n5"));
    await cluster.until("its connections closed", () => others.every((node) => node.saw("down", "n5", since)));
    for (const { events } of others) {
      const kinds = events.flatMap((told) =>
        "node" in told && told.node === "n5" && told.at >= since ? [told.event] : []
      );
      assertEquals(kinds, ["leave", "down"]);
    }
    console.log(`  leave() took ${left - since} ms`);
  });

  await t.step("take it back when the same object joins again", async () => {
    await nthOf(nodes, 4).tell({ do: "join", peer: await firstOf(nodes).ready });
    await cluster.agree(nodes);
  });

  await t.step("forget a node that another one removes; it learns of it and stops", async () => {
    const since = Date.now();
    const others = nodes.filter(({ name }) => name !== "n6");
    await firstOf(nodes).tell({ do: "leave", node: "n6" });
    await cluster.until("it was told", () => nthOf(nodes, 5).saw("removed", "n6", since));
    await cluster.agree(others);
    await nthOf(nodes, 5).kill();
    await cluster.agree(others);
    for (const node of others) assertFalse(node.saw("join", "n6", since));
    const again = nodes.flatMap(({ events }) => events.filter(({ event }) => event === "error"));
    assertEquals(again, []);
  });
});
