// Copyright 2026 the Partisan peer-service authors. MIT license.

import { RecentMap } from "../runtime/recent_map.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Runtime } from "../transport/runtime.ts";
import { Accepting, type AcceptingHost } from "./acceptor/accepting.ts";
import type { BackoffOptions } from "./dialer/backoff.ts";
import type { Connection, ConnectionHandler } from "./connection.ts";
import { ConnectionOpener, type DialOptions } from "./handshake/connection_opener.ts";
import type { ConnectionPoolOptions } from "./connection_pool_options.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { DialSlots } from "./dialer/dial_slots.ts";
import { Dialers } from "./dialer/dialers.ts";
import { Dialing } from "./dialer/dialing.ts";
import { IncarnationNews } from "./incarnation_news.ts";
import { LinkCheck } from "./link_check.ts";
import { IdleGrace } from "./idle_grace.ts";
import { MEMBERSHIP_CHANNEL, Peer } from "./peer.ts";
import { UnnamedDials } from "./dialer/unnamed_dials.ts";
import { SlotFiller, type SlotFillerHost } from "./slot_filler.ts";
import type { PeerDialerHost } from "./dialer/peer_dialer.ts";
import { announceStatus } from "./peer_status.ts";
import { ReadingRoom } from "./reading_room.ts";
import { memberHosts, Reception } from "./acceptor/reception.ts";
import { Renewal } from "./renewal.ts";
import type { ByteStream } from "../transport/transport.ts";
import { type Address, haveCommonAddress } from "../wire/address.ts";
import { Unfinished } from "./unfinished.ts";
import { Shortage } from "./shortage.ts";
import { WantedNodes } from "./wanted_nodes.ts";
import { takeInterest, tellInterest } from "./interest.ts";

/** All connections of this node: opened, kept, replaced and closed. */
export class ConnectionPool implements SlotFillerHost, PeerDialerHost {
  readonly runtime: Runtime;
  readonly backoff: BackoffOptions;
  readonly courtesy: number;
  readonly slots: DialSlots;
  /** Answers the streams that others have dialed. */
  readonly accepting: Accepting;
  /** Has connections made anew when secrets or certificates are replaced. */
  readonly renewal: Renewal;
  /** Makes do with too few file descriptors. */
  readonly shortage: Shortage;
  /** Counters of streams. */
  readonly stats: Readonly<ConnectionOpener["stats"]>;
  /** Connections that another one has replaced, and that are still open. */
  readonly draining: ReadonlySet<Connection<Peer>>;
  readonly #options: ConnectionPoolOptions;
  readonly #opener: ConnectionOpener;
  readonly #peers: Map<string, Peer> = new RecentMap();
  /** Those of them that are behind an injected partition. */
  readonly #cutOff = new Set<Peer>();
  readonly #dialers: Dialers;
  readonly #idleGrace: IdleGrace;
  readonly #check: LinkCheck;
  readonly #reception: Reception;
  readonly #dialing: Dialing;
  readonly #unfinished = new Unfinished();
  readonly #filler: SlotFiller;
  readonly #unnamed = new UnnamedDials();
  readonly #wanted = new WantedNodes({ want: (spec) => this.#want(spec), unwant: (name) => this.#unwant(name) });
  #stopped = false;

