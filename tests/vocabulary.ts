// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The words that this repository does without, in one place: names of things for which the field has a term of its own
 * (`docs/glossary.md` has the sources), and turns of phrase that are hard for readers whose first language is not English.
 *
 * @module
 */

/** A word that names of the code may not contain. */
export interface RetiredWord {
  readonly word: string;
  /** The field's term for the same thing. */
  readonly instead: string;
  /** The paths in which the word is retired; everywhere when left out. */
  readonly within?: RegExp;
}

/** Words of our own for which the field has a term. `guarantee` is none: delivery guarantees are called so everywhere. */
export const RETIRED_WORDS: readonly RetiredWord[] = [
  { word: "acceptance", instead: "reliable receiver, or what the acceptor decides" },
  { word: "beat", instead: "heartbeat" },
  { word: "beats", instead: "heartbeats" },
  { word: "denial", instead: "refutation" },
  { word: "guarantees", instead: "reliable sender" },
  { word: "inquiry", instead: "suspicion" },
  { word: "life", instead: "incarnation" },
  { word: "lingering", instead: "idle grace" },
  { word: "lives", instead: "incarnations" },
  { word: "petition", instead: "indirect probe" },
  // Elsewhere it is a position in an order, or a spot on a page.
  { word: "place", instead: "slot", within: /^connections\// },
  { word: "places", instead: "slots", within: /^connections\// },
  { word: "receipt", instead: "acknowledgement" },
  { word: "testimony", instead: "probe report" },
  { word: "testify", instead: "report" },
  { word: "verdict", instead: "dead message, or decision" },
  { word: "wish", instead: "interest" },
  { word: "witness", instead: "watcher, or observer" },
];

/**
 * The retired words in a name.
 *
 * @param path Path of the file, from the root of the repository.
 * @param name Name of a variable, function, class, type, member or file, in any case.
 */
export function retiredIn(path: string, name: string): RetiredWord[] {
  const words = new Set(name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z0-9]+/));
  return RETIRED_WORDS.filter(({ word, within }) => words.has(word) && (within?.test(path) ?? true));
}
