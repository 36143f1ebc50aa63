// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import type { Clock, Timer } from "../runtime/runtime.ts";
import { networkOf } from "../wire/address_ranges.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Part } from "./part.ts";

/** Frames that only members may send: a stranger passes nothing on, and cuts no node off. */
export const FOR_MEMBERS: ReadonlySet<number> = new Set([
  FrameKind.relay,
  FrameKind.broadcast,
  FrameKind.partition,
  FrameKind.cancel,
]);

/** Frames that wait until their sender is a member, as messages do: it may have joined elsewhere, and be faster than the news of it. */
export const ONCE_MEMBER: ReadonlySet<number> = new Set([FrameKind.ack, FrameKind.streamOpen]);

/** Nodes that are connected, and have not joined, at a time. */
export const STRANGERS_MAX = 256;

/** Milliseconds that a node which connects has for joining. */
export const STRANGER_MS = 10_000;

/** The connections of the node, as far as strangers are concerned. */
export interface StrangersPool {
  /** All nodes with which there are connections, by name. */
  readonly peers: ReadonlyMap<string, Peer>;
  /** Closes all connections with a peer. */
  disconnect(peer: Peer): void;
}

/** A stranger that is connected. */
interface Met {
  readonly network: string;
  /** Ends its time for joining; `null` where it has as much as it likes. */
  readonly timer: Timer | null;
}

/**
 * Nodes that have connected by themselves and are no members. They have a short time for joining, and beyond a bound the oldest one of the
 * host that has most of them makes room for the newest, so that names which never join cost this node little.
 *
 * Where a node knows a part of the cluster only, it cannot tell strangers from members: every node that connects is taken for a member. There those
 * count that this node does not want. They have no time, because a member's view may have this node in it for long.
 */
export class Strangers implements Part {
  /** In the order in which they came. */
  readonly #met = new Map<Peer, Met>();
  readonly #clock: Pick<Clock, "schedule">;
  readonly #pool: StrangersPool;
  readonly #knowsAll: boolean;
  #isStopping = false;

  /** @param knowsAll Whether this node knows all members. */
  constructor(clock: Pick<Clock, "schedule">, pool: StrangersPool, knowsAll: boolean) {
    this.#clock = clock;
    this.#pool = pool;
    this.#knowsAll = knowsAll;
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
    for (const peer of this.#met.keys()) if (!this.#isStranger(peer)) this.end(peer);
  }

  /** Finds those, too, that have opened a part of a channel only. */
  periodic(): void {
    for (const peer of this.#met.keys()) if (this.#pool.peers.get(peer.name) !== peer) this.end(peer);
    for (const peer of this.#pool.peers.values()) if (peer.connections().length > 0) this.meet(peer);
  }

  restart(): void {
    for (const peer of this.#met.keys()) this.end(peer);
  }

  /** Connections may still open while what is queued is written. They end with all others: no stranger is timed any more. */
  stopping(): void {
    this.#isStopping = true;
    this.restart();
  }

  /** A peer has opened a connection. One that is known to be a stranger does not get more time by that. */
  meet(peer: Peer): void {
    if (this.#isStopping || !this.#isStranger(peer) || this.#met.has(peer)) return;
    for (const known of this.#met.keys()) {
      if (this.#met.size < STRANGERS_MAX) break;
      if (!this.#isStranger(known)) this.end(known);
    }
    if (this.#met.size >= STRANGERS_MAX) this.#makeRoom();
    const timer = this.#knowsAll ? this.#clock.schedule(STRANGER_MS, () => this.#expire(peer)) : null;
    this.#met.set(peer, { network: networkOf(peer.connections()[0]?.remoteAddress.hostname ?? ""), timer });
  }

  /** The peer is gone. */
  end(peer: Peer): void {
    this.#met.get(peer)?.timer?.cancel();
    this.#met.delete(peer);
  }

  /** Closes the oldest one of the host that has most of them. */
  #makeRoom(): void {
    const hosts = Map.groupBy(this.#met, ([, { network }]) => network);
    let greediest: [Peer, Met][] = [];
    for (const ofHost of hosts.values()) if (ofHost.length > greediest.length) greediest = ofHost;
    const [oldest] = greediest;
    if (oldest !== undefined) this.#expire(oldest[0]);
  }

  #expire(peer: Peer): void {
    this.end(peer);
    if (this.#isStranger(peer)) this.#pool.disconnect(peer);
  }

  /** Whether neither the cluster nor this node has to do with a peer: this node had its reasons to dial the ones that it dialed. */
  #isStranger({ isParty, wanted, membership }: Peer): boolean {
    return !(this.#knowsAll && isParty) && !wanted && membership?.outbound !== true;
  }
}
