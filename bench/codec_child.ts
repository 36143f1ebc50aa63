// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Our MessagePack next to JSON and, where JSR can be reached, `@std/msgpack`:
 * `deno run -A tests/std_imports.ts run bench/codec_child.ts 7` measures 7 rounds, and prints them as JSON.
 *
 * "ours" is what the wire path does, with one writer and one decoder for all messages.
 *
 * @module
 */

import * as msgpack from "@std/msgpack";
import { ByteWriter } from "../wire/byte_writer.ts";
import { type Codec, messagePack } from "../wire/codec.ts";
import { Decoder } from "../wire/message_pack_decode.ts";
import { encodeInto } from "../wire/message_pack_encode.ts";
import { EVENT } from "./payload.ts";
import { interleave } from "./subject.ts";
import { timePerRun } from "./work.ts";

/** One operation on one value: nanoseconds of each round, by contestant. */
export interface CodecTimes {
  readonly what: string;
  readonly times: { readonly [contestant: string]: readonly number[] };
}

const MS_PER_ROUND = 20;

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

const VALUES = { "small event": EVENT, "64 bytes in an envelope": envelope, "state of 200 nodes": state };
const HAS_STD = !import.meta.resolve("@std/msgpack").startsWith(import.meta.resolve("../tests/offline/"));

type Contestants = Readonly<Record<string, () => unknown>>;

/** Every way to encode a value, and every way to decode it. */
function contestants(value: unknown): { readonly encode: Contestants; readonly decode: Contestants } {
  const writer = new ByteWriter(64 * 1024);
  const decoder = new Decoder();
  const bytes = messagePack.encode(value);
  const json = JSON.stringify(value);
  const std: Codec = msgpack;
  const intoWriter = () => {
    writer.length = 0;
    encodeInto(writer, value);
    return writer.length;
  };
  return {
    encode: {
      ours: intoWriter,
      // It has no form for bytes.
      ...(value !== envelope && { JSON: () => JSON.stringify(value) }),
      ...(HAS_STD && { "@std/msgpack": () => std.encode(value) }),
    },
    decode: {
      ours: () => decoder.decode(bytes),
      ...(value !== envelope && { JSON: () => JSON.parse(json) }),
      ...(HAS_STD && { "@std/msgpack": () => std.decode(bytes) }),
    },
  };
}

async function measure(what: string, contestants: Contestants, rounds: number): Promise<CodecTimes> {
  const names = Object.keys(contestants);
  const works = names.map((name) => () => Promise.resolve(timePerRun(contestants[name]!, MS_PER_ROUND)));
  const results = await interleave(rounds, works);
  return { what, times: Object.fromEntries(names.map((name, index) => [name, results[index]!])) };
}

async function main(rounds: number): Promise<void> {
  const all: CodecTimes[] = [];
  for (const [name, value] of Object.entries(VALUES)) {
    const size = messagePack.encode(value).length;
    const { encode, decode } = contestants(value);
    all.push(await measure(`encode: ${name}, ${size} B`, encode, rounds));
    all.push(await measure(`decode: ${name}, ${size} B`, decode, rounds));
  }
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(all) + "\n"));
}

if (import.meta.main) await main(Number(Deno.args[0] ?? 7));
