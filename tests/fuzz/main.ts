// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * `deno task fuzz [inputs] [first seed]`: hands mutated inputs, a million unless told otherwise, to everything that reads the wire.
 *
 * @module
 */

import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

const inputs = Number(Deno.args[0] ?? 1_000_000);
const first = Number(Deno.args[1] ?? 1);

for (const target of TARGETS) {
  const result = await fuzz(target, first, Math.ceil(inputs / TARGETS.length));
  const rss = Math.round(Deno.memoryUsage().rss / 2 ** 20);
  console.log(`${target.name}: ${result.inputs} inputs, ${result.refused} refused, ${rss} MiB resident`);
}
