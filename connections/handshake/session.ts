// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../transport/runtime.ts";
import type { ByteStream } from "../../transport/transport.ts";
import type { FrameReader } from "../../wire/frame_reader.ts";
import type { Decoder } from "../../wire/message_pack_decode.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import type { KeyPair } from "../noise/primitives.ts";
import type { WriterPool } from "../writer_pool.ts";
import { malformed, refuse } from "./handshake_frames.ts";
import { commonVersion, type Hello, PROTOCOL_VERSIONS, type Versions } from "./hello.ts";
import { type ConnectionRequest, FEATURES, specFrom, termsFrom } from "./introduction.ts";
import type { Refusal } from "./refusal.ts";
import type { SharedSecrets } from "./shared_secrets.ts";
import { formatAddress } from "../../wire/address.ts";

const ALL_FEATURES: ReadonlySet<string> = new Set(FEATURES);

/** Credentials of a node. */
export interface Credentials {
  /** The secrets that are accepted; none when the cluster is open. */
  readonly secrets: SharedSecrets;
  /** Static keys of the node: the public key is in its specification. `null` in an open cluster. */
  readonly keys: KeyPair | null;
}

/** Properties that both ends must have in common, and credentials of this one. */
export interface ClusterIdentity extends Credentials {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Name of the membership strategy. */
  readonly strategy: string;
  /** The largest frame that this node takes, in bytes, without its 4 bytes of length. */
  readonly maxFrameBytes: number;
  /**
   * Versions of the protocol that this node speaks.
   *
   * @default {PROTOCOL_VERSIONS}
   */
  readonly versions?: Versions | undefined;
  /**
   * Features of this node beyond them.
   *
   * @default {FEATURES}
   */
  readonly features?: readonly string[] | undefined;
  /**
   * Records after which sealed connections change their keys; the same on all nodes.
   *
   * @default {REKEY_INTERVAL}
   */
  readonly rekeyInterval?: number | undefined;
}

/** Interests of two ends, as they said at the beginning of a membership connection: whether each wants connections with the other. */
export interface Interests {
  readonly ours: boolean;
  readonly theirs: boolean;
}

/** Agreement of two ends: a stream whose other end is known. */
export interface Session {
  /** Stream of the connection; sealed, where there is a secret. */
  readonly stream: ByteStream;
  readonly reader: FrameReader;
  /** The version of the protocol that both speak. */
  readonly version: number;
  /** Features of both ends beyond it. */
  readonly features: ReadonlySet<string>;
  /** The largest frame that the other end takes, in bytes, without its 4 bytes of length. */
  readonly maxFrameBytes: number;
  /** Interests of both, where both said them. */
  readonly interests?: Interests | undefined;
}

/** One end of a stream, before anything about the other is known. */
export interface HandshakeEnd {
  readonly stream: ByteStream;
  readonly reader: FrameReader;
  readonly identity: ClusterIdentity;
  readonly runtime: Runtime;
  /** Pool of writers that put sealed records together. */
  readonly writers?: WriterPool | undefined;
  /**
   * Decoder of what the other end says.
   *
   * @default {a decoder for each value}
   */
  readonly decoder?: Decoder | undefined;
}

/** The acceptor's decisions. */
export interface AcceptorDecisions {
  /** This node. */
  readonly spec: NodeSpec;
  /**
   * The dialer has said who it is, and with a secret proven that it holds the key that it names.
   *
   * @default {none}
   */
  introduced?(spec: NodeSpec): void;
  /** Decides, once the dialer is trusted, whether it may have the connection that it asks for: at once, or when others have been asked. */
  admit(request: ConnectionRequest): Refusal | null | Promise<Refusal | null>;
  /**
   * Whether the connection would take the slot of another one. Then the dialer has to show that it is still there: a dial that waited while
   * this node was stopped may have been given up long ago.
   */
  isOccupied(request: ConnectionRequest): boolean;
  /**
   * Whether this node wants connections with the dialer, as far as it knows now.
   *
   * @default {not said}
   */
  readonly isWanted?: ((request: ConnectionRequest) => boolean) | undefined;
}

/** The versions of the protocol that a node speaks. */
export function versionsOf({ versions = PROTOCOL_VERSIONS }: ClusterIdentity): Versions {
  return versions;
}

/** The version to speak with a dialer whose hello was found right. */
export function chosenVersion(identity: ClusterIdentity, hello: Hello): number {
  return commonVersion(versionsOf(identity), hello.versions)!;
}

/** Introduction of a dialer: its specification and its request. */
export function introductionOf(identity: ClusterIdentity, request: ConnectionRequest): Record<string, unknown> {
  const { strategy, features = FEATURES, maxFrameBytes } = identity;
  const wanted = features.includes("interest") ? request.wanted : undefined;
  return { strategy, ...request, wanted, features, maxFrameBytes };
}

