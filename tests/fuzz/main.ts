// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * `deno task fuzz [inputs] [first seed]`: hands mutated inputs, a million unless told otherwise, to everything that reads the wire. Then as many
 * frames, of which a third each is made up by an outsider, a stranger and a member, go to a node of a simulated cluster.
 *
 * It fails when something is kept of them. What counts is what is still referred to: the resident memory grows to some 150 MiB by itself,
 * because the engine gives new objects more and more room.
 *
 * @module
 */

import { fuzz } from "./fuzz.ts";
import { LiarWorld, type Role } from "./roles.ts";
import { TARGETS } from "./targets.ts";

const MIB = 2 ** 20;
/** Memory that compiled code and caches of bounded size may need, in bytes. */
const GROWTH_MAX = 4 * MIB;

/** Frames that one simulated cluster is sent. */
const WORLD_INPUTS = 2_000;

const inputs = Number(Deno.args[0] ?? 1_000_000);
const first = Number(Deno.args[1] ?? 1);
const each = Math.ceil(inputs / TARGETS.length);
const ROLES: readonly Role[] = ["outsider", "stranger", "member"];
/** Frames that each role sends. */
const frames = Math.ceil(inputs / ROLES.length);

/** Bytes that are still referred to. */
function live(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new TypeError("Cannot collect garbage: run with --v8-flags=--expose-gc");
  gc();
  return Deno.memoryUsage().heapUsed;
}

/** Has a node in a role send frames to simulated clusters. The seed of a cluster that is broken stands in the error. */
async function lie(role: Role, count: number): Promise<void> {
  for (let sent = 0, seed = first; sent < count; sent += WORLD_INPUTS, seed++) {
    await using world = new LiarWorld(role, seed);
    await world.lie(Math.min(WORLD_INPUTS, count));
  }
}

// All of it a little, so that all code is there before memory is looked at.
for (const target of TARGETS) await fuzz(target, first, Math.min(each, 1_000));
for (const role of ROLES) await lie(role, Math.min(frames, 2 * WORLD_INPUTS));
const before = live();
for (const target of TARGETS) {
  const start = performance.now();
  const { refused, slowest } = await fuzz(target, first, each);
  const micros = (performance.now() - start) * 1_000 / each;
  const [kept, resident] = [live(), Deno.memoryUsage().rss].map((bytes) => (bytes / MIB).toFixed(1));
  const time = `${micros.toFixed(0)} µs each, the slowest ${slowest.toFixed(0)} ms`;
  console.log(
    `${target.name}: ${each} inputs, ${refused} refused, ${time}, ${kept} MiB kept, ${resident} MiB resident`,
  );
}
for (const role of ROLES) {
  const start = performance.now();
  await lie(role, frames);
  const micros = (performance.now() - start) * 1_000 / frames;
  console.log(`${role}: ${frames} frames, ${micros.toFixed(0)} µs each, ${(live() / MIB).toFixed(1)} MiB kept`);
}
const growth = live() - before;
const total = each * TARGETS.length + frames * ROLES.length;
console.log(
  `${(growth / MIB).toFixed(1)} MiB more are kept than at the beginning: ${(growth / total).toFixed(1)} bytes an input`,
);
if (growth > GROWTH_MAX) {
  console.error(`That is more than ${GROWTH_MAX / MIB} MiB: something keeps its input`);
  Deno.exit(1);
}
