// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Random } from "../runtime/runtime.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Peer } from "../connections/peer.ts";
import type { Part } from "./part.ts";
import type { Pinger } from "./pinger.ts";

/** Dependencies of a {@linkcode Distance}. */
export interface DistanceOptions {
  readonly pool: ConnectionPool;
  readonly pinger: Pinger;
  readonly random: Random;
  /** Milliseconds without an answer after which a connection is doubted. */
  readonly timeout: number;
}

/**
 * Keeps the round-trip times of the peers fresh. An answer that stays away also shows a dead connection between two nodes that do not
 * watch each other.
 */
export class Distance implements Part {
  readonly #options: DistanceOptions;

  constructor(options: DistanceOptions) {
    this.#options = options;
  }

  /** Measures one peer, at random once all have been measured: the load does not grow with their number. */
  periodic(): void {
    const linked = [...this.#options.pool.peers.values()].filter(({ linked }) => linked);
    const unknown = linked.filter(({ roundTrip }) => roundTrip === undefined);
    const candidates = unknown.length > 0 ? unknown : linked;
    const peer = candidates[Math.floor(this.#options.random.next() * candidates.length)];
    if (peer !== undefined) this.measure(peer);
  }

  /** Measures a peer. */
  async measure(peer: Peer): Promise<void> {
    const { pool, pinger, timeout } = this.#options;
    const { framesIn, membership } = peer;
    const answered = await pinger.ping(peer, timeout);
    // The ping may have ended with its connection, of which another one has taken the slot.
    const isSilent = peer.linked && peer.membership === membership && peer.framesIn === framesIn;
    if (!answered && isSilent && !peer.partitioned) pool.doubt(peer);
  }
}
