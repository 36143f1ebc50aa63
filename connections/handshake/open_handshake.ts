// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../../wire/frame_kind.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { expectFrame, frameOf, joined, record, refuse, sendFrame } from "./handshake_frames.ts";
import { encodeHello, type Hello } from "./hello.ts";
import { type ConnectionRequest, requestFrom } from "./introduction.ts";
import {
  type AcceptorDecisions,
  agreement,
  chosenVersion,
  type HandshakeEnd,
  introductionOf,
  judgeIntroduction,
  readyFrom,
  readyOf,
  type Session,
  versionsOf,
  where,
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
  const { identity, stream, reader } = end;
  const hello = encodeHello({ versions: versionsOf(identity), sealed: false, cluster: identity.cluster });
  const introduction = encode(introductionOf(identity, request));
  await stream.write(joined(frameOf(FrameKind.hello, hello), frameOf(FrameKind.introduction, introduction)));
  let answer = await expectFrame(reader, [FrameKind.ready, FrameKind.welcome], true);
  if (answer.kind === FrameKind.welcome) {
    await sendFrame(stream, FrameKind.introduction);
    answer = await expectFrame(reader, [FrameKind.ready], true);
  }
  const ready = readyFrom(identity, record(answer.body, "answer"));
  return { stream, reader, ...ready };
}

/** Answers in an open cluster. */
export async function acceptOpen(
  end: HandshakeEnd,
  hello: Hello,
  decisions: AcceptorDecisions,
): Promise<Session & { request: ConnectionRequest }> {
  const { identity, stream, reader } = end;
  const version = chosenVersion(identity, hello);
  const introduction = record((await expectFrame(reader, [FrameKind.introduction], true)).body, "introduction");
  const request = requestFrom(introduction);
  decisions.introduced?.(request.spec);
  const agreed = agreement(identity, introduction, "introduction");
  const refusal = judgeIntroduction(identity, introduction, request, decisions.spec, where(stream)) ??
    await decisions.admit(request);
  if (refusal !== null) throw await refuse(stream, refusal);
  if (decisions.isOccupied(request)) {
    await sendFrame(stream, FrameKind.welcome);
    await expectFrame(reader, [FrameKind.introduction], true);
  }
  await sendFrame(stream, FrameKind.ready, encode(readyOf(identity, version, decisions.spec)));
  return { stream, reader, version, ...agreed, request };
}
