// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

import { firstOf, groupOf } from "./values.ts";
/**
 * Program of `deno task coverage`: runs every test, and prints how many lines of each room they ran, and which they did not. It fails when that is
 * less than the aim for the core.
 *
 * Arguments go to `deno task test`.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);
const CORE = [
  "connections",
  "gossip",
  "manager",
  "membership",
  "messaging",
  "runtime",
  "strategy",
  "testing",
  "transport",
  "wire",
];
/** In percent of lines. */
const AIM = 95;

/** Lines of a file that were run. */
interface FileCoverage {
  /** From the root of the repository. */
  readonly path: string;
  readonly lines: number;
  readonly missed: readonly number[];
}

async function main(args: string[]): Promise<number> {
  const folder = new URL("coverage/", ROOT).pathname;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  // The variable is for the processes that tests start.
  Deno.env.set("DENO_COVERAGE_DIR", folder);
  const flags = [`--coverage=${folder}`, "--coverage-raw-data-only"];
  const tests = await deno(["run", "-A", "tests/run.ts", ...flags, ...args], "inherit");
  const report = await deno(["coverage", "--lcov", folder], "piped");
  const files = readLcov(report.output).filter(({ path }) => [...CORE, "cli"].includes(roomOf(path)));
  for (const { path, missed } of files) if (missed.length > 0) console.log(`${path}: ${ranges(missed)}`);
  for (const room of [...CORE, "cli"]) {
    console.log(row(room, files.filter(({ path }) => roomOf(path) === room)));
  }
  const core = files.filter(({ path }) => CORE.includes(roomOf(path)));
  console.log(row("the core", core));
  return tests.success && percentage(core) >= AIM ? 0 : 1;
}

async function deno(args: string[], stdout: "inherit" | "piped"): Promise<{ success: boolean; output: string }> {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null", stdout }).spawn();
  const output = stdout === "piped" ? await new Response(child.stdout).text() : "";
  return { success: (await child.status).success, output };
}

/** Reads the records of LCOV's trace files: `SF:path`, then `DA:line,count` for each line. */
function readLcov(text: string): FileCoverage[] {
  return text.split("end_of_record").filter((record) => record.includes("SF:")).map((record) => {
    const path = groupOf(record, /^SF:(.*)$/m).replace(ROOT.pathname, "");
    const lines = Array.from(
      record.matchAll(/^DA:(\d+),(\d+)/gm),
      ([, line, count]) => ({ line: Number(line), count: Number(count) }),
    );
    return { path, lines: lines.length, missed: lines.flatMap(({ line, count }) => count === 0 ? [line] : []) };
  });
}

function roomOf(path: string): string {
  return firstOf(path.split("/"));
}

function percentage(files: readonly FileCoverage[]): number {
  const lines = files.reduce((sum, file) => sum + file.lines, 0);
  const missed = files.reduce((sum, file) => sum + file.missed.length, 0);
  return 100 * (lines - missed) / lines;
}

function row(name: string, files: readonly FileCoverage[]): string {
  const lines = files.reduce((sum, file) => sum + file.lines, 0);
  return `${name.padEnd(12)}${`${lines} lines`.padStart(14)}${`${percentage(files).toFixed(1)} %`.padStart(10)}`;
}

/** Numbers in ascending order, such as `3-5 9`. */
function ranges(numbers: readonly number[]): string {
  const found: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = found.at(-1);
    if (range?.[1] === number - 1) range[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => first === last ? first : `${first}-${last}`).join(" ");
}

Deno.exit(await main(Deno.args));
