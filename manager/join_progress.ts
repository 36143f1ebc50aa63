// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";

/** Part of a peer that is looked at. */
export type ReachedPeer = Pick<Peer, "name" | "wanted" | "connected" | "up" | "fullyConnected" | "connections">;

/**
 * Progress of a node since it began to join. The counts never fall, so that connections that break and come back are no
 * progress.
 */
export class JoinProgress {
  readonly #connections = new Map<string, number>();
  readonly #complete = new Set<string>();
  readonly #slow = new Map<string, number>();
  readonly #slowMax: number;
  #members = 0;

  /** @param slowMax So many handshakes with a peer that took too long are signs that it has too much to do, and no more. */
  constructor(slowMax: number) {
    this.#slowMax = slowMax;
  }

  /**
   * Takes how things are now.
   *
   * @param peers Peers of which something may have changed. Those count that the node is to be connected with.
   * @param members Number of members that it knows.
   * @returns Whether there are more members, or more connections with one of the peers, than ever before.
   */
  note(peers: Iterable<ReachedPeer>, members: number): boolean {
    let isMore = members > this.#members;
    this.#members = Math.max(this.#members, members);
    for (const peer of peers) {
      if (!peer.wanted) continue;
      const { name } = peer;
      const open = peer.connections().length;
      if (peer.fullyConnected) this.#complete.add(name);
      if (open <= (this.#connections.get(name) ?? 0)) continue;
      this.#connections.set(name, open);
      isMore = true;
    }
    return isMore;
  }

  /** A handshake with a peer took too long. @returns Whether that shows anything: it is there, and is not always slow. */
  noteSlow(peer: ReachedPeer): boolean {
    const count = (this.#slow.get(peer.name) ?? 0) + 1;
    this.#slow.set(peer.name, count);
    return peer.wanted && peer.connected && count <= this.#slowMax;
  }

  /** Whether messages can flow to a peer whose connections are all open, or were and one of them is being replaced. */
  isDone(peer: ReachedPeer): boolean {
    return peer.fullyConnected || (peer.up && this.#complete.has(peer.name));
  }
}
