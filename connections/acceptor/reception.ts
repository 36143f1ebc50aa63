// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Connection } from "../connection.ts";
import { judgeRequest, nameInUse } from "./admission.ts";
import type { ConnectionRequest } from "../handshake/introduction.ts";
import type { Peer } from "../peer.ts";
import type { Refusal } from "../handshake/refusal.ts";
import { tooFewDescriptors } from "../shortage.ts";

/** Judgement of a dialer: a refusal, `null` for none, or that an earlier incarnation, which seems to live, is to be asked. */
type Decision = Refusal | "probe" | null;

/** The same, or that first the node that has its name is to be asked. */
type Judgement = Decision | "vouch";

/** Part of the pool that a {@linkcode Reception} uses. */
export interface ReceptionHost {
  /** This node, as it is now. */
  self(): NodeSpec;
  /** Peer of a node, if it is known. */
  peer(name: string): Peer | undefined;
  /** Whether this node has begun to dial a slot not long ago. */
  hasJustDialed(name: string, channel: string, index: number): boolean;
  /** Whether this node is dialing a place. */
  isDialing(name: string, channel: string, index: number): boolean;
  /** Whether a dialer means a connection without a socket that is here as well, or can be. */
  fits(request: ConnectionRequest, peer: Peer): boolean;
  /** A dialer is refused because it does not. */
  unfit(request: ConnectionRequest, peer: Peer): void;
  /** Asks a peer for a sign of life. */
  probe(peer: Peer): Promise<boolean>;
  /** Asks the node at the other end of a connection whether a ticket is that of its dial. @returns `null` when it does not answer. */
  vouch(connection: Connection<Peer>, ticket: number): Promise<boolean | null>;
  /** Closes all connections with a peer. */
  disconnect(peer: Peer): void;
  /** Milliseconds since the epoch. */
  wallTime(): number;
  /** Whether there are file descriptors for connections with another node, when so many are about to open already. */
  hasRoomFor(spec: NodeSpec, pending: number): boolean;
  /** A node knows a newer incarnation of this node's name. */
  outlived(known: number): void;
}

/**
 * Admits dialers, and remembers those that have not filled their slots yet. Such a slot must not be dialed from here meanwhile: that
 * connection would replace theirs, and what they have sent over it by then would be lost. Nor is a peer gone with its last
 * connection as long as one is expected: the dialer may close those that it replaces before the new one is seen here.
 *
 * In an open cluster everyone can claim a name. A dialer with the name and incarnation of a peer that is connected has to be that peer, by the
 * word that the peer says over its connection, unless the peer says nothing there any more.
 */
export class Reception {
  readonly #host: ReceptionHost;
  readonly #expected = new Set<ConnectionRequest>();
  /** Answers of peers about dials under their names; where a peer did not answer, the connection over which it was asked. */
  readonly #words = new WeakMap<ConnectionRequest, boolean | Connection<Peer>>();

  constructor(host: ReceptionHost) {
    this.#host = host;
  }

  /** Whether a dialer was admitted to a slot, or to any slot of a peer, and has not filled it yet. */
  expects(peer: Peer, channel?: string, index?: number): boolean {
    for (const request of this.#expected) {
      const sameSlot = channel === undefined || (request.channel === channel && request.index === index);
      if (request.spec.name === peer.name && sameSlot) return true;
    }
    return false;
  }

  /** Decides about a trusted dialer. @returns Refusal, or `null`; then {@linkcode Reception.release} must follow. */
  admit(request: ConnectionRequest): Refusal | null | Promise<Refusal | null> {
    const decision = this.#judge(request);
    return decision === "vouch" ? this.#admitVouched(request) : this.#admitJudged(request, decision);
  }

