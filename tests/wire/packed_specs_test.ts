// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { packSpecs, unpackSpecs } from "../../wire/packed_specs.ts";
import { nodeSpec } from "../node_spec.ts";
import { forEachSeed, type SeededRandom } from "../seeded_random.ts";
import { randomValue } from "./random_value.ts";

const CHANNEL = { parallelism: 1, monotonic: false, compression: false };

/** Packs a value and takes it over the wire, as the other end sees it then. */
function overTheWire(value: unknown): unknown {
  return unpackSpecs(decode(encode(packSpecs(value))));
}

function randomSpec(random: SeededRandom): unknown {
  const { int, pick } = random;
  const addresses = Array.from({ length: int(3) }, () => ({
    hostname: pick(["127.0.0.1", "10.20.30.40", "::1", "node.internal", "1.2.3", "01.2.3.4", "1.2.3.256", "1e1.0.0.1"]),
    port: int(65_536),
  }));
  const channels = pick<unknown>([
    { default: CHANNEL, membership: CHANNEL },
    { membership: CHANNEL, default: CHANNEL },
    { default: { ...CHANNEL, parallelism: 64 }, membership: CHANNEL, __proto__x: { ...CHANNEL, monotonic: true } },
    { default: CHANNEL, membership: CHANNEL, toString: { ...CHANNEL, compression: true } },
  ]);
  const parts = {
    ...pick<object>([{}, { since: 1 }]),
    ...pick<object>([{}, { key: new Uint8Array(32).fill(int(256)) }]),
    ...pick<object>([{}, { addresses }]),
    ...pick<object>([{}, { metadata: { zone: "a", inner: { "": [1] } } }]),
    channels,
    // It is more than a specification then, or less.
    ...pick<object>([{}, {}, {}, { later: 1 }, { metadata: 1 }, { addresses: [{ hostname: "a", port: 1, scope: 2 }] }]),
  };
  return nodeSpec(`n${int(9)}`, pick([1, 1_780_000_000_000 + int(1e6), 2 ** 53 - 1]), parts as never);
}

Deno.test("unpackSpecs() gives back what packSpecs() was given, with any specifications in it", () => {
  forEachSeed(2_000, (random) => {
    const value = {
      nodes: Array.from({ length: random.int(6) }, () => randomSpec(random)),
      node: randomSpec(random),
      "": random.pick<unknown>([randomSpec(random), { "": randomSpec(random) }, [1], null]),
      other: random.pick<unknown>([{ "": [1, 2] }, { "": { "": 1 } }, { "": null }, randomValue(random)]),
    };
    assertEquals(overTheWire(value), decode(encode(value)));
    const { "": alone } = value;
    assertEquals(overTheWire({ "": alone }), decode(encode({ "": alone })));
  });
});

Deno.test("packSpecs() leaves alone what it could not give back, however much like a specification it is", () => {
  const spec = nodeSpec("n", 7);
  const alike: Record<string, object> = {
    "a key that is none": { key: null },
    "a time that is none": { since: null },
    "an incarnation below 0": { incarnation: -1 },
    "an incarnation with a fraction": { incarnation: 0.5 },
    "an incarnation that is no safe integer": { incarnation: 1e300 },
    "a port of 17 bits": { addresses: [{ hostname: "127.0.0.1", port: 65_536 }] },
    "a port below 0": { addresses: [{ hostname: "127.0.0.1", port: -1 }] },
    "a channel with a field of a later release": { channels: { default: { ...CHANNEL, priority: 1 } } },
    "a channel with too many connections": { channels: { default: { ...CHANNEL, parallelism: 65_536 } } },
    "a channel that is none": { channels: { default: 4 } },
  };
  for (const [what, fields] of Object.entries(alike)) {
    const value = { ...spec, ...fields };
    assertEquals(packSpecs(value), value, what);
    assertEquals(overTheWire([spec, value, spec]), [spec, value, spec], what);
  }
  // It has the mark, but not alone.
  const marked = { "": ["n", 1, [], { default: 4 }], other: 1 };
  assertEquals(unpackSpecs(marked), marked);
});

Deno.test("specifications of which only a channel differs, or that have as many bytes as other addresses, stay apart", () => {
  const channels = [
    CHANNEL,
    { ...CHANNEL, parallelism: 2 },
    { ...CHANNEL, monotonic: true },
    { ...CHANNEL, compression: true },
    CHANNEL,
  ];
  const hosts = ["a", "b", "c"].map((hostname) => ({ hostname, port: 1 }));
  const nodes = [
    ...channels.map((channel) => nodeSpec("n", 1, { channels: { default: channel, membership: CHANNEL } })),
    nodeSpec("n", 1, { addresses: hosts }),
    nodeSpec("n", 1, { addresses: [{ hostname: "10.0.0.1", port: 1 }, ...hosts] }),
  ];
  assertEquals(overTheWire(nodes), nodes);
});

Deno.test("a packed specification takes a sixth of the bytes, and one with a key little more than that key", () => {
  const nodes = Array.from({ length: 8 }, (_, index) => nodeSpec(`n${index}`, 1_780_000_000_000 + 1_000 * index));
  assertLess(encode(packSpecs(nodes)).length, encode(nodes).length / 6);
  // A further one is a name of 3 bytes, a difference of 3, an address of 8, and the heads of a map and an array.
  assertEquals(encode(packSpecs(nodes)).length, 1 + encode(packSpecs(nodes[0])).length + 7 * 17);
  const keyed = nodes.map((node) => ({ ...node, key: new Uint8Array(32) }));
  assertLess(encode(packSpecs(keyed)).length, 8 * 32 + encode(nodes).length / 4);
});

Deno.test("packSpecs() packs so many specifications of a value that a small frame cannot stand for a large one", () => {
  const nodes = Array.from({ length: 1_100 }, (_, index) => nodeSpec(`n${index}`));
  const packed = packSpecs(nodes) as unknown[];
  assertEquals(packed.filter((node) => Object.hasOwn(node as object, "")).length, 1_024);
  assertEquals(unpackSpecs(packed), nodes);
  const first = packed[0];
  assertThrows(() => unpackSpecs(Array.from({ length: 1_025 }, () => first)), TypeError, "too many");
});

Deno.test("unpackSpecs() refuses what was not packed so", () => {
  const refused: Record<string, unknown> = {
    "no fields": 1,
    "no incarnation": ["n", "1", new Uint8Array(6), {}],
    "half an address": ["n", 1, new Uint8Array(7), {}],
    "no addresses": ["n", 1, ["host"], {}],
    "no channels": ["n", 1, [], 1],
    "a channel that is none": ["n", 1, [], { default: -1 }],
  };
  for (const [detail, packed] of Object.entries(refused)) {
    assertThrows(() => unpackSpecs([{ "": packed }]), TypeError, `Malformed specification: ${detail}`);
  }
  const tooMany = { "": ["n", 1, [], { default: 4 * 65_536 }] };
  assertThrows(() => unpackSpecs(tooMany), TypeError, "a channel that is none");
});

Deno.test("what unpackSpecs() makes of a specification has no other prototype, whatever the names of its channels", () => {
  const packed = decode(encode({ "": ["n", 1, [], JSON.parse('{"__proto__": 4, "default": 4}')] }));
  const { channels } = unpackSpecs(packed) as { channels: Record<string, unknown> };
  assertEquals(Object.getPrototypeOf(channels), Object.prototype);
  assert(Object.hasOwn(channels, "__proto__"));
});