  constructor(options: ConnectionPoolOptions) {
    this.runtime = options.runtime;
    this.backoff = options.backoff;
    this.courtesy = options.courtesy;
    this.#dialers = new Dialers(this);
    this.#options = options;
    this.#opener = new ConnectionOpener({ ...options, isMemberHost: memberHosts(this.#peers) });
    this.stats = this.#opener.stats;
    const { self, handler, runtime: { clock } } = options;
    this.slots = new DialSlots(clock, options.handshakeTimeout / 2, options.health, this.runtime.load);
    const news = new IncarnationNews(clock, () => self().incarnation, handler.outlived.bind(handler));
    this.#dialing = new Dialing({
      runtime: this.runtime,
      patience: options.interval,
      opener: this.#opener,
      self: options.self,
      peers: this.#peers,
      cutOff: this.#cutOff,
      mayDial: (address) => options.mayDial?.(address) ?? true,
      use: (...dialed) => this.#filler.takeSlot(...dialed),
      outlived: (known) => news.take(known),
    });
    this.#filler = new SlotFiller(this, options);
    this.draining = this.#filler.draining;
    this.#check = new LinkCheck(this, options.silence, options.interval, options.health);
    this.renewal = new Renewal(this, this.#opener, options.handshakeTimeout);
    this.#idleGrace = new IdleGrace(options.runtime.clock, options.idleGrace, (peer) => this.#closeUnwanted(peer));
    this.shortage = new Shortage(this, self, this.#unfinished);
    this.#reception = new Reception({
      self: options.self,
      peer: (name) => this.#peers.get(name),
      hasJustDialed: (...slot) => this.#dialing.hasJustBegun(slot, options.courtesy),
      isDialing: (...slot) => this.#dialing.hasJustBegun(slot, Infinity),
      probe: (peer) => options.handler.probe(peer),
      vouch: (...dial) => this.#dialing.vouching.ask(...dial),
      disconnect: (peer) => this.disconnect(peer),
      wallTime: () => clock.wallTime(),
      fits: (...asked) => this.#filler.early.fits(...asked),
      unfit: (...asked) => this.#filler.early.refused(...asked),
      hasRoomFor: (...asked) => this.shortage.hasRoomFor(...asked),
      outlived: (known) => news.take(known),
    });
    const welcome: AcceptingHost = {
      self: () => this.#stopped ? null : options.self(),
      welcome: (...accepted) => this.#filler.welcome(...accepted),
      released: (name) => this.#peers.has(name) && this.settle(this.#peers.get(name)!),
    };
    this.accepting = new Accepting(welcome, this.#opener, this.#reception);
  }

  /** All nodes with which there are, or should be, connections. */
  get peers(): ReadonlyMap<string, Peer> {
    return this.#peers;
  }

  /** Name of this node. */
  selfName(): string {
    return this.#options.self().name;
  }

  /** Keeps connections with these nodes and, after a while, no others. */
  want(specs: readonly NodeSpec[]): void {
    if (!this.#stopped) this.#wanted.replace(specs);
  }

  /**
   * Opens the membership connection with the node that is at one of the addresses, or returns the peer that is linked already.
   *
   * @param name The node that is meant, or `null` for any node that answers.
   * @throws {HandshakeRefusedError} When that node refuses, or is not the one that was meant.
   */
  async reach(name: string | null, addresses: readonly Address[], options?: DialOptions): Promise<Peer> {
    const known = name === null ? undefined : this.#peers.get(name);
    if (known === undefined || known.membership === null || known.doubtful) {
      return (await this.#open(name, addresses, MEMBERSHIP_CHANNEL, 0, options)).peer;
    }
    if (!known.wanted) this.#idleGrace.begin(known);
    return known;
  }

  /**
   * Opens one connection of a peer.
   *
   * @throws What the system said last, when there are too few file descriptors to begin with another peer.
   */
  dial(peer: Peer, channel: string, index: number): Promise<Connection<Peer>> {
    this.shortage.check(peer);
    return this.#open(peer.name, peer.spec.addresses, channel, index);
  }

  /** Answers a stream that the listener accepted. */
  accept(stream: ByteStream): Promise<void> {
    return this.#unfinished.add(this.accepting.accept(stream));
  }

  /** Whether the node takes no connections any more. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether the membership connection carries a part of what goes over another one. */
  isCarried(connection: Connection<Peer>): boolean {
    return this.#filler.early.carries(connection);
  }

  /** A connection is dialed anew no more: another one has its slot. */
  replaced(connection: Connection<Peer>): void {
    this.renewal.settle(connection);
  }

  /** A connection with a peer was dialed for a while only. */
  visited(peer: Peer): void {
    this.#idleGrace.begin(peer);
  }

  /** Whether a connection is about to open that fills a slot, dialed by either side. */
  isExpected(peer: Peer, channel: string, index: number): boolean {
    return this.#dialing.hasJustBegun([peer.name, channel, index], Infinity) ||
      this.#reception.expects(peer, channel, index);
  }

  /** Whether a dialer was admitted to a slot that it has not filled yet. */
  isPromised(peer: Peer, channel: string, index: number): boolean {
    return this.#reception.expects(peer, channel, index);
  }

  /** A dial of a wanted connection has failed. That it was given up because the node stops says nothing about the peer. */
  dialFailed(peer: Peer, error: unknown): void {
    if (!this.#stopped) this.#options.handler.dialFailed(peer, error);
  }

  /** Takes the failure detector's word that a peer is dead although its connections look open. */
  silence(peer: Peer): void {
    peer.silent = true;
    this.doubt(peer);
    if (!peer.wanted) this.#idleGrace.begin(peer);
  }

  /** Has a peer's connections replaced: they look open, but nothing comes through. */
  doubt(peer: Peer): void {
    this.#check.doubt(peer);
  }

  /** Takes the failure detector's word that a peer lives. Hearsay says nothing about the connections: those in doubt remain so. */
  revive(peer: Peer): void {
    peer.silent = false;
    this.settle(peer);
    this.#dialers.of(peer).hearten();
  }

  /** Lets nothing pass to and from a peer, or everything again. */
  separate(peer: Peer, partitioned: boolean): void {
    peer.partitioned = partitioned;
    if (partitioned) this.#cutOff.add(peer);
    else this.#cutOff.delete(peer);
    this.settle(peer);
  }

  /** Looks whether the connections carry anything. Called once a heartbeat interval. */
  look(): void {
    this.#check.look();
  }

  /** Closes all connections with a peer. */
  disconnect(peer: Peer, reason?: unknown): void {
    for (const connection of peer.connections()) connection.close(reason);
    this.#filler.closeReplaced(peer, reason);
  }

  /** Closes everything, for good. @returns Resolves once the dials and handshakes under way have closed their streams as well. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#opener.stop();
    this.renewal.stop();
    this.reset();
    return this.#unfinished.finished();
  }

  /** Closes everything and forgets everyone. */
  reset(): void {
    this.#reception.reset();
    this.#dialing.forget();
    this.slots.forget();
    this.#wanted.clear();
    for (const peer of [...this.#peers.values()]) {
      this.#forget(peer);
      this.disconnect(peer);
      // Nothing that was awaited comes any more.
      this.#announce(peer, false);
    }
    // Those of peers that were forgotten before are left.
    for (const connection of [...this.draining]) connection.close();
  }

  /** A frame came in on one of the connections. */
  frame: ConnectionHandler<Peer>["frame"] = (connection, kind, buffer, start, end) => {
    if (connection.doubtful) this.#check.trust(connection);
    if (this.#check.takeFrame(connection, kind, buffer, start, end)) return;
    if (this.#dialing.vouching.takeFrame(connection, kind, buffer, start, end)) return;
    if (this.#filler.takeFrame(connection, kind, buffer, start, end)) return;
    if (kind === FrameKind.renew) this.renewal.take(connection, buffer, start, end);
    else if (kind === FrameKind.interest) {
      takeInterest(connection.peer, buffer, start, end);
      this.settle(connection.peer);
    } else return this.#options.handler.frame(connection, kind, buffer, start, end);
  };

  /** A message came in on one of the connections. */
  message: ConnectionHandler<Peer>["message"] = (connection, kind, buffer, start, end) => {
    if (connection.doubtful) this.#check.trust(connection);
    return this.#options.handler.message(connection, kind, buffer, start, end);
  };

  /** One of the connections closed. */
  closed(connection: Connection<Peer>, error: unknown): void {
    const present = connection.peer.remove(connection);
    this.#filler.closed(connection);
    this.renewal.settle(connection);
    this.#dialing.vouching.closed(connection);
    this.#options.handler.connectionClosed(connection, error);
    if (present || connection.replacedThere) this.settle(connection.peer);
  }

  #open(...[name, addresses, ...slot]: Parameters<Dialing["open"]>): Promise<Connection<Peer>> {
    const dial = () => this.#dialing.open(name, addresses, ...slot);
    return this.#unfinished.add(name === null ? this.#unnamed.run(addresses, dial, this.#settleAt) : dial());
  }

  /** A dial has ended that could have been one of these peers. */
  readonly #settleAt = (addresses: readonly Address[]): void => {
    const isMeant = ({ linked, membership, spec }: Peer) =>
      linked && membership === null && haveCommonAddress(addresses, spec.addresses);
    for (const peer of [...this.#peers.values()]) if (isMeant(peer)) this.settle(peer);
  };

  /** Whether a connection with a peer is about to open, so that the peer is not gone with its last one. */
  #isAwaited(peer: Peer): boolean {
    // It is not gone then, whatever else is to come: the rest need not be looked at whenever a peer is.
    if (peer.membership !== null) return false;
    if (this.#reception.expects(peer) || this.#filler.isHandingOver(peer)) return true;
    return peer.linked && this.#unnamed.mayReach(peer.spec.addresses);
  }

  /** A channel is used for the first time. */
  readonly #wake = (peer: Peer, channel: string): void => {
    if (this.#stopped || peer.membership === null) return;
    this.#filler.early.wake(peer, channel);
    this.#dialers.of(peer).reconcile();
  };

  /** Takes note of what a node says of itself. */
  know(spec: NodeSpec): Peer {
    const known = this.#peers.get(spec.name);
    this.#filler.closeFormer(spec);
    if (known === undefined) {
      const peer = new Peer(spec, this.#options.self(), new ReadingRoom(this.#options.halfReadMax));
      peer.heardAt = this.runtime.clock.now();
      peer.wake = this.#wake;
      peer.met = this.#options.handler.hasMet?.(spec.name) ?? false;
      this.#peers.set(spec.name, peer);
      return peer;
    }
    if (spec.incarnation > known.spec.incarnation) {
      for (const connection of known.fitTo(spec, this.#options.self())) connection.close();
      known.silent = known.doubtful = false;
      // Its former incarnation is over, whichever side is expected to dial for the new one.
      this.#announce(known, false);
      // Where it is wanted no more over that, it was forgotten, and what is about to open is of a peer that is known anew.
      if (this.#peers.get(spec.name) !== known) return this.know(spec);
      this.#dialers.of(known).encourage();
    } else if (spec.incarnation === known.spec.incarnation && known.spec.key === undefined && spec.key !== undefined) {
      known.spec = spec;
    }
    return known;
  }

  /** Tells what changed about a peer, dials what is missing, and forgets it when it is not needed any more. */
  settle(peer: Peer): void {
    const expected = this.#isAwaited(peer);
    this.#announce(peer, expected);
    if (this.#peers.get(peer.name) !== peer) return;
    this.#dialers.of(peer).reconcile();
    if (!peer.wanted && !expected && !peer.hasConnections) this.#forget(peer);
  }

  #announce(peer: Peer, expected: boolean): void {
    announceStatus(peer, this.#options.handler, this.runtime.clock.now(), expected);
  }

  #want(spec: NodeSpec): void {
    const peer = this.know(spec);
    if (peer.wanted) return;
    peer.wanted = true;
    tellInterest(peer);
    this.#idleGrace.end(peer);
    this.#dialers.of(peer).reconcile();
    // Where it is linked already it is up now: who has it wanted is done first.
    if (peer.membership !== null) this.runtime.defer(() => this.#peers.get(peer.name) === peer && this.settle(peer));
  }

  #unwant(name: string): void {
    const peer = this.#peers.get(name);
    if (!peer?.wanted) return;
    peer.wanted = false;
    tellInterest(peer);
    this.#dialers.of(peer).reconcile();
    if (peer.hasConnections) this.#idleGrace.begin(peer);
    else this.settle(peer);
  }

  /** Closes what neither side wants: the one that dialed does, because it knows for which messages it did. */
  #closeUnwanted(peer: Peer): void {
    const { membership, silent, wantedThere } = peer;
    if (silent || membership === null || (membership.outbound && !wantedThere)) this.disconnect(peer);
    else this.#idleGrace.begin(peer);
  }

  #forget(peer: Peer): void {
    this.#dialers.forget(peer);
    this.#idleGrace.end(peer);
    this.#cutOff.delete(peer);
    this.#filler.early.forget(peer);
    if (this.#peers.get(peer.name) === peer) this.#peers.delete(peer.name);
    // It joins no more as the peer that it was here: what waits for that, and its connection, would wait without end.
    if (!peer.isParty) this.#filler.closeReplaced(peer);
  }
}
