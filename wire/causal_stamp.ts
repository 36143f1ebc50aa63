// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "./integers.ts";
import { isSequence } from "./sequence_ranges.ts";

/** Most participants that one stamp may name. */
const PARTICIPANTS_MAX = 4_096;
/** Most numbers in one list of a stamp. */
const NUMBERS_MAX = 262_144;

/**
 * Header of a causally ordered message. A plain value: MessagePack carries it as it is. Participants are named once, and
 * referred to by their place in `participants`.
 */
export interface CausalStamp {
  /** The receiver, as {@linkcode participantKey} names it: another incarnation of it must not take the message. */
  readonly to: string;
  /** The message's number among those from its sender to its receiver under this label, from 1. */
  readonly sequence: number;
  /** Every participant that the lists refer to. */
  readonly participants: readonly string[];
  /**
   * Messages that were sent before this one and perhaps not delivered yet, as triples: receiver, sender, and the number
   * of the last of them. Those to the receiver of this message are what it has to wait for.
   */
  readonly sent: readonly number[];
  /** News of what was delivered to the sender itself, as pairs: sender, and the number of the last of them. */
  readonly delivered: readonly number[];
}

/** Names one incarnation of a node. */
export function participantKey(name: string, incarnation: number): string {
  return `${incarnation}:${name}`;
}

/** Undoes {@linkcode participantKey}. */
export function splitParticipantKey(participant: string): { readonly name: string; readonly incarnation: number } {
  const colon = participant.indexOf(":");
  return { name: participant.slice(colon + 1), incarnation: Number(participant.slice(0, colon)) };
}

/** Collects the lists of a stamp. */
export class CausalStampBuilder {
  readonly #places = new Map<string, number>();
  readonly #sent: number[] = [];
  readonly #delivered: number[] = [];

  /** `sender` sent `destination` the messages up to `sequence`. */
  addSent(destination: string, sender: string, sequence: number): void {
    this.#sent.push(this.#place(destination), this.#place(sender), sequence);
  }

  /** The messages of `sender` up to `sequence` were delivered here. */
  addDelivered(sender: string, sequence: number): void {
    this.#delivered.push(this.#place(sender), sequence);
  }

  /** The stamp of the message with number `sequence` to `to`. */
  build(to: string, sequence: number): CausalStamp {
    return { to, sequence, participants: [...this.#places.keys()], sent: this.#sent, delivered: this.#delivered };
  }

  #place(participant: string): number {
    let place = this.#places.get(participant);
    if (place === undefined) this.#places.set(participant, place = this.#places.size);
    return place;
  }
}

/**
 * Checks a stamp that came from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function parseCausalStamp(value: unknown): CausalStamp {
  if (typeof value !== "object" || value === null) throw new TypeError("Cannot read a causal stamp: not an object");
  const { to, sequence, participants, sent, delivered } = value as Record<string, unknown>;
  if (typeof to !== "string" || !isSequence(sequence)) {
    throw new TypeError("Cannot read a causal stamp: no receiver or no number");
  }
  if (!isList(participants, PARTICIPANTS_MAX) || !participants.every(isParticipantKey)) {
    throw new TypeError("Cannot read a causal stamp: participants must be incarnations of nodes");
  }
  return {
    to,
    sequence,
    participants,
    sent: checkTuples(sent, 3, participants.length),
    delivered: checkTuples(delivered, 2, participants.length),
  };
}

/** Checks a flat list of tuples, each of places and, in the end, a sequence number. */
function checkTuples(value: unknown, width: number, places: number): number[] {
  if (!isList(value, NUMBERS_MAX) || value.length % width !== 0) {
    throw new TypeError("Cannot read a causal stamp: a list is no list of tuples");
  }
  value.forEach((number, index) => {
    const isLast = index % width === width - 1;
    if (
      isLast ? !isSequence(number) : !isIntegerIn(number, 0, places - 1)
    ) {
      throw new TypeError("Cannot read a causal stamp: a number is out of range");
    }
  });
  return value as number[];
}

function isParticipantKey(value: unknown): value is string {
  return typeof value === "string" && /^[0-9]{1,16}:/.test(value);
}

function isList(value: unknown, most: number): value is unknown[] {
  return Array.isArray(value) && value.length <= most;
}
