// Copyright 2026 the Partisan peer-service authors. MIT license.

import { broadcastFromValue } from "../../gossip/broadcast_message.ts";
import { gossipFromValue } from "../../gossip/gossip_message.ts";
import { checkHeartbeatMessage } from "../../gossip/heartbeat_message.ts";
import { checkNodeSpec } from "../../wire/node_spec_check.ts";
import { envelopeFromValue, readEnvelope, writeEnvelope } from "../../wire/envelope.ts";
import { checkPartitionMessage } from "../../messaging/partitions.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { acknowledgementFromValue } from "../../messaging/acknowledgement.ts";
import { parseRelayHeader } from "../../wire/relay_header.ts";
import { checkHyParViewMessage } from "../../strategy/hyparview/messages.ts";
import { checkScampMessage } from "../../strategy/scamp/messages.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { FrameReader } from "../../wire/frame_reader.ts";
import {
  EarlyWord,
  readEarly,
  readMark,
  readPosition,
  writeEarlyHead,
  writeMark,
} from "../../connections/early/early_frames.ts";
import { acceptHandshake } from "../../connections/handshake/handshake.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { readTraceHead } from "../../messaging/message_frame.ts";
import { TRACE_BYTES, traceFromBytes } from "../../wire/trace_context.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import type { ByteStream } from "../../transport/transport.ts";
import { denoRuntime } from "../../transport/deno_runtime.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { frame, hello, introduction } from "../cluster/hostile_client.ts";
import { clusterIdentity } from "../connections/cluster_identity.ts";
import { concat } from "../connections/fake_stream.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { randomValue } from "../wire/random_value.ts";
import { mutateBytes, mutateValue } from "./mutate.ts";
import { readPackedSpecs } from "./packed_targets.ts";
import { acceptSealed, dialSealed, readRecords } from "./sealed_targets.ts";

/** Something that takes what strangers send. */
export interface Target {
  readonly name: string;
  /** Hands it one input. */
  run(random: SeededRandom): unknown;
}

const CHANNEL = { parallelism: 2, monotonic: false, compression: true };
const SPEC = {
  name: "a@127.0.0.1",
  incarnation: 1_700_000_000_000,
  addresses: [{ hostname: "127.0.0.1", port: 9_090 }, { hostname: "::1", port: 1 }],
  channels: { default: CHANNEL, membership: CHANNEL },
  metadata: { zone: "eu-1", load: [1, 2, { deep: null }] },
};
const DEPARTURE = { name: "b", incarnation: 1, isRemoval: true };
const MEMBERSHIP = [["a", 1, 2, ["127.0.0.1", 9_090], { default: 4, membership: 4 }, {}], ["b", 1, 7]];
const STAMP = { to: "1:b", sequence: 2, participants: ["1:a", "1:b"], sent: [0, 1, 3], delivered: [0, 2] };
const RELAY = { origin: "a", incarnation: 1, sequence: 3, destination: "b", ttl: 4, tree: "c", path: ["a", "c"] };
const BROADCASTS = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((kind) => [[kind, "a", 1, 7, 20, "payload"], [kind, "a", 1, 7]]);

/** Checks of values, each with samples that are, or nearly are, what it expects. */
const CHECKS: readonly [name: string, check: (value: unknown) => unknown, samples: readonly unknown[]][] = [
  ["node specification", checkNodeSpec, [SPEC]],
  ["gossip", gossipFromValue, [[0, 7, 8], [1, [["a", 1, 1]]], [2, MEMBERSHIP, ["b"]], [3, MEMBERSHIP], [
    4,
    2,
    MEMBERSHIP,
    [],
  ]]],
  ["heartbeat", checkHeartbeatMessage, [7, true, [1, "a", 1, 7, 1], [2, "a", 1, 7, 30, -1], [3, "a", 1, 7], [
    4,
    "a",
    1,
    7,
  ]]],
  ["broadcast", broadcastFromValue, BROADCASTS],
  ["acknowledgement", acknowledgementFromValue, [[1, 7, [[9, 12]]], [1, 7, [[9, 12], [20, 21]], [30, 30], [40, 44], [
    50,
    50,
  ], [[60, [
    "Error",
    "no",
    "E",
  ]]]], [1, 0, []]]],
  ["envelope", envelopeFromValue, [[7, 3], [7, 3, ["label", STAMP, false], null], [7, 3, null, [1, true]]]],
  ["relay header", parseRelayHeader, [RELAY]],
  ["partition", checkPartitionMessage, [["seek", "r", "a", 1, 16], ["mark", "r", 2], ["marked", "r"], [
    "resolve",
    "r",
  ]]],
  ["HyParView", checkHyParViewMessage, [
    { type: "join" },
    { type: "forwardJoin", node: SPEC, ttl: 4 },
    { type: "neighbour", priority: "high" },
    { type: "shuffle", ttl: 3, nodes: [SPEC], path: ["a"] },
    { type: "shuffleReply", nodes: [SPEC], departures: [DEPARTURE], path: ["a"] },
    { type: "optimization", old: SPEC },
    { type: "optimizationReply", accepted: true, replaced: false, old: SPEC },
    { type: "replace", initiator: SPEC, old: SPEC },
    { type: "replaceReply", accepted: true, initiator: SPEC, old: SPEC },
    { type: "switch", initiator: SPEC, candidate: SPEC },
    { type: "switchReply", accepted: true, initiator: SPEC, candidate: SPEC },
    { type: "left", ...DEPARTURE },
  ]],
  ["SCAMP", (value) => checkScampMessage("scamp", value), [
    { type: "subscribe", again: false },
    { type: "walk", node: SPEC, again: true, ttl: 4, degree: 2 },
    { type: "subscription", node: SPEC, ttl: 4 },
    { type: "replace", node: SPEC, isSpare: false },
  ]],
];

