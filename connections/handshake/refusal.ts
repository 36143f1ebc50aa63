// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../../wire/integers.ts";

/**
 * Every {@linkcode RefusalCode}, as it goes over the wire.
 *
 * @example A counter for each reason
 * ```ts
 * import { REFUSAL_CODES } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * const refused = new Map(REFUSAL_CODES.map((code) => [code, 0]));
 * assertEquals(refused.get("secret"), 0);
 * ```
 */
export const REFUSAL_CODES = [
  "version",
  "cluster",
  "strategy",
  "secret",
  "wrong-node",
  "self",
  "name-in-use",
  "stale-incarnation",
  "duplicate",
  "channel",
  "partitioned",
  "stopping",
  "protocol",
  "certificate",
  "not-admitted",
  "overloaded",
  "no-room",
] as const;

/**
 * Reason of a refused connection:
 *
 * - `version`, `cluster`, `strategy`, `secret`: the two nodes do not belong together.
 * - `wrong-node`: another node than the one meant lives at the address.
 * - `self`: the node dialed itself.
 * - `name-in-use`: another living node has the name.
 * - `stale-incarnation`: a newer incarnation of the name is known; `known` says which.
 * - `duplicate`: the connection exists already, or is being dialed by the other side. Not a failure.
 * - `channel`: neither node has such a channel, or it has fewer connections.
 * - `partitioned`: an injected partition lies in between.
 * - `stopping`: the node, or this incarnation of it, is about to end.
 * - `protocol`: what was sent is not how nodes speak to each other.
 * - `certificate`: it is not for the node that shows it.
 * - `not-admitted`: the `admit` option of the node says no.
 * - `overloaded`: too many others have not finished their handshakes.
 * - `no-room`: the node has too few file descriptors for connections with all others.
 */
export type RefusalCode = typeof REFUSAL_CODES[number];

const CODES: ReadonlySet<string> = new Set(REFUSAL_CODES);

/** Refusals that a stranger may give: another address may lead to the node that is meant. */
const BY_STRANGERS: ReadonlySet<RefusalCode> = new Set([
  "version",
  "cluster",
  "strategy",
  "secret",
  "wrong-node",
  "protocol",
  "overloaded",
]);

/**
 * Whether a refusal makes dialing other addresses pointless. Where no node in particular is meant, one that leads back to this node does not.
 *
 * @param to The node that is meant, if any.
 */
export function isFinal({ code }: Refusal, to: string | null): boolean {
  return !BY_STRANGERS.has(code) && !(code === "self" && to === null);
}

/** A refused connection's reason, as it goes over the wire. */
export interface Refusal {
  /** For programs. */
  readonly code: RefusalCode;
  /** For people. */
  readonly reason: string;
  /** The newest incarnation known, with `stale-incarnation`. */
  readonly known?: number;
}

/**
 * One side refused the other during the handshake.
 *
 * @example Two clusters do not mix
 * ```ts
 * import { HandshakeRefusedError, startPeerService } from "@partisan/peer-service";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using blue = await startPeerService({ name: "a", cluster: "blue" });
 * await using green = await startPeerService({ name: "b", cluster: "green" });
 *
 * const { refusal } = await assertRejects(() => blue.syncJoin(green.spec), HandshakeRefusedError);
 * assertEquals(refusal.code, "cluster");
 * ```
 */
export class HandshakeRefusedError extends Error {
  /** Always `"HandshakeRefusedError"`. */
  override readonly name = "HandshakeRefusedError";
  /** Reason of the refusal. */
  readonly refusal: Refusal;

  /** Names the reason. */
  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/** Reads a refusal that a peer sent; an unknown code (of a later version) is taken for `stopping`, which means: try again later. */
export function refusalFrom(value: Readonly<Record<string, unknown>>): Refusal {
  const code = typeof value.code === "string" && CODES.has(value.code) ? value.code as RefusalCode : "stopping";
  const reason = typeof value.reason === "string" ? value.reason.slice(0, 1024) : "Refused without a reason";
  // An incarnation leaves room for a newer one.
  return isIntegerIn(value.known, 0, Number.MAX_SAFE_INTEGER - 1)
    ? { code, reason, known: value.known }
    : { code, reason };
}
