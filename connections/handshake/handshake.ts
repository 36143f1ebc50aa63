// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import type { ByteStream } from "../../transport/transport.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { SealError } from "../noise/cipher_state.ts";
import { refuse } from "./handshake_frames.ts";
import { decodeHello, HELLO_BYTES_MAX, judgeHello, PROTOCOL_VERSIONS } from "./hello.ts";
import type { ConnectionRequest } from "./introduction.ts";
import { acceptOpen, dialOpen } from "./open_handshake.ts";
import { acceptSealed, dialSealed } from "./sealed_handshake.ts";
import { type AcceptorDecisions, type ClusterIdentity, type HandshakeEnd, type Session, where } from "./session.ts";

/** Largest frame of the handshake behind the hello, in bytes. */
export const HANDSHAKE_FRAME_BYTES = 64 * 1024;

/**
 * Introduces this node to the acceptor at the other end of a stream. With a secret, both prove that they know it, the dialer first.
 *
 * @param secret Secret to use; the preferred one by default.
 * @returns Agreement of both ends, and the node that answered.
 * @throws {HandshakeRefusedError} When either side refuses the other.
 * @throws {ProtocolError} When the other end does not speak this protocol, or closes early.
 * @throws {SealError} When an attacker in between has changed what was said.
 */
export function dialHandshake(
  end: HandshakeEnd,
  request: ConnectionRequest,
  secret: Uint8Array | undefined = end.identity.secrets.accepted()[0],
): Promise<Session & { spec: NodeSpec }> {
  end.reader.maxFrameBytes = HANDSHAKE_FRAME_BYTES;
  return secret === undefined ? dialOpen(end, request) : dialSealed(end, request, secret);
}

/**
 * Answers the dialer at the other end of a stream.
 *
 * @returns Agreement of both ends, and the request that was granted; or `null` when the stream ended without a word.
 * @throws {HandshakeRefusedError} When either side refuses the other.
 * @throws {ProtocolError} When the other end does not speak this protocol, or closes early.
 */
export async function acceptHandshake(
  end: HandshakeEnd,
  decisions: AcceptorDecisions,
): Promise<Session & { request: ConnectionRequest } | null> {
  const { reader, stream, identity } = end;
  reader.maxFrameBytes = HELLO_BYTES_MAX;
  const first = await reader.next();
  if (first === null) return null;
  if (first.kind !== FrameKind.hello) throw new ProtocolError(`Cannot accept ${where(stream)}: it did not say hello`);
  const hello = decodeHello(first.body);
  const { cluster, secrets, versions = PROTOCOL_VERSIONS } = identity;
  const refusal = judgeHello(hello, { cluster, versions, sealed: !secrets.isOpen }, stream.remoteAddress);
  if (refusal !== null) throw await refuse(stream, refusal);
  reader.maxFrameBytes = HANDSHAKE_FRAME_BYTES;
  return await (hello.sealed ? acceptSealed(end, hello, decisions) : acceptOpen(end, hello, decisions));
}

/** Whether a handshake failed because of what the other end said. */
export function isMalformed(error: unknown): error is ProtocolError | SealError {
  return error instanceof ProtocolError || error instanceof SealError;
}

/** Tells a dialer that its handshake is malformed. To a stranger, a node with a secret says nothing more than that. */
export async function refuseMalformed(stream: ByteStream, { secrets }: ClusterIdentity, error: Error): Promise<void> {
  const reason = secrets.isOpen ? error.message : "Cannot finish the handshake: it is malformed";
  await refuse(stream, { code: "protocol", reason });
}
