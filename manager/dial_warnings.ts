// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import { ClosedEarlyError } from "../connections/handshake/handshake_frames.ts";
import { HandshakeRefusedError, type RefusalCode } from "../connections/handshake/refusal.ts";
import { isLackOfDescriptors, type Shortage } from "../connections/shortage.ts";
import type { Peer } from "../connections/peer.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Emit } from "./events.ts";
import type { Part } from "./part.ts";
import { formatAddress } from "../wire/address.ts";

/** Refusals that pass by themselves, or that were asked for. */
const PASSING: ReadonlySet<RefusalCode> = new Set([
  "duplicate",
  "overloaded",
  "partitioned",
  "stale-incarnation",
  "stopping",
]);

/** Reasons that are told for one node, until it is reached again. */
const REASONS_MAX = 8;

/** Nodes of which it is known what was told. */
const NODES_MAX = 4_096;

/** Tells users why nodes cannot be reached: each reason once for each node, until the node has been reached. */
export class DialWarnings implements Part {
  readonly #emit: Emit;
  readonly #shortage: Shortage;
  readonly #told = new Map<string, Set<string>>();
  /** Nodes that have closed a connection in the middle of its handshake, since they were last reached. */
  readonly #closedEarly = new Set<string>();
  #isShort = false;

  constructor(emit: Emit, shortage: Shortage) {
    this.#emit = emit;
    this.#shortage = shortage;
  }

  /**
   * A dial of a connection that this node wants has failed. A peer that stops in good order closes what is dialed meanwhile: once, that is no
   * news.
   */
  dialFailed({ name }: Peer, error: unknown): void {
    if (isClosedEarly(error) && !this.#closedEarly.has(name)) {
      forgetOldest(this.#closedEarly.add(name), NODES_MAX);
      return;
    }
    this.tell(name, error, `Cannot reach "${name}", it is dialed again, ever more rarely: ${messageOf(error)}`);
  }

  /** An attempt to join has failed, and there will be another one. */
  joinFailed(target: string, error: unknown): void {
    this.tell(target, error, `Cannot join "${target}" yet, it is tried again: ${messageOf(error)}`);
  }

  /** A stream could not be accepted. Every cause but a lack of file descriptors passes by itself. */
  acceptFailed(error: unknown): void {
    if (isLackOfDescriptors(error)) this.#short(error);
  }

  peerUp({ name, spec }: Peer): void {
    this.#closedEarly.delete(name);
    if (this.#told.size === 0) return;
    this.#told.delete(name);
    for (const address of spec.addresses) this.#told.delete(formatAddress(address));
  }

  restart(): void {
    this.#told.clear();
    this.#closedEarly.clear();
  }

  /** Warns, unless the same was told of the node before. */
  tell(node: string, error: unknown, message: string): void {
    const code = error instanceof HandshakeRefusedError ? error.refusal.code : undefined;
    if (code !== undefined && PASSING.has(code)) return;
    if (isLackOfDescriptors(error)) return this.#short(error);
    let told = this.#told.get(node);
    if (told === undefined) {
      this.#told.set(node, told = new Set());
      forgetOldest(this.#told, NODES_MAX);
    }
    const reason = code ?? reasonOf(error);
    if (told.has(reason) || told.size >= REASONS_MAX) return;
    told.add(reason);
    this.#emit("warning", { code: "cannot-connect", message, node, error });
  }

  /** It is the same for all nodes: what this process may open is not enough. */
  #short(error: unknown): void {
    this.#shortage.noticed(error);
    if (this.#isShort) return;
    this.#isShort = true;
    const message = `There are too few file descriptors for connections with all nodes: ${messageOf(error)}. ` +
      'Each node needs one for each connection of each channel: raise the limit ("ulimit -n"), or take a strategy with fewer peers';
    this.#emit("warning", { code: "too-few-descriptors", message, error });
  }
}

/** Whether a connection was closed or reset in the middle of its handshake. */
function isClosedEarly(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const isReset = cause.name === "ConnectionReset" || "code" in cause && cause.code === "ECONNRESET";
    if (isReset || cause instanceof ClosedEarlyError) return true;
  }
  return false;
}

/** The reason without its numbers: a wait that is a millisecond longer is no other reason. */
function reasonOf(error: unknown): string {
  return messageOf(error).replace(/\d+/g, "0");
}
