// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../transport/runtime.ts";
import { backoffDelay, type BackoffOptions } from "./backoff.ts";
import { type DialSlots, isAnswer } from "./dial_slots.ts";
import type { DialTurns, WaitingDialer } from "./dial_turns.ts";
import type { LostPeer, LostPeers } from "./lost_peers.ts";
import { MEMBERSHIP_CHANNEL, type Peer, type Slot, slotKey } from "../peer.ts";
import { HandshakeRefusedError } from "../handshake/refusal.ts";

/** Milliseconds for which a peer is dialed in vain before it is dialed ever more rarely. */
export const PATIENCE = 120_000;

/** Milliseconds between two dials to a peer that has not answered for long, a tenth more or less. */
export const LONGEST_WAIT = 60_000;

/** The slot that is dialed before any other. */
const MEMBERSHIP_SLOT: readonly Slot[] = [{ channel: MEMBERSHIP_CHANNEL, index: 0 }];

/** Part of the pool that a {@linkcode PeerDialer} uses. */
export interface PeerDialerHost {
  readonly runtime: Runtime;
  readonly backoff: BackoffOptions;
  /** Limit of the dials that begin at a time, on the whole node. */
  readonly slots: Pick<DialSlots, "run" | "slowness">;
  /**
   * Milliseconds that the side which need not dial gives the other one. They are more while this node is late: it may just not have read that it
   * is being dialed.
   */
  readonly courtesy: number;
  /** Name of this node. */
  selfName(): string;
  /** Whether the peer itself was admitted to this slot and is about to fill it. */
  isPromised(peer: Peer, channel: string, index: number): boolean;
  /** Opens one connection; rejects when that fails. */
  dial(peer: Peer, channel: string, index: number): Promise<unknown>;
  /** A dial has failed, for another reason than that the other side dials as well. */
  dialFailed(peer: Peer, error: unknown): void;
}

/**
 * Keeps all connections with one peer open, for as long as they are wanted.
 *
 * Both sides may dial, but one is expected to: the side that dialed the membership connection dials the others as well, because it is
 * known to be able to; for the membership connection itself, the side that dialed the last one, at first the node whose name sorts first.
 * The other side dials only when nothing came within its courtesy time, which lets it reach a peer that cannot dial back.
 */
export class PeerDialer implements WaitingDialer, LostPeer {
  readonly #peer: Peer;
  readonly #host: PeerDialerHost;
  readonly #turns: DialTurns;
  readonly #lost: Pick<LostPeers, "add">;
  readonly #returned: ((peer: Peer) => void) | undefined;
  /** Slots that are being dialed. The side that is dialed needs neither this nor the next one. */
  #dialing: Set<string> | undefined;
  #openedAt: Map<string, number> | undefined;
  #stopped = false;
  #tries = 0;
  #hasFailed = false;
  #failingSince: number | null = null;
  /** Dials since the peer has been failing for long. */
  #rareTries = 0;
  #lastTryAt = 0;
  #earliest = 0;
  #incompleteSince: number | null = null;
  #dialedLast: boolean | null = null;
  #linked = false;
  /** Whether it was lost in this turn of the event loop, and is to be dialed when {@linkcode LostPeers} says so. */
  #isUndecided = false;
  /** Milliseconds for which it is not dialed after it was lost. */
  #wait = 0;

  /**
   * @param lines The dialers of the whole node that wait, and those whose peer was lost.
   * @param returned Called when the peer answers after it had not done so for long.
   */
  constructor(
    peer: Peer,
    host: PeerDialerHost,
    lines: { readonly turns: DialTurns; readonly lost: Pick<LostPeers, "add"> },
    returned?: (peer: Peer) => void,
  ) {
    this.#peer = peer;
    this.#host = host;
    this.#turns = lines.turns;
    this.#lost = lines.lost;
    this.#returned = returned;
  }

