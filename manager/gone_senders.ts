// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Peer } from "../connections/peer.ts";
import type { Calls } from "../messaging/calls.ts";
import type { Inbound } from "../messaging/inbound.ts";
import type { NodeIncarnation, NodeSpec } from "../wire/node_spec.ts";
import type { MembershipChange, Part } from "./part.ts";

/**
 * Tells handlers that the sender of what they handle is gone. A peer may be down already, or never have been up, when something of it is read: from
 * a connection that another one has replaced, or by way of other nodes. So the last word of it counts, whatever was told before.
 */
export class GoneSenders implements Part {
  readonly #pool: Pick<ConnectionPool, "peers" | "draining">;
  readonly #calls: Pick<Calls, "callerGone" | "callerEnded" | "callers">;
  readonly #inbound: Pick<Inbound, "gone" | "closed">;
  readonly #isOver: (node: NodeIncarnation) => boolean;

  /** @param isOver Whether that incarnation of a node has ended, as far as is known here. */
  constructor(
    pool: Pick<ConnectionPool, "peers" | "draining">,
    calls: Pick<Calls, "callerGone" | "callerEnded" | "callers">,
    inbound: Pick<Inbound, "gone" | "closed">,
    isOver: (node: NodeIncarnation) => boolean,
  ) {
    this.#pool = pool;
    this.#calls = calls;
    this.#inbound = inbound;
    this.#isOver = isOver;
  }

  peerDown({ name }: Peer): void {
    this.#gone(name);
  }

  /** It may have been linked, and never up. */
  peerUnlinked({ name }: Peer): void {
    this.#gone(name);
  }

  /** The last connection of a peer that was told to be gone before may have brought something since. */
  connectionClosed(connection: Connection<Peer>): void {
    const { name } = connection.peer;
    this.#inbound.closed(connection);
    if (!this.#isHere(name)) this.#gone(name);
  }

  /** Messages of a former incarnation that came by way of other nodes had no connection that would close. */
  membersChanged({ renewed }: MembershipChange): void {
    for (const { name, incarnation } of renewed) this.#ended(name, "has begun another incarnation", incarnation);
  }

  /**
   * A node that is in no view of this one neither leaves it nor is renewed in it, and a call that others pass on may come when its caller has left: what
   * calls are handled is asked about.
   */
  periodic(): void {
    for (const caller of this.#calls.callers()) {
      const { name, incarnation } = caller;
      // It does not count, or is not known.
      if (incarnation === 0) continue;
      const here = this.#pool.peers.get(name)?.incarnation ?? incarnation;
      if (here > incarnation || this.#isOver(caller)) this.#ended(name, "has ended", incarnation + 1);
    }
  }

  memberLeft({ name }: NodeSpec): void {
    this.#ended(name, "has left the cluster", Infinity);
  }

  /** Whether anything of a node can still be read, or its end is told when nothing more can. */
  #isHere(name: string): boolean {
    const peer = this.#pool.peers.get(name);
    if (peer !== undefined && (peer.linked || peer.hasConnections)) return true;
    for (const connection of this.#pool.draining) if (connection.peer.name === name) return true;
    return false;
  }

  #gone(node: string): void {
    this.#calls.callerGone(node);
    this.#inbound.gone(node, "is gone");
  }

  #ended(node: string, what: string, before: number): void {
    this.#calls.callerEnded(node, what, before);
    this.#inbound.gone(node, what, before);
  }
}
