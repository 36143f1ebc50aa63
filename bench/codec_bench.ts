// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Our MessagePack beside JSON and, where JSR can be reached, `@std/msgpack`:
 * `deno run -A tests/std_imports.ts bench bench/codec_bench.ts`.
 *
 * "ours" is what the wire path does, with one writer and one decoder for all messages.
 *
 * @module
 */

import * as msgpack from "@std/msgpack";
import { ByteWriter } from "../transport/byte_writer.ts";
import { type Codec, messagePack } from "../transport/codec.ts";
import { Decoder } from "../transport/message_pack_decode.ts";
import { encodeInto } from "../transport/message_pack_encode.ts";

const event = { type: "order.created", id: 48_213, user: "alice", total: 129.95, paid: true, tags: ["new", "eu"] };

const envelope = { id: 4711, to: "counter", body: Uint8Array.from({ length: 64 }, (_, index) => index) };

const state = {
  version: 3,
  nodes: Array.from({ length: 200 }, (_, index) => ({
    name: `node-${index}@10.0.0.${index}`,
    incarnation: 1_718_000_000_000 + index,
    counter: 37 * index,
    port: 9000 + index,
    zone: `eu-${index % 3}`,
    up: index % 7 !== 0,
  })),
};

const values = { "small event": event, "64 bytes in an envelope": envelope, "state of 200 nodes": state };
const std: Codec = msgpack;
const ignore = import.meta.resolve("@std/msgpack").startsWith(import.meta.resolve("../tests/offline/"));

for (const [name, value] of Object.entries(values)) {
  const writer = new ByteWriter(64 * 1024);
  const decoder = new Decoder();
  const bytes = messagePack.encode(value);
  const json = JSON.stringify(value);

  const encoding = `encode: ${name}, ${bytes.length} B`;
  Deno.bench({ name: "ours", group: encoding, baseline: true }, () => {
    writer.length = 0;
    encodeInto(writer, value);
  });
  Deno.bench({ name: "ours, encode()", group: encoding }, () => void messagePack.encode(value));
  Deno.bench({ name: "JSON", group: encoding, ignore: value === envelope }, () => void JSON.stringify(value));
  Deno.bench({ name: "@std/msgpack", group: encoding, ignore }, () => void std.encode(value));

  const decoding = `decode: ${name}, ${bytes.length} B`;
  Deno.bench({ name: "ours", group: decoding, baseline: true }, () => void decoder.decode(bytes));
  Deno.bench({ name: "ours, decode()", group: decoding }, () => void messagePack.decode(bytes));
  Deno.bench({ name: "JSON", group: decoding, ignore: value === envelope }, () => void JSON.parse(json));
  Deno.bench({ name: "@std/msgpack", group: decoding, ignore }, () => void std.decode(bytes));
}
