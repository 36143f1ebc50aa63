// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Deadlines } from "../../runtime/deadlines.ts";
import { IN_TIME, type Slowness } from "../../runtime/local_health.ts";
import type { Clock, CommonLoad } from "../../runtime/runtime.ts";
import { HandshakeRefusedError } from "../handshake/refusal.ts";
import { DialBudget } from "./dial_budget.ts";

/**
 * Dials that a node may have under way at a time. Where many processes share few processors, each turn of one of them begins with cold caches: what is
 * done in few turns costs less (`docs/costs.md`, "Forming").
 */
export const DIAL_SLOTS = 64;

/** As many, besides, to peers of which the last dial failed: the dead must cost the living nothing. */
const SLOTS_OF_FAILED = 4;

/** Dials that may fail to peers that were never met, and were not dialed before: 3 a second, and 32 at once. */
const UNMET = { burst: 32, perSecond: 3 };

/** The same, for those to which a dial has failed before. They have a budget of their own, so that newcomers need not wait for them. */
const UNMET_AND_FAILED = { burst: 8, perSecond: 2 };

/**
 * Dials that may fail to peers that were met, and did not answer the last time: with more than a few of them, 8 a second, and 16 at once. Were each dialed
 * as often as one alone, twenty dead processes would take more time of the living than all else.
 */
const MET_AND_FAILED = { burst: 16, perSecond: 8 };

/** Dials of one kind: under way, and those that wait for them. */
interface Budget {
  readonly slots: number;
  taken: number;
  /** Those that complete what has begun with a peer. */
  urgent: (() => void)[];
  waiting: (() => void)[];
}

/**
 * Lets a few dials begin at a time. A node that begins all of them at once on a busy machine finishes none within its deadline, and then
 * begins all of them again.
 *
 * A dial that takes long, because no node answers, gives its slot back before it ends: a few dead hosts must not keep everyone else
 * waiting.
 */
export class DialSlots {
  /** Slowness of this node, which has fewer slots while it is late. */
  readonly slowness: Slowness;
  readonly #patience: Deadlines;
  readonly #load: CommonLoad;
  readonly #living: Budget = { slots: DIAL_SLOTS, taken: 0, urgent: [], waiting: [] };
  readonly #failed: Budget = { slots: SLOTS_OF_FAILED, taken: 0, urgent: [], waiting: [] };
  readonly #unmet: DialBudget;
  readonly #unmetAndFailed: DialBudget;
  readonly #metAndFailed: DialBudget;

  /**
   * @param patience Milliseconds for which a dial keeps its slot at most.
   * @param health Local health of this node: while its timers are late it has fewer slots, where the nodes of its process have many dials under way. In
   *   time by default.
   * @param load Dials of all nodes of the process. It is alone by default.
   */
  constructor(clock: Clock, patience: number, health: Slowness = IN_TIME, load: CommonLoad = { dials: 0 }) {
    this.slowness = health;
    this.#load = load;
    this.#patience = new Deadlines(clock, patience, () => {}, health);
    this.#unmet = new DialBudget(clock, UNMET);
    this.#unmetAndFailed = new DialBudget(clock, UNMET_AND_FAILED);
    this.#metAndFailed = new DialBudget(clock, MET_AND_FAILED);
  }

  /**
   * Runs `dial` as soon as there is a slot for it.
   *
   * @param hasFailed Whether the last dial to the same peer failed. Such dials have slots of their own.
   * @param isMet Whether this node was ever connected with it. Others may be made up: few dials to them may fail.
   * @param isUrgent Whether it completes what has begun with a peer. It goes before those that begin with another one: where there is too
   *   little for all, it is enough for as many as possible.
   */
  async run(dial: () => Promise<unknown>, hasFailed = false, isMet = true, isUrgent = false): Promise<void> {
    const risk = this.#riskOf(hasFailed, isMet);
    const turn = risk?.take();
    if (turn !== undefined) await turn;
    const budget = hasFailed ? this.#failed : this.#living;
    if (this.#hasSlot(budget)) this.#take(budget);
    else await new Promise<void>((resolve) => (isUrgent ? budget.urgent : budget.waiting).push(resolve));
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#handOn(budget);
      isHeld = false;
    };
    const patience = this.#patience.begin(release);
    let isFailure = false;
    try {
      await dial();
    } catch (error) {
      isFailure = !isAnswer(error);
      throw error;
    } finally {
      patience[Symbol.dispose]();
      release();
      risk?.end(isFailure);
    }
  }

  /** Forgets the dials that wait. */
  forget(): void {
    for (const budget of [this.#living, this.#failed]) {
      budget.urgent = [];
      budget.waiting = [];
    }
    this.#unmet.forget();
    this.#unmetAndFailed.forget();
    this.#metAndFailed.forget();
  }

  /** The budget of dials that may fail to such peers; none for those that are known to answer. */
  #riskOf(hasFailed: boolean, isMet: boolean): DialBudget | undefined {
    if (!isMet) return hasFailed ? this.#unmetAndFailed : this.#unmet;
    return hasFailed ? this.#metAndFailed : undefined;
  }

  /**
   * Whether one more dial may begin. On a node that is late each takes longer, and other nodes of its process may have as many. A process that dials
   * few at a time for its size has many turns, of which each one begins with cold caches: so one node alone has all its slots.
   */
  #hasSlot(budget: Budget): boolean {
    const { slots, taken } = budget;
    if (taken < Math.max(1, Math.floor(slots / this.slowness.multiplier))) return true;
    return budget === this.#living && taken < slots && this.#load.dials < DIAL_SLOTS;
  }

  #take(budget: Budget): void {
    budget.taken++;
    if (budget === this.#living) this.#load.dials++;
  }

  #give(budget: Budget): void {
    budget.taken--;
    if (budget === this.#living) this.#load.dials--;
  }

  /** Gives a slot back, and all that are free to those that wait. */
  #handOn(budget: Budget): void {
    this.#give(budget);
    while (this.#hasSlot(budget)) {
      const next = budget.urgent.shift() ?? budget.waiting.shift();
      if (next === undefined) return;
      this.#take(budget);
      next();
    }
  }
}

/** Whether an error shows that the peer itself is there. */
export function isAnswer(error: unknown): boolean {
  return error instanceof HandshakeRefusedError && error.refusal.code !== "wrong-node";
}
