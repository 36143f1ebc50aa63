// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertInstanceOf } from "@std/assert";
import { acceptHandshake, dialHandshake, HANDSHAKE_FRAME_BYTES } from "../../../connections/handshake/handshake.ts";
import type { ConnectionRequest } from "../../../connections/handshake/introduction.ts";
import { HandshakeRefusedError, type Refusal } from "../../../connections/handshake/refusal.ts";
import type { ClusterIdentity, HandshakeEnd, Session } from "../../../connections/handshake/session.ts";
import { SealError } from "../../../connections/noise/cipher_state.ts";
import type { ByteStream } from "../../../transport/transport.ts";
import { FrameReader, ProtocolError } from "../../../wire/frame_reader.ts";
import type { NodeSpec } from "../../../wire/node_spec.ts";
import { nodeSpec } from "../../node_spec.ts";
import { bareRuntime } from "../bare_runtime.ts";
import { clusterIdentity } from "../cluster_identity.ts";
import { streamPair } from "../stream_pair.ts";

export const runtime = bareRuntime();
export const SPEC_A = nodeSpec("a", 10);
export const SPEC_B = nodeSpec("b", 20);

/** Request of the dialer "a" to the acceptor "b". */
export const REQUEST: ConnectionRequest = {
  spec: SPEC_A,
  to: "b",
  toIncarnation: 20,
  channel: "default",
  index: 0,
  dial: 7,
  seen: 3,
};

/** Makes the identity of a node. */
export function identityOf(
  name: string,
  secrets: readonly string[] = [],
  parts: Partial<ClusterIdentity> = {},
): Promise<ClusterIdentity> {
  return clusterIdentity(runtime, name, secrets, parts);
}

/** The specification of "a" or "b", with its key where there are secrets. */
export async function keyedSpec(name: "a" | "b", secrets: readonly string[]): Promise<NodeSpec> {
  return withKey(name === "a" ? SPEC_A : SPEC_B, await identityOf(name, secrets));
}

/** A specification with the key of an identity, if it has one. */
export function withKey(spec: NodeSpec, { keys }: ClusterIdentity): NodeSpec {
  return keys === null ? spec : { ...spec, key: keys.publicKey };
}

/** One end of a stream that is about to shake hands. */
export function endOf(stream: ByteStream, identity: ClusterIdentity): HandshakeEnd {
  return { stream, reader: new FrameReader(stream, HANDSHAKE_FRAME_BYTES), identity, runtime };
}

/** Two sides of a handshake. */
export interface Sides {
  readonly dialer: ClusterIdentity;
  readonly acceptor: ClusterIdentity;
  readonly request?: Partial<ConnectionRequest>;
  /** Specification of the acceptor. */
  readonly spec?: NodeSpec;
  readonly admit?: (request: ConnectionRequest) => Promise<Refusal | null>;
  /** Whether the acceptor wants connections with the dialer. */
  readonly isWanted?: (request: ConnectionRequest) => boolean;
}

/** Result of both sides. */
export interface Outcome {
  readonly dialed: PromiseSettledResult<Session & { spec: NodeSpec }>;
  readonly accepted: PromiseSettledResult<Session & { request: ConnectionRequest } | null>;
}

/** Lets two sides shake hands, over a stream of their own unless its ends are given. */
export async function shake(sides: Sides, ends?: [ByteStream, ByteStream]): Promise<Outcome> {
  const { dialer, acceptor, admit = () => Promise.resolve(null) } = sides;
  const [near, far] = ends ?? await streamPair();
  const request = { ...REQUEST, spec: withKey(SPEC_A, dialer), ...sides.request };
  const dialing = dialHandshake(endOf(near, dialer), request);
  const decisions = {
    spec: withKey(sides.spec ?? SPEC_B, acceptor),
    admit,
    isOccupied: () => false,
    isWanted: sides.isWanted,
  };
  const accepting = acceptHandshake(endOf(far, acceptor), decisions);
  // A side that fails closes, as the opener does.
  dialing.catch(() => near.close());
  accepting.catch(() => far.close());
  const [dialed, accepted] = await Promise.allSettled([dialing, accepting]);
  return { dialed, accepted };
}

/** Result of a side, in a word. */
export function codeOf(result: PromiseSettledResult<unknown>): string {
  if (result.status === "fulfilled") return "none";
  if (result.reason instanceof HandshakeRefusedError) return result.reason.refusal.code;
  if (result.reason instanceof SealError) return "seal";
  assertInstanceOf(result.reason, ProtocolError, `${result.reason}`);
  return "protocol error";
}

/** Message of the error with which a side failed. */
export function messageOf(result: PromiseSettledResult<unknown>): string {
  return result.status === "fulfilled" ? "" : `${result.reason.message}`;
}
