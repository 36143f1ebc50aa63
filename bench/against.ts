// Copyright 2026 the Partisan peer-service authors. MIT license.

import { compareRuns, type Figures, parseTables, type RowVerdict } from "./comparison.ts";

/** Turns of each revision; then as many again of what looks worse. */
const TURNS = 3;

/**
 * Measures this revision and another one in turns, so that whatever else the machine does meets both alike. Figures are ratios to the
 * same baseline in the same run. What looks worse is measured again, with more turns, before it counts.
 *
 * @param ref Any revision that Git knows.
 * @param args Arguments that are passed on to both, such as `--quick` and names of subjects.
 * @returns Rows that are worse beyond their spread.
 */
export async function runAgainst(
  ref: string,
  args: readonly string[],
  print: (text: string) => void,
): Promise<readonly RowVerdict[]> {
  const here = new URL("../", import.meta.url).pathname;
  const there = await Deno.makeTempDir({ prefix: "bench-against-" });
  try {
    await extract(here, ref, there);
    const before: Figures[] = [];
    const after: Figures[] = [];
    const turns = async (count: number, subjects: readonly string[]) => {
      for (let turn = 0; turn < count; turn++) {
        const runs: [string, Figures[]][] = [[there, before], [here, after]];
        for (const [root, figures] of turn % 2 === 0 ? runs : runs.reverse()) figures.push(await run(root, subjects));
      }
    };
    await turns(TURNS, args);
    let worse = compareRuns(before, after).filter(({ isWorse }) => isWorse);
    if (worse.length > 0) {
      print(`Measuring again, since these look worse:\n${worse.map(describe).join("\n")}\n`);
      await turns(2 * TURNS, args);
      worse = compareRuns(before, after).filter(({ isWorse }) => isWorse);
    }
    for (const verdict of compareRuns(before, after)) print(describe(verdict));
    return worse;
  } finally {
    await Deno.remove(there, { recursive: true });
  }
}

function describe({ what, before, after, isWorse }: RowVerdict): string {
  const spread = (values: readonly number[]) =>
    `${Math.min(...values).toPrecision(3)}–${Math.max(...values).toPrecision(3)}`;
  return `${isWorse ? "✗" : " "} ${what}: ${spread(before)} before, ${spread(after)} now`;
}

/** The files of a revision, without a work tree that an interruption would leave to Git. */
async function extract(repository: string, ref: string, into: string): Promise<void> {
  const archive = new Deno.Command("git", { args: ["-C", repository, "archive", ref], stdout: "piped" }).spawn();
  const unpack = new Deno.Command("tar", { args: ["-x", "-C", into], stdin: "piped" }).spawn();
  await archive.stdout.pipeTo(unpack.stdin);
  const codes = await Promise.all([archive.status, unpack.status]);
  if (codes.some(({ success }) => !success)) {
    throw new Error(`Cannot measure against "${ref}": Git has no such revision`);
  }
}

async function run(root: string, args: readonly string[]): Promise<Figures> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/main.ts", ...args],
    cwd: root,
    stdout: "piped",
  });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`Cannot measure in "${root}": the benchmark there failed`);
  return parseTables(new TextDecoder().decode(stdout));
}
