// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../../runtime/forget_oldest.ts";
import { FrameReader, ProtocolError } from "../../wire/frame_reader.ts";
import type { Connection, ConnectionIdentity } from "../connection.ts";
import type { ConnectionRequest } from "../handshake/introduction.ts";
import type { OpenedStream } from "../handshake/connection_opener.ts";
import { MEMBERSHIP_CHANNEL, type Peer, slotKey } from "../peer.ts";
import { type EarlyFrame, EarlyWord, readEarly, type SocketMark } from "./early_frames.ts";
import { EarlyStream, type EarlyStreamHost, sayEarly } from "./early_stream.ts";

/** Part of the pool that an {@linkcode EarlyConnections} uses. */
export interface EarlyHost {
  /** Name of this node. */
  selfName(): string;
  /** Makes a connection. */
  connection(peer: Peer, identity: Omit<ConnectionIdentity<Peer>, "peer">, opened: OpenedStream): Connection<Peer>;
  /** Puts a connection into its slot. */
  put(connection: Connection<Peer>): void;
  /** Takes a connection out of its slot that takes nothing more, and of which what has come is still to be read. */
  detach(connection: Connection<Peer>): void;
}

/** Peers of which it is remembered, once they are forgotten, which of their connections have begun here. */
const FORMER_MAX = 1_024;

/** Connections without a socket that another node has begun. */
interface Seen {
  /** Incarnation of that node. */
  readonly incarnation: number;
  /** The greatest number of the other end's, by slot. */
  readonly seen: Map<string, number>;
}

/** Streams that the membership connections of one peer carry. */
interface Carried extends Seen {
  /** The open ones, by slot. */
  readonly streams: Map<string, EarlyStream>;
}

/**
 * The connections that have no socket yet. A channel's connections are dialed when the channel is first used, by either side. Until they are
 * open, the membership connection carries their bytes, and then they go on over their sockets: no message waits for a dial, and none overtakes
 * another one.
 */
export class EarlyConnections {
  readonly #host: EarlyHost;
  readonly #carried = new WeakMap<Peer, Carried>();
  /** By name, those that were forgotten last at the end. */
  readonly #former = new Map<string, Seen>();
  #streams = 0;

  constructor(host: EarlyHost) {
    this.#host = host;
  }

  /** Begins all connections of a channel. */
  wake(peer: Peer, channel: string): void {
    for (let index = 0; index < peer.slotsOn(channel); index++) {
      if (peer.at(channel, index) === null) this.#begin(peer, channel, index);
    }
  }