  async #admitVouched(request: ConnectionRequest): Promise<Refusal | null> {
    return await this.#admitJudged(request, await this.#judgeVouched(request, "vouch"));
  }

  #admitJudged(request: ConnectionRequest, decision: Decision): Refusal | null | Promise<Refusal | null> {
    if (request.toIncarnation > this.#host.self().incarnation) this.#host.outlived(request.toIncarnation);
    return decision === "probe" ? this.#admitSuccessor(request) : decision;
  }

  /** Decides about a dialer of which an earlier incarnation seems to live. */
  async #admitSuccessor(request: ConnectionRequest): Promise<Refusal | null> {
    const { name, incarnation } = request.spec;
    const predecessor = this.#host.peer(name)!;
    const owner = ownersConnection(predecessor);
    const word = owner === null ? null : this.#host.vouch(owner, request.ticket ?? 0);
    const hasAnswered = await this.#host.probe(predecessor);
    // Another dial may have shown the newcomer meanwhile: then it is the newcomer that answers.
    if (predecessor.incarnation < incarnation) {
      // A node that begins another incarnation may still answer for the former one: then it knows the dial as its own.
      if (hasAnswered && await word !== true) return nameInUse(name);
      this.#host.disconnect(predecessor);
    }
    const second = await this.#judgeVouched(request);
    return second === "probe" ? nameInUse(name) : second;
  }

  /** Whether what was granted to a dialer would still be granted, now that it knows; or what to wait for before one asks again. */
  confirms(request: ConnectionRequest): boolean | Promise<void> {
    const decision = this.#judge(request, true);
    return decision === "vouch" ? this.#askOwner(request) : decision === null;
  }

  /** Whether a dialer's connection would take the slot of another one. */
  isOccupied({ spec, channel, index }: ConnectionRequest): boolean {
    const present = this.#host.peer(spec.name)?.at(channel, index) ?? null;
    return present !== null && present.early === null;
  }

  /** Whether this node wants connections with a dialer. */
  isWanted({ spec: { name } }: ConnectionRequest): boolean {
    return this.#host.peer(name)?.wanted === true;
  }

  /** A dialer has filled its slot, or given up. @returns Whether it had been admitted. */
  release(request: ConnectionRequest): boolean {
    return this.#expected.delete(request);
  }

  /** Expects no dialer any more: what was granted was granted by the incarnation of this node that ends. */
  reset(): void {
    this.#expected.clear();
  }

  /** Decides about a dialer once the node that has its name has said whether the dial is its own. */
  async #judgeVouched(request: ConnectionRequest, first: Judgement = this.#judge(request)): Promise<Decision> {
    let decision = first;
    for (; decision === "vouch"; decision = this.#judge(request)) await this.#askOwner(request);
    return decision;
  }

  async #askOwner(request: ConnectionRequest): Promise<void> {
    const connection = ownersConnection(this.#host.peer(request.spec.name))!;
    this.#expected.add(request);
    this.#words.set(request, await this.#host.vouch(connection, request.ticket ?? 0) ?? connection);
  }

  #judge(request: ConnectionRequest, isGranted = false): Judgement {
    const { spec, channel, index } = request;
    const peer = this.#host.peer(spec.name);
    // Both ends have to take the same socket for what goes on over it: then only one of them may dial, however long that takes.
    const dialing = request.early === undefined
      ? this.#host.hasJustDialed(spec.name, channel, index)
      : this.#host.isDialing(spec.name, channel, index);
    const wallTime = this.#host.wallTime();
    const self = this.#host.self();
    // A former incarnation of this node has numbered its connections for itself.
    const isForThis = request.toIncarnation === self.incarnation;
    const fits = peer !== undefined && isForThis && this.#host.fits(request, peer);
    const isEarly = request.early !== undefined || (peer?.at(channel, index)?.early ?? null) !== null;
    const decision = judgeRequest(request, { self, peer, dialing, fits, wallTime, isGranted });
    // Only the peer itself, as it is known, says what it has: no other node that shows its name, and no other incarnation.
    const isPeer = peer !== undefined && peer.incarnation === spec.incarnation && isDuplicate(decision);
    const isUnfit = isPeer && isEarly && isForThis && !fits;
    if (decision !== null && !isUnfit) return decision;
    // With a secret, the dialer has proven that it holds the key of the name.
    if (self.key === undefined && peer?.incarnation === spec.incarnation && !peer.silent) {
      const word = this.#words.get(request);
      const connection = ownersConnection(peer);
      if (word === false) return nameInUse(spec.name);
      if (word !== true && connection !== null && word !== connection) return "vouch";
    }
    if (isUnfit) this.#host.unfit(request, peer);
    if (decision !== null) return decision;
    const isFirst = peer?.hasConnections !== true;
    const pending = this.#expected.size - (this.#expected.has(request) ? 1 : 0);
    if (isFirst && !this.#host.hasRoomFor(spec, pending)) return tooFewDescriptors(spec.name);
    this.#expected.add(request);
    return null;
  }
}

/** Whether a dialer may have the name that it shows, and is refused for the connection that it asks for. */
function isDuplicate(decision: Decision): boolean {
  return decision !== null && decision !== "probe" && decision.code === "duplicate";
}

/** The connection over which the node that has a name is asked about dials under it, if it is connected and can be asked. */
function ownersConnection(peer: Peer | undefined): Connection<Peer> | null {
  const connection = peer?.membership ?? peer?.connections()[0] ?? null;
  return connection?.features.has("vouch") ? connection : null;
}

/** Tells whether one of the peers that are wanted says that it is at a host. */
export function memberHosts(peers: ReadonlyMap<string, Peer>): (hostname: string) => boolean {
  const isAt = ({ wanted, spec }: Peer, hostname: string) =>
    wanted && spec.addresses.some((address) => address.hostname === hostname);
  return (hostname) => [...peers.values()].some((peer) => isAt(peer, hostname));
}
