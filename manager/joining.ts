// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { abortable } from "../runtime/abortable.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import { sleep } from "../runtime/sleep.ts";
import { backoffDelay, type BackoffOptions } from "../connections/dialer/backoff.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Peer } from "../connections/peer.ts";
import { CertificateError } from "../transport/tls/certificate_error.ts";
import { isForbidden, SlowHandshakeError } from "../connections/handshake/dial_trouble.ts";
import { HandshakeRefusedError, type RefusalCode } from "../connections/handshake/refusal.ts";
import { type Address, haveCommonAddress } from "../wire/address.ts";
import { reachContact } from "./contact.ts";
import { JoinProgress } from "./join_progress.ts";
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
  "self",
  "name-in-use",
]);

/** An acceptor that does not trust a certificate may close without a word; so does one that is about to end. So often in a row it is taken for the former. */
const SILENT_REFUSALS_MAX = 3;

/**
 * So many handshakes that took too long are taken for a sign that the other end has too much to do: with many processes on few
 * processors, those that all others join take longest. A node that never answers looks the same.
 */
const SLOW_ANSWERS_MAX = 3;

/**
 * So many answers may be late of a node that has shown by its handshake that it is one of this cluster, and with which there is a connection. What it was
 * asked waits there in order. To connect again would only give it more to do.
 */
const LATE_ANSWERS_MAX = 12;

/** Nodes that a message names. */
const NAMED_MAX = 3;

/** The node that is to be joined: a known one, or the one that is at an address. */
export type JoinTarget = NodeSpec | Address;

/** Told how a join comes along. */
export interface JoinObserver {
  /** It comes along. */
  readonly progress?: (() => void) | undefined;
  /** An attempt has failed; there will be another one, unless {@linkcode Joining.join} rejects. */
  readonly failed?: ((error: unknown) => void) | undefined;
}

/** Dependencies of {@linkcode Joining}. */
export interface JoiningOptions {
  readonly pool: ConnectionPool;
  readonly overlay: Overlay;
  readonly pinger: Pinger;
  readonly runtime: Runtime;
  readonly backoff: BackoffOptions;
  /** Milliseconds in which a peer must have handled a join. */
  readonly answerTimeout: number;
  /** Milliseconds without news after which a member to which there is no connection yet counts as out of reach. */
  readonly patience: number;
  /** This node, as it is now. */
  readonly self: () => NodeSpec;
}

/** Brings this node into the cluster of another one. */
export class Joining implements Part {
  readonly #options: JoiningOptions;
  readonly #changed = new Set<(peer?: Peer) => void>();
  /** Told of peers to which a handshake took too long. */
  readonly #slow = new Set<(peer: Peer) => void>();
  readonly #asked = new Set<Promise<boolean>>();
  #abandonment = new AbortController();

  constructor(options: JoiningOptions) {
    this.#options = options;
  }