/** Answer of an acceptor about itself. */
export function readyOf(
  identity: ClusterIdentity,
  version: number,
  spec: NodeSpec,
  wanted?: boolean,
): Record<string, unknown> {
  const { features = FEATURES, maxFrameBytes } = identity;
  return { version, spec, wanted, features, maxFrameBytes };
}

/** Interest of an acceptor, which says it only to a dialer that has said its own, and where both know how. */
export function interestIn(
  request: ConnectionRequest,
  { features }: Pick<Session, "features">,
  { isWanted }: AcceptorDecisions,
): boolean | undefined {
  return request.wanted === undefined || !features.has("interest") ? undefined : isWanted?.(request);
}

/** Interests of both ends, where both said them. */
export function interestsOf(ours: boolean | undefined, theirs: boolean | undefined): Pick<Session, "interests"> {
  return ours === undefined || theirs === undefined ? {} : { interests: { ours, theirs } };
}

/**
 * Takes an acceptor's answer.
 *
 * @throws {ProtocolError} When it is malformed.
 */
export function readyFrom(
  identity: ClusterIdentity,
  { wanted: ours }: ConnectionRequest,
  body: Readonly<Record<string, unknown>>,
): Pick<Session, "version" | "features" | "maxFrameBytes" | "interests"> & { spec: NodeSpec } {
  const { version, wanted } = body;
  if (wanted !== undefined && typeof wanted !== "boolean") throw malformed("answer");
  if (typeof version !== "number" || commonVersion(versionsOf(identity), [version, version]) === null) {
    throw malformed("answer");
  }
  const agreed = agreement(identity, body, "answer");
  const interests = agreed.features.has("interest") ? interestsOf(ours, wanted) : {};
  return { version, spec: specFrom(body, "answer"), ...agreed, ...interests };
}

/**
 * Features of both ends, and the largest frame that the other end takes.
 *
 * @throws {ProtocolError} When what it offers is malformed.
 */
export function agreement(
  { features = FEATURES }: ClusterIdentity,
  body: Readonly<Record<string, unknown>>,
  what: string,
): Pick<Session, "features" | "maxFrameBytes"> {
  const theirs = termsFrom(body, what);
  const { maxFrameBytes } = theirs;
  // Most ends are of one release.
  if (features === FEATURES && features.every((feature) => theirs.features.includes(feature))) {
    return { features: ALL_FEATURES, maxFrameBytes };
  }
  return { features: new Set(features.filter((feature) => theirs.features.includes(feature))), maxFrameBytes };
}

/** Whether a trusted acceptor is the node that was meant. */
function judgeAcceptor(
  { spec, stream }: Session & { spec: NodeSpec },
  { to, spec: self }: ConnectionRequest,
): Refusal | null {
  if (spec.name === self.name) {
    const reason = `Cannot reach ${where(stream)}: it answers with the name of this node, "${self.name}"`;
    return { code: "self", reason };
  }
  return to === null || to === spec.name ? null : wrongNode(to, spec.name, where(stream));
}

/**
 * Session with a trusted acceptor, which is refused where it is not the node that was meant.
 *
 * @throws {HandshakeRefusedError} When it is refused.
 */
export function checkAcceptor<S extends Session & { spec: NodeSpec }>(
  session: S,
  request: ConnectionRequest,
): S | Promise<never> {
  const refusal = judgeAcceptor(session, request);
  return refusal === null ? session : refuse(session.stream, refusal).then((error) => Promise.reject(error));
}

/** Whether a dialer means this node. */
export function judgeIntroduction(
  identity: ClusterIdentity,
  { strategy }: Readonly<Record<string, unknown>>,
  { to }: ConnectionRequest,
  self: NodeSpec,
  stream: ByteStream,
): Refusal | null {
  if (strategy !== identity.strategy) {
    const reason = `Cannot accept ${where(stream)}: strategy is ${quote(strategy)}, expected ${
      quote(identity.strategy)
    }`;
    return { code: "strategy", reason };
  }
  return to === null || to === self.name ? null : wrongNode(to, self.name, "this address");
}

function wrongNode(expected: string, found: string, at: string): Refusal {
  return { code: "wrong-node", reason: `Cannot reach ${quote(expected)}: ${at} belongs to ${quote(found)}` };
}

function quote(value: unknown): string {
  return typeof value === "string" ? `"${value.slice(0, 64)}"` : `${value}`;
}

/** The other end of a stream, for people. */
export function where(stream: ByteStream): string {
  return formatAddress(stream.remoteAddress);
}
