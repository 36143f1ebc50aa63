// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { checkNodeSpec, NODE_SPEC_LIMITS } from "../../wire/node_spec_check.ts";
import { nodeSpec } from "../node_spec.ts";

const channel = { parallelism: 1, monotonic: false, compression: false };
const channels = { default: channel, membership: channel };

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

Deno.test("checkNodeSpec() returns an equal spec for all that is allowed", () => {
  for (
    const spec of [
      nodeSpec("a"),
      nodeSpec("ä".repeat(255), Number.MAX_SAFE_INTEGER),
      nodeSpec("a", 0, { addresses: [{ hostname: "::1", port: 0 }, { hostname: "h", port: 65_535 }] }),
      nodeSpec("a", 2, { since: 1 }),
      nodeSpec("a", 0, { since: 0 }),
      nodeSpec("a", 1, { channels: { ...channels, bulk: { parallelism: 64, monotonic: true, compression: true } } }),
      nodeSpec("a", 1, { metadata: { n: null, b: true, i: 1n, f: 0.5, s: "s", u: new Uint8Array(9), a: [{ o: {} }] } }),
      nodeSpec("a", 1, { metadata: { deep: nested(NODE_SPEC_LIMITS.metadataDepth - 1) } }),
    ]
  ) assertEquals(checkNodeSpec(spec), spec);
});

Deno.test("checkNodeSpec() keeps nothing that a spec does not have", () => {
  assertEquals(
    checkNodeSpec({ ...nodeSpec("a"), extra: 1, channels: { default: { ...channel, more: 2 }, membership: channel } }),
    nodeSpec("a"),
  );
});

Deno.test("checkNodeSpec() leaves out that there is no earlier beginning, because MessagePack has nothing for it", () => {
  assertEquals("since" in checkNodeSpec({ ...nodeSpec("a"), since: undefined }), false);
});

Deno.test("checkNodeSpec() takes what an object without prototype says", () => {
  const spec = Object.assign(Object.create(null), nodeSpec("a"), { metadata: Object.create(null) });
  assertEquals(checkNodeSpec(spec).name, "a");
});

Deno.test("checkNodeSpec() takes no field from a prototype of the metadata", () => {
  const metadata = JSON.parse('{"__proto__": {"zone": "eu"}}');
  assertStrictEquals((checkNodeSpec(nodeSpec("a", 1, { metadata })).metadata as { zone?: unknown }).zone, undefined);
});

