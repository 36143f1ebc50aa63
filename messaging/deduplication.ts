// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import { leastVouched, type Told, vouch } from "../runtime/least_vouched.ts";
import { RecentSet } from "../runtime/recent_set.ts";
import type { RemoteError } from "./errors.ts";
import { SenderFailures } from "./sender_failures.ts";
import type { Acknowledgement } from "./acknowledgement.ts";
import { isSequence, toRanges } from "../wire/sequence_ranges.ts";
import { SequenceIslands } from "../wire/sequence_islands.ts";
import { SequenceWindow } from "../wire/sequence_window.ts";

/** Maximum distance of a message's number ahead of the oldest one outstanding. Both sides keep to it. */
export const DELIVERY_WINDOW = 32_768;

/** Messages of one sender that are known to have no handler: one beyond them is told at each repetition. */
const LACKING_MAX = 4_096;

/** Senders that have left, and are still remembered. */
export const DEPARTED_MAX = 64;

/** Incarnations of senders of which only others tell, and that are remembered. */
export const HEARSAY_MAX = 1_024;

/** Stretches of numbers beyond its window that are remembered of a sender of which others tell. */
const ISLANDS_MAX = 8;

/**
 * Decision about a numbered message.
 *
 * - `"new"`: handle it, then settle or refuse it.
 * - `"pending"`: it is being handled; drop it.
 * - `"duplicate"`: it was handled, or its handler threw; drop it. The next acknowledgement says so again.
 * - `"ahead"`: there is no room to remember it; drop it. It will be repeated.
 * - `"stale"`: it comes from an earlier incarnation of the sender; drop it.
 */
export type Admission = "new" | "pending" | "duplicate" | "ahead" | "stale";

/** State that is kept for one sender. */
interface Inbound extends NodeIncarnation, Told {
  readonly handled: SequenceWindow;
  /** Handled, too, and beyond what the sender itself has told of its floor. */
  readonly far: SequenceIslands;
  /** Admitted, and neither settled nor refused. */
  readonly pending: RecentSet;
  /** Those of them that others have passed on, and which node did. */
  readonly heard: Map<number, string>;
  /** Numbers that the next acknowledgement has to name. */
  readonly unreported: Set<number>;
  readonly full: Set<number>;
  readonly late: Set<number>;
  /** Handed to a handler that threw. */
  readonly failures: SenderFailures;
  /** Found without a handler before, and not handled since. */
  readonly lacking: Set<number>;
  /** Those of them that the next acknowledgement has to name. */
  readonly missing: Set<number>;
  /** Whether there is something to report. */
  due: boolean;
  /** Whether some of it was reported before. */
  isRepeated: boolean;
}

/**
 * The receiver's side of acknowledged delivery: tells repetitions from new messages, and writes the acknowledgements.
 *
 * Per sender it remembers the number up to which everything was handled, and a window of {@linkcode DELIVERY_WINDOW}
 * numbers ahead of it. Below the window everything counts as handled; what lies beyond it is refused, never mistaken.
 * Each message carries the oldest number that its sender still has outstanding, which moves the window over those that
 * the sender gave up. A newer incarnation of the sender starts afresh.
 *
 * What others pass on names its sender by their word. It moves no window and begins no incarnation of a sender that is known, so
 * that a number which was made up takes nothing of what the sender itself sends. What is remembered of it is bounded; where room has to be made, it is
 * made at the cost of the node that alone told of most ({@linkcode leastVouched}).
 */
export class Deduplication {
  readonly #senders = new Map<string, Inbound>();
  /** By incarnation: those of which only others tell, the one that was heard last comes last. */
  readonly #hearsay = new Map<string, Inbound>();
  /** The one of the last message, who is likely to be that of the next one. */
  #latest: Inbound | undefined;
  /** The senders to which there is something to report. */
  #due: Inbound[] = [];
  /** Those that have left, the last one last. */
  readonly #departed = new Set<string>();

  /**
   * Decides about a message that arrived.
   *
   * @param sequence Its number.
   * @param floor The oldest number that the sender had outstanding when it sent it.
   * @param teller Name of the node that has passed it on; by default, it came from the sender itself.
   * @throws {TypeError} When the numbers are impossible.
   */
  admit(sender: NodeIncarnation, sequence: number, floor: number, teller?: string): Admission {
    const inbound = teller === undefined ? this.#inbound(sender) : this.#inboundByHearsay(sender, teller);
    const admission = this.#judge(inbound, sender, sequence, floor, teller === undefined);
    if (admission === "new") {
      inbound.pending.add(sequence);
      if (teller !== undefined) inbound.heard.set(sequence, teller);
    }
    return admission;
  }

