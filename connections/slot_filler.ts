// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../transport/runtime.ts";
import { checkOwner, isPreferred } from "./acceptor/admission.ts";
import { Connection, type ConnectionHandler, type ConnectionIdentity } from "./connection.ts";
import type { ConnectionPoolOptions } from "./connection_pool_options.ts";
import { EarlyConnections, type EarlyHost } from "./early/early_connections.ts";
import type { OpenedStream } from "./handshake/connection_opener.ts";
import { type ConnectionRequest, seenOf } from "./handshake/introduction.ts";
import type { Interests } from "./handshake/session.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { tellInterest } from "./interest.ts";
import { MEMBERSHIP_CHANNEL, type Peer, slotKey } from "./peer.ts";
import { ReplacedConnections } from "./replaced_connections.ts";
import { sendValue } from "./send_value.ts";
import type { NodeSpec } from "../wire/node_spec.ts";

/** Identity of a connection within its peer. */
type SlotIdentity = Omit<ConnectionIdentity<Peer>, "peer">;

/** Part of the pool that a {@linkcode SlotFiller} uses. */
export interface SlotFillerHost extends ConnectionHandler<Peer> {
  readonly runtime: Runtime;
  /** Known nodes. */
  readonly peers: ReadonlyMap<string, Peer>;
  /** Whether the node takes no connections any more. */
  readonly stopped: boolean;
  /** Takes note of what a node says of itself. */
  know(spec: NodeSpec): Peer;
  /** Whether a connection is about to open that fills the slot, dialed by either side. */
  isExpected(peer: Peer, channel: string, index: number): boolean;
  /** A connection is dialed anew no more: another one has its slot. */
  replaced(connection: Connection<Peer>): void;
  /** A connection with a peer was dialed for a while only. */
  visited(peer: Peer): void;
  /** Acts on what has changed about a peer. */
  settle(peer: Peer): void;
}

/** Puts open streams into the slots that they are for, and takes out what they replace. */
export class SlotFiller implements EarlyHost {
  /** Those that have no socket yet. */
  readonly early: EarlyConnections;
  readonly #host: SlotFillerHost;
  readonly #options: Pick<ConnectionPoolOptions, "self" | "connectionOptions">;
  readonly #replaced: ReplacedConnections;

  constructor(host: SlotFillerHost, options: ConnectionPoolOptions) {
    this.#host = host;
    this.#options = options;
    this.#replaced = new ReplacedConnections(options.idleGrace, options.courtesy);
    this.early = new EarlyConnections(this);
  }

  /** Connections that another one has replaced, and that are still open. */
  get draining(): ReadonlySet<Connection<Peer>> {
    return this.#replaced.open;
  }

