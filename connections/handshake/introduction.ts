// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../../wire/integers.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { checkNodeSpec } from "../../wire/node_spec_check.ts";
import { malformed } from "./handshake_frames.ts";

/** Limits of the number of features that a node names, and of the length of a name. */
const FEATURES_MAX = 64;
const FEATURE_LENGTH_MAX = 64;
/** Frames of at least this size must fit, and none is larger than its length can say. */
const FRAME_BYTES_MIN = 1024;
const FRAME_BYTES_MAX = 2 ** 32 - 1;

/**
 * Features of this release beyond its version of the protocol. Features that a peer does not name are not used with it. A name
 * is never given to anything else.
 */
export const FEATURES: readonly string[] = [
  "drain",
  "streams",
  "trace",
  "probe",
  "vouch",
  "early",
  "interest",
  "packed",
];

/** Features of a connection of which nothing was agreed. */
export const NO_FEATURES: ReadonlySet<string> = new Set();

/** Request of a dialer for a connection. */
export interface ConnectionRequest {
  /** The dialer. */
  readonly spec: NodeSpec;
  /** Name of the node that the dialer means to reach, or `null` for any that answers. */
  readonly to: string | null;
  /** Newest incarnation of that node that the dialer knows of; 0 for none. */
  readonly toIncarnation: number;
  /** Channel that the connection carries. */
  readonly channel: string;
  /** Index among the channel's parallel connections, from 0. */
  readonly index: number;
  /** Number of this dial; later dials of one incarnation have greater ones. */
  readonly dial: number;
  /** Greatest dial number of that incarnation's that the dialer has seen succeed for this channel and index; 0 for none. */
  readonly seen: number;
  /** Whether the dialer holds the connection that has the slot for lost: what is still in it is not to be waited for. */
  readonly lost?: true;
  /** A random number, by which the dialer knows its dial when it is asked over another connection. */
  readonly ticket?: number;
  /**
   * The connection without a socket that is to go on over this one: its number at the dialer, and at the acceptor, 0 as long as the dialer does
   * not know that. Left out where there is none.
   */
  readonly early?: readonly [dialer: number, acceptor: number];
  /** Interest of the dialer, whether it wants connections with the acceptor. Left out but for the membership connection. */
  readonly wanted?: boolean;
}

/** Greatest dial number that the dialer has seen succeed of this incarnation of the acceptor. A former one has counted for itself. */
export function seenOf(
  { seen, toIncarnation }: Pick<ConnectionRequest, "seen" | "toIncarnation">,
  { incarnation }: Pick<NodeSpec, "incarnation">,
): number {
  return toIncarnation === incarnation ? seen : 0;
}

/** Offer of a node on a connection. */
export interface Terms {
  /** Its features beyond its version of the protocol. */
  readonly features: readonly string[];
  /** The largest frame that it takes, in bytes, without its 4 bytes of length. */
  readonly maxFrameBytes: number;
}

/**
 * Checks what a dialer asks for.
 *
 * @throws {ProtocolError} When it is malformed.
 */
export function requestFrom(body: Readonly<Record<string, unknown>>): ConnectionRequest {
  const { to, toIncarnation, channel, index, dial, seen, lost, ticket, early, wanted } = body;
  if (to !== null && typeof to !== "string" || typeof channel !== "string") throw malformed("introduction");
  if (!isIntegerIn(toIncarnation, 0) || !isIntegerIn(index, 0) || !isIntegerIn(dial, 0) || !isIntegerIn(seen, 0)) {
    throw malformed("introduction");
  }
  if (lost !== undefined && lost !== true) throw malformed("introduction");
  if (ticket !== undefined && !isIntegerIn(ticket, 0)) throw malformed("introduction");
  if (early !== undefined && !isPairOfNumbers(early)) throw malformed("introduction");
  if (wanted !== undefined && typeof wanted !== "boolean") throw malformed("introduction");
  const request = { spec: specFrom(body, "introduction"), to, toIncarnation, channel, index, dial, seen };
  return {
    ...request,
    ...lost === undefined ? {} : { lost },
    ...ticket === undefined ? {} : { ticket },
    ...early === undefined ? {} : { early },
    ...wanted === undefined ? {} : { wanted },
  };
}

/**
 * Checks what a node says of itself.
 *
 * @throws {ProtocolError} When it is malformed.
 */
export function specFrom({ spec }: Readonly<Record<string, unknown>>, what: string): NodeSpec {
  try {
    return checkNodeSpec(spec);
  } catch (cause) {
    throw malformed(what, cause);
  }
}

/**
 * Checks what a node offers.
 *
 * @throws {ProtocolError} When it is malformed.
 */
export function termsFrom(body: Readonly<Record<string, unknown>>, what: string): Terms {
  const { features, maxFrameBytes } = body;
  if (!Array.isArray(features) || features.length > FEATURES_MAX || !features.every(isFeature)) throw malformed(what);
  if (!isIntegerIn(maxFrameBytes, FRAME_BYTES_MIN, FRAME_BYTES_MAX)) throw malformed(what);
  return { features, maxFrameBytes };
}

function isFeature(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= FEATURE_LENGTH_MAX;
}

function isPairOfNumbers(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((number) => isIntegerIn(number, 0, 2 ** 32 - 1));
}
