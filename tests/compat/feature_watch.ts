// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { broadcastFromValue } from "../../gossip/broadcast_message.ts";
import type { PeerServiceManager } from "../../mod.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { decode } from "../../wire/message_pack_decode.ts";

const STREAMS = ["streamOpen", "streamAccept", "streamData", "streamCredit", "streamEnd", "streamReset"] as const;
/** Frames that a node does not know without a feature. */
const FRAMES: Readonly<Record<string, readonly (keyof typeof FrameKind)[]>> = {
  drain: ["drain"],
  streams: STREAMS,
  trace: ["traced"],
  probe: ["probe", "probed"],
  vouch: ["vouch", "vouched"],
  early: ["early"],
};
const KINDS = new Map(Object.entries(FrameKind).map(([name, kind]) => [kind as number, name]));

/** Watches that nodes use no feature with a node that lacks it, nor that node with them. */
export class FeatureWatch {
  readonly #older: string;
  readonly #lacking: readonly string[];
  readonly #forbidden: ReadonlySet<string>;
  /** Frames that were used although the older node lacks what they are part of. */
  readonly #breaches: string[] = [];
  /** Senders that said in a frame which connections they want. */
  readonly #interested = new Set<string>();

  constructor(older: string, lacking: readonly string[]) {
    this.#older = older;
    this.#lacking = lacking;
    this.#forbidden = new Set(lacking.flatMap((feature) => FRAMES[feature] ?? []));
  }

  /** Watches what comes to a node. */
  add(manager: PeerServiceManager): void {
    const { pool } = PeerService.nodeOf(manager);
    const take = pool.frame;
    pool.frame = (connection, kind, buffer, start, end) => {
      const pair = [connection.peer.name, manager.name];
      if (pair.includes(this.#older)) this.#look(pair.join(" to "), kind, buffer.subarray(start, end));
      return take(connection, kind, buffer, start, end);
    };
  }

  /** Makes sure that nothing was used, and that what is said otherwise without a feature was said so. */
  check(): void {
    assertEquals(this.#breaches, []);
    if (this.#lacking.includes("interest") && !this.#lacking.includes("early")) assert(this.#interested.size >= 2);
  }

  #look(way: string, kind: number, body: Uint8Array): void {
    const name = KINDS.get(kind) ?? `kind ${kind}`;
    if (kind === FrameKind.interest) this.#interested.add(way);
    const isPacked = this.#lacking.includes("packed") && kind === FrameKind.strategy && hasPacked(decode(body));
    const isForbidden = this.#forbidden.has(name) || isPacked ||
      this.#lacking.includes("trace") && isTraced(kind, body);
    if (isForbidden) this.#breaches.push(`${way}: ${name}`);
  }
}

/** Whether a message that travels over several links belongs to a trace. */
function isTraced(kind: number, body: Uint8Array): boolean {
  if (kind === FrameKind.relay) return (decode(body) as unknown[]).length > 2;
  if (kind !== FrameKind.broadcast) return false;
  const message = broadcastFromValue(decode(body));
  return "payload" in message && (message.payload as unknown[]).length > 3;
}

/** Whether a packed specification is anywhere in a value. */
function hasPacked(value: unknown): boolean {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return Object.hasOwn(value, "") || Object.values(value).some(hasPacked);
}
