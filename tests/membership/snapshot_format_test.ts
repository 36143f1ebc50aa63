// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { crc32 } from "../../wire/checksum.ts";
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_VERSION } from "../../membership/snapshot_format.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { flipBit } from "../flip_bit.ts";

const snapshot = {
  name: "a@127.0.0.1",
  incarnation: 1_763_000_000_000,
  since: 1_762_000_000_000,
  identity: new Uint8Array(32).fill(7),
  strategy: "full-mesh",
  members: [1, [["a@127.0.0.1", 1, 1]], [0]],
};

/** A file with a valid checksum. */
function sealed(version: number, fields: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + fields.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("PSSN"));
  view.setUint32(8, version);
  bytes.set(fields, 12);
  view.setUint32(4, crc32(bytes.subarray(8)));
  return bytes;
}

Deno.test("decodeSnapshot() undoes encodeSnapshot()", () => {
  assertEquals(decodeSnapshot(encodeSnapshot(snapshot)), snapshot);
  const empty = { ...snapshot, since: null, identity: null, members: null };
  assertEquals(decodeSnapshot(encodeSnapshot(empty)), empty);
});

Deno.test("decodeSnapshot() reads bytes from anywhere within a buffer", () => {
  const bytes = encodeSnapshot(snapshot);
  const buffer = new Uint8Array(bytes.length + 20).fill(0xff);
  buffer.set(bytes, 7);
  assertEquals(decodeSnapshot(buffer.subarray(7, 7 + bytes.length)), snapshot);
});

Deno.test("encodeSnapshot() writes the layout that is documented", () => {
  const { name, incarnation, since, identity, strategy, members } = snapshot;
  const fields = encode({ name, incarnation, since, identity, strategy, members });
  assertEquals(encodeSnapshot(snapshot), sealed(SNAPSHOT_VERSION, fields));
});

/** Snapshot as version 1 wrote it, which did not know `since`. */
const VERSION_1 = [
  "5053534ed71e5e630000000184a46e616d65ab61403132372e302e302e31ab696e6361726e6174696f6ecb4279a7afd1",
  "e00000a87374726174656779a966756c6c2d6d657368a76d656d6265727393019193ab61403132372e302e302e310101",
  "9100",
].join("");

Deno.test("decodeSnapshot() migrates what version 1 wrote: that membership began with its own incarnation at the latest", () => {
  assertEquals(decodeSnapshot(Uint8Array.fromHex(VERSION_1)), {
    ...snapshot,
    since: snapshot.incarnation,
    identity: null,
  });
});

Deno.test("decodeSnapshot() migrates what version 2 wrote, which knew no keys, and takes no key of another size", () => {
  const { identity: _, ...former } = snapshot;
  assertEquals(decodeSnapshot(sealed(2, encode(former))), { ...snapshot, identity: null });
  for (const identity of [new Uint8Array(31), new Uint8Array(), "key", undefined, 7]) {
    const fields = encode({ ...former, ...(identity !== undefined && { identity }) });
    assertThrows(() => decodeSnapshot(sealed(SNAPSHOT_VERSION, fields)), SyntaxError, "Invalid identity");
  }
});

Deno.test("decodeSnapshot() finds a snapshot damaged that is of an older version, or says so", () => {
  const fields = encode({ name: "a", incarnation: "1", strategy: "s", members: [] });
  assertThrows(() => decodeSnapshot(sealed(1, fields)), SyntaxError, "Invalid incarnation");
  assertThrows(() => decodeSnapshot(sealed(0, encode(snapshot))), SyntaxError, "0 never existed");
  assertThrows(() => decodeSnapshot(Uint8Array.fromHex(VERSION_1).subarray(0, -1)), SyntaxError, "checksum");
});

Deno.test("decodeSnapshot() finds a snapshot damaged that ends too early, wherever that is", () => {
  const bytes = encodeSnapshot(snapshot);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeSnapshot(bytes.subarray(0, length)), SyntaxError, "Cannot read the snapshot");
  }
});

Deno.test("decodeSnapshot() finds a snapshot damaged in which any bit is flipped", () => {
  const bytes = encodeSnapshot(snapshot);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipBit(flipped, bit >> 3, bit & 7);
    assertThrows(() => decodeSnapshot(flipped), SyntaxError, "Cannot read the snapshot");
  }
});

Deno.test("decodeSnapshot() finds a snapshot damaged whose end is of zeros or of an older one", () => {
  const bytes = encodeSnapshot(snapshot);
  const older = encodeSnapshot({ ...snapshot, incarnation: snapshot.incarnation - 1 });
  assertEquals(older.length, bytes.length);
  for (let length = 0; length < bytes.length; length++) {
    for (const rest of [new Uint8Array(bytes.length), older]) {
      const torn = rest.slice();
      torn.set(bytes.subarray(0, length));
      const isWhole = [bytes, older].some((whole) => torn.every((byte, index) => byte === whole[index]));
      if (!isWhole) assertThrows(() => decodeSnapshot(torn), SyntaxError, "Cannot read the snapshot");
    }
  }
});

Deno.test("decodeSnapshot() refuses what a newer release wrote with a RangeError, whatever is in it", () => {
  const newer = sealed(SNAPSHOT_VERSION + 1, new Uint8Array([0xc1]));
  assertThrows(
    () => decodeSnapshot(newer),
    RangeError,
    `its version is ${SNAPSHOT_VERSION + 1}, which a newer release`,
  );
});

const malformed: readonly [what: string, fields: Uint8Array, reason: string][] = [
  ["no MessagePack", new Uint8Array([0xc1]), ""],
  ["no object", encode([1]), "expected an object"],
  ["no name", encode({ ...snapshot, name: 7 }), "name"],
  ["an incarnation that no later one can follow", encode({ ...snapshot, incarnation: 2 ** 53 - 1 }), "incarnation"],
  ["a fractional incarnation", encode({ ...snapshot, incarnation: 0.5 }), "incarnation"],
  ["no beginning of the membership", encode({ ...snapshot, since: false }), "since"],
  ["a beginning after its own", encode({ ...snapshot, since: snapshot.incarnation + 1 }), "since"],
  ["no strategy", encode({ ...snapshot, strategy: "" }), "strategy"],
  ["no members", encode({ name: "a", incarnation: 1, since: 1, strategy: "s" }), "members"],
];

for (const [what, fields, reason] of malformed) {
  Deno.test(`decodeSnapshot() finds a snapshot damaged in which there is ${what}`, () => {
    const error = assertThrows(() => decodeSnapshot(sealed(SNAPSHOT_VERSION, fields)), SyntaxError, reason);
    assertEquals(error.message.startsWith("Cannot read the snapshot: "), true);
  });
}
