// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../peer.ts";
import { PeerDialler, type PeerDiallerHost } from "./peer_dialler.ts";

/** Those who keep the connections of each peer open. */
export class Diallers {
  readonly #host: PeerDiallerHost;
  readonly #diallers = new Map<Peer, PeerDialler>();

  constructor(host: PeerDiallerHost) {
    this.#host = host;
  }

  /** The one of a peer. */
  of(peer: Peer): PeerDialler {
    let dialler = this.#diallers.get(peer);
    if (dialler === undefined) {
      dialler = new PeerDialler(peer, this.#host, () => this.#heartenOthers(peer));
      this.#diallers.set(peer, dialler);
    }
    return dialler;
  }

  /** Dials a peer no more. */
  forget(peer: Peer): void {
    this.#diallers.get(peer)?.stop();
    this.#diallers.delete(peer);
  }

  /** A peer that had not answered for long is there again: what kept it away may have kept others away as well. */
  #heartenOthers(peer: Peer): void {
    for (const [other, dialler] of [...this.#diallers]) if (other !== peer) dialler.hearten();
  }
}
