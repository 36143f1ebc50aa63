// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Arguments of `deno task sim`. */
export interface SimArguments {
  /** The seed to replay; `undefined` to search for one that fails. */
  readonly seed: number | undefined;
  /** Disturbances of that seed to keep, by number; `undefined` for all. */
  readonly only: readonly number[] | undefined;
  /** Number of fresh seeds to try. */
  readonly runs: number;
  /** Whether to look for fewer disturbances that still fail. */
  readonly shrink: boolean;
}

/** Help text of the program. */
export const USAGE = `Usage:
  deno task sim --runs 10000           tries so many fresh seeds, and lists those that fail
  deno task sim --seed 7               replays a seed, and shows its last events
  deno task sim --seed 7 --shrink      finds a shorter schedule of faults that still fails
  deno task sim --seed 7 --only 2,5    replays it with these disturbances alone; "none" for none`;

/**
 * Reads the command line.
 *
 * @throws {SyntaxError} When it says something else than {@linkcode USAGE}.
 */
export function parseArguments(args: readonly string[]): SimArguments {
  let seed: number | undefined;
  let only: number[] | undefined;
  let runs = 200;
  let shrink = false;
  const rest = [...args];
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "--shrink") shrink = true;
    else if (name === "--seed") seed = readNumber(name, rest.shift());
    else if (name === "--runs") runs = readNumber(name, rest.shift());
    else if (name === "--only") only = readList(rest.shift());
    else throw new SyntaxError(`Cannot understand "${name}"`);
  }
  if (seed === undefined && (shrink || only !== undefined)) {
    throw new SyntaxError("Cannot replay: which one is meant? Say --seed");
  }
  return { seed, only, runs, shrink };
}

function readList(text: string | undefined): number[] {
  return text === "none" ? [] : (text ?? "").split(",").map((number) => readNumber("--only", number));
}

function readNumber(name: string, text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw new SyntaxError(`Cannot read ${name}: it wants a number`);
  return Number(text);
}
