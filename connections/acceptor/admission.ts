// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hasOtherKey, type NodeSpec } from "../../wire/node_spec.ts";
import type { Connection } from "../connection.ts";
import { type ConnectionRequest, seenOf } from "../handshake/introduction.ts";
import { isPlausible } from "../incarnation_news.ts";
import { type Peer, slotKey } from "../peer.ts";
import { agreedSlotsOn } from "../slots.ts";
import { HandshakeRefusedError, type Refusal } from "../handshake/refusal.ts";
import type { Session } from "../handshake/session.ts";

/** State of this node when a connection is asked for. */
export interface AdmissionContext {
  /** This node. */
  readonly self: NodeSpec;
  /** Peer of the dialer, if it is known. */
  readonly peer: Peer | undefined;
  /** Whether this node has begun to dial the same slot at about the same time. */
  readonly dialing: boolean;
  /** Whether the dialer means a connection without a socket that is here as well, or can be. */
  readonly fits: boolean;
  /** Milliseconds since the epoch. */
  readonly wallTime: number;
  /**
   * Whether the dialer was told that it may, so that it may take its connection for open.
   *
   * @default {false}
   */
  readonly isGranted?: boolean;
}

/** No node dials more than once a millisecond, from its start on; so many more are for clocks that differ. */
const DIALS_AHEAD = 2 ** 20;

/**
 * Decides whether a trusted dialer may have the connection that it asks for.
 *
 * Where both sides dial one slot at the same time, the connection dialed by the node whose name sorts first stays, unless the other one is
 * open already: it may be in use. A dialer that has seen our connection succeed and dials all the same has lost it, so the new one replaces it.
 * A dialer that dialed the present one itself knows best that it is gone.
 *
 * @returns `null` to admit it, a refusal, or `"probe"`: another incarnation of the name seems to live; ask it first.
 */
export function judgeRequest(
  request: ConnectionRequest,
  { self, peer, dialing, fits, wallTime, isGranted }: AdmissionContext,
): Refusal | "probe" | null {
  const { spec, channel, index } = request;
  if (spec.name === self.name) return ownName(spec, self);
  const impossible = findImpossible(request, self, wallTime);
  if (impossible !== null) return impossible;
  if (request.toIncarnation > self.incarnation) return superseded(request, self);
  if (peer !== undefined && spec.incarnation < peer.spec.incarnation) {
    const known = peer.spec.incarnation;
    const reason = `Cannot accept "${spec.name}": incarnation ${spec.incarnation} is older than the known ${known}`;
    return { code: "stale-incarnation", reason, known };
  }
  if (peer !== undefined && hasOtherKey(spec, peer.spec)) return nameInUse(spec.name);
  const slots = agreedSlotsOn(channel, self, spec);
  if (index >= slots) {
    const reason =
      `Cannot accept "${spec.name}": channel "${channel}" has ${slots} connections, asked for number ${index}`;
    return { code: "channel", reason };
  }
  if (peer === undefined) return request.early === undefined ? null : noLongerEarly(spec);
  if (peer.partitioned) {
    return { code: "partitioned", reason: `Cannot accept "${spec.name}": an injected partition is in between` };
  }
  const isEarly = request.early !== undefined;
  if (isEarly && !fits) return noLongerEarly(spec);
  if (spec.incarnation > peer.spec.incarnation) return peer.membership !== null && !peer.silent ? "probe" : null;
  if (request.dial <= (peer.seenDials.get(slotKey(channel, index)) ?? 0)) {
    return { code: "duplicate", reason: `Cannot accept "${spec.name}": a later dial of its has been accepted already` };
  }
  const present = peer.at(channel, index);
  if (present?.early && !fits) return noLongerEarly(spec);
  const isFirst = self.name < spec.name;
  // A dialer that does not know which node it has reached cannot have seen anything. One that was told that it may has used its connection, or
  // not, by the order of the names: see `isPreferred`.
  const isUnseen = present?.outbound &&
    (request.to === null ? isFirst : seenOf(request, self) < present.dial && (isFirst || !isGranted));
  const isGone = present === null || isEarly || (present.inDoubt && !peer.doubtful);
  // The dialer may have told that this node is up. A dial that began here meanwhile is refused over there, or takes the slot over: the dialer is
  // never without a connection. Where both ends have to take the same socket, neither can be.
  const isKept = isGranted && !isEarly;
  const crossing = isGone ? dialing && isFirst && !isKept : isUnseen && !peer.doubtful;
  if (crossing) {
    return { code: "duplicate", reason: `Cannot accept "${spec.name}": the connection is dialed from here as well` };
  }
  return null;
}

/** Whether a connection that was dialed from here is to take the slot of the one that fills it now. */
export function isPreferred(
  request: Pick<ConnectionRequest, "dial" | "seen" | "toIncarnation">,
  present: Connection | null,
  peer: Peer,
  self: NodeSpec,
): boolean {
  if (present === null || peer.doubtful) return true;
  // It was there when the dial began: so it was meant to be replaced, and the other side has done so.
  if (!present.outbound && present.dial <= seenOf(request, peer)) return true;
  // The other side has refused or replaced earlier dials; of two that crossed, it admitted what `judgeRequest` says.
  return present.outbound ? request.dial > present.dial : self.name < peer.name;
}

/**
 * Makes sure that a node that was dialed is the one whose name it has.
 *
 * @throws {HandshakeRefusedError} When it shows another key than the one that has had the name; then its stream is closed.
 */
export function checkOwner(known: NodeSpec, { spec, stream }: Pick<Session, "stream"> & { spec: NodeSpec }): void {
  if (!hasOtherKey(spec, known)) return;
  stream.close();
  throw new HandshakeRefusedError(nameInUse(spec.name));
}

/** Either side may have a socket for the connection by now, or have lost it with its carrier: the dialer looks again what it has. */
function noLongerEarly({ name }: NodeSpec): Refusal {
  return {
    code: "duplicate",
    reason: `Cannot accept "${name}": the connection that needs a socket is not the same here`,
  };
}

/** Finds a claim that cannot be true: it would be remembered for as long as the name is known. */
function findImpossible({ spec, dial, toIncarnation }: ConnectionRequest, self: NodeSpec, wallTime: number) {
  const refuse = (what: string): Refusal => ({ code: "protocol", reason: `Cannot accept "${spec.name}": ${what}` });
  if (toIncarnation > self.incarnation && !isPlausible(toIncarnation, wallTime)) {
    return refuse(`it expects incarnation ${toIncarnation} of "${self.name}", which lies far in the future`);
  }
  const most = DIALS_AHEAD + Math.max(0, wallTime - spec.incarnation);
  return dial > most ? refuse(`its dial has number ${dial}, expected at most ${Math.floor(most)}`) : null;
}

/** The refusal of a node whose name belongs to another one that lives. */
export function nameInUse(name: string): Refusal {
  return {
    code: "name-in-use",
    reason: `Cannot accept "${name}": another living node has the name; choose a different one`,
  };
}

/** A newer incarnation of this node's own name is known to others: it has to become newer still, and will then be found here. */
function superseded({ spec, toIncarnation }: ConnectionRequest, self: NodeSpec): Refusal {
  const reason =
    `Cannot accept "${spec.name}": this is incarnation ${self.incarnation} of "${self.name}", expected ${toIncarnation}`;
  return { code: "stopping", reason };
}

function ownName(spec: NodeSpec, self: NodeSpec): Refusal {
  if (spec.incarnation !== self.incarnation) return nameInUse(spec.name);
  return { code: "self", reason: `Cannot accept "${spec.name}": the node dialed itself` };
}
