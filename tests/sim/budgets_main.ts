// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Program of `deno task budgets`: runs the tests that measure something in virtual time and hold it to a bound, at full size. It prints what they
 * measured, and everything that they said when one fails.
 *
 * @module
 */

import { stdImportFlags } from "../std_imports.ts";
import { present } from "../values.ts";

const TESTS = [
  ...["growth", "liveness", "memory", "scale"].map((subject) => `tests/sim/budget_${subject}_test.ts`),
  "tests/strategy/full_mesh_convergence_test.ts",
];

async function main(): Promise<boolean> {
  const args = ["test", "-A", ...await stdImportFlags(), ...TESTS, "--", "--full"];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  let said = "";
  let line = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    const lines = (line + text).split("\n");
    line = present(lines.pop());
    for (const complete of lines) if (/, bound | events\/s$/.test(complete)) console.log(complete);
  }
  const { success } = await child.status;
  if (!success) console.log(said);
  return success;
}

if (!await main()) Deno.exit(1);
