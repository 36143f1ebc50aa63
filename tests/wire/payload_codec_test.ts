// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertInstanceOf, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EncodeError } from "../../wire/encode_error.ts";
import { PayloadCodec, UndecodableMessage, ZERO_COPY_MIN_BYTES } from "../../wire/payload_codec.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { seededRandom } from "../seeded_random.ts";
import { concat, pattern } from "../connections/fake_stream.ts";
import { randomValue } from "./random_value.ts";
import { nthOf } from "../values.ts";

const plain = new PayloadCodec();
const json = new PayloadCodec({
  encode: (value) => {
    if (value === undefined) throw new TypeError("JSON knows no such value");
    return new TextEncoder().encode(JSON.stringify(value));
  },
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
});

/** An owner of bytes that counts how often it is asked to retain them. */
class Owner {
  retained = 0;
  retain(): boolean {
    this.retained++;
    return true;
  }
}

function written(codec: PayloadCodec, message: unknown): Uint8Array {
  const writer = new ByteWriter();
  const tail = codec.write(writer, message);
  return concat(writer.written(), tail ?? new Uint8Array());
}

Deno.test("PayloadCodec.read() makes views of the buffer at hand, whichever buffer the message before was in", () => {
  const codec = new PayloadCodec();
  const inMemory = (size: number) => {
    const encoded = encode(pattern(size));
    const buffer = new Uint8Array(new ArrayBuffer(7 + encoded.length), 7);
    buffer.set(encoded);
    return buffer;
  };
  const [small, other, large] = [inMemory(100), inMemory(200), inMemory(300 * 1024)];
  for (const buffer of [small, small, other, small, large, large, small, other, large]) {
    const message = codec.read(buffer, 0, buffer.length, { retain: () => true });
    assertInstanceOf(message, Uint8Array);
    assertEquals(encode(message), buffer);
    assertStrictEquals(message.buffer, buffer.buffer);
  }
});

Deno.test("PayloadCodec copies bytes that the owner does not retain", () => {
  const custom = new PayloadCodec({ encode: (value) => value as Uint8Array, decode: (bytes) => bytes });
  for (const codec of [plain, custom]) {
    const buffer = written(codec, new Uint8Array([1, 2, 3]));
    const message = codec.read(buffer, 0, buffer.length, { retain: () => false });
    buffer.fill(0);
    assertEquals(message, new Uint8Array([1, 2, 3]));
  }
  const buffer = written(plain, { bytes: new Uint8Array([1, 2, 3]) });
  const message = plain.read(buffer, 0, buffer.length, { retain: () => false });
  buffer.fill(0);
  assertEquals(message, { bytes: new Uint8Array([1, 2, 3]) });
});

Deno.test("PayloadCodec gives back what it took, also from the middle of a buffer", () => {
  const random = seededRandom(2);
  for (let count = 0; count < 200; count++) {
    const message = randomValue(random);
    const bytes = written(plain, message);
    const buffer = concat(pattern(9), bytes, pattern(9));
    assertEquals(plain.read(buffer, 9, 9 + bytes.length, new Owner()), message);
    assertEquals(plain.decode(plain.encode(message)), message);
    if (!(message instanceof Uint8Array)) assertEquals(plain.measure(message), bytes.length);
  }
});

Deno.test("PayloadCodec.write() hands large bytes back to be sent from where they are, and copies smaller ones", () => {
  const [small, large] = [pattern(ZERO_COPY_MIN_BYTES - 1), pattern(ZERO_COPY_MIN_BYTES)];
  const writer = new ByteWriter();
  assertEquals(plain.write(writer, small), undefined);
  assertEquals(writer.length, 5 + small.length);
  assertStrictEquals(plain.write(writer, large), large);
  assertEquals(plain.write(new ByteWriter(), { large }), undefined);
  for (const bytes of [small, large]) {
    assertEquals(plain.decode(written(plain, bytes)), bytes);
    assertEquals(plain.decode(plain.encode(bytes)), bytes);
  }
});

Deno.test("PayloadCodec.read() has the buffer retained when, and only when, the message refers to its bytes", () => {
  for (const message of [null, 5, "text", [1, { a: "b" }]]) {
    const owner = new Owner(), bytes = written(plain, message);
    plain.read(bytes, 0, bytes.length, owner);
    assertEquals(owner.retained, 0);
  }
  for (const message of [pattern(3), new Uint8Array(), { deep: [[pattern(1)]] }]) {
    const owner = new Owner(), bytes = written(plain, message);
    plain.read(bytes, 0, bytes.length, owner);
    assertEquals(owner.retained, 1);
  }
  const owner = new Owner();
  plain.read(encode(7), 0, 1, owner);
  assertEquals(owner.retained, 0);
});

Deno.test("PayloadCodec with a codec of the user leaves messages to that, and has the buffer retained in any case", () => {
  const owner = new Owner(), bytes = written(json, { a: [1] });
  assertEquals(new TextDecoder().decode(bytes), '{"a":[1]}');
  assertEquals(json.read(concat(pattern(4), bytes), 4, 4 + bytes.length, owner), { a: [1] });
  assertEquals(owner.retained, 1);
  assertEquals([json.measure({ a: [1] }), json.decode(json.encode("x"))], [9, "x"]);
});

