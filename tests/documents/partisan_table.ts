// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Reads the tables of `docs/partisan.md`.
 *
 * @module
 */

/** One row of the parity table. */
export interface ParityRow {
  /** Functions of the original: `name/arity`, with their module when that is not the manager. */
  readonly originals: readonly string[];
  /** Names of our methods. */
  readonly ours: readonly string[];
  /** Tests, each with the label of its file. */
  readonly proofs: readonly { readonly test: string; readonly label: string }[];
  /** Difference of ours, and the reason for it. */
  readonly difference: string;
}

/** The rows below a heading, each split into its cells. */
export function tableBelow(heading: string, markdown: string): string[][] {
  const section = markdown.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

/** The rows below a heading that tell for each original what ours is, and what proves it. */
export function parityRows(heading: string, markdown: string): ParityRow[] {
  return tableBelow(heading, markdown).map(([originals = "", ours = "", proofs = "", difference = ""]) => ({
    originals: codeSpans(originals),
    ours: codeSpans(ours).map((span) => span.replace(/\(.*$/, "")),
    proofs: Array.from(proofs.matchAll(/\[(.+?)\]\[(\w+)\]/g), ([, test = "", label = ""]) => ({ test, label })),
    difference,
  }));
}

/** Texts between backticks. */
export function codeSpans(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, span = ""]) => span);
}

/** The files that labels of links stand for. */
export function linkTargets(markdown: string): Map<string, string> {
  return new Map(Array.from(markdown.matchAll(/^\[(\w+)\]: (\S+)$/gm), ([, label = "", file = ""]) => [label, file]));
}