const refusals: readonly [
  what: string,
  value: unknown,
  error: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  ["nothing", undefined, TypeError, "Invalid node spec: expected an object, got undefined"],
  ["null", null, TypeError, "Invalid node spec: expected an object, got null"],
  ["an array", [], TypeError, "Invalid node spec: expected an object, got an array"],
  ["bytes", new Uint8Array(1), TypeError, "Invalid node spec: expected an object, got a Uint8Array"],
  ["no name", { ...nodeSpec("a"), name: undefined }, TypeError, "Invalid name: expected a string, got undefined"],
  ["an empty name", nodeSpec(""), RangeError, "Invalid name: expected 1 to 255 code units, got 0"],
  ["a long name", nodeSpec("a".repeat(256)), RangeError, "got 256"],
  ["a membership that is younger than its incarnation", nodeSpec("a", 1, { since: 2 }), RangeError, "Invalid since"],
  ["a membership that began in between", nodeSpec("a", 2, { since: 1.5 }), RangeError, "Invalid since"],
  [
    "an incarnation of text",
    { ...nodeSpec("a"), incarnation: "1" },
    TypeError,
    "Invalid incarnation: expected an integer",
  ],
  ["a negative incarnation", nodeSpec("a", -1), RangeError, "got -1"],
  ["an unsafe incarnation", nodeSpec("a", 2 ** 53), RangeError, "Invalid incarnation"],
  ["half an incarnation", nodeSpec("a", 0.5), RangeError, "got 0.5"],
  [
    "no addresses",
    { ...nodeSpec("a"), addresses: {} },
    TypeError,
    "Invalid addresses: expected an array, got an object",
  ],
  [
    "many addresses",
    nodeSpec("a", 1, { addresses: new Array(33).fill({ hostname: "h", port: 1 }) }),
    RangeError,
    "got 33",
  ],
  [
    "a hole",
    nodeSpec("a", 1, { addresses: new Array(3) }),
    TypeError,
    "Invalid address: expected an object, got undefined",
  ],
  ["no port", { ...nodeSpec("a"), addresses: [{ hostname: "h" }] }, TypeError, "Invalid port"],
  ["a high port", nodeSpec("a", 1, { addresses: [{ hostname: "h", port: 65_536 }] }), RangeError, "got 65536"],
  ["no host", nodeSpec("a", 1, { addresses: [{ hostname: "", port: 1 }] }), RangeError, "Invalid hostname"],
  ["no channels", { ...nodeSpec("a"), channels: null }, TypeError, "Invalid channels"],
  ["a lacking channel", nodeSpec("a", 1, { channels: { default: channel } }), TypeError, '"membership" is missing'],
  ["a channel of nothing", { ...nodeSpec("a"), channels: { ...channels, x: null } }, TypeError, "Invalid channel"],
  [
    "no parallelism",
    nodeSpec("a", 1, { channels: { ...channels, x: { ...channel, parallelism: 0 } } }),
    RangeError,
    "got 0",
  ],
  [
    "many at once",
    nodeSpec("a", 1, { channels: { ...channels, x: { ...channel, parallelism: 65 } } }),
    RangeError,
    "got 65",
  ],
  [
    "half monotonic",
    { ...nodeSpec("a"), channels: { ...channels, x: { ...channel, monotonic: 1 } } },
    TypeError,
    "Invalid monotonic",
  ],
  [
    "many channels",
    nodeSpec("a", 1, {
      channels: { ...channels, ...Object.fromEntries(Array.from({ length: 63 }, (_, i) => [`c${i}`, channel])) },
    }),
    RangeError,
    "got 65",
  ],
  [
    "metadata of text",
    { ...nodeSpec("a"), metadata: "zone" },
    TypeError,
    "Invalid metadata: expected an object, got a string",
  ],
  [
    "a function",
    nodeSpec("a", 1, { metadata: { f: () => 1 } }),
    TypeError,
    "Invalid metadata: a function cannot be sent",
  ],
  ["undefined", nodeSpec("a", 1, { metadata: { u: undefined } }), TypeError, "undefined cannot be sent"],
  ["a date", nodeSpec("a", 1, { metadata: { d: new Date(0) } }), TypeError, "got a Date"],
  ["a long text", nodeSpec("a", 1, { metadata: { s: "x".repeat(8_192) } }), RangeError, "larger than 16384 bytes"],
  ["a long key", nodeSpec("a", 1, { metadata: { ["x".repeat(8_192)]: 1 } }), RangeError, "larger than 16384 bytes"],
  ["many bytes", nodeSpec("a", 1, { metadata: { b: new Uint8Array(16_384) } }), RangeError, "larger than 16384 bytes"],
  [
    "many values",
    nodeSpec("a", 1, { metadata: { a: new Array(3_000).fill(null) } }),
    RangeError,
    "larger than 16384 bytes",
  ],
  [
    "deep metadata",
    nodeSpec("a", 1, { metadata: { deep: nested(NODE_SPEC_LIMITS.metadataDepth) } }),
    RangeError,
    "nested deeper than 8",
  ],
];

for (const [what, value, error, message] of refusals) {
  Deno.test(`checkNodeSpec() refuses ${what}`, () => {
    assertThrows(() => checkNodeSpec(value), error, message);
  });
}

Deno.test("checkNodeSpec() refuses metadata that contain themselves", () => {
  const metadata: Record<string, unknown> = {};
  metadata["me"] = metadata;
  assertThrows(() => checkNodeSpec(nodeSpec("a", 1, { metadata })), RangeError, "nested deeper");
});

Deno.test("checkNodeSpec() takes a key of 32 bytes, also one that went through JSON, and makes a copy of it", () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => 7 * at);
  const spec = { ...nodeSpec("a"), key };
  const checked = checkNodeSpec(spec);
  assertEquals(checked, spec);
  assert(checked.key !== key);
  assertEquals(checkNodeSpec(JSON.parse(JSON.stringify(spec))), spec);
  assert(!("key" in checkNodeSpec(nodeSpec("a"))));
  const wrong = [null, 7, "key", [1, 2], {}, { 1: 7 }, { ...key, 3: 256 }, { ...key, 32: 1 }, key.subarray(1)];
  for (const value of wrong) assertThrows(() => checkNodeSpec({ ...nodeSpec("a"), key: value }), Error, "key");
});
