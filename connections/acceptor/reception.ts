// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { judgeRequest, nameInUse } from "./admission.ts";
import type { ConnectionRequest } from "../handshake/introduction.ts";
import type { Peer } from "../peer.ts";
import type { Refusal } from "../handshake/refusal.ts";
import { tooFewDescriptors } from "../shortage.ts";

/** What a {@linkcode Reception} needs from the pool. */
export interface ReceptionHost {
  /** This node, as it is now. */
  self(): NodeSpec;
  /** What is known of a node, if anything. */
  peer(name: string): Peer | undefined;
  /** Whether this node has begun to dial a place not long ago. */
  hasJustDialed(name: string, channel: string, index: number): boolean;
  /** Asks a peer for a sign of life. */
  probe(peer: Peer): Promise<boolean>;
  /** Closes all connections with a peer. */
  disconnect(peer: Peer): void;
  /** Milliseconds since the epoch. */
  wallTime(): number;
  /** Whether there are file descriptors for connections with another node, when so many are about to open already. */
  hasRoomFor(spec: NodeSpec, pending: number): boolean;
  /** Somebody knows a newer incarnation of this node's name. */
  outlived(known: number): void;
}

/**
 * Admits dialers, and remembers those that have not filled their places yet. Such a place must not be dialed from here meanwhile: that
 * connection would take the place of theirs, and what they have sent over it by then would be lost. Nor is a peer gone with its last
 * connection as long as one is expected: the dialer may close those that it replaces before the new one is seen here.
 */
export class Reception {
  readonly #host: ReceptionHost;
  readonly #expected = new Set<ConnectionRequest>();

  constructor(host: ReceptionHost) {
    this.#host = host;
  }

  /** Whether a dialer was admitted to a place, or to any place of a peer, and has not filled it yet. */
  expects(peer: Peer, channel?: string, index?: number): boolean {
    for (const request of this.#expected) {
      const samePlace = channel === undefined || (request.channel === channel && request.index === index);
      if (request.spec.name === peer.name && samePlace) return true;
    }
    return false;
  }

  /** Decides about a trusted dialer. @returns Why it is refused, or `null`; then {@linkcode Reception.release} must follow. */
  async admit(request: ConnectionRequest): Promise<Refusal | null> {
    const verdict = this.#judge(request);
    if (request.toIncarnation > this.#host.self().incarnation) this.#host.outlived(request.toIncarnation);
    if (verdict !== "probe") return verdict;
    const { name, incarnation } = request.spec;
    const predecessor = this.#host.peer(name)!;
    if (await this.#host.probe(predecessor)) return nameInUse(name);
    if (predecessor.incarnation < incarnation) this.#host.disconnect(predecessor);
    const second = this.#judge(request);
    return second === "probe" ? nameInUse(name) : second;
  }

  /** Whether what was granted to a dialer would still be granted, now that it knows. */
  confirms(request: ConnectionRequest): boolean {
    return this.#judge(request) === null;
  }

  /** Whether a dialer's connection would take the place of another one. */
  isOccupied({ spec, channel, index }: ConnectionRequest): boolean {
    return (this.#host.peer(spec.name)?.at(channel, index) ?? null) !== null;
  }

  /** A dialer has filled its place, or given up. @returns Whether it had been admitted. */
  release(request: ConnectionRequest): boolean {
    return this.#expected.delete(request);
  }

  /** Expects nobody any more: what was granted was granted by the life of this node that ends. */
  reset(): void {
    this.#expected.clear();
  }

  #judge(request: ConnectionRequest): Refusal | "probe" | null {
    const { spec, channel, index } = request;
    const peer = this.#host.peer(spec.name);
    const dialing = this.#host.hasJustDialed(spec.name, channel, index);
    const wallTime = this.#host.wallTime();
    const verdict = judgeRequest(request, { self: this.#host.self(), peer, dialing, wallTime });
    if (verdict !== null) return verdict;
    const isFirst = (peer?.connections().length ?? 0) === 0;
    const pending = this.#expected.size - (this.#expected.has(request) ? 1 : 0);
    if (isFirst && !this.#host.hasRoomFor(spec, pending)) return tooFewDescriptors(spec.name);
    this.#expected.add(request);
    return null;
  }
}

/** Tells whether one of the peers that are wanted says that it is at a host. */
export function memberHosts(peers: ReadonlyMap<string, Peer>): (hostname: string) => boolean {
  const isAt = ({ wanted, spec }: Peer, hostname: string) =>
    wanted && spec.addresses.some((address) => address.hostname === hostname);
  return (hostname) => [...peers.values()].some((peer) => isAt(peer, hostname));
}
