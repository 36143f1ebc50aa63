// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../transport/runtime.ts";

/** Losses between which no more milliseconds pass belong together. */
const TOGETHER_MS = 250;

/** So many peers that are lost together are dialed at once. */
const FEW = 2;

/** Parts of the courtesy time for which one of many is not dialed, at least and at most: the other side, which may have lost none but this node, waits longer. */
const WAIT = { least: 1 / 4, most: 1 / 2 };

/** Dialer of a peer that was lost. */
export interface LostPeer {
  /** The peer may be dialed `wait` milliseconds after it was lost, if it is not there again. Said once more when that has changed. */
  redial(wait: number): void;
}

/**
 * Decides when the peers are dialed anew that this node has lost.
 *
 * Nothing is dialed in the turn of the event loop in which a connection is lost: first all that were lost in it are told of. A few are dialed in the
 * next turn. Where many are lost together, a host, a link or many processes are gone: all nodes have a lot to tell then, maybe on the same machine, and
 * most dials would be in vain. So these wait for a moment, each for another one.
 */
export class LostPeers {
  readonly #runtime: Pick<Runtime, "clock" | "random" | "defer" | "nextTurn">;
  readonly #courtesy: number;
  /** Those that were lost together, as long as they are few. */
  #few = new Set<LostPeer>();
  #isMany = false;
  /** Those that were lost in this turn. */
  #undecided: LostPeer[] = [];
  #lastLossAt = -Infinity;

  /** @param courtesy Milliseconds that the side which need not dial gives the other one. */
  constructor(runtime: Pick<Runtime, "clock" | "random" | "defer" | "nextTurn">, courtesy: number) {
    this.#runtime = runtime;
    this.#courtesy = courtesy;
  }

  /**
   * Takes note that a peer was lost.
   *
   * @returns Milliseconds after which it may be dialed; `undefined` where it hears so in the next turn.
   */
  add(peer: LostPeer): number | undefined {
    const now = this.#runtime.clock.now();
    if (now - this.#lastLossAt > TOGETHER_MS) {
      // What was lost in one turn belongs together, however long that takes.
      this.#few = new Set(this.#undecided);
      this.#isMany = false;
    }
    this.#lastLossAt = now;
    if (this.#isMany) return this.#wait();
    this.#few.add(peer);
    if (this.#few.size <= FEW) {
      if (this.#undecided.length === 0) this.#afterThisTurn(() => this.#decide());
      this.#undecided.push(peer);
      return undefined;
    }
    this.#isMany = true;
    this.#undecided = [];
    for (const other of this.#few) if (other !== peer) other.redial(this.#wait());
    this.#few.clear();
    return this.#wait();
  }

  #decide(): void {
    const few = this.#undecided;
    this.#undecided = [];
    for (const peer of few) peer.redial(0);
  }

  #wait(): number {
    return this.#courtesy * (WAIT.least + (WAIT.most - WAIT.least) * this.#runtime.random.next());
  }

  #afterThisTurn(callback: () => void): void {
    const { nextTurn } = this.#runtime;
    if (nextTurn === undefined) this.#runtime.defer(callback);
    else nextTurn(callback);
  }
}
