// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Deadlines } from "../runtime/deadlines.ts";
import type { Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { decode } from "../wire/message_pack_decode.ts";
import type { Connection } from "./connection.ts";
import { backoffDelay, type BackoffOptions } from "./dialer/backoff.ts";
import { FewAtATime } from "./few_at_a_time.ts";
import type { ConnectionOpener } from "./handshake/connection_opener.ts";
import type { SharedSecrets } from "./handshake/shared_secrets.ts";
import type { Peer } from "./peer.ts";
import { sendValue } from "./send_value.ts";

/** Connections that a node dials anew at a time, and as many that it has its peers dial anew. */
const AT_A_TIME = 4;

/** Part of the pool that a {@linkcode Renewal} uses. */
export interface RenewalHost {
  readonly runtime: Pick<Runtime, "clock" | "random">;
  readonly backoff: BackoffOptions;
  readonly peers: ReadonlyMap<string, Peer>;
  /** Connections that another one has replaced, and that are still open. */
  readonly draining: ReadonlySet<Connection<Peer>>;
  dial(peer: Peer, channel: string, index: number): Promise<Connection<Peer>>;
}

/** On what the open connections of a node stand. */
export interface TrustStats {
  /** Connections whose handshake was made with the present secrets and certificates. */
  readonly current: number;
  /** Connections whose handshake was made with former ones: they are made anew one after another, and drain. */
  readonly former: number;
}

/** A connection that could not be made anew. */
export interface RenewalFailure {
  /** Name of the peer. */
  readonly node: string;
  /** Error of the dial from here; `undefined` when the peer is to dial. */
  readonly error: unknown;
}

/**
 * Has connections that stand on former secrets or certificates made anew, a few at a time. The dialer of a connection dials its slot
 * again, and the old one drains. The acceptor asks the dialer to do so over the connection itself; the dialer says when it cannot.
 * What could not be made anew is tried again, with back-off, for as long as it is open.
 */
export class Renewal {
  readonly #host: RenewalHost;
  readonly #opener: Pick<ConnectionOpener, "epoch" | "beginEpoch">;
  readonly #dials = new FewAtATime(AT_A_TIME);
  readonly #requests = new FewAtATime(AT_A_TIME);
  /** Connections that their dialers were asked to replace. */
  readonly #asked = new Map<Connection<Peer>, () => void>();
  readonly #patience: Deadlines;
  #timer: Timer | null = null;
  #tries = 0;
  #stopped = false;

  /** @param patience Milliseconds in which a dialer that was asked must have done it, or said that it cannot. */
  constructor(host: RenewalHost, opener: Pick<ConnectionOpener, "epoch" | "beginEpoch">, patience: number) {
    this.#host = host;
    this.#opener = opener;
    this.#patience = new Deadlines(host.runtime.clock, patience, () => undefined);
  }

  /** Secrets and certificates that the open connections stand on, those that drain included. */
  get stats(): TrustStats {
    const open = [...this.#host.peers.values()].flatMap((peer) => peer.connections());
    const all = [...open, ...this.#host.draining];
    const current = all.filter((connection) => this.isCurrent(connection)).length;
    return { current, former: all.length - current };
  }

  /** Whether the handshake of a connection was made with the present secrets and certificates. */
  isCurrent({ epoch }: Pick<Connection, "epoch">): boolean {
    return epoch === this.#opener.epoch;
  }

  /**
   * Has every connection made anew: with other secrets, if they are given, or with what the transport shows now.
   *
   * @returns Connections that could not be made anew, once each was tried. They are tried again for as long as they are open.
   */
  renew(secrets?: SharedSecrets): Promise<readonly RenewalFailure[]> {
    this.#opener.beginEpoch(secrets);
    this.#tries = 0;
    return this.#tryAll();
  }

  /**
   * Takes the word of the other side: that this side should dial the connection anew, or that the other side cannot.
   *
   * @throws {TypeError} When it is malformed.
   */
  take(connection: Connection<Peer>, buffer: Uint8Array, start: number, end: number): void {
    const isRequest = decode(buffer.subarray(start, end));
    if (typeof isRequest !== "boolean") throw new TypeError("Cannot read a renewal: it is neither true nor false");
    if (!isRequest) this.settle(connection);
    else if (connection.outbound) this.#dials.run(() => this.#answer(connection));
  }

  /** Waits no more for a connection: another one has taken its slot, or it is closed. */
  settle(connection: Connection<Peer>): void {
    this.#asked.get(connection)?.();
  }

  /** Ends every wait. Dials that are under way go on. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#dials.forget();
    this.#requests.forget();
    this.#patience.giveUpAll(undefined);
  }

  async #tryAll(): Promise<readonly RenewalFailure[]> {
    this.#timer?.cancel();
    this.#timer = null;
    const failures = new Map<Connection<Peer>, RenewalFailure>();
    const one = async (connection: Connection<Peer>) => {
      const error = await this.#try(connection);
      if (this.#isLeft(connection)) failures.set(connection, { node: connection.peer.name, error });
    };
    await Promise.all(
      this.#left().map((connection) => (connection.outbound ? this.#dials : this.#requests).run(() => one(connection))),
    );
    this.#tryAgainLater();
    return [...failures.values()];
  }

  #tryAgainLater(): void {
    if (this.#stopped || this.#timer !== null || this.#left().length === 0) return;
    const { runtime: { clock, random }, backoff } = this.#host;
    this.#timer = clock.schedule(backoffDelay(++this.#tries, random.next(), backoff), () => void this.#tryAll());
  }

  /** @returns Error, if there was one and it is known here. */
  async #try(connection: Connection<Peer>): Promise<unknown> {
    if (!this.#isLeft(connection) || connection.peer.doubtful || connection.peer.partitioned) return;
    if (!connection.outbound) return await this.#ask(connection);
    const { peer, channel, index } = connection;
    try {
      const present = await this.#host.dial(peer, channel, index);
      // A dial that was under way when the epoch began does not count.
      if (this.#isLeft(present)) await this.#host.dial(peer, channel, index);
    } catch (error) {
      return error;
    }
  }

  /** Asks the dialer. Resolves once another connection has taken its slot, the dialer has said that it cannot, or the time is up. */
  async #ask(connection: Connection<Peer>): Promise<void> {
    if (!sendValue(connection, FrameKind.renew, true)) return;
    await new Promise<void>((resolve) => {
      const deadline = this.#patience.begin(() => settle());
      const settle = () => {
        this.#asked.delete(connection);
        deadline[Symbol.dispose]();
        resolve();
      };
      this.#asked.set(connection, settle);
    });
  }

  /** The acceptor has asked. */
  async #answer(connection: Connection<Peer>): Promise<void> {
    const { peer, channel, index } = connection;
    if (peer.at(channel, index) !== connection) return;
    try {
      await this.#host.dial(peer, channel, index);
    } catch {
      if (!connection.closed) sendValue(connection, FrameKind.renew, false);
    }
  }

  /** Connections that stand on former secrets or certificates, and have their slots. */
  #left(): Connection<Peer>[] {
    return [...this.#host.peers.values()].flatMap((peer) =>
      peer.connections().filter((connection) => this.#isLeft(connection))
    );
  }

  #isLeft(connection: Connection<Peer>): boolean {
    const { peer, channel, index, epoch } = connection;
    return epoch < this.#opener.epoch && peer.at(channel, index) === connection;
  }
}
