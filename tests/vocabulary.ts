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

/** A turn of phrase that prose does without, and what to write in its place. */
export interface DiscouragedPhrase {
  readonly phrase: RegExp;
  readonly instead: string;
}

/** Phrases that documents, comments and messages do without: the reader's first language may not be English. */
export const DISCOURAGED_PHRASES: readonly DiscouragedPhrase[] = [
  { phrase: /\bwho(?:so)?ever\b|\bwhom(?:ever)?\b/i, instead: 'a noun: "the node that …"' },
  { phrase: /\b(?:no|some|any|every)body\b/i, instead: '"no node", "a caller", "every member": the one that is meant' },
  { phrase: /\blest\b/i, instead: '"so that … not"' },
  { phrase: /\bfor ever\b/i, instead: '"without end", or "from then on"' },
  { phrase: /\bbeside\b/i, instead: '"next to", or "in addition to"' },
  { phrase: /\b(?:he|him|his|she|her)\b/, instead: '"it": a node is a thing' },
];

/** The discouraged phrases in a document, or in the comments and messages of a source file, one sentence each. */
export function discouragedIn(path: string, text: string): string[] {
  return proseOf(path, text).flatMap((prose, index) =>
    DISCOURAGED_PHRASES.flatMap(({ phrase, instead }) => {
      const found = phrase.exec(prose)?.[0];
      return found === undefined ? [] : [`${path}:${index + 1}: "${found}": write ${instead}`];
    })
  );
}

/** Comments that begin with a clause, on a thing, a parameter or a result. */
const CLAUSES =
  /(?:\/\*\*[ \n*]*|@(?:returns|param \w+) )((?:What|Who|Whom|Whose|Which|How|When|Where|Why)\b[^\n@*]*)/g;

/**
 * The doc comments of a source file that begin with a clause (`What a …`, `How many …`), one sentence each. A comment on a
 * thing begins with a noun for it, one on a function with its verb, one on a flag with "Whether".
 */
export function clausesIn(path: string, text: string): string[] {
  return Array.from(
    text.matchAll(CLAUSES),
    ({ 1: clause = "", index }) =>
      `${path}:${text.slice(0, index).split("\n").length}: "${clause.trim()}": begin with the noun, or with the verb`,
  );
}

/** Lines of a file, without what is no prose: code, names, and titles of tests that a document refers to. */
function proseOf(path: string, text: string): string[] {
  let isInBlock = false;
  let isInComment = !path.endsWith(".ts");
  return text.split("\n").map((line) => {
    if (/^[ *]*```/.test(line)) {
      isInBlock = !isInBlock;
      return "";
    }
    if (!path.endsWith(".ts")) return isInBlock ? "" : withoutNames(line);
    if (line.trim().startsWith("/*")) isInComment = true;
    const isComment = isInComment || line.trim().startsWith("//");
    if (line.trim().endsWith("*/")) isInComment = false;
    return isInBlock ? "" : isComment ? withoutNames(line) : messagesOf(line);
  });
}

function withoutNames(line: string): string {
  return line.replace(/`[^`]*`|"\w+"/g, "").replace(/\[[^\]]*\]\[\w*\]/g, "");
}

/** The texts in a line of code that have several words, and the comment at its end. */
function messagesOf(line: string): string {
  const texts = Array.from(
    line.matchAll(/"([^"]* [^"]*)"|`([^`]* [^`]*)`/g),
    ([, plain, template]) => plain ?? template,
  );
  return [...texts, /\/\/ .*$/.exec(line)?.[0] ?? ""].join(" ").replace(/\$\{[^}]*\}|"\w+"/g, "");
}
