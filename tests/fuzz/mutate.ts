// Copyright 2026 the Partisan peer-service authors. MIT license.

import { flipBit } from "../flip_bit.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { randomValue } from "../wire/random_value.ts";

/** Bytes that mean much: ends of ranges, and MessagePack's long forms. */
const TELLING = [0, 1, 0x7f, 0x80, 0xc0, 0xc1, 0xc6, 0xdb, 0xdd, 0xdf, 0xff];

/** Changes bytes a little: flips, replaces, inserts, removes, repeats, cuts. */
export function mutateBytes(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  let mutant = [...bytes];
  for (let times = 1 + random.int(4); times > 0; times--) {
    const at = random.int(mutant.length + 1);
    const choice = random.int(6);
    if (choice === 0 && at < mutant.length) flipBit(mutant, at, random.int(8));
    else if (choice === 1 && at < mutant.length) mutant[at] = random.pick(TELLING);
    else if (choice === 2) mutant.splice(at, 0, random.int(256));
    else if (choice === 3) mutant.splice(at, 1 + random.int(4));
    else if (choice === 4) mutant = [...mutant.slice(0, at), ...mutant.slice(random.int(at + 1))];
    else mutant = mutant.slice(0, at);
  }
  return Uint8Array.from(mutant);
}

/** Changes a plain value somewhere: puts anything in the place of one of its parts, or removes or repeats one. */
export function mutateValue(random: SeededRandom, value: unknown): unknown {
  if (random.chance(0.2) || typeof value !== "object" || value === null) return strange(random, value);
  if (value instanceof Uint8Array) return mutateBytes(random, value);
  if (Array.isArray(value)) {
    const mutant = [...value];
    const at = random.int(mutant.length + 1);
    const choice = random.int(5);
    if (choice === 0) mutant.splice(at, 1);
    else if (choice === 1) mutant.splice(at, 0, strange(random, value[at]));
    else if (at < mutant.length) mutant[at] = mutateValue(random, mutant[at]);
    return mutant;
  }
  const entries = Object.entries(value);
  const at = random.int(entries.length);
  return Object.fromEntries(
    entries.flatMap((entry, index) =>
      index !== at ? [entry] : random.chance(0.2) ? [] : [[entry[0], mutateValue(random, entry[1])]]
    ),
  );
}

function strange(random: SeededRandom, value: unknown): unknown {
  if (typeof value === "number" && random.chance(0.5)) {
    return random.pick([-1, 0, 1, 0.5, NaN, Infinity, 2 ** 53, 2 ** 53 - 1, -value, value + 1, value - 1]);
  }
  if (typeof value === "string" && random.chance(0.5)) return random.pick(["", "\0", "__proto__", value.repeat(40)]);
  return randomValue(random, 2);
}
