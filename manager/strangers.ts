// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Part } from "./part.ts";

/** What only members may say: a stranger passes nothing on, and cuts nobody off. */
export const FOR_MEMBERS: ReadonlySet<number> = new Set([
  FrameKind.relay,
  FrameKind.broadcast,
  FrameKind.partition,
  FrameKind.cancel,
]);

/** What waits until the one who said it is a member: it may have joined elsewhere, and be faster than the word of it. */
export const ONCE_MEMBER: ReadonlySet<number> = new Set([
  FrameKind.message,
  FrameKind.envelope,
  FrameKind.traced,
  FrameKind.ack,
  FrameKind.streamOpen,
]);

/** Nodes that are connected, and have not joined, at a time. */
export const STRANGERS_MAX = 256;

/** Milliseconds that a node which connects has for joining. */
export const STRANGER_MS = 10_000;

/** The connections of the node, as far as strangers are concerned. */
export interface StrangersPool {
  /** Everyone with whom there are connections, by name. */
  readonly peers: ReadonlyMap<string, Peer>;
  /** Closes all connections with a peer. */
  disconnect(peer: Peer): void;
}

/**
 * Nodes that have connected by themselves and are no members. They have a short time for joining, and beyond a bound the oldest one makes
 * room for the newest, so that names which never join cost this node little.
 */
export class Strangers implements Part {
  /** In the order in which they came. */
  readonly #timers = new Map<Peer, Timer>();
  readonly #clock: Pick<Clock, "schedule">;
  readonly #pool: StrangersPool;
  #isStopping = false;

  constructor(clock: Pick<Clock, "schedule">, pool: StrangersPool) {
    this.#clock = clock;
    this.#pool = pool;
  }

  peerLinked(peer: Peer): void {
    this.meet(peer);
  }

  channelUp(peer: Peer): void {
    this.meet(peer);
  }

  peerUnlinked(peer: Peer): void {
    if (!peer.connected) this.end(peer);
  }

  membersChanged(): void {
    for (const peer of this.#timers.keys()) if (!isStranger(peer)) this.end(peer);
  }

  /** Finds those, too, that have opened a part of a channel only. */
  periodic(): void {
    for (const peer of this.#timers.keys()) if (this.#pool.peers.get(peer.name) !== peer) this.end(peer);
    for (const peer of this.#pool.peers.values()) if (peer.connections().length > 0) this.meet(peer);
  }

  restart(): void {
    for (const peer of this.#timers.keys()) this.end(peer);
  }

  /** Connections may still open while what is queued is written. They end with all others: nobody is timed any more. */
  stopping(): void {
    this.#isStopping = true;
    this.restart();
  }

  /** A peer has opened a connection. One that is known to be a stranger does not get more time by that. */
  meet(peer: Peer): void {
    if (this.#isStopping || !isStranger(peer) || this.#timers.has(peer)) return;
    for (const known of this.#timers.keys()) {
      if (this.#timers.size < STRANGERS_MAX) break;
      if (!isStranger(known)) this.end(known);
    }
    const [oldest] = this.#timers.keys();
    if (oldest !== undefined && this.#timers.size >= STRANGERS_MAX) this.#expire(oldest);
    this.#timers.set(peer, this.#clock.schedule(STRANGER_MS, () => this.#expire(peer)));
  }

  /** The peer is gone. */
  end(peer: Peer): void {
    this.#timers.get(peer)?.cancel();
    this.#timers.delete(peer);
  }

  #expire(peer: Peer): void {
    this.end(peer);
    if (isStranger(peer)) this.#pool.disconnect(peer);
  }
}

/** Whether neither the cluster nor this node has to do with a peer: whom this node dialed, it had its reasons for. */
function isStranger({ isParty, wanted, membership }: Peer): boolean {
  return !isParty && !wanted && membership?.outbound !== true;
}
