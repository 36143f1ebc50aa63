// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkNodeSpec } from "../../wire/node_spec_check.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { FRAME_HEADER_BYTES, type FrameReader, ProtocolError } from "../../wire/frame_reader.ts";
import { expectFrame, frameOf, malformed, record, refuse, sendFrame } from "./handshake_frames.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import type { Refusal } from "./refusal.ts";
import { equalInConstantTime, proofs, type SharedSecrets } from "./shared_secrets.ts";
import type { ByteStream } from "../../transport/transport.ts";

/** Version of the wire protocol. Nodes with different ones refuse each other. */
export const PROTOCOL_VERSION = 1;

/** Largest frame before the handshake is done, in bytes. */
export const HANDSHAKE_FRAME_BYTES = 64 * 1024;

const NONCE_BYTES = 16;
/** What has been said so far, where nobody proves anything. */
const NOTHING = new Uint8Array();

/** What both ends must have in common. */
export interface ClusterIdentity {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Name of the membership strategy. */
  readonly strategy: string;
  /** The secrets that are accepted; none when the cluster is open. */
  readonly secrets: SharedSecrets;
}

/** Which connection a dialler asks for. */
export interface ConnectionRequest {
  /** The dialler. */
  readonly spec: NodeSpec;
  /** Name of the node that the dialler means to reach, or `null` for whoever answers. */
  readonly to: string | null;
  /** Newest incarnation of that node that the dialler knows of; 0 for none. */
  readonly toIncarnation: number;
  /** Channel that the connection carries. */
  readonly channel: string;
  /** Which of the channel's parallel connections it is, from 0. */
  readonly index: number;
  /** Number of this dial; later dials of one incarnation have greater ones. */
  readonly dial: number;
  /** Greatest dial number of the acceptor's that the dialler has seen succeed for this channel and index; 0 for none. */
  readonly seen: number;
}

/** One end of a stream, before anything about the other is known. */
interface HandshakeEnd {
  readonly stream: ByteStream;
  readonly reader: FrameReader;
  readonly identity: ClusterIdentity;
  readonly runtime: Runtime;
}

/**
 * Introduces this node to the acceptor at the other end of `stream`, and proves both to each other when there is a secret.
 *
 * @returns Who answered.
 * @throws {HandshakeRefusedError} When either side refuses the other.
 * @throws {ProtocolError} When the other end does not speak this protocol, or closes early.
 */
export async function dialHandshake(end: HandshakeEnd, request: ConnectionRequest): Promise<NodeSpec> {
  const { identity, runtime, stream } = end;
  const hello = frameOf(FrameKind.hello, {
    version: PROTOCOL_VERSION,
    cluster: identity.cluster,
    strategy: identity.strategy,
    nonce: runtime.random.bytes(NONCE_BYTES),
    secret: identity.secrets.length > 0,
    ...request,
  });
  await stream.write(hello);
  const open = identity.secrets.length === 0;
  const { inner, macs, confirm } = record(await expectFrame(end.reader, FrameKind.welcome, open), "welcome");
  if (!(inner instanceof Uint8Array) || !Array.isArray(macs)) throw malformed("welcome");
  const transcript = open ? NOTHING : join(hello.subarray(FRAME_HEADER_BYTES), inner);
  const secret = open ? -1 : await matchingSecret(runtime, identity.secrets, "acceptor", transcript, macs);
  if (!open && secret < 0) {
    throw await refuse(stream, {
      code: "secret",
      reason: `Cannot trust ${where(stream)}: it does not know the secret`,
    });
  }
  const spec = specFrom(record(inner, "welcome"), "welcome");
  if (request.to !== null && spec.name !== request.to) {
    throw await refuse(stream, wrongNode(request.to, spec.name, where(stream)));
  }
  if (!open) {
    const [mac] = await proofs(runtime, identity.secrets.slice(secret, secret + 1), "dialler", transcript);
    await sendFrame(stream, FrameKind.proof, { mac });
  } else if (confirm === true) {
    await sendFrame(stream, FrameKind.proof, {});
  }
  if (!open || confirm === true) await expectFrame(end.reader, FrameKind.ready, true);
  return spec;
}

/**
 * Answers the dialler at the other end of `stream`.
 *
 * @param spec This node.
 * @param admit Decides, once the dialler is trusted, whether it may have the connection that it asks for.
 * @param isOccupied Whether the connection would take the place of another one. Then the dialler has to show that it is still there: a
 * dial that waited while this node was stopped may have been given up long ago.
 * @returns What was asked for and granted, or `null` when the stream ended without a word.
 * @throws {HandshakeRefusedError} When either side refuses the other.
 * @throws {ProtocolError} When the other end does not speak this protocol, or closes early.
 */
