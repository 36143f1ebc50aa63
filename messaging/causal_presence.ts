// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CausalPatience } from "./causal_options.ts";
import { splitParticipantKey } from "../wire/causal_stamp.ts";

/** Maximum of remembered incarnations that are over. */
const FORGOTTEN_MAX = 1_024;

/** Participants of which only others speak, at a time. News of further ones are ignored. */
export const UNKNOWN_MAX = 1_024;

/** `"unknown"` is one that others speak of, or that speaks by way of others, while it is not known to be there. */
interface Presence {
  readonly state: "present" | "down" | "unknown" | "gone";
  /** Time of the beginning of that state; of an unknown one that spoke itself, of its last word. */
  readonly since: number;
  /** Whether it spoke itself, or was spoken to. */
  readonly isMet: boolean;
}

/** Presence of the participants: those that are there, those that are down, and those that are gone for good. */
export class CausalPresence {
  readonly #patience: number;
  readonly #grace: number;
  readonly #stateOfDown: "down" | "unknown";
  readonly #presences = new Map<string, Presence>();
  /** By name: the newest incarnation. All before it are gone. */
  readonly #newest = new Map<string, number>();
  #unknown = 0;
  /** Gone for so long that all nodes know it, or spoken of by others alone for so long; oldest first. The value tells whether it is gone. */
  readonly #forgotten = new Map<string, boolean>();

  /** Begins with no participant known. */
  constructor({ patience = 30_000, grace = 60_000, forgetsDown = false }: CausalPatience) {
    this.#patience = patience;
    this.#grace = grace;
    this.#stateOfDown = forgetsDown ? "unknown" : "down";
  }

  /**
   * Takes note that `participant` is there.
   *
   * @returns Its earlier incarnations, which are gone by that, as far as they were not known to be.
   */
  up(participant: string, now: number): string[] {
    const { name, incarnation } = splitParticipantKey(participant);
    const isOver = incarnation < (this.#newest.get(name) ?? incarnation);
    if (isOver || this.isGone(participant)) return [];
    this.#newest.set(name, incarnation);
    this.#forgotten.delete(participant);
    this.#set(participant, "present", now);
    return [...this.#presences.keys()].filter((other) =>
      isEarlierIncarnation(other, name, incarnation) && this.leave(other, now)
    );
  }

  /** Takes note that `participant` is not there; it may come back. */
  down(participant: string, now: number): void {
    if (this.#presences.get(participant)?.state === "present") {
      this.#set(participant, this.#stateOfDown, now, true);
    }
  }

  /**
   * Takes note that the owner holds `participant` for a member, be it there or not.
   *
   * @returns Whether it can be one: those that are gone never come back.
   */
  expect(participant: string, now: number): boolean {
    if (this.#presences.get(participant)?.state !== "down") this.meet(participant, now);
    return !this.isGone(participant);
  }

  /**
   * Takes note that `participant` never comes back.
   *
   * @returns Whether that is news.
   */
  leave(participant: string, now: number): boolean {
    if (this.isGone(participant)) return false;
    // Behind all that are gone already.
    this.#drop(participant);
    this.#set(participant, "gone", now);
    return true;
  }

  /** Takes note that others speak of `participant`. */
  see(participant: string, now: number): void {
    if (!this.#presences.has(participant) && !this.#forgotten.has(participant)) this.#meet(participant, now, false);
  }

  /**
   * Takes note that others tell of a message to `participant` of which nothing was known.
   *
   * @returns Whether that is to be remembered: not of one that is gone, nor of more of them than there is room for.
   */
  hear(participant: string, now: number): boolean {
    if (this.isGone(participant)) return false;
    const presence = this.#presences.get(participant);
    if (presence?.state === "unknown" && !presence.isMet) this.#set(participant, "unknown", now);
    if (presence !== undefined) return true;
    this.#meet(participant, now, false);
    if (!this.isUnknown(participant)) return false;
    this.#forgotten.delete(participant);
    return true;
  }

  /** Takes note that `participant` itself speaks, be there a connection with it or not. It is there, whatever else is known. */
  meet(participant: string, now: number): void {
    const state = this.#presences.get(participant)?.state;
    if (state === "present" || this.isGone(participant)) return;
    if (state === "down") return this.#set(participant, "down", now);
    this.#forgotten.delete(participant);
    this.#drop(participant);
    this.#meet(participant, now, true);
  }

  /** Whether there is anything to say of `participant`. */
  knows(participant: string): boolean {
    return this.#presences.has(participant) || this.#forgotten.has(participant);
  }

  /** Whether `participant` is gone for good. */
  isGone(participant: string): boolean {
    return this.#presences.get(participant)?.state === "gone" || this.#forgotten.get(participant) === true;
  }

  /** Whether there is no connection with `participant`, which is not known to have had one, nor to be gone. */
  isUnknown(participant: string): boolean {
    return this.#presences.get(participant)?.state === "unknown";
  }

  /** Whether all nodes know that `participant` is gone for good, or none has shown that it is there. */
  isForgotten(participant: string): boolean {
    return this.#forgotten.has(participant);
  }

  /** Whether nothing of `participant` that has not arrived is waited for. */
  isReleased(participant: string, now: number): boolean {
    const presence = this.#presences.get(participant);
    if (presence === undefined) return true;
    const { state, since } = presence;
    return state === "gone" || (state !== "present" && now - since >= this.#patience);
  }

  /**
   * Ends the grace of those that are gone, and of those without a connection that have not shown themselves of late.
   *
   * @returns Those of which nothing need be known from now on, and those of which only that has to be known that nothing is waited for.
   */
  sweep(now: number): { readonly over: readonly string[]; readonly silent: readonly string[] } {
    const over: string[] = [];
    const silent: string[] = [];
    for (const [participant, { state, since, isMet }] of this.#presences) {
      const mayEnd = state === "gone" || state === "unknown";
      if (!mayEnd || now - since < this.#grace) continue;
      (state === "gone" || isMet ? over : silent).push(participant);
      this.#drop(participant);
      // One that spoke itself may do so again.
      if (isMet) this.#forgetNewest(participant);
      else this.#forgotten.set(participant, state === "gone");
    }
    for (const oldest of this.#forgotten.keys()) {
      if (this.#forgotten.size <= FORGOTTEN_MAX) break;
      this.#forgotten.delete(oldest);
      this.#forgetNewest(oldest);
      over.push(oldest);
    }
    return { over, silent };
  }

  #forgetNewest(participant: string): void {
    const { name, incarnation } = splitParticipantKey(participant);
    if (this.#newest.get(name) === incarnation) this.#newest.delete(name);
  }

  #meet(participant: string, now: number, isMet: boolean): void {
    const { name, incarnation } = splitParticipantKey(participant);
    const isOver = incarnation < (this.#newest.get(name) ?? 0);
    if (!isOver && this.#unknown >= UNKNOWN_MAX) return;
    this.#set(participant, isOver ? "gone" : "unknown", now, isMet && !isOver);
  }

  #set(participant: string, state: Presence["state"], since: number, isMet = false): void {
    if (this.#presences.get(participant)?.state === "unknown") this.#unknown--;
    if (state === "unknown") this.#unknown++;
    this.#presences.set(participant, { state, since, isMet });
  }

  #drop(participant: string): void {
    if (this.#presences.get(participant)?.state === "unknown") this.#unknown--;
    this.#presences.delete(participant);
  }
}

function isEarlierIncarnation(participant: string, name: string, incarnation: number): boolean {
  if (!participant.endsWith(`:${name}`)) return false;
  const other = splitParticipantKey(participant);
  return other.name === name && other.incarnation < incarnation;
}
