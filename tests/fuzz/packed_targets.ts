// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { checkHyParViewMessage } from "../../strategy/hyparview/messages.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { packSpecs, unpackSpecs } from "../../wire/packed_specs.ts";
import { nodeSpec } from "../node_spec.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { randomValue } from "../wire/random_value.ts";
import { mutateBytes, mutateValue } from "./mutate.ts";

/** Addresses in all notations, and what only looks like one. */
const HOSTS = [
  ...["127.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "fe80::1%eth0", "[::1]", "a".repeat(253), "bücher.example"],
  ...["/run/x.sock", "", "1.2.3.4.", "1.2.3.4 ", "١.2.3.4", "0x7f.0.0.1", "127.1"],
];
const PORTS = [0, 1, 255, 256, 9_090, 65_535];
const PARALLELISMS = [0, 1, 2, 64, 128, 65_535, 65_536];
const CHANNELS = ["default", "membership", "", "__proto__", "constructor", "ch\0", "日本", "x".repeat(200)];
const NAMES = ["a", "", "日本@host", "n".repeat(255), "__proto__"];
const INCARNATIONS = [0, 1, 5, 1_780_000_000_000, 2 ** 53 - 1, 2 ** 53, 0.5, -1];

/** Packs what an overlay says and takes it over the wire, which changes nothing of it; then reads what became of it on a worse way. */
export function readPackedSpecs(random: SeededRandom): unknown {
  const value = randomMessage(random);
  const packed = packSpecs(value);
  assertEquals(unpackSpecs(decode(encode(packed))), decode(encode(value)));
  const mutant = random.chance(0.5)
    ? decode(mutateBytes(random, encode(packed)))
    : decode(encode(mutateValue(random, packed)));
  return checkHyParViewMessage(unpackSpecs(mutant));
}

function randomMessage(random: SeededRandom): unknown {
  const [one, shared] = [randomSpec(random), randomSpec(random)];
  if (random.chance(0.3)) return { type: "forwardJoin", node: one, ttl: 6 };
  if (random.chance(0.5)) return { type: "shuffle", ttl: 3, nodes: [one, shared, { ...shared }], path: ["a"] };
  return random.pick<unknown>([
    [one, randomSpec(random), shared, shared],
    { "": one },
    { "": [one] },
    { "": { "": { "": one } } },
    randomValue(random),
  ]);
}

/** Something that is a specification, or nearly. */
function randomSpec(random: SeededRandom): object {
  const { chance, int, pick } = random;
  if (chance(0.5)) return nodeSpec(pick(["a", "b"]), pick([1, 1_780_000_000_000]));
  const addresses = Array.from({ length: int(4) }, () => ({ hostname: pick(HOSTS), port: pick(PORTS) }));
  const channel = () => ({ parallelism: pick(PARALLELISMS), monotonic: chance(0.5), compression: chance(0.5) });
  const incarnation = pick(INCARNATIONS);
  const fields = Object.entries({
    name: pick(NAMES),
    incarnation,
    ...chance(0.3) && { since: pick([0, 1, 5, incarnation, undefined, null]) },
    ...chance(0.3) && { key: pick([new Uint8Array(32), new Uint8Array(0), undefined, null]) },
    addresses: chance(0.3) ? [...addresses, ...addresses] : addresses,
    // Entries, because of the name of the prototype.
    channels: Object.fromEntries(CHANNELS.flatMap((name) => chance(0.4) ? [[name, channel()]] : [])),
    metadata: pick<unknown>([
      {},
      { zone: 1 },
      { "": 1 },
      { "": { "": 2 } },
      { spec: { name: "a" } },
      randomValue(random),
    ]),
  });
  if (chance(0.05)) fields.splice(int(fields.length), 1);
  return Object.fromEntries(fields);
}
