// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../../wire/frame_kind.ts";
import { encodeInto } from "../../wire/message_pack_encode.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import {
  beginFrame,
  checkFrame,
  endFrame,
  record,
  refuse,
  sendFrame,
  sendFrames,
  sendValue,
} from "./handshake_frames.ts";
import { type Hello, writeHello } from "./hello.ts";
import { type ConnectionRequest, requestFrom } from "./introduction.ts";
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
} from "./session.ts";

/*
 * Without a secret, the dialer says at once all that there is to say:
 *
 *     dialer   hello, introduction  -->
 *                                   <--  ready   acceptor
 *
 * Where the connection would take the slot of another one, the acceptor asks first whether the dialer is still there, by an empty welcome; an empty
 * introduction says so.
 */

/** Dials in an open cluster. */
export async function dialOpen(end: HandshakeEnd, request: ConnectionRequest): Promise<Session & { spec: NodeSpec }> {
  const { identity, stream, reader, writers, decoder } = end;
  await sendFrames(stream, writers, (writer) => {
    const hello = beginFrame(writer, FrameKind.hello);
    writeHello(writer, { versions: versionsOf(identity), sealed: false, cluster: identity.cluster });
    endFrame(writer, hello);
    const introduction = beginFrame(writer, FrameKind.introduction);
    encodeInto(writer, introductionOf(identity, request));
    endFrame(writer, introduction);
  });
  let answer = checkFrame(await reader.next(), [FrameKind.ready, FrameKind.welcome], true);
  if (answer.kind === FrameKind.welcome) {
    await sendFrame(stream, FrameKind.introduction);
    answer = checkFrame(await reader.next(), [FrameKind.ready], true);
  }
  const ready = readyFrom(identity, request, record(answer.body, "answer", decoder));
  return checkAcceptor({ stream, reader, ...ready }, request);
}

/** Answers in an open cluster. */
export async function acceptOpen(
  end: HandshakeEnd,
  hello: Hello,
  decisions: AcceptorDecisions,
): Promise<Session & { request: ConnectionRequest }> {
  const { identity, stream, reader, writers, decoder } = end;
  const version = chosenVersion(identity, hello);
  // It comes with the hello.
  const { body } = checkFrame(reader.take() ?? await reader.next(), [FrameKind.introduction], true);
  const introduction = record(body, "introduction", decoder);
  const request = requestFrom(introduction);
  decisions.introduced?.(request.spec);
  const agreed = agreement(identity, introduction, "introduction");
  const refusal = judgeIntroduction(identity, introduction, request, decisions.spec, stream) ??
    await decisions.admit(request);
  if (refusal !== null) throw await refuse(stream, refusal);
  if (decisions.isOccupied(request)) {
    await sendFrame(stream, FrameKind.welcome);
    checkFrame(await reader.next(), [FrameKind.introduction], true);
  }
  const wanted = interestIn(request, agreed, decisions);
  await sendValue(stream, writers, FrameKind.ready, readyOf(identity, version, decisions.spec, wanted));
  return { stream, reader, version, ...agreed, ...interestsOf(wanted, request.wanted), request };
}
