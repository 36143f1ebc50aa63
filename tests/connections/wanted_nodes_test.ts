// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { WantedNodes } from "../../connections/wanted_nodes.ts";
import { nodeSpec } from "../node_spec.ts";

Deno.test("WantedNodes.replace() tells what comes and goes, and nothing of what stays", () => {
  const told: string[] = [];
  const wanted = new WantedNodes({
    want: ({ name, incarnation }) => told.push(`want ${name} ${incarnation}`),
    unwant: (name) => told.push(`unwant ${name}`),
  });
  const [a, b, c] = [nodeSpec("a"), nodeSpec("b"), nodeSpec("c")];
  wanted.replace([a, b]);
  assertEquals(told.splice(0), ["want a 1", "want b 1"]);
  wanted.replace([a, nodeSpec("b", 2), c]);
  assertEquals(told.splice(0), ["want b 2", "want c 1"]);
  wanted.replace([c]);
  assertEquals(told.splice(0), ["unwant a", "unwant b"]);
  wanted.clear();
  wanted.replace([c]);
  assertEquals(told, ["want c 1"]);
});

Deno.test("WantedNodes.replace() within a change takes effect after it", () => {
  const told: string[] = [];
  const [a, b] = [nodeSpec("a"), nodeSpec("b")];
  const wanted: WantedNodes = new WantedNodes({
    want: ({ name }) => {
      if (name === "a") wanted.replace([b]);
      told.push(`want ${name}`);
    },
    unwant: (name) => told.push(`unwant ${name}`),
  });
  wanted.replace([a]);
  assertEquals(told, ["want a", "unwant a", "want b"]);
});
