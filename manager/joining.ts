// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { abortable } from "../runtime/abortable.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { backoffDelay, type BackoffOptions } from "../connections/dialer/backoff.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Peer } from "../connections/peer.ts";
import { CertificateError } from "../transport/tls/certificate_error.ts";
import { HandshakeRefusedError, type RefusalCode } from "../connections/handshake/refusal.ts";
import type { Address } from "../wire/address.ts";
import type { Overlay } from "./overlay.ts";
import type { Part } from "./part.ts";
import type { Pinger } from "./pinger.ts";

/** Refusals that trying again cannot cure. */
const FINAL: ReadonlySet<RefusalCode> = new Set([
  "certificate",
  "not-admitted",
  "version",
  "cluster",
  "strategy",
  "secret",
  "wrong-node",
  "name-in-use",
]);

/** An acceptor that does not trust a certificate may close without a word; so does one that is about to end. So often in a row it is taken for the former. */
const SILENT_REFUSALS_MAX = 3;

/** Who is to be joined: somebody known, or whoever lives at an address. */
export type JoinTarget = NodeSpec | Address;

/** What {@linkcode Joining} needs from its surroundings. */
export interface JoiningOptions {
  readonly pool: ConnectionPool;
  readonly overlay: Overlay;
  readonly pinger: Pinger;
  readonly runtime: Runtime;
  readonly backoff: BackoffOptions;
  /** Milliseconds in which a peer must have handled a join. */
  readonly answerTimeout: number;
}

/** Brings this node into the cluster of another one. */
export class Joining implements Part {
  readonly #options: JoiningOptions;
  readonly #changed = new Set<() => void>();
  readonly #asked = new Set<Promise<boolean>>();
  #abandonment = new AbortController();

  constructor(options: JoiningOptions) {
    this.#options = options;
  }

  /**
   * Tries until it succeeds: dials with back-off, has the strategy join, and makes sure that the peer has heard of it.
   *
   * @returns The peer, or `null` when the target is this node itself.
   * @throws {HandshakeRefusedError} When the peer refuses for good.
   * @throws The reason of `signal`, once that is aborted; that of {@linkcode abandon}, once that is called.
   */
  async join(target: JoinTarget, signal: AbortSignal): Promise<Peer | null> {
    const { pool, runtime, backoff } = this.#options;
    const [name, addresses] = "name" in target ? [target.name, target.addresses] : [null, [target]];
    if (name === pool.selfName()) return null;
    const until = AbortSignal.any([signal, this.#abandonment.signal]);
    for (let failures = 0, silent = 0;;) {
      until.throwIfAborted();
      try {
        const peer = await pool.reach(name, addresses, until);
        if (await this.#ask(peer, until)) return peer;
      } catch (error) {
        until.throwIfAborted();
        if (error instanceof CertificateError && (error.code !== "refused" || ++silent >= SILENT_REFUSALS_MAX)) {
          throw error;
        }
        if (!(error instanceof CertificateError)) silent = 0;
        if (error instanceof HandshakeRefusedError) {
          const { code } = error.refusal;
          if (code === "self") return null;
          if (FINAL.has(code)) throw error;
          // It has dialled this node already.
          const peer = code === "duplicate" ? this.#connectedAt(addresses) : undefined;
          if (peer !== undefined && await this.#ask(peer, until)) return peer;
        }
      }
      await this.#wait(backoffDelay(++failures, runtime.random.next(), backoff), until);
    }
  }

  /**
   * Ends all attempts that are under way. Resolves when all that were asked already have answered, or are given up: they have this
   * node for a member.
   */
  async abandon(reason: unknown): Promise<void> {
    this.#abandonment.abort(reason);
    this.#abandonment = new AbortController();
    await Promise.all(this.#asked);
  }

  /**
   * Waits until every connection with a peer that was joined is open. A strategy may not want any with it: then until every
   * connection with somebody else is, if it wants one.
   */
  async settled({ name }: Peer, signal: AbortSignal): Promise<void> {
    const { pool, overlay } = this.#options;
    await this.#until(() => {
      const wanted = [...pool.peers.values()].filter((peer) => peer.wanted);
      const contact = wanted.find((peer) => peer.name === name);
      if (contact !== undefined) return overlay.members.has(name) && contact.fullyConnected;
      return wanted.length === 0 ? overlay.members.has(name) : wanted.some(({ fullyConnected }) => fullyConnected);
    }, signal);
  }

  membersChanged(): void {
    this.#check();
  }

  peerUp(): void {
    this.#check();
  }

  channelUp(): void {
    this.#check();
  }

  /** Members or connections have changed: looks which of the waits are over. */
  #check(): void {
    for (const check of [...this.#changed]) check();
  }

  /** A peer with one of these addresses, with which a connection is open. */
  #connectedAt(addresses: readonly Address[]): Peer | undefined {
    const isThere = ({ spec }: Peer) =>
      spec.addresses.some((own) =>
        addresses.some(({ hostname, port }) => own.hostname === hostname && own.port === port)
      );
    return [...this.#options.pool.peers.values()].find((peer) => peer.connected && isThere(peer));
  }

  /** Has the strategy join. @returns Whether the peer has handled that: it may die, or the connection break, before. */
  #ask(peer: Peer, signal: AbortSignal): Promise<boolean> {
    const { overlay, pinger, answerTimeout } = this.#options;
    overlay.join(peer);
    const answer = pinger.ping(peer, answerTimeout);
    this.#asked.add(answer);
    answer.then(() => this.#asked.delete(answer));
    return abortable(answer, signal);
  }

  #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        this.#changed.delete(check);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const check = () => condition() && finish(resolve);
      const abort = () => finish(() => reject(signal.reason));
      this.#changed.add(check);
      signal.addEventListener("abort", abort);
      if (signal.aborted) abort();
      else check();
    });
  }

  #wait(delay: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = this.#options.runtime.clock.schedule(delay, () => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}
