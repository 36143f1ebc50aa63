// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "./connection.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Peer } from "./peer.ts";

/** Connections that others have replaced, and that both sides still read to their end. */
export class ReplacedConnections {
  /** Those that are still open. */
  readonly open: Set<Connection<Peer>> = new Set();
  readonly #patience: number;
  readonly #patienceInDoubt: number;

  /**
   * @param patience Milliseconds without progress after which one is closed.
   * @param patienceInDoubt The same, for one through which nothing seems to come: it must not hold up those that follow for long.
   */
  constructor(patience: number, patienceInDoubt: number) {
    this.#patience = patience;
    this.#patienceInDoubt = patienceInDoubt;
  }

  /** Takes a connection out of its slot, and closes it once both sides have read what is under way. */
  add(connection: Connection<Peer>): void {
    connection.peer.remove(connection);
    this.open.add(connection);
    connection.drain(connection.inDoubt ? this.#patienceInDoubt : this.#patience);
  }

  /** Reads a connection that is not needed to its end: the other side may have used it already. */
  addSurplus(connection: Connection<Peer>): void {
    connection.start(this.before(connection));
    this.add(connection);
  }

  /** The connection that has to be read before another one: the last one that had the same slot, if it still drains. */
  before(connection: Connection<Peer>): Connection<Peer> | undefined {
    if (this.open.size === 0) return undefined;
    const { peer, channel, index } = connection;
    const isSameSlot = (other: Connection<Peer>) =>
      other.peer === peer && other.channel === channel && other.index === index;
    return [...this.open].findLast(isSameSlot);
  }

  /** Closes those of a peer at once. */
  close(peer: Peer, reason?: unknown): void {
    for (const connection of [...this.open]) if (connection.peer === peer) connection.close(reason);
  }

  /**
   * Closes those of the former incarnations of a node: what still comes over them must not be taken for a word of this one. The node may have been
   * forgotten meanwhile.
   */
  closeFormer({ name, incarnation }: NodeSpec): void {
    if (this.open.size === 0) return;
    for (const connection of [...this.open]) {
      const { peer } = connection;
      if (peer.name === name && peer.incarnation < incarnation) connection.close();
    }
  }
}