export async function acceptHandshake(
  end: HandshakeEnd,
  spec: NodeSpec,
  admit: (request: ConnectionRequest) => Promise<Refusal | null>,
  isOccupied: (request: ConnectionRequest) => boolean = () => false,
): Promise<ConnectionRequest | null> {
  const { identity, runtime, stream } = end;
  const first = await end.reader.next();
  if (first === null) return null;
  if (first.kind !== FrameKind.hello) throw new ProtocolError(`Cannot accept ${where(stream)}: it did not say hello`);
  const hello = record(first.body, "hello");
  const mismatch = findMismatch(identity, hello, where(stream));
  if (mismatch !== null) throw await refuse(stream, mismatch);
  const request = checkRequest(hello);
  if (request.to !== null && request.to !== spec.name) {
    throw await refuse(stream, wrongNode(request.to, spec.name, "this address"));
  }
  const trusted = identity.secrets.length > 0;
  const inner = encode({ spec, nonce: runtime.random.bytes(NONCE_BYTES) });
  const transcript = trusted ? join(first.body, inner) : NOTHING;
  const welcome = async (confirm: boolean) => {
    const macs = trusted ? await proofs(runtime, identity.secrets, "acceptor", transcript) : [];
    await sendFrame(stream, FrameKind.welcome, confirm ? { inner, macs, confirm } : { inner, macs });
  };
  if (trusted) {
    await welcome(false);
    const { mac } = record(await expectFrame(end.reader, FrameKind.proof, false), "proof");
    if (await matchingSecret(runtime, identity.secrets, "dialler", transcript, [mac]) < 0) {
      throw await refuse(stream, {
        code: "secret",
        reason: `Cannot accept ${where(stream)}: it does not know the secret`,
      });
    }
  }
  const refusal = await admit(request);
  if (refusal !== null) throw await refuse(stream, refusal);
  const confirm = !trusted && isOccupied(request);
  if (!trusted) await welcome(confirm);
  if (confirm) await expectFrame(end.reader, FrameKind.proof, true);
  if (trusted || confirm) await sendFrame(stream, FrameKind.ready);
  return request;
}

function findMismatch(identity: ClusterIdentity, hello: Record<string, unknown>, who: string): Refusal | null {
  const expect = (code: Refusal["code"], what: string, theirs: unknown, ours: unknown): Refusal | null =>
    theirs === ours
      ? null
      : { code, reason: `Cannot accept ${who}: ${what} is ${quote(theirs)}, expected ${quote(ours)}` };
  return expect("version", "protocol version", hello.version, PROTOCOL_VERSION) ??
    expect("cluster", "cluster", hello.cluster, identity.cluster) ??
    expect("strategy", "strategy", hello.strategy, identity.strategy) ??
    expect("secret", "use of a secret", hello.secret, identity.secrets.length > 0);
}

function checkRequest(hello: Record<string, unknown>): ConnectionRequest {
  const { to, toIncarnation, channel, index, dial, seen } = hello;
  if (to !== null && typeof to !== "string" || typeof channel !== "string") throw malformed("hello");
  if (!isCount(toIncarnation) || !isCount(index) || !isCount(dial) || !isCount(seen)) throw malformed("hello");
  return { spec: specFrom(hello, "hello"), to, toIncarnation, channel, index, dial, seen };
}

function specFrom({ spec }: Record<string, unknown>, what: string): NodeSpec {
  try {
    return checkNodeSpec(spec);
  } catch (cause) {
    throw malformed(what, cause);
  }
}

/** Which of `secrets` one of `macs` proves, or -1. */
async function matchingSecret(
  runtime: Runtime,
  secrets: SharedSecrets,
  role: "dialler" | "acceptor",
  transcript: Uint8Array<ArrayBuffer>,
  macs: readonly unknown[],
): Promise<number> {
  const expected = await proofs(runtime, secrets, role, transcript);
  return expected.findIndex((proof) =>
    macs.some((mac) => mac instanceof Uint8Array && equalInConstantTime(proof, mac))
  );
}

function wrongNode(expected: string, found: string, at: string): Refusal {
  return { code: "wrong-node", reason: `Cannot reach ${quote(expected)}: ${at} belongs to ${quote(found)}` };
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function quote(value: unknown): string {
  return typeof value === "string" ? `"${value.slice(0, 64)}"` : `${value}`;
}

function where(stream: ByteStream): string {
  return `${stream.remoteAddress.hostname}:${stream.remoteAddress.port}`;
}
