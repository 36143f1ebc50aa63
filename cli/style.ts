// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Arguments } from "./option_table.ts";

/** Look of a piece of text. */
export type Look = "plain" | "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "inverse";

/** A piece of text that looks the same throughout. */
export interface Span {
  readonly text: string;
  readonly look: Look;
}

const codes: Readonly<Record<Exclude<Look, "plain">, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
  inverse: 7,
};

/** Makes a piece of text. */
export function span(text: string, look: Look = "plain"): Span {
  return { text, look };
}

/**
 * Puts the spans of a line together.
 *
 * @param columns Columns beyond which the text is cut off.
 * @param color Whether escape sequences may be used.
 */
export function renderLine(spans: readonly Span[], columns: number, color: boolean): string {
  let left = columns;
  let line = "";
  for (const { text, look } of spans) {
    const part = text.slice(0, left);
    left -= part.length;
    line += color && look !== "plain" && part !== "" ? `\x1b[${codes[look]}m${part}\x1b[0m` : part;
  }
  return line;
}

/** Cuts or fills `text` on the right to `width`. */
export function fit(text: string, width: number): string {
  return text.length > width ? text.slice(0, Math.max(0, width - 1)) + "…" : text.padEnd(width);
}

/** Whether colours are wanted: neither `--no-color` nor the variable `NO_COLOR` says otherwise. */
export function mayColor(args: Arguments): boolean {
  return !args.flag("no-color") && !Deno.noColor;
}