  /** Notes that an admitted message was handled. Only now it is acknowledged. */
  settle(sender: NodeIncarnation, sequence: number): void {
    const inbound = this.#admitted(sender, sequence);
    if (inbound !== undefined) this.#handle(inbound, sequence, takeTeller(inbound, sequence));
  }

  /** Undoes the admission of a message that cannot be handled, and tells the sender why. A repetition of it is new again. */
  refuse(sender: NodeIncarnation, sequence: number, reason: "full" | "late"): void {
    const inbound = this.#admitted(sender, sequence);
    if (inbound === undefined) return;
    takeTeller(inbound, sequence);
    inbound[reason].add(sequence);
    this.#reportTo(inbound);
  }

  /** Notes that the handler of an admitted message threw. */
  fail(sender: NodeIncarnation, sequence: number, error: RemoteError): void {
    const inbound = this.#admitted(sender, sequence);
    if (inbound === undefined) return;
    inbound.failures.add(sequence, error, takeTeller(inbound, sequence));
    this.#reportTo(inbound);
  }

  /**
   * Undoes the admission of a message that has no handler yet, and tells the sender.
   *
   * @returns Whether that was so for the first time.
   */
  miss(sender: NodeIncarnation, sequence: number): boolean {
    const inbound = this.#admitted(sender, sequence);
    if (inbound === undefined) return false;
    takeTeller(inbound, sequence);
    const isFirst = !inbound.lacking.has(sequence);
    forgetOldest(inbound.lacking.add(sequence), LACKING_MAX);
    inbound.missing.add(sequence);
    this.#reportTo(inbound);
    return isFirst;
  }

  /** The acknowledgements that are due, and their receivers. Each is given once. */
  takeAcknowledgements(): {
    readonly to: string;
    readonly acknowledgement: Acknowledgement;
    readonly isRepeated: boolean;
  }[] {
    const acknowledgements = [];
    for (const inbound of this.#due) {
      const { name: to, incarnation, handled, unreported, full, late, missing, failures, isRepeated } = inbound;
      inbound.due = inbound.isRepeated = false;
      // A later incarnation of the sender has begun meanwhile, or it is forgotten.
      if (this.#find(inbound) !== inbound) continue;
      const through = handled.floor;
      const ranges = toRanges([...unreported].filter((sequence) => sequence > through));
      const refused = { full: toRanges(full), late: toRanges(late), missing: toRanges(missing) };
      acknowledgements.push({
        to,
        acknowledgement: { incarnation, through, ranges, ...refused, failed: failures.take() },
        isRepeated,
      });
      for (const reported of [unreported, full, late, missing]) if (reported.size > 0) reported.clear();
    }
    this.#due = [];
    return acknowledgements;
  }

  /**
   * A sender has left for good. Its earlier messages, and repetitions of them, may still be under way: it is forgotten only
   * when {@linkcode DEPARTED_MAX} others have left after it.
   */
  leave({ name, incarnation }: NodeIncarnation): void {
    const known = this.#senders.get(name);
    if (known === undefined || known.incarnation > incarnation) return;
    this.#departed.delete(name);
    this.#departed.add(name);
    if (this.#departed.size <= DEPARTED_MAX) return;
    const oldest = this.#departed.keys().next().value!;
    this.#departed.delete(oldest);
    this.#senders.delete(oldest);
    this.#latest = undefined;
  }

  #judge(inbound: Inbound, sender: NodeIncarnation, sequence: number, floor: number, isFirstHand: boolean): Admission {
    if (!isSequence(sequence) || !isSequence(floor) || floor > sequence) {
      throw new TypeError(`Cannot admit message ${sequence} of "${sender.name}": its floor is ${floor}`);
    }
    if (sender.incarnation < inbound.incarnation) return "stale";
    const { handled, far, pending, unreported, failures, lacking } = inbound;
    // What has failed, or has no handler, keeps the window where it is until the sender has done with it.
    const hasMoved = floor - 1 > handled.floor;
    if (isFirstHand) handled.raise(floor - 1);
    if (hasMoved && !(failures.isEmpty && lacking.size === 0)) forgetBelow(inbound, floor);
    if (pending.size > 0 && pending.has(sequence)) return "pending";
    if (handled.has(sequence) || (far.size > 0 && far.has(sequence))) {
      unreported.add(sequence);
      inbound.isRepeated = true;
      this.#reportTo(inbound);
      return "duplicate";
    }
    if (!failures.isEmpty && failures.repeat(sequence)) {
      inbound.isRepeated = true;
      this.#reportTo(inbound);
      return "duplicate";
    }
    if (failures.isFull) return "ahead";
    // What others pass on may lie anywhere, and must not take the place of what the sender itself sends.
    const isAhead = isFirstHand ? sequence - handled.floor > DELIVERY_WINDOW : inbound.heard.size >= DELIVERY_WINDOW;
    return isAhead ? "ahead" : "new";
  }

  /** An acknowledgement says up to where there is no gap; only what lies beyond has to be named in it. */
  #handle(inbound: Inbound, sequence: number, teller: string | undefined): void {
    if (sequence - inbound.handled.floor > DELIVERY_WINDOW) inbound.far.add(sequence, teller);
    else inbound.handled.add(sequence);
    if (inbound.lacking.size > 0) inbound.lacking.delete(sequence);
    if (sequence > inbound.handled.floor) inbound.unreported.add(sequence);
    this.#reportTo(inbound);
  }

