// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { DELIVERY_WINDOW } from "../../messaging/deduplication.ts";
import { type Envelope, envelopeFromValue, envelopeToValue, readEnvelope, writeEnvelope } from "../../wire/envelope.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";

const codec = new PayloadCodec();
const STAMP = { to: "1:b", sequence: 2, participants: ["1:a", "1:b"], sent: [0, 1, 3], delivered: [0, 2] };
const PLAIN = { causal: undefined, call: undefined };
const ENVELOPES: readonly Envelope[] = [
  { ...PLAIN, sequence: 1, floor: 1 },
  { ...PLAIN, sequence: DELIVERY_WINDOW + 5, floor: 6 },
  { ...PLAIN, sequence: 2 ** 32 + 7, floor: 2 ** 32 - 1 },
  { ...PLAIN, sequence: 2 ** 47, floor: 2 ** 47 - DELIVERY_WINDOW + 1 },
  { ...PLAIN, sequence: 9, floor: 4, call: { id: 2 ** 31, ok: undefined } },
  { ...PLAIN, sequence: 9, floor: 4, call: { id: 1, ok: false } },
  { ...PLAIN, sequence: 9, floor: 4, causal: { label: "orders", stamp: STAMP, empty: true } },
];

function written(envelope: Envelope): Uint8Array {
  const writer = new ByteWriter();
  writeEnvelope(writer, codec, envelope);
  return writer.written();
}

Deno.test("an envelope comes out as it went in, in front of a message and relayed", () => {
  for (const envelope of ENVELOPES) {
    const bytes = written(envelope);
    assertEquals(readEnvelope(codec, bytes, 0, bytes.length), [envelope, bytes.length]);
    assertEquals(envelopeFromValue(decode(encode(envelopeToValue(envelope)))), envelope);
  }
});

Deno.test("an envelope that only numbers its message takes 8 bytes, whatever the number", () => {
  assertEquals(
    written({ sequence: 0x1_0203_0405, floor: 0x1_0203_0405 - 0x607 }),
    Uint8Array.of(6, 7, 0, 1, 2, 3, 4, 5),
  );
  assertEquals(written({ sequence: 2 ** 47, floor: 2 ** 47 }).length, 8);
});

Deno.test("an envelope that is cut off, or marked with nonsense, is refused", () => {
  const bytes = written({ sequence: 9, floor: 4, call: { id: 1 } });
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => readEnvelope(codec, bytes, 0, length), ProtocolError, "truncated");
  }
  for (const marks of [null, 7, { call: 1 }, [7], [null, [true]], [["x".repeat(256), {}, false]]]) {
    const writer = new ByteWriter();
    writer.raw(Uint8Array.of(0x80, 1, 0, 0, 0, 0, 0, 9));
    codec.writePrefixed(writer, marks);
    assertThrows(() => readEnvelope(codec, writer.written(), 0, writer.length), TypeError);
  }
});

Deno.test("an envelope whose number or floor is below 1 is refused, and so is one that was relayed with a number that is none", () => {
  for (const [behind, sequence] of [[0, 0], [1, 1], [9, 3], [0x7fff, 0x7fff]] as const) {
    const bytes = Uint8Array.of(behind >>> 8, behind, 0, 0, 0, 0, sequence >>> 8, sequence);
    assertThrows(() => readEnvelope(codec, bytes, 0, 8), TypeError, "integers from 1");
  }
  for (const numbers of [[0, 0], [1, 0], [1, 2], [1.5, 1], ["2", 1], [2, null], [NaN, 1], [2 ** 53, 1], []]) {
    assertThrows(() => envelopeFromValue(numbers), TypeError, "integers from 1");
  }
});

Deno.test("an envelope whose floor is out of the window is not written", () => {
  for (const floor of [2, DELIVERY_WINDOW * 2]) {
    assertThrows(() => written({ sequence: DELIVERY_WINDOW + 2, floor }), RangeError, "beyond its floor");
  }
  assert(written({ sequence: DELIVERY_WINDOW + 2, floor: 3 }).length === 8);
});