Deno.test("PayloadCodec tells which message cannot be encoded, and why", () => {
  assertThrows(() => plain.write(new ByteWriter(), { a: [undefined] }), EncodeError, 'Cannot encode "a[0]"');
  const error = assertThrows(() => json.write(new ByteWriter(), undefined), EncodeError, "JSON knows no such value");
  assertInstanceOf(error.cause, TypeError);
});

Deno.test("PayloadCodec.read() gives what stands for a message that cannot be decoded", () => {
  for (const codec of [plain, json]) {
    const message = codec.decode(Uint8Array.of(0xc1));
    assertInstanceOf(message, UndecodableMessage);
    assertInstanceOf(message.error, SyntaxError);
  }
});

Deno.test("PayloadCodec decodes well after bytes that it could not decode", () => {
  const codec = new PayloadCodec();
  codec.decode(concat(Uint8Array.of(0x92, 0xc4, 1, 7), Uint8Array.of(0xc1)));
  const owner = new Owner();
  assertEquals(codec.read(encode(5), 0, 1, owner), 5);
  assertEquals(owner.retained, 0);
});

Deno.test("PayloadCodec.readPrefixed() reads what writePrefixed() wrote, and where it ends", () => {
  const writer = new ByteWriter(4);
  writer.u16(7);
  const values = [null, { a: [1, 2] }, "x".repeat(500), pattern(9)];
  for (const value of values) json.writePrefixed(writer, value);
  let at = 2;
  for (const value of values) {
    const [read, next] = json.readPrefixed(writer.bytes, at, writer.length);
    assertEquals(read, value);
    at = next;
  }
  assertEquals(at, writer.length);
});

Deno.test("PayloadCodec.readPrefixed() refuses what is cut off, or ends beyond its frame", () => {
  const writer = new ByteWriter();
  plain.writePrefixed(writer, [1, 2, 3]);
  for (let end = 0; end < writer.length; end++) {
    assertThrows(() => plain.readPrefixed(writer.bytes, 0, end), ProtocolError, "truncated");
    assertThrows(() => plain.readPrefixed(writer.bytes.slice(0, end), 0, end), ProtocolError, "truncated");
  }
  assertThrows(() => plain.readPrefixed(new Uint8Array(8).fill(0xff), 0, 8), ProtocolError, "truncated");
});

Deno.test("PayloadCodec.readControl() copies bytes, so that nothing need be retained", () => {
  const buffer = encode({ bytes: pattern(10), n: 1 });
  const value = plain.readControl(buffer, 0, buffer.length);
  buffer.fill(0);
  assertEquals(value, { bytes: pattern(10), n: 1 });
  assertNotEquals((value as { bytes: Uint8Array }).bytes.buffer, buffer.buffer);
  const owner = new Owner();
  plain.read(encode(1), 0, 1, owner);
  assertEquals(owner.retained, 0);
  assertThrows(() => plain.readControl(Uint8Array.of(0xc1), 0, 1), SyntaxError);
});

Deno.test("PayloadCodec.measure() copies no bytes, and gives back what a huge message needed", () => {
  assertEquals(plain.measure(pattern(1000)), 1000);
  assert(plain.measure("x".repeat(200_000)) > 200_000);
  assertEquals(plain.measure([1]), 2);
});

Deno.test("PayloadCodec.keep() keeps messages as they were, small ones side by side and large ones by themselves", () => {
  const codec = new PayloadCodec();
  const sizes = [0, 1, 64, 2_000, 3_000, 15_000, 64, 20_000, 2 ** 18];
  const messages = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
  const kept = messages.map((message) => codec.keep(message));
  for (const message of messages) message.fill(0);
  for (const [index, { bytes }] of kept.entries()) {
    assertEquals(codec.decode(bytes), new Uint8Array(nthOf(sizes, index)).fill(index + 1));
  }
  assertStrictEquals(nthOf(kept, 1).bytes.buffer, nthOf(kept, 2).bytes.buffer);
  assert(nthOf(kept, 4).bytes.buffer !== nthOf(kept, 5).bytes.buffer);
});

Deno.test("PayloadCodec writes lent bytes from where they are, and once they are detached as they were", () => {
  const codec = new PayloadCodec();
  const written = (message: unknown) => {
    const writer = new ByteWriter();
    codec.write(writer, message);
    return writer.written();
  };
  for (const size of [0, 1, 64, 300, 2_000]) {
    const source = new Uint8Array(size).fill(1);
    const asItWas = written(source);
    const [lent, own] = [codec.keep(source, true), codec.keep(source)];
    assertEquals([lent.length, lent.source, own.source], [asItWas.length, source, undefined]);
    assertEquals(written(lent), asItWas);
    lent.detach();
    source.fill(2);
    assertEquals([written(lent), lent.bytes, written(own)], [asItWas, asItWas, asItWas]);
  }
  assertEquals([codec.keep(new Uint8Array(3_000), true).source, codec.keep("text", true).source], [
    undefined,
    undefined,
  ]);
});

Deno.test("PayloadCodec.encode() and measure() may be asked while another message is being encoded", () => {
  const codec = new PayloadCodec();
  const inner: unknown[] = [];
  const message = {
    before: "outer",
    get nested() {
      inner.push(codec.decode(codec.encode({ a: 1 })), codec.measure("abc"));
      return "nested";
    },
    after: [1, 2, 3],
  };
  assertEquals(codec.decode(codec.encode(message)), { before: "outer", nested: "nested", after: [1, 2, 3] });
  assertEquals(inner, [{ a: 1 }, 4]);
});