  /** Uses a stream that was accepted. */
  welcome(request: ConnectionRequest, opened: OpenedStream): void {
    const peer = this.#host.know(request.spec);
    peer.noteLost(request, seenOf(request, this.#options.self()));
    if (request.early === undefined) this.#fillSlot(peer, request, false, opened);
    else this.#settleMoved(this.early.welcome(request, peer, opened), request, peer, opened);
  }

  /** Uses a stream that was dialed. @returns The connection that fills the slot now, this one or a better one; `null` for none. */
  takeSlot(request: ConnectionRequest, opened: OpenedStream & { spec: NodeSpec }): Connection<Peer> | null {
    const known = this.#host.peers.get(opened.spec.name);
    if (known !== undefined) checkOwner(known.spec, opened);
    const { channel, index } = request;
    const isOld = opened.spec.incarnation < (known?.incarnation ?? 0);
    // The other side has had it, and has replaced it since.
    const isLost = request.dial <= (known?.lostDials.get(slotKey(channel, index)) ?? 0);
    const isUseful = !this.#host.stopped && request.spec === this.#options.self() && !isOld && !isLost;
    const peer = isUseful ? this.#host.know(opened.spec) : null;
    if (peer === null) opened.stream.close();
    else if (request.early === undefined) this.#fillDialed(peer, request, opened);
    else this.#settleMoved(this.early.dialed(request, peer, opened), request, peer, opened);
    if (peer === null) return null;
    if (!peer.wanted && this.#host.peers.get(peer.name) === peer) this.#host.visited(peer);
    return peer.at(channel, index);
  }

  /** Takes a connection out of its slot, and closes it once both sides have read what is under way. */
  retire(connection: Connection<Peer>): void {
    if (connection.closed) return;
    this.#host.replaced(connection);
    this.#replaced.add(connection);
  }

  /** Takes note of a frame that came in. @returns Whether it was one of those by which connections change their slots or sockets. */
  takeFrame(connection: Connection<Peer>, kind: number, buffer: Uint8Array, start: number, end: number): boolean {
    if (kind === FrameKind.drain) this.#takeDrain(connection);
    else if (kind !== FrameKind.early) return false;
    else if (this.early.take(connection, buffer, start, end)) this.#host.settle(connection.peer);
    return true;
  }

  /** The other side has replaced a connection, maybe before this one. */
  #takeDrain(connection: Connection<Peer>): void {
    const { peer, channel, index } = connection;
    connection.takeDrain();
    if (peer.at(channel, index) !== connection) return;
    // Until the one that replaces it is open here as well, this side goes on with it.
    if (this.#host.isExpected(peer, channel, index)) return;
    this.retire(connection);
    this.#host.settle(peer);
  }

  /** A connection has closed, and has no slot any more. */
  closed(connection: Connection<Peer>): void {
    this.#replaced.open.delete(connection);
    const { peer, channel } = connection;
    if (channel !== MEMBERSHIP_CHANNEL) return;
    if (peer.membership === null) this.early.abandon(peer);
    else this.early.resume(peer);
  }

  /** Whether the other side has replaced the membership connection, and this one has yet to learn by which: it is read until then. */
  isHandingOver(peer: Peer): boolean {
    for (const connection of this.#replaced.open) {
      if (connection.peer === peer && connection.channel === MEMBERSHIP_CHANNEL && connection.replacedThere) {
        return true;
      }
    }
    return false;
  }

  /** Closes those connections of a peer that others have replaced. */
  closeReplaced(peer: Peer, reason?: unknown): void {
    this.#replaced.close(peer, reason);
  }

  /** Closes those of the former incarnations of a node. */
  closeFormer(spec: NodeSpec): void {
    this.#replaced.closeFormer(spec);
  }

  connection(peer: Peer, identity: SlotIdentity, session: OpenedStream): Connection<Peer> {
    const { stream, reader, epoch } = session;
    const { channel, index, dial, outbound, early = null } = identity;
    const options = { ...this.#options.connectionOptions(identity.channel, peer.spec), session };
    const { runtime } = this.#host;
    return new Connection(
      { peer, channel, index, dial, outbound, early, epoch },
      stream,
      reader,
      this.#host,
      runtime,
      options,
    );
  }

  selfName(): string {
    return this.#options.self().name;
  }

  put(connection: Connection<Peer>, lost?: true, interests?: Interests): void {
    const { peer, channel } = connection;
    const replaced = peer.fill(connection);
    if (replaced !== null && lost) replaced.doubtful = true;
    if (channel === MEMBERSHIP_CHANNEL) this.#putMembership(connection, interests);
    if (replaced !== null) this.retire(replaced);
    // What waits for room there goes on here, before what comes later.
    replaced?.queue.release();
    connection.start(channel === MEMBERSHIP_CHANNEL ? undefined : this.#replaced.before(connection));
    if (channel === MEMBERSHIP_CHANNEL) this.early.resume(peer);
  }

  detach(connection: Connection<Peer>): void {
    connection.peer.remove(connection);
    this.#replaced.open.add(connection);
  }

  /** Puts an open connection into its slot. @returns The connection, or `null` when that is better filled. */
  #fillSlot(peer: Peer, request: ConnectionRequest, outbound: boolean, opened: OpenedStream): Connection<Peer> | null {
    if (!peer.hasSlot(request.channel, request.index)) return null;
    const connection = this.connection(peer, slotOf(request, outbound), opened);
    this.put(connection, request.lost, opened.interests);
    this.#host.settle(peer);
    return connection;
  }

  #fillDialed(peer: Peer, request: ConnectionRequest, opened: OpenedStream & { spec: NodeSpec }): void {
    const present = peer.at(request.channel, request.index);
    // It was begun while this dial was under way: the other side goes on with it, and not with this.
    const isBetter = !present?.early && isPreferred(request, present, peer, request.spec);
    const connection = isBetter ? this.#fillSlot(peer, request, true, opened) : null;
    if (connection !== null) return;
    if (present === null || present.early) opened.stream.close();
    else this.#replaced.addSurplus(this.connection(peer, slotOf(request, true), opened));
  }

  #putMembership(connection: Connection<Peer>, interests: Interests | undefined): void {
    const { peer } = connection;
    // What made the old connections doubtful may hold for all of them; the new one shows that the node is there.
    const doubtful = peer.connections().filter((other) => other !== connection && other.doubtful);
    peer.doubtful = false;
    peer.wantedThere = interests?.theirs ?? true;
    peer.toldInterest = interests !== undefined;
    // It may have changed since the handshake.
    const isNews = interests === undefined
      ? !peer.wanted || connection.features.has("early")
      : interests.ours !== peer.wanted;
    if (isNews) tellInterest(peer);
    for (const other of doubtful) {
      // What the former membership connection did not bring, this one brings.
      if (this.early.carries(other)) other.doubtful = false;
      else {
        this.#askAnew(other);
        this.retire(other);
      }
    }
    peer.silent = false;
  }

  /**
   * A connection is given up for lost here, and nothing replaces it. Its dialer may have heard something over it, and go on with it: this side would
   * have none for as long as that does, unless it is for this one to dial.
   */
  #askAnew(connection: Connection<Peer>): void {
    const { outbound, replacedThere, peer } = connection;
    const dials = peer.wanted && peer.membership?.outbound === true;
    if (!outbound && !replacedThere && !dials) sendValue(connection, FrameKind.renew, true);
  }

  #settleMoved(hasMoved: boolean, { channel, index }: ConnectionRequest, peer: Peer, opened: OpenedStream): void {
    if (!hasMoved) return opened.stream.close();
    peer.noteDial(peer.at(channel, index)!);
    this.#host.settle(peer);
  }
}

/** Identity of the connection that a dialer has asked for. */
function slotOf({ channel, index, dial }: ConnectionRequest, outbound: boolean): SlotIdentity {
  return { channel, index, dial, outbound, early: null };
}
