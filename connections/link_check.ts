// Copyright 2026 the Partisan peer-service authors. MIT license.

import { IN_TIME, type Slowness } from "../runtime/local_health.ts";
import type { Clock } from "../runtime/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { ProtocolError } from "../wire/frame_reader.ts";
import type { ConfirmationLimits } from "./confirmation.ts";
import type { Connection } from "./connection.ts";
import { MEMBERSHIP_CHANNEL, type Peer } from "./peer.ts";

/** A connection over which nothing is on its way is asked after so many times the silence that is borne. */
const IDLE_SILENCES = 6;

/** The other side of the membership connection need not be told of less: heartbeats tell that it is read. */
const MEMBERSHIP_REPORT_BYTES = 4_096;

/** Part of the pool that a {@linkcode LinkCheck} uses. */
export interface LinkCheckHost {
  readonly runtime: { readonly clock: Clock };
  readonly peers: ReadonlyMap<string, Peer>;
  /** Whether the membership connection carries a part of what goes over another one. */
  isCarried(connection: Connection<Peer>): boolean;
  /** Acts on what has changed about a peer. */
  settle(peer: Peer): void;
  /** Closes all connections with a peer. */
  disconnect(peer: Peer): void;
}

/**
 * Looks at each connection whether it carries anything. One over which the other side owes an answer for too long is mute: it carries no
 * messages any more, and is dialed anew. A peer whose connections remain in doubt for as long as silence is borne, and that could not be
 * dialed in that time, is out of reach for this node, whatever others say of it. One that is not wanted is not dialed: its connections are closed.
 */
export class LinkCheck {
  readonly #host: LinkCheckHost;
  readonly #silence: number;
  readonly #interval: number;
  readonly #health: Slowness;
  readonly #data: ConfirmationLimits;
  readonly #membership: ConfirmationLimits;
  /** Those of a membership connection over which no heartbeat came that was to come: there may be others that keep the peer from being suspected. */
  readonly #overdue: ConfirmationLimits;
  #lookedAt: number;

  /**
   * @param silence Milliseconds of silence that are borne.
   * @param interval Milliseconds between two looks.
   * @param health Local health of this node: silence counts less while its timers are late. In time by default.
   */
  constructor(host: LinkCheckHost, silence: number, interval: number, health: Slowness = IN_TIME) {
    const idle = IDLE_SILENCES * silence;
    this.#host = host;
    this.#silence = silence;
    this.#interval = interval;
    this.#health = health;
    this.#data = { ask: 0, idle, silence, report: 1 };
    this.#membership = { ask: idle, idle, silence, report: MEMBERSHIP_REPORT_BYTES };
    this.#overdue = { ...this.#membership, ask: 0, idle: 0 };
    this.#lookedAt = host.runtime.clock.now();
  }

  /** Looks at everything. Called once an interval. */
  look(): void {
    const now = this.#host.runtime.clock.now();
    const elapsed = now - this.#lookedAt;
    this.#lookedAt = now;
    // A look that comes late shows that this node was busy, or stopped: what has come meanwhile is read after it.
    const counted = Math.min(elapsed, 2 * this.#interval) / this.#health.multiplier;
    for (const peer of [...this.#host.peers.values()]) {
      peer.connections().forEach((connection) => this.#lookAt(connection, elapsed, counted));
      this.#judge(peer, now, counted);
    }
  }

  /** Doubts all connections of a peer: they look open, but nothing comes through. */
  doubt(peer: Peer): void {
    peer.doubtful = true;
    for (const connection of peer.connections()) connection.doubtful = true;
    this.#host.settle(peer);
  }

  /** Takes note of a frame that came in. @returns Whether it was one of those by which connections are looked at. */
  takeFrame(connection: Connection<Peer>, kind: number, buffer: Uint8Array, start: number, end: number): boolean {
    if (kind !== FrameKind.probe && kind !== FrameKind.probed) return false;
    const expected = kind === FrameKind.probe ? 4 : 8;
    if (end - start !== expected) {
      throw new ProtocolError(`Cannot read a probe or its answer: it has ${end - start} bytes, expected ${expected}`);
    }
    const view = new DataView(buffer.buffer, buffer.byteOffset + start);
    if (kind === FrameKind.probe) connection.answerProbe(view.getUint32(0));
    else if (connection.takeProbed(view.getUint32(0), view.getUint32(4)) && connection.mute) {
      connection.mute = false;
      this.trust(connection);
    }
    return true;
  }

  /** Something has come through a connection that was in doubt. */
  trust(connection: Connection<Peer>): void {
    const { peer } = connection;
    connection.doubtful = false;
    if (peer.membership === connection && !connection.mute) peer.doubtful = false;
    this.#host.settle(peer);
  }

  #lookAt(connection: Connection<Peer>, elapsed: number, counted: number): void {
    connection.look(elapsed);
    const { peer, channel, mute, closed } = connection;
    if (closed || !connection.features.has("probe") || peer.at(channel, connection.index) !== connection) return;
    if (!connection.confirmation.look(connection, counted, this.#limitsOf(connection)) || mute) return;
    connection.mute = true;
    if (channel === MEMBERSHIP_CHANNEL) return this.doubt(peer);
    if (peer.membership !== null && this.#host.isCarried(connection)) peer.doubtful = peer.membership.doubtful = true;
    this.#host.settle(peer);
  }

  #limitsOf({ channel, peer: { heartbeatDue } }: Connection<Peer>): ConfirmationLimits {
    if (channel !== MEMBERSHIP_CHANNEL) return this.#data;
    return heartbeatDue <= this.#lookedAt ? this.#overdue : this.#membership;
  }

  #judge(peer: Peer, now: number, counted: number): void {
    if (!peer.inDoubt) {
      peer.doubtAge = 0;
      return;
    }
    if (peer.doubtAge === 0) peer.doubtSince = now;
    peer.doubtAge += counted;
    const couldNotDial = peer.failure !== null && peer.failure.at >= peer.doubtSince;
    if (peer.doubtAge < this.#silence) return;
    if (!peer.wanted) {
      // It is not dialed anew from here. Where the other end wants it, that one does; its word that it wants it no more may be lost.
      peer.wantedThere = false;
      return this.#host.disconnect(peer);
    }
    if (peer.severed || !couldNotDial) return;
    peer.severed = true;
    this.#host.settle(peer);
  }
}
