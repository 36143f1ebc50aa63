// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- Part of a program that speaks to its user.

import { stripVTControlCharacters } from "node:util";

/** Result of some tests. */
export interface Tally {
  passed: number;
  failed: number;
  ignored: number;
  /** Names of the tests that failed, each with its place. */
  readonly failures: string[];
}

/** Options of {@linkcode denoTest}. */
export interface DenoTestOptions {
  /**
   * Milliseconds without a word after which the tests are ended; those that have begun and not ended are listed.
   *
   * @default {300_000: no test is silent for so long, however slow the machine}
   */
  readonly silenceMs?: number;
  /**
   * Whether to show nothing of what the tests print.
   *
   * @default {false}
   */
  readonly quiet?: boolean;
}

/** Milliseconds for the last words of a process that was told to end. */
const GRACE_MS = 5_000;

/** Runs `deno test`, shows what it prints, and reads its closing summary. */
export async function denoTest(
  args: readonly string[],
  { silenceMs = 300_000, quiet = false }: DenoTestOptions = {},
): Promise<Tally> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: quiet ? "null" : "inherit",
  }).spawn();
  const output = child.stdout.getReader();
  const giveUp = () => {
    if (!quiet) console.error(`\nThe tests hang: not a word for ${silenceMs / 1_000} s`);
    child.kill("SIGINT");
    watchdog = setTimeout(() => {
      child.kill("SIGKILL");
      // A process that it started may still hold its output.
      output.cancel();
    }, GRACE_MS);
  };
  let watchdog = setTimeout(giveUp, silenceMs);
  let tail = "";
  const decoder = new TextDecoder();
  for (let piece = await output.read(); !piece.done; piece = await output.read()) {
    clearTimeout(watchdog);
    watchdog = setTimeout(giveUp, silenceMs);
    if (!quiet) await Deno.stdout.write(piece.value);
    tail = (tail + decoder.decode(piece.value, { stream: true })).slice(-20_000);
  }
  clearTimeout(watchdog);
  const { success } = await child.status;
  const tally = readSummary(tail);
  // A module that does not load or compile is in no summary, nor is a test that hangs.
  if (!success && tally.failed === 0) tally.failed = 1;
  return tally;
}

/** From a line like `FAILED | 2 passed (1 step) | 4 failed | 1 ignored (96ms)`. */
function readSummary(output: string): Tally {
  const plain = stripVTControlCharacters(output);
  const summary = plain.match(/^(ok|FAILED) \| .*$/gm)?.at(-1) ?? "";
  const count = (word: string) => Number(summary.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  const [, listed = ""] = /\n FAILURES \n\n((?:.+\n)+)/.exec(plain) ?? [];
  const failures = listed.match(/.+/g) ?? [];
  return { passed: count("passed"), failed: count("failed"), ignored: count("ignored"), failures };
}
