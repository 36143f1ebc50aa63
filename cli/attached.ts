// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { AdminClient } from "./admin_client.ts";
import type { Arguments } from "./option_table.ts";
import { printLine } from "./output.ts";

/** A command that asks a running node. @returns The exit code, 0 when left out. */
export type AttachedCommand = (client: AdminClient, args: Arguments) => Promise<number | void>;

/** Prints a result: as JSON in one line if that is asked for, else as people read it. */
export function printResult<Result>(
  args: Arguments,
  result: Result,
  lines: (result: Result) => readonly string[],
): void {
  if (args.flag("json")) printLine(JSON.stringify(result));
  else for (const line of lines(result)) printLine(line);
}

/** `3 s`, `5 min`, `2 h`, `4 d` */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** Round trips in milliseconds. */
export function formatRoundTrip(ms: number | null): string {
  return ms === null ? "" : `${ms.toFixed(2)} ms`;
}

/** Text of other nodes, on one line and without anything that a terminal obeys. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "�");
}
