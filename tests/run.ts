// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * What `deno task test` runs: every test, every example in a doc comment, every code block in a Markdown file. Its last
 * line is the tally of them all.
 *
 * Arguments go to `deno test`; files or folders among them take the place of the whole.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { stdImportFlags } from "./std_imports.ts";

interface Tally {
  passed: number;
  failed: number;
  ignored: number;
}

/** Real processes whose heartbeats must not starve: they get the machine to themselves. */
const ALONE = "tests/cluster/";

async function main(args: string[]): Promise<number> {
  const flags = ["--doc", "--trace-leaks", "-A", ...await stdImportFlags(), ...args];
  const runs = args.some(isPath)
    ? [[]]
    : [["--parallel", `--ignore=${ALONE}`], ["--permit-no-files", `${ALONE}*_test.ts`]];
  const total: Tally = { passed: 0, failed: 0, ignored: 0 };
  for (const own of runs) {
    const tally = await denoTest([...flags, ...own]);
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.ignored += tally.ignored;
  }
  if (total.passed + total.failed === 0) {
    console.error("No test matches");
    total.failed = 1;
  }
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

/** Runs `deno test`, shows what it prints, and reads its closing summary. */
async function denoTest(args: string[]): Promise<Tally> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...args],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-2_000);
  }
  const { success } = await child.status;
  const tally = readSummary(tail);
  // A module that does not load or compile is in no summary.
  if (!success && tally.failed === 0) tally.failed = 1;
  return tally;
}

/** From a line like `FAILED | 2 passed (1 step) | 4 failed | 1 ignored (96ms)`. */
function readSummary(output: string): Tally {
  const summary = stripVTControlCharacters(output).match(/^(ok|FAILED) \| .*$/gm)?.at(-1) ?? "";
  const count = (word: string) => Number(summary.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), ignored: count("ignored") };
}

Deno.exit(await main(Deno.args));
