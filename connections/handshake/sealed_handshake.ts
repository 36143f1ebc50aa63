// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readU16 } from "../../wire/integers.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { FrameReader, ProtocolError } from "../../wire/frame_reader.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { SealError } from "../noise/cipher_state.ts";
import { HandshakeState } from "../noise/handshake_state.ts";
import { KEY_BYTES, keyPair } from "../noise/primitives.ts";
import { SealedStream } from "../noise/sealed_stream.ts";
import { checkFrame, joined, malformed, record, refuse, sendFrame } from "./handshake_frames.ts";
import { commonVersion, type decodeHello, encodeHello } from "./hello.ts";
import { type ConnectionRequest, requestFrom } from "./introduction.ts";
import { HandshakeRefusedError, type Refusal } from "./refusal.ts";
import type { ByteStream } from "../../transport/transport.ts";
import {
  type AcceptorDecisions,
  agreement,
  checkAcceptor,
  chosenVersion,
  type HandshakeEnd,
  interestIn,
  interestsOf,
  introductionOf,
  judgeIntroduction,
  readyFrom,
  readyOf,
  type Session,
  versionsOf,
  where,
} from "./session.ts";

/*
 * With a secret, the handshake is Noise's XXpsk3:
 *
 *     dialer   hello         e               -->
 *                                            <--  e, ee, s, es   welcome   acceptor
 *              introduction  s, se, psk      -->
 *                                            <--  sealed         ready
 *
 * The prologue is what the hello says in the clear. The payload of the welcome is the version that was chosen, and that of the introduction is the
 * introduction. The first thing that the acceptor seals with the keys of the session is its answer, a frame `ready` or `refused`: it proves that the
 * acceptor knows the secret too. After it everything is sealed.
 *
 * Over TLS nothing more is sealed. There the prologue goes on with the fingerprints of both certificates, so that no holder of a certificate can stand
 * between two members and pass their proofs on.
 */

const PATTERN = "XXpsk3";
const NOTHING = new Uint8Array();

/** Dials in a cluster with a secret. */
export async function dialSealed(
  end: HandshakeEnd,
  request: ConnectionRequest,
  secret: Uint8Array,
): Promise<Session & { spec: NodeSpec }> {
  const { identity, stream, reader } = end;
  const clear = encodeHello({ versions: versionsOf(identity), sealed: true, cluster: identity.cluster });
  const noise = handshakeState(end, clear, true, secret);
  await sendFrame(stream, FrameKind.hello, joined(clear, noise.write(NOTHING)));
  const welcome = checkFrame(await reader.next(), [FrameKind.welcome], false);
  checkVersion(end, noise.read(welcome.body));
  const introduction = encode(introductionOf(identity, request));
  await sendFrame(stream, FrameKind.introduction, noise.write(introduction));
  const { inbound, outbound } = noise.split();
  const answer = checkFrame(await reader.next(), [FrameKind.ready], false);
  const opened = inbound.open(NOTHING, answer.body);
  if (opened.length === 0) throw malformed("answer");
  const { body } = checkFrame({ kind: opened[0]!, body: opened.subarray(1) }, [FrameKind.ready], true);
  const ready = readyFrom(identity, request, record(body, "answer", end.decoder));
  if (isSame(noise.remoteStatic, identity.keys!.publicKey)) throw new HandshakeRefusedError(mirrored(where(stream)));
  checkKey(ready.spec, noise.remoteStatic);
  return checkAcceptor({ ...sealed(end, inbound, outbound), ...ready }, request);
}