/** Everything that reads what comes over the wire. */
export const TARGETS: readonly Target[] = [
  ...CHECKS.map(([name, check, samples]): Target => ({
    name,
    run(random) {
      const mutant = mutateValue(random, random.pick(samples));
      // As it comes over the wire: only what has a MessagePack form.
      return check(random.chance(0.9) ? decode(encode(mutant)) : randomValue(random));
    },
  })),
  {
    name: "MessagePack",
    run: (random) => decode(mutateBytes(random, encode(randomValue(random)))),
  },
  {
    name: "MessagePack of noise",
    run: (random) => decode(Uint8Array.from({ length: random.int(64) }, () => random.int(256))),
  },
  { name: "packed specifications", run: readPackedSpecs },
  { name: "envelope in front of a message", run: readEnvelopes },
  { name: "trace in front of a message", run: readTraces },
  { name: "early frames", run: readEarlyFrames },
  { name: "frames", run: readFrames },
  { name: "handshake", run: shakeHands },
  { name: "sealed handshake, accepted", run: acceptSealed },
  { name: "sealed handshake, dialed", run: dialSealed },
  { name: "sealed records", run: readRecords },
];

function readEnvelopes(random: SeededRandom): unknown {
  const writer = new ByteWriter();
  const codec = new PayloadCodec();
  const causal = random.chance(0.5) ? { label: "label", stamp: STAMP, empty: false } : undefined;
  const call = random.chance(0.5) ? { id: random.int(2 ** 31), ok: random.chance(0.5) } : undefined;
  const sequence = 1_000 + random.int(2 ** 31);
  writeEnvelope(writer, codec, { sequence, floor: sequence - random.int(1_000), causal, call });
  const bytes = mutateBytes(random, writer.written());
  return readEnvelope(codec, bytes, 0, bytes.length);
}

function readTraces(random: SeededRandom): unknown {
  const valid = Array.from({ length: TRACE_BYTES }, () => random.int(256));
  const kind = random.chance(0.5) ? FrameKind.message : FrameKind.envelope;
  const bytes = mutateBytes(random, Uint8Array.from([...valid, kind, 0, 1]));
  const [trace] = readTraceHead(bytes, 0, bytes.length);
  return traceFromBytes(trace);
}

function readEarlyFrames(random: SeededRandom): unknown {
  const writer = new ByteWriter();
  writeEarlyHead(writer, EarlyWord.moved, { channel: "bulk", index: 1, from: random.int(9), to: random.int(9) });
  writer.u32(random.int(2 ** 31));
  writeMark(writer, { outbound: random.chance(0.5), dial: random.int(2 ** 31) });
  const bytes = mutateBytes(random, writer.written());
  const { body } = readEarly(bytes, 0, bytes.length);
  return [readPosition(body, 13), readMark(body)];
}

async function readFrames(random: SeededRandom): Promise<void> {
  const frames = Array.from(
    { length: 1 + random.int(5) },
    () => frame(random.int(256), new Uint8Array(random.int(100))),
  );
  const bytes = mutateBytes(random, Uint8Array.from(frames.flatMap((one) => [...one])));
  const reader = new FrameReader(streamOf(random, bytes), 64 * 1024);
  while (await reader.next() !== null);
}

async function shakeHands(random: SeededRandom): Promise<void> {
  const valid = hello();
  const greeting = valid.subarray(0, valid.length - introduction().length);
  const bytes = random.chance(0.5)
    ? mutateBytes(random, valid)
    : concat(greeting, frame(FrameKind.introduction, encode(mutateValue(random, decode(introduction().subarray(5))))));
  const stream = streamOf(random, bytes);
  const runtime = denoRuntime();
  const identity = await clusterIdentity(runtime, SPEC.name, [], { cluster: "default" });
  const end = { stream, reader: new FrameReader(stream, 64 * 1024), identity, runtime };
  await acceptHandshake(end, { spec: SPEC, admit: () => Promise.resolve(null), isOccupied: () => random.chance(0.5) });
}

/** A stream that gives these bytes, a few at a time, and takes whatever is written. */
function streamOf(random: SeededRandom, bytes: Uint8Array): ByteStream {
  let at = 0;
  return {
    remoteAddress: { hostname: "192.0.2.1", port: 1 },
    read(buffer) {
      if (at >= bytes.length) return Promise.resolve(null);
      const chunk = bytes.subarray(at, at + Math.min(buffer.length, 1 + random.int(200)));
      buffer.set(chunk);
      at += chunk.length;
      return Promise.resolve(chunk.length);
    },
    write: () => Promise.resolve(),
    close: () => {},
  };
}
