// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { measureScale, plansOf } from "../../bench/scale.ts";

/** Findings that do not depend on how fast the machine is. */
function steady(findings: ReadonlyMap<string, string>, ...columns: string[]): (string | undefined)[] {
  return columns.map((column) => findings.get(column));
}

Deno.test("The scale of a full mesh is measured with real processes, two of which are killed", async () => {
  const findings = await measureScale({ strategy: "full-mesh", nodes: 10, perProcess: 2, idleSeconds: 1 });
  assertEquals(steady(findings, "nodes", "processes", "joins refused", "false downs"), ["10", "5", "0", "0"]);
  for (const column of ["started, s", "formed, s", "MiB", "one killed, ms", "a tenth killed, ms"]) {
    assertEquals(Number(findings.get(column)) >= 0, true, `${column}: ${findings.get(column)}`);
  }
  assertEquals(findings.has("broadcast to all, ms"), false);
});

Deno.test("The scale of HyParView is measured by broadcasts", async () => {
  const findings = await measureScale({ strategy: "hyparview", nodes: 6, perProcess: 3, idleSeconds: 1 });
  assertEquals(steady(findings, "nodes", "processes", "false downs"), ["6", "2", "0"]);
  assertEquals(Number(findings.get("broadcast to all, ms")) >= 0, true);
  assertEquals(findings.has("one killed, ms"), false);
});

Deno.test("deno task scale reads its arguments, and says what it cannot read", () => {
  assertEquals(plansOf(["--nodes=4,200", "--per-process=50", "--idle=3", "--strategy=hyparview"]), [
    { strategy: "hyparview", nodes: 4, perProcess: 50, idleSeconds: 3 },
    { strategy: "hyparview", nodes: 200, perProcess: 50, idleSeconds: 3 },
  ]);
  assertThrows(() => plansOf(["--node=4"]), TypeError, 'Cannot read "--node=4": expected --nodes=…');
  assertThrows(() => plansOf(["--nodes=0"]), TypeError, 'Cannot use "0"');
  assertThrows(() => plansOf(["--strategy=ring"]), TypeError, 'Cannot use the strategy "ring"');
});