  #reportTo(inbound: Inbound): void {
    if (inbound.due) return;
    inbound.due = true;
    this.#due.push(inbound);
  }

  #inbound({ name, incarnation }: NodeIncarnation): Inbound {
    const latest = this.#latest;
    if (latest !== undefined && name === latest.name && incarnation === latest.incarnation) return latest;
    const known = this.#senders.get(name);
    if (known !== undefined && incarnation <= known.incarnation) return this.#latest = known;
    const key = incarnationKey(name, incarnation);
    const fresh = this.#hearsay.get(key) ?? inboundOf(name, incarnation, undefined);
    this.#hearsay.delete(key);
    this.#senders.set(name, fresh);
    this.#departed.delete(name);
    return this.#latest = fresh;
  }

  #inboundByHearsay({ name, incarnation }: NodeIncarnation, teller: string): Inbound {
    const known = this.#senders.get(name);
    if (known !== undefined && incarnation <= known.incarnation) return known;
    const key = incarnationKey(name, incarnation);
    const heard = this.#hearsay.get(key) ?? inboundOf(name, incarnation, teller);
    vouch(heard, teller);
    this.#hearsay.delete(key);
    this.#hearsay.set(key, heard);
    if (this.#hearsay.size > HEARSAY_MAX) {
      const victim = leastVouched(this.#hearsay.values())!;
      this.#hearsay.delete(incarnationKey(victim.name, victim.incarnation));
    }
    return heard;
  }

  #find({ name, incarnation }: NodeIncarnation): Inbound | undefined {
    const latest = this.#latest;
    if (latest !== undefined && name === latest.name && incarnation === latest.incarnation) return latest;
    const known = this.#senders.get(name);
    return known?.incarnation === incarnation ? known : this.#hearsay.get(incarnationKey(name, incarnation));
  }

  /** Ends the admission of a message. `undefined` when it was not admitted, or by an earlier incarnation of the sender. */
  #admitted(sender: NodeIncarnation, sequence: number): Inbound | undefined {
    const inbound = this.#find(sender);
    return inbound?.pending.delete(sequence) ? inbound : undefined;
  }
}

function incarnationKey(name: string, incarnation: number): string {
  return `${incarnation}:${name}`;
}

function inboundOf(name: string, incarnation: number, teller: string | undefined): Inbound {
  return {
    name,
    incarnation,
    teller,
    handled: new SequenceWindow(DELIVERY_WINDOW),
    far: new SequenceIslands(DELIVERY_WINDOW, ISLANDS_MAX),
    pending: new RecentSet(),
    heard: new Map<number, string>(),
    unreported: new Set<number>(),
    full: new Set<number>(),
    late: new Set<number>(),
    failures: new SenderFailures(new SequenceIslands(DELIVERY_WINDOW, ISLANDS_MAX)),
    lacking: new Set<number>(),
    missing: new Set<number>(),
    due: false,
    isRepeated: false,
  };
}

/** Name of the node that has passed a message on whose admission ends, if one did. */
function takeTeller({ heard }: Inbound, sequence: number): string | undefined {
  if (heard.size === 0) return undefined;
  const teller = heard.get(sequence);
  heard.delete(sequence);
  return teller;
}

/** Forgets what the sender does not wait for any more. */
function forgetBelow({ failures, lacking }: Inbound, floor: number): void {
  failures.forgetBelow(floor);
  for (const sequence of lacking) if (sequence < floor) lacking.delete(sequence);
}