  /** Dials what is missing, now or as soon as it is time. Call it after every change. */
  reconcile(): void {
    if (this.#stopped) return;
    const missing = this.#missing();
    if (missing.length === 0) {
      this.#incompleteSince = null;
      this.#turns.end(this);
      return;
    }
    const now = this.#host.runtime.clock.now();
    this.#incompleteSince ??= now;
    if (this.#isUndecided) return;
    if (this.turnAt() > now) return this.#turns.wait(this, now);
    this.#turns.end(this);
    this.#countTry(now);
    for (const { channel, index } of missing) this.#dial(channel, index);
  }

  /** Time at which it may dial what was missing when it looked last. */
  turnAt(): number {
    return Math.max(this.#earliest, this.#ownTurn());
  }

  /** Time at which it is to be looked at again. A node that is late at this moment need not be so for long. */
  lookAt(now: number): number {
    return Math.max(this.#earliest, Math.min(this.#ownTurn(), now + this.#host.courtesy));
  }

  /** It was lost, and may be dialed after a while. */
  redial(wait: number): void {
    if (this.#linked) return;
    this.#isUndecided = false;
    this.#hold(wait);
    this.reconcile();
  }

  /** Dials a peer now that was dialed rarely: a node has heard of it, or others that were away are back. */
  hearten(): void {
    if (this.#rareTries === 0) return;
    this.#rareTries = 0;
    this.#earliest = 0;
    this.reconcile();
  }

  /** Forgets the past: the peer has begun a new incarnation, which knows nothing of it either. */
  encourage(): void {
    this.#dialedLast = null;
    this.#forgetLoss();
    this.#hasFailed = false;
    this.#failingSince = null;
    this.#rareTries = 0;
    this.#tries = 0;
    this.#earliest = 0;
    this.reconcile();
  }

  /** Dials no more. A dial under way goes on. */
  stop(): void {
    this.#stopped = true;
    this.#turns.end(this);
  }

  #missing(): readonly Slot[] {
    const peer = this.#peer;
    if (!peer.wanted || peer.partitioned) {
      this.#failingSince = null;
      this.#rareTries = 0;
      this.#forgetLoss();
      return [];
    }
    const linked = peer.membership !== null && !peer.doubtful;
    // The side that is to dial has its courtesy time for the membership connection, and again for all others.
    if (linked !== this.#linked) {
      this.#incompleteSince = null;
      const wait = linked ? 0 : this.#lost.add(this);
      this.#isUndecided = wait === undefined;
      this.#hold(wait ?? 0);
    }
    this.#linked = linked;
    if (linked) this.#answered();
    if (peer.membership !== null) this.#dialedLast = peer.membership.outbound;
    if (!linked) return this.#open(MEMBERSHIP_SLOT);
    const gaps = peer.gaps();
    const doubts = peer.doubts();
    return doubts.length === 0 ? this.#open(gaps) : this.#open([...gaps, ...doubts]);
  }

  /** One of many, which has to wait, is dialed with the care that is taken of those that do not answer. */
  #hold(wait: number): void {
    this.#wait = wait;
    if (wait > 0) this.#hasFailed = true;
  }

  /** That it was lost does not matter any more. */
  #forgetLoss(): void {
    this.#linked = this.#isUndecided = false;
    this.#wait = 0;
  }

  /** Those of some slots that are not about to be filled. */
  #open(slots: readonly Slot[]): readonly Slot[] {
    if (slots.length === 0) return slots;
    return slots.filter(({ channel, index }) =>
      !this.#dialing?.has(slotKey(channel, index)) && !this.#host.isPromised(this.#peer, channel, index)
    );
  }

  /** Time from which on it is for this side to dial. Of what is mute the other side may not know. */
  #ownTurn(): number {
    const isMine = this.#isCaller() || this.#peer.connections().some(({ mute }) => mute);
    const { courtesy, slots: { slowness } } = this.#host;
    return (this.#incompleteSince ?? 0) + Math.max(this.#wait, isMine ? 0 : courtesy) * slowness.multiplier;
  }

  #isCaller(): boolean {
    return this.#dialedLast ?? this.#host.selfName() < this.#peer.name;
  }

  #countTry(now: number): void {
    const { runtime: { random }, backoff } = this.#host;
    if (this.#failingSince !== null && now - this.#failingSince >= PATIENCE) {
      const full = Math.min(LONGEST_WAIT, backoff.cap * 2 ** Math.min(++this.#rareTries, 30));
      this.#earliest = now + full * (0.9 + random.next() / 5);
      return;
    }
    if (now - this.#lastTryAt > 2 * backoff.cap) this.#tries = 0;
    this.#tries++;
    this.#lastTryAt = now;
    this.#earliest = now + backoffDelay(this.#tries, random.next(), backoff);
  }

  /** The peer is there. */
  #answered(): void {
    const wasAway = this.#rareTries > 0;
    this.#hasFailed = false;
    this.#failingSince = null;
    this.#rareTries = 0;
    if (!wasAway) return;
    this.#tries = 0;
    this.#earliest = 0;
    this.#returned?.(this.#peer);
  }

  async #dial(channel: string, index: number): Promise<void> {
    const slot = slotKey(channel, index);
    (this.#dialing ??= new Set()).add(slot);
    try {
      const isUrgent = channel !== MEMBERSHIP_CHANNEL;
      const dial = () => this.#dialIfMissing(channel, index);
      await this.#host.slots.run(dial, this.#hasFailed, this.#peer.met, isUrgent);
      this.#opened(slot);
    } catch (error) {
      // Failures are counted, and reported, where the dial is made.
      // A refusal is a sign of life.
      this.#hasFailed = !isAnswer(error);
      if (!this.#hasFailed) this.#answered();
      else this.#failingSince ??= this.#host.runtime.clock.now();
      if (error instanceof HandshakeRefusedError && error.refusal.code === "duplicate") this.#giveWay();
      else {
        this.#peer.failure = { error, at: this.#host.runtime.clock.now() };
        this.#host.dialFailed(this.#peer, error);
      }
    }
    this.#dialing?.delete(slot);
    if (this.#dialing?.size === 0) this.#dialing = undefined;
    this.reconcile();
  }

  /** While it waited for a slot, the other side may have dialed, or be about to have done so, or the interest may have ended. */
  #dialIfMissing(channel: string, index: number): Promise<unknown> {
    const peer = this.#peer;
    const present = peer.at(channel, index);
    const isOpen = present !== null && present.early === null && !present.inDoubt && !peer.doubtful;
    const isMissing = !isOpen && !this.#host.isPromised(peer, channel, index);
    if (!isMissing || !peer.wanted || this.#stopped) return Promise.resolve();
    return this.#host.dial(peer, channel, index);
  }

  /** The other side is dialing: it gets its courtesy time once more. */
  #giveWay(): void {
    this.#dialedLast = false;
    this.#incompleteSince = this.#host.runtime.clock.now();
    this.#tries = 0;
    this.#earliest = 0;
  }

  /** Success ends the back-off; not so for a connection that opens again and again, which must not be dialed in a hot loop. */
  #opened(slot: string): void {
    const now = this.#host.runtime.clock.now();
    if (now - (this.#openedAt?.get(slot) ?? -Infinity) > this.#host.backoff.cap) {
      this.#tries = 0;
      this.#earliest = 0;
    }
    (this.#openedAt ??= new Map()).set(slot, now);
  }
}
