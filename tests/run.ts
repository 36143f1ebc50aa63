// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Program of `deno task test`: runs every test, every example in a doc comment, every code block in a Markdown file. Its last
 * lines name what failed, and tally them all.
 *
 * Arguments go to `deno test`; files or folders among them take the place of the whole.
 * `--trace-leaks` tells where a leak began; it is not there unless asked for, because it makes dialing five times as slow.
 *
 * @module
 */

import { denoTest, type Tally } from "./deno_test.ts";
import { stdImportFlags } from "./std_imports.ts";

/** Real processes whose heartbeats must not starve: they get the machine to themselves. */
const ALONE = "tests/cluster/";

async function main(args: string[]): Promise<number> {
  const flags = ["--doc", "-A", ...await stdImportFlags(), ...args];
  const runs = args.some(isPath)
    ? [[]]
    : [["--parallel", `--ignore=${ALONE}`], ["--permit-no-files", `${ALONE}*_test.ts`]];
  const total: Tally = { passed: 0, failed: 0, ignored: 0, failures: [] };
  for (const own of runs) {
    const tally = await denoTest([...flags, ...own]);
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.ignored += tally.ignored;
    total.failures.push(...tally.failures);
  }
  if (total.passed + total.failed === 0) {
    console.error("No test matches");
    total.failed = 1;
  }
  for (const failure of total.failures) console.log(`FAILED: ${failure}`);
  console.log(`${total.passed} passed, ${total.failed} failed${total.ignored > 0 ? `, ${total.ignored} skipped` : ""}`);
  return total.failed === 0 ? 0 : 1;
}

function isPath(argument: string): boolean {
  if (argument.startsWith("-")) return false;
  try {
    Deno.statSync(argument);
    return true;
  } catch {
    return /\.(ts|md)$/.test(argument);
  }
}

Deno.exit(await main(Deno.args));
