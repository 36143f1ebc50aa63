// Copyright 2026 the Partisan peer-service authors. MIT license.

import { acceptHandshake, dialHandshake } from "../../connections/handshake/handshake.ts";
import { encodeHello, PROTOCOL_VERSIONS } from "../../connections/handshake/hello.ts";
import { CipherState } from "../../connections/noise/cipher_state.ts";
import { HandshakeState } from "../../connections/noise/handshake_state.ts";
import { hash, keyPair } from "../../connections/noise/primitives.ts";
import { SealedStream } from "../../connections/noise/sealed_stream.ts";
import { denoRuntime } from "../../transport/deno_runtime.ts";
import type { ByteStream } from "../../transport/transport.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { FrameReader } from "../../wire/frame_reader.ts";
import { frame } from "../cluster/hostile_client.ts";
import { clusterIdentity } from "../connections/cluster_identity.ts";
import { concat, FakeStream, pattern } from "../connections/fake_stream.ts";
import { nodeSpec } from "../node_spec.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { mutateBytes } from "./mutate.ts";

const SECRETS = ["s3cret"];
const EMPTY = new Uint8Array();
const ADMISSION = { spec: nodeSpec("b"), admit: () => Promise.resolve(null), isOccupied: () => false };

function bytes(random: SeededRandom, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.int(256));
}

/** A stranger that speaks Noise, without the secret. */
function stranger(random: SeededRandom, initiator: boolean, prologue: Uint8Array): HandshakeState {
  return new HandshakeState({
    pattern: "XXpsk3",
    initiator,
    prologue,
    staticKeys: keyPair(bytes(random, 32)),
    ephemeralKeys: keyPair(bytes(random, 32)),
    preSharedKey: bytes(random, 32),
  });
}

/** Says to an acceptor that has a secret what a stranger may say. */
export async function acceptSealed(random: SeededRandom): Promise<void> {
  const runtime = denoRuntime();
  const identity = await clusterIdentity(runtime, "b", SECRETS);
  const clear = encodeHello({ versions: PROTOCOL_VERSIONS, cluster: "blue", sealed: true });
  const noise = stranger(random, true, clear);
  const said = concat(
    frame(FrameKind.hello, concat(clear, noise.write(EMPTY))),
    frame(FrameKind.introduction, bytes(random, random.int(400))),
  );
  const stream = ended(random.chance(0.3) ? said : mutateBytes(random, said));
  const session = await acceptHandshake(
    { stream, reader: new FrameReader(stream, 4096), identity, runtime },
    ADMISSION,
  );
  // Nothing may be left of what was said.
  if (session !== null) throw new Error("A stranger got in");
}

/** Answers a dialer that has a secret as a stranger may. */
export async function dialSealed(random: SeededRandom): Promise<void> {
  const runtime = denoRuntime();
  const identity = await clusterIdentity(runtime, "a", SECRETS);
  const stream = new FakeStream();
  const request = { spec: nodeSpec("a"), to: null, toIncarnation: 0, channel: "default", index: 0, dial: 1, seen: 0 };
  const dialing = dialHandshake({ stream, reader: new FrameReader(stream, 4096), identity, runtime }, request);
  dialing.catch(() => {});
  await Promise.resolve();
  const clear = encodeHello({ versions: PROTOCOL_VERSIONS, cluster: "blue", sealed: true });
  const noise = stranger(random, false, clear);
  noise.read(stream.written().subarray(5 + clear.length));
  const welcome = frame(FrameKind.welcome, noise.write(Uint8Array.of(0, 2)));
  const said = concat(welcome, frame(FrameKind.ready, bytes(random, random.int(100))));
  stream.give(random.chance(0.3) ? said : mutateBytes(random, said));
  stream.end();
  await dialing;
  throw new Error("A stranger was believed");
}

/** Changes sealed records as a node in between may: nothing but a part of what was sent comes out. */
export async function readRecords(random: SeededRandom): Promise<void> {
  const [up, down] = [hash(pattern(1), EMPTY), hash(pattern(2), EMPTY)];
  const wire = new FakeStream();
  const options = { rekeyInterval: 1 + random.int(4) };
  const writer = new SealedStream({
    stream: wire,
    outbound: new CipherState(up),
    inbound: new CipherState(down),
    ...options,
  });
  const sent: string[] = [];
  for (let count = random.int(6); count >= 0; count--) {
    const body = bytes(random, random.int(300));
    sent.push(`${body}`);
    await writer.write(frame(FrameKind.message, body));
  }
  writer.close();
  const stream = ended(mutateBytes(random, wire.written()));
  const reading = new SealedStream({
    stream,
    outbound: new CipherState(down),
    inbound: new CipherState(up),
    ...options,
  });
  const reader = new FrameReader(reading, 4096);
  for (let at = 0;; at++) {
    const next = await reader.next();
    if (next === null) break;
    if (`${next.body}` !== sent[at]) throw new Error(`Frame ${at} is none that was sent`);
  }
}

/** A stream that brings these bytes and ends. */
function ended(said: Uint8Array): ByteStream {
  const stream = new FakeStream();
  stream.give(said);
  stream.end();
  return stream;
}
