// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../peer.ts";
import { DialTurns } from "./dial_turns.ts";
import { LostPeers } from "./lost_peers.ts";
import { PeerDialer, type PeerDialerHost } from "./peer_dialer.ts";

/** Those that keep the connections of each peer open. */
export class Dialers {
  readonly #host: PeerDialerHost;
  readonly #lines: { readonly turns: DialTurns; readonly lost: LostPeers };
  readonly #dialers = new Map<Peer, PeerDialer>();

  constructor(host: PeerDialerHost) {
    this.#host = host;
    const { runtime, courtesy } = host;
    this.#lines = { turns: new DialTurns(runtime.clock), lost: new LostPeers(runtime, courtesy) };
  }

  /** The one of a peer. */
  of(peer: Peer): PeerDialer {
    let dialer = this.#dialers.get(peer);
    if (dialer === undefined) {
      dialer = new PeerDialer(peer, this.#host, this.#lines, this.#heartenOthers);
      this.#dialers.set(peer, dialer);
    }
    return dialer;
  }

  /** Dials a peer no more. */
  forget(peer: Peer): void {
    this.#dialers.get(peer)?.stop();
    this.#dialers.delete(peer);
  }

  /** A peer that had not answered for long is there again: what kept it away may have kept others away as well. */
  readonly #heartenOthers = (peer: Peer): void => {
    for (const [other, dialer] of [...this.#dialers]) if (other !== peer) dialer.hearten();
  };
}
