// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { cycles, forbiddenImports, importsOf } from "./import_graph.ts";

Deno.test("importsOf() finds imports, imports of types and re-exports, and no others", () => {
  const text = `
    import { a } from "./a.ts";
    import type { B } from "../wire/b.ts";
    import "./effect.ts";
    export { type C } from "./c.ts";
    export * from "./d.ts";
    export const e = 'import "./no.ts"';
    // import "./neither.ts";
    import { assert } from "@std/assert";`;
  const expected = ["gossip/a.ts", "wire/b.ts", "gossip/effect.ts", "gossip/c.ts", "gossip/d.ts"];
  assertEquals(importsOf("gossip/beat.ts", text), expected);
});

Deno.test("forbiddenImports() names imports upwards, and of connections by protocols other than messaging", () => {
  const graph = new Map([
    ["gossip/beat.ts", ["gossip/round.ts", "wire/frame.ts", "connections/peer.ts", "manager/node.ts", "mod.ts"]],
    ["messaging/outbound.ts", ["connections/peer.ts", "transport/transport.ts"]],
    ["mod.ts", ["manager/node.ts"]],
    ["newcomer/a.ts", ["newcomer/b.ts", "wire/frame.ts"]],
  ]);
  assertEquals(forbiddenImports(graph), [
    "gossip/beat.ts -> connections/peer.ts",
    "gossip/beat.ts -> manager/node.ts",
    "gossip/beat.ts -> mod.ts",
    "messaging/outbound.ts -> transport/transport.ts",
    "newcomer/a.ts -> wire/frame.ts",
  ]);
});

Deno.test("cycles() finds each circle once", () => {
  const graph = new Map([["a", ["b"]], ["b", ["c"]], ["c", ["a", "d"]], ["d", []], ["e", ["e", "a"]]]);
  assertEquals(cycles(graph), [["a", "b", "c"], ["e"]]);
});
