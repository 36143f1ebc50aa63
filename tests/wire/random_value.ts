// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SeededRandom } from "../seeded_random.ts";

/** Any value that has a MessagePack form, with a liking for edges. What comes back from decoding it equals it. */
export function randomValue(random: SeededRandom, depth = 4): unknown {
  const makers = [randomInteger, randomFloat, randomBigInt, randomText, randomText, randomBytes, randomConstant];
  if (depth > 0 && random.chance(0.4)) {
    return random.chance(0.5) ? randomArray(random, depth - 1) : randomMap(random, depth - 1);
  }
  return random.pick(makers)(random);
}

function randomConstant(random: SeededRandom): unknown {
  return random.pick([null, true, false]);
}

function randomInteger(random: SeededRandom): number {
  const edge = random.pick([0, 5, 7, 8, 15, 16, 31, 32, 40, 52]);
  const near = 2 ** edge + random.int(5) - 2;
  return random.chance(0.5) || near === 0 ? near : -near;
}

function randomFloat(random: SeededRandom): number {
  return random.pick([random.next(), -random.next() * 1e300, 1 / 3, Infinity, -Infinity, NaN, 5e-324, 2 ** 70]);
}

function randomBigInt(random: SeededRandom): bigint {
  const bits = BigInt(Math.floor(random.next() * 2 ** 32)) << 32n | BigInt(Math.floor(random.next() * 2 ** 32));
  return random.chance(0.5) ? BigInt.asIntN(64, bits) : bits;
}

function randomText(random: SeededRandom): string {
  const letters = random.pick(["abcdefghijklmnopqrstuvwxyz", "aé", "語a", "🍺é\ufeff\0a"]);
  const length = random.chance(0.05) ? random.int(400) : random.int(40);
  return Array.from({ length }, () => random.pick([...letters])).join("");
}

function randomBytes(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: random.chance(0.05) ? random.int(400) : random.int(20) }, () => random.int(256));
}

function randomArray(random: SeededRandom, depth: number): unknown[] {
  return Array.from({ length: random.int(random.chance(0.05) ? 40 : 6) }, () => randomValue(random, depth));
}

function randomMap(random: SeededRandom, depth: number): Record<string, unknown> {
  const map: Record<string, unknown> = random.chance(0.9) ? {} : Object.create(null);
  for (let left = random.int(random.chance(0.05) ? 40 : 6); left > 0; left--) {
    const key = random.chance(0.7)
      ? random.pick(["id", "name", "to", "state", "0", "constructor"])
      : randomText(random);
    map[key] = randomValue(random, depth);
  }
  return map;
}