  /**
   * Tries until it succeeds: dials with back-off, has the strategy join, and makes sure that the peer has heard of it.
   *
   * @returns The peer, or `null` when the target is this node itself.
   * @throws {HandshakeRefusedError} When the peer refuses for good, or is this node under a name or an incarnation that is not its own.
   * @throws The reason of `signal`, once that is aborted; that of {@linkcode abandon}, once that is called.
   */
  async join(target: JoinTarget, signal: AbortSignal, observer: JoinObserver = {}): Promise<Peer | null> {
    const { progress = () => {}, failed = () => {} } = observer;
    const { runtime, backoff } = this.#options;
    if (this.#isSelf(target)) return null;
    const until = AbortSignal.any([signal, this.#abandonment.signal]);
    let slow = 0;
    for (let failures = 0, silent = 0;;) {
      until.throwIfAborted();
      try {
        const isHopeful = slow < SLOW_ANSWERS_MAX;
        const peer = await this.#reach(target, until, { progress: isHopeful ? progress : undefined, failed }, slow > 0);
        if (peer === null) return null;
        progress();
        if (await this.#askPatiently(peer, until, { progress, failed })) return peer;
      } catch (error) {
        until.throwIfAborted();
        failed(error);
        if (isForbidden(error)) throw error;
        if (error instanceof SlowHandshakeError && ++slow <= SLOW_ANSWERS_MAX) progress();
        if (error instanceof CertificateError && (error.code !== "refused" || ++silent >= SILENT_REFUSALS_MAX)) {
          throw error;
        }
        if (!(error instanceof CertificateError)) silent = 0;
        if (error instanceof HandshakeRefusedError) {
          const { code } = error.refusal;
          if (FINAL.has(code)) throw error;
          // It has dialed this node already.
          const peer = code === "duplicate" ? this.#connectedAt(target) : undefined;
          // It is there, and has too much to do.
          if (code === "overloaded") progress();
          if (peer !== undefined && await this.#askPatiently(peer, until, { progress, failed })) return peer;
        }
      }
      await sleep(runtime.clock, backoffDelay(++failures, runtime.random.next(), backoff), until);
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
   * Waits until every connection with a peer that was joined is open, and with all other members that the strategy wants to be connected
   * with and that can be reached. It may not want any with the one that was joined: then with the others alone.
   *
   * @param progress Called whenever there are more members, or connections with one of them, than ever before.
   */
  async settled({ name }: Peer, signal: AbortSignal, progress: () => void): Promise<void> {
    const { pool, overlay, runtime, patience } = this.#options;
    const reached = new JoinProgress(SLOW_ANSWERS_MAX);
    let movedAt = runtime.clock.now();
    using again = new Again(runtime, () => this.#check());
    const slow = (peer: Peer) => reached.noteSlow(peer) && progress();
    this.#slow.add(slow);
    const isOver = (peer: Peer) => {
      const isLate = runtime.clock.now() - movedAt >= patience;
      const isContact = peer.name === name;
      if (isContact ? overlay.members.has(name) && reached.isDone(peer) : reached.isDone(peer)) return true;
      return !isContact && (peer.outOfReach || (isLate && !peer.connected));
    };
    // As long as one is missing, the others need not be looked at whenever something changes.
    let missing: Peer | undefined;
    const isSettled = (changed?: Peer) => {
      const peers = changed === undefined ? pool.peers.values() : [changed];
      if (reached.note(peers, overlay.members.size)) {
        movedAt = runtime.clock.now();
        again.after(patience);
        progress();
      }
      const isMissing = missing?.wanted && pool.peers.get(missing.name) === missing && !isOver(missing);
      if (isMissing) return false;
      const wanted = [...pool.peers.values()].filter((peer) => peer.wanted);
      missing = wanted.find((peer) => !isOver(peer));
      if (wanted.length === 0) return overlay.members.has(name);
      return missing === undefined && wanted.some((peer) => reached.isDone(peer));
    };
    try {
      await this.#until(isSettled, signal);
    } finally {
      this.#slow.delete(slow);
    }
  }

  /** The peers with which {@linkcode settled} waits for connections, and what went wrong with them last. */
  obstacles(): string {
    const { pool } = this.#options;
    const missing = [...pool.peers.values()].filter((peer) => peer.wanted && !peer.fullyConnected).slice(0, NAMED_MAX);
    const shown = missing.map(({ name, failure }) =>
      failure === null ? `"${name}"` : `"${name}" (${messageOf(failure.error)})`
    );
    return shown.length === 0 ? "" : `the connections with ${shown.join(", ")} are not all open`;
  }

  dialFailed(peer: Peer, error: unknown): void {
    if (error instanceof SlowHandshakeError) { for (const slow of this.#slow) slow(peer); }
    this.#check(peer);
  }

  membersChanged(): void {
    this.#check();
  }

  peerUp(peer: Peer): void {
    this.#check(peer);
  }

  channelUp(peer: Peer): void {
    this.#check(peer);
  }

  /** @throws {HandshakeRefusedError} When another node is meant that has this one's name. */
  #isSelf(target: JoinTarget): boolean {
    const { name, incarnation } = this.#options.self();
    if (!("name" in target) || target.name !== name) return false;
    if (target.incarnation === incarnation) return true;
    const reason =
      `Cannot join "${name}": this node has that name, and is incarnation ${incarnation}, not ${target.incarnation}; ` +
      "give each node a name of its own, or ask for its present specification";
    throw new HandshakeRefusedError({ code: "name-in-use", reason });
  }

  /** @param isPatient Whether a handshake with the target took too long already. */
  async #reach(
    target: JoinTarget,
    signal: AbortSignal,
    { progress, failed }: JoinObserver,
    isPatient: boolean,
  ): Promise<Peer | null> {
    const { pool, runtime, self, patience } = this.#options;
    using holding = new Again(runtime, () => hold());
    // What has taken the connection gets the time that a handshake has, whatever else that is measured by.
    const hold = () => {
      progress?.();
      if (progress !== undefined) holding.after(patience);
    };
    const options = { signal, failed, isPatient, accepted: hold };
    if ("name" in target) return await pool.reach(target.name, target.addresses, options);
    return await reachContact(pool, runtime.transport, target, self().addresses, options);
  }

  /** Members, or connections with a peer, have changed: looks which of the waits are over. */
  #check(peer?: Peer): void {
    for (const check of [...this.#changed]) check(peer);
  }

  /** A peer with one of these addresses, with which a connection is open. */
  #connectedAt(target: JoinTarget): Peer | undefined {
    const addresses = "name" in target ? target.addresses : [target];
    const isThere = ({ connected, spec }: Peer) => connected && haveCommonAddress(spec.addresses, addresses);
    return [...this.#options.pool.peers.values()].find(isThere);
  }

  /** Has the strategy join, and asks again for an answer as long as the connection lasts. @returns Whether the peer has handled it. */
  async #askPatiently(peer: Peer, signal: AbortSignal, observer: JoinObserver): Promise<boolean> {
    const { pool, overlay, runtime, backoff } = this.#options;
    overlay.join(peer);
    for (let late = 0; !await this.#ask(peer, signal);) {
      observer.failed?.(new Error(`Cannot join "${peer.name}": it is connected, and has not handled that in time`));
      if (++late <= LATE_ANSWERS_MAX) observer.progress?.();
      // What is in doubt may yet prove to be sound.
      if (peer.membership === null || pool.peers.get(peer.name) !== peer) return false;
      // It may have had no room for the question.
      await sleep(runtime.clock, backoff.initial, signal);
    }
    return true;
  }

  /** Pings a peer. @returns Whether the peer has handled all that was sent to it: it may die, or the connection break, before. */
  #ask(peer: Peer, signal: AbortSignal): Promise<boolean> {
    const { pinger, answerTimeout } = this.#options;
    const answer = pinger.ping(peer, answerTimeout);
    this.#asked.add(answer);
    answer.then(() => this.#asked.delete(answer));
    return abortable(answer, signal);
  }

  #until(condition: (changed?: Peer) => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        this.#changed.delete(check);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const check = (peer?: Peer) => condition(peer) && finish(resolve);
      const abort = () => finish(() => reject(signal.reason));
      this.#changed.add(check);
      signal.addEventListener("abort", abort);
      if (signal.aborted) abort();
      else check();
    });
  }
}

/** Something that is to be done later, but only once: the last time counts. */
class Again implements Disposable {
  readonly #runtime: Runtime;
  readonly #act: () => void;
  #timer: Timer | null = null;
  #dueAt = 0;

  constructor(runtime: Runtime, act: () => void) {
    this.#runtime = runtime;
    this.#act = act;
  }

  /** A timer that comes too early looks again: while nodes come one after the other, each would have another one. */
  after(delay: number): void {
    this.#dueAt = this.#runtime.clock.now() + delay;
    if (this.#timer === null) this.#schedule(delay);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #schedule(delay: number): void {
    this.#timer = this.#runtime.clock.schedule(delay, () => {
      this.#timer = null;
      const left = this.#dueAt - this.#runtime.clock.now();
      if (left > 0) this.#schedule(left);
      else this.#act();
    });
  }
}
