// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Peer } from "../connections/peer.ts";
import type { Calls } from "../messaging/calls.ts";
import type { Inbound } from "../messaging/inbound.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { MembershipChange, Part } from "./part.ts";

/**
 * Tells handlers that the sender of what they handle is gone. A peer may be down already, or never have been up, when something of it is read: from
 * a connection that another one has replaced, or by way of other nodes. So the last word of it counts, whatever was told before.
 */
export class GoneSenders implements Part {
  readonly #pool: Pick<ConnectionPool, "peers" | "draining">;
  readonly #calls: Pick<Calls, "callerGone">;
  readonly #inbound: Pick<Inbound, "gone">;

  constructor(
    pool: Pick<ConnectionPool, "peers" | "draining">,
    calls: Pick<Calls, "callerGone">,
    inbound: Pick<Inbound, "gone">,
  ) {
    this.#pool = pool;
    this.#calls = calls;
    this.#inbound = inbound;
  }

  peerDown({ name }: Peer): void {
    this.#tell(name, "is gone");
  }

  /** It may have been linked, and never up. */
  peerUnlinked({ name }: Peer): void {
    this.#tell(name, "is gone");
  }

  /** The last connection of a peer that was told to be gone before may have brought something since. */
  connectionClosed({ peer: { name } }: Connection<Peer>): void {
    if (!this.#isHere(name)) this.#tell(name, "is gone");
  }

  /** Messages of a former incarnation that came by way of other nodes had no connection that would close. */
  membersChanged({ renewed }: MembershipChange): void {
    for (const { name, incarnation } of renewed) this.#tell(name, "has begun another incarnation", incarnation);
  }

  memberLeft({ name }: NodeSpec): void {
    this.#tell(name, "has left the cluster");
  }

  /** Whether anything of a node can still be read, or its end is told when nothing more can. */
  #isHere(name: string): boolean {
    const peer = this.#pool.peers.get(name);
    if (peer !== undefined && (peer.linked || peer.hasConnections)) return true;
    for (const connection of this.#pool.draining) if (connection.peer.name === name) return true;
    return false;
  }

  #tell(node: string, what: string, before = Infinity): void {
    this.#calls.callerGone(node, what, before);
    this.#inbound.gone(node, what);
  }
}