  /**
   * Takes a frame of kind `early`.
   *
   * @returns Whether the other side has used a channel that was not used here.
   * @throws {ProtocolError} When it is malformed.
   */
  take(carrier: Connection<Peer>, buffer: Uint8Array, start: number, end: number): boolean {
    const frame = readEarly(buffer, start, end);
    const { peer } = carrier;
    const { channel, index } = frame;
    if (carrier.channel !== MEMBERSHIP_CHANNEL || channel === MEMBERSHIP_CHANNEL) {
      throw new ProtocolError(`Cannot take bytes of channel "${channel}": "${carrier.channel}" carries none of them`);
    }
    // What both sides have for channels may change while the frame is on its way.
    if (!peer.hasSlot(channel, index)) return false;
    // Over one that was replaced may come what the other side has said before it lost all that it had. What it still has it says again.
    if (carrier !== peer.membership && !this.#isKnown(peer, frame)) return false;
    const begun = this.#streams;
    const stream = this.#streamFor(peer, frame);
    if (stream !== null) stream.take(frame);
    else if (frame.word !== EarlyWord.closed) {
      sayEarly(carrier, EarlyWord.closed, { channel, index, from: frame.to, to: frame.from });
    }
    return this.#streams !== begun;
  }

  /** Whether a dialer means a connection that has no socket here, and has begun or can begin. */
  fits({ early, channel, index }: ConnectionRequest, peer: Peer): boolean {
    if (early === undefined || peer.membership === null) return false;
    const [theirs, ours] = early;
    const stream = this.#of(peer).streams.get(slotKey(channel, index));
    const isOurs = ours === 0 || ours === stream?.id;
    if (stream?.theirs === theirs) return isOurs && peer.at(channel, index)?.early === stream;
    if (theirs <= this.#seen(peer, channel, index)) return false;
    const isOpen = stream !== undefined && stream.theirs === 0;
    return isOpen ? isOurs && !stream.hasSocket : ours === 0;
  }

  /**
   * A dialer was refused because of that: either end learns what the other one has. Where the dialer has no use for the socket that the
   * connection has here, the connection has come to its end.
   */
  refused({ early, channel, index, dial }: ConnectionRequest, peer: Peer): void {
    const stream = this.#of(peer).streams.get(slotKey(channel, index));
    if (early === undefined) stream?.announce();
    else if (stream?.theirs === early[0] && stream.isLeftBehindBy(dial)) peer.at(channel, index)?.close();
  }

  /** Gives the connection that a dialer means the socket that it has opened. @returns Whether there is such a connection. */
  welcome(request: ConnectionRequest, peer: Peer, opened: OpenedStream): boolean {
    const { early, channel, index, dial } = request;
    if (early === undefined || !this.fits(request, peer)) return false;
    const stream = this.#streamFor(peer, { channel, index, from: early[0], to: early[1], word: EarlyWord.taken });
    return stream !== null && this.#attach(peer, stream, opened, { outbound: false, dial });
  }

  /** Gives the connection for which this node has dialed its socket. @returns Whether there still is such a connection. */
  dialed(request: ConnectionRequest, peer: Peer, opened: OpenedStream): boolean {
    const { early, channel, index, dial } = request;
    const stream = this.#of(peer).streams.get(slotKey(channel, index));
    if (early === undefined || stream?.id !== early[0]) return false;
    return this.#attach(peer, stream, opened, { outbound: true, dial });
  }

  /** Whether a membership connection carries a part of what goes over a connection. */
  carries({ peer, channel, index }: Connection<Peer>): boolean {
    return this.#known(peer)?.streams.get(slotKey(channel, index))?.isCarried ?? false;
  }

  /** Another membership connection carries them from now on. */
  resume(peer: Peer): void {
    for (const stream of [...this.#known(peer)?.streams.values() ?? []]) stream.resume();
  }

  /** No membership connection is left: those that cannot go on without one are lost. */
  abandon(peer: Peer): void {
    for (const stream of [...this.#known(peer)?.streams.values() ?? []]) {
      if (!stream.isBound) continue;
      const connection = peer.at(stream.channel, stream.index);
      if (connection?.early === stream) this.#host.detach(connection);
      stream.abandon();
    }
  }

  /**
   * A peer is forgotten. It may go on with what it has begun here, because it does not know that: it would say again what was read, and that must not
   * begin anew.
   */
  forget(peer: Peer): void {
    const carried = this.#known(peer);
    if (carried === undefined || carried.seen.size === 0) return;
    const { incarnation, seen } = carried;
    this.#former.delete(peer.name);
    this.#former.set(peer.name, { incarnation, seen });
    forgetOldest(this.#former, FORMER_MAX);
  }

  /** Whether a frame comes from the other end of a connection that is here. */
  #isKnown(peer: Peer, { channel, index, from }: EarlyFrame): boolean {
    return this.#known(peer)?.streams.get(slotKey(channel, index))?.theirs === from;
  }

  /** The stream that the other end means; `null` when it is not, or no longer, open here. */
  #streamFor(peer: Peer, { channel, index, from, to, word }: Omit<EarlyFrame, "body">): EarlyStream | null {
    const { streams, seen } = this.#of(peer);
    const slot = slotKey(channel, index);
    const stream = streams.get(slot);
    const isKnown = from !== 0 && stream?.theirs === from;
    if (word === EarlyWord.closed) return isKnown || stream?.id === to ? stream! : null;
    if (isKnown) {
      if (to === 0 || to === stream!.id) return stream!;
      // The other end goes on with a former connection, and does not know of this one: what this end has taken from there was not meant for it.
      stream!.abandon();
      return null;
    }
    const isOpen = stream?.theirs === 0;
    if (from <= this.#seen(peer, channel, index) || (to !== 0 && !(isOpen && stream.id === to))) return null;
    seen.set(slot, from);
    if (isOpen) {
      stream.theirs = from;
      return stream;
    }
    // The other end has begun anew, and goes on with no former one: what is still to come of that must not hold this one up.
    stream?.abandon();
    const begun = this.#begin(peer, channel, index, from);
    this.wake(peer, channel);
    return begun;
  }

  #begin(peer: Peer, channel: string, index: number, theirs = 0): EarlyStream {
    const { streams } = this.#of(peer);
    const slot = slotKey(channel, index);
    const host: EarlyStreamHost = {
      carrier: () => peer.membership,
      closed: (stream) => void (streams.get(slot) === stream && streams.delete(slot)),
    };
    const stream = new EarlyStream(channel, index, ++this.#streams, theirs, host);
    const { epoch, version, features, takenThere: maxFrameBytes } = peer.membership!;
    const session = { stream, reader: new FrameReader(stream, maxFrameBytes), version, features, maxFrameBytes, epoch };
    const identity = { channel, index, dial: 0, outbound: this.#host.selfName() < peer.name, early: stream };
    streams.set(slot, stream);
    this.#host.put(this.#host.connection(peer, identity, session));
    return stream;
  }

  #attach(peer: Peer, stream: EarlyStream, opened: OpenedStream, mark: SocketMark): boolean {
    const connection = peer.at(stream.channel, stream.index);
    if (connection === null || connection.early !== stream) return false;
    connection.moveTo(opened.stream, opened.reader.rest(), mark, opened.epoch);
    return true;
  }

  #seen(peer: Peer, channel: string, index: number): number {
    return this.#of(peer).seen.get(slotKey(channel, index)) ?? 0;
  }

  #of(peer: Peer): Carried {
    let carried = this.#known(peer);
    if (carried === undefined) {
      const { name, incarnation } = peer;
      const former = this.#former.get(name);
      const seen = former?.incarnation === incarnation ? former.seen : new Map<string, number>();
      carried = { incarnation, streams: new Map(), seen };
      this.#carried.set(peer, carried);
    }
    return carried;
  }

  /** The entry of a peer, if it has one: with most peers no connection ever began without a socket. */
  #known(peer: Peer): Carried | undefined {
    const carried = this.#carried.get(peer);
    return carried?.incarnation === peer.incarnation ? carried : undefined;
  }
}