/** Answers in a cluster with a secret. */
export async function acceptSealed(
  end: HandshakeEnd,
  hello: ReturnType<typeof decodeHello>,
  decisions: AcceptorDecisions,
): Promise<Session & { request: ConnectionRequest }> {
  const { identity, stream, reader } = end;
  const version = chosenVersion(identity, hello);
  const noise = handshakeState(end, hello.clear, false);
  noise.read(hello.rest);
  await sendFrame(stream, FrameKind.welcome, noise.write(Uint8Array.of(version >>> 8, version)));
  const { body } = checkFrame(await reader.next(), [FrameKind.introduction], false);
  const payload = await prove(end, noise, body);
  const { inbound, outbound } = noise.split();
  const answer = (kind: number, content: unknown) => {
    const plain = joined(Uint8Array.of(kind), encode(content));
    const target = new Uint8Array(plain.length + outbound.overhead);
    outbound.sealInto(NOTHING, plain, target, 0);
    return sendFrame(stream, FrameKind.ready, target);
  };
  const introduction = record(payload, "introduction", end.decoder);
  const request = requestFrom(introduction);
  checkKey(request.spec, noise.remoteStatic);
  decisions.introduced?.(request.spec);
  const agreed = agreement(identity, introduction, "introduction");
  const isMirrored = isSame(noise.remoteStatic, identity.keys!.publicKey) && request.spec.name !== decisions.spec.name;
  const refusal = isMirrored
    ? mirrored(where(stream))
    : judgeIntroduction(identity, introduction, request, decisions.spec, stream) ??
      await decisions.admit(request);
  if (refusal !== null) {
    await answer(FrameKind.refused, refusal).catch(() => {});
    throw new HandshakeRefusedError(refusal);
  }
  const wanted = interestIn(request, agreed, decisions);
  await answer(FrameKind.ready, readyOf(identity, version, decisions.spec, wanted));
  const interests = interestsOf(wanted, request.wanted);
  return { ...sealed(end, inbound, outbound), version, ...agreed, ...interests, request };
}

function handshakeState(
  { identity, runtime, stream }: HandshakeEnd,
  prologue: Uint8Array,
  initiator: boolean,
  secret?: Uint8Array,
): HandshakeState {
  return new HandshakeState({
    pattern: PATTERN,
    initiator,
    prologue: joined(prologue, binding(stream, initiator)),
    staticKeys: identity.keys!,
    ephemeralKeys: keyPair(runtime.random.bytes(KEY_BYTES)),
    preSharedKey: secret,
  });
}

/** Finds the secret that a dialer has used, of the few that are accepted. */
async function prove(
  { identity, stream }: HandshakeEnd,
  noise: HandshakeState,
  message: Uint8Array,
): Promise<Uint8Array> {
  for (const secret of identity.secrets.accepted()) {
    try {
      return noise.read(message, secret);
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
    }
  }
  throw await refuse(stream, {
    code: "secret",
    reason: `Cannot accept ${where(stream)}: it does not know the secret`,
  });
}

/**
 * Channel binding: the value that the two ends of a stream over TLS have in common, and the ends of no other: both
 * certificates, that of the dialer first.
 */
function binding({ certificate, ownFingerprint256 }: ByteStream, initiator: boolean): Uint8Array {
  if (certificate === undefined || ownFingerprint256 === undefined) return NOTHING;
  const prints = [ownFingerprint256, certificate.fingerprint256];
  return new TextEncoder().encode((initiator ? prints : prints.reverse()).join());
}

/** The stream on which all that follows is sealed, by TLS or here. */
function sealed(
  { stream, reader, identity, runtime, writers }: HandshakeEnd,
  inbound: ReturnType<HandshakeState["split"]>["inbound"],
  outbound: ReturnType<HandshakeState["split"]>["outbound"],
): Pick<Session, "stream" | "reader"> {
  if (binding(stream, true).length > 0) return { stream, reader };
  const { rekeyInterval } = identity;
  const giveWay = () => runtime.giveWay?.();
  const received = reader.rest();
  const inner = new SealedStream({ stream, inbound, outbound, received, rekeyInterval, giveWay, writers });
  return { stream: inner, reader: new FrameReader(inner, reader.maxFrameBytes) };
}

/** The version is the acceptor's choice, among those that this node speaks. */
function checkVersion({ identity }: HandshakeEnd, payload: Uint8Array): void {
  const version = payload.length === 2 ? readU16(payload, 0) : -1;
  if (commonVersion(versionsOf(identity), [version, version]) === null) throw malformed("welcome");
}

/** A node is who it says only if it holds the key that it says. */
function checkKey(spec: NodeSpec, proven: Uint8Array | null): void {
  if (isSame(spec.key, proven)) return;
  throw new ProtocolError(`Cannot finish the handshake: "${spec.name}" has not proven that it holds its key`);
}

function mirrored(at: string): Refusal {
  return { code: "self", reason: `Cannot trust ${at}: it holds the key of this node` };
}

function isSame(a: Uint8Array | null | undefined, b: Uint8Array | null): boolean {
  return a !== undefined && a !== null && b !== null && a.length === b.length && a.every((byte, at) => byte === b[at]);
}
