// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * `deno task chaos --seconds N --seed S`: sixteen real processes under a seeded schedule of faults, for as long as you like.
 *
 * @module
 */

import { Chaos } from "./chaos.ts";

/** The number behind a flag. */
function flag(name: string, standard: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  const value = at < 0 ? standard : Number(Deno.args[at + 1]);
  if (!Number.isFinite(value) || value <= 0) throw new RangeError(`Cannot run: "--${name}" needs a number above 0`);
  return value;
}

const seed = flag("seed", Math.ceil(Math.random() * 1_000_000));
console.log(`Seed ${seed}`);
await using chaos = new Chaos({ seed, seconds: flag("seconds", 60), log: console.log });
const { faults, acknowledged, failed, transferred, wrong } = await chaos.run();
console.log(`${faults} faults, ${acknowledged} messages acknowledged, ${failed} given up, ${wrong.length} wrong`);
console.log(`${transferred} streams complete`);
for (const line of wrong) console.log(line);
if (wrong.length > 0) Deno.exitCode = 1;
