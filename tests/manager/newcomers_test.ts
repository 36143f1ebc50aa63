// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { scenario } from "./worlds.ts";
import { forEachOf } from "../tuples.ts";
import { firstOf, nthOf, present } from "../values.ts";

const OPTIONS = { treeRefreshInterval: 200 };

scenario(
  "A newcomer is handed a broadcast of before with its age, and not one that is kept from newcomers",
  async (world) => {
    const nodes = await world.cluster(["a", "b"], OPTIONS);
    const [a, b] = forEachOf(nodes, (node) => world.inbox(node, "news"));
    nodes[0].broadcast("news", "private", { newcomers: false });
    nodes[0].broadcast("news", "public");
    await world.until("those who are there have both", () => a.messages.length === 2 && b.messages.length === 2);
    assertEquals(b.contexts.map(({ repaired }) => repaired), [false, false]);
    assertEquals(a.contexts.map(({ age, repaired }) => [age, repaired]), [[0, false], [0, false]]);
    await new Promise<void>((resolve) => world.clock.schedule(300, resolve));
    const c = await world.start("c", OPTIONS);
    const late = world.inbox(c, "news");
    await c.syncJoin(nodes[1].spec);
    await world.until("it has been told", () => late.messages.length > 0);
    await world.until("it is connected with all", () => c.isFullyConnected("a") && c.isFullyConnected("b"));
    nodes[0].broadcast("news", "now", { newcomers: false });
    await world.until("it is told of what is new", () => late.messages.length > 1);
    assertEquals(late.messages, ["public", "now"]);
    assertEquals(firstOf(late.contexts).repaired, true);
    assert(present(firstOf(late.contexts).age) >= 299, `${firstOf(late.contexts).age} ms`);
    assert(present(nthOf(late.contexts, 1).age) < 290, `${nthOf(late.contexts, 1).age} ms`);
  },
);
