// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ClusterOptions } from "./cluster_options.ts";
import type { Launcher } from "./child.ts";
import { pageOf } from "./cluster_page.ts";
import { runInteractive } from "./interactive.ts";
import { Interruption, terminationSignal } from "./interruption.ts";
import { runLineMode } from "./line_mode.ts";
import { printLine } from "./output.ts";
import { readLines } from "./protocol.ts";
import { Supervisor } from "./supervisor.ts";
import { runUnattended, type UnattendedOptions } from "./unattended.ts";

/** More failures than this are not told one by one. */
const FAILURES_MAX = 30;

/**
 * Runs a cluster: unattended, in the terminal, or by commands.
 *
 * @returns The exit code.
 */
export async function runCluster(options: ClusterOptions, launcher: Launcher): Promise<number> {
  const signal = terminationSignal();
  const { seconds } = options;
  try {
    if (seconds !== undefined) return await unattended({ ...options, seconds }, launcher, signal);
    await attended(options, launcher, signal);
    signal.throwIfAborted();
    return 0;
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    printLine(error.message);
    return error.exitCode;
  }
}

async function attended(options: ClusterOptions, launcher: Launcher, signal: AbortSignal): Promise<void> {
  const supervisor = new Supervisor({ launcher, settings: options });
  try {
    for (let count = 0; count < options.nodes; count++) supervisor.start();
    await using page = pageOf(supervisor, options);
    if (page !== null) printLine(`The page: ${page.url}`);
    if (Deno.stdin.isTerminal() && Deno.stdout.isTerminal()) {
      await runInteractive(supervisor, { ...options, notice: page === null ? "" : `The page: ${page.url}` }, signal);
    } else await runLineMode(supervisor, { lines: readLines(Deno.stdin.readable), print: printLine, signal });
  } finally {
    await supervisor.stop();
  }
}

async function unattended(options: UnattendedOptions, launcher: Launcher, signal: AbortSignal): Promise<number> {
  const failures = await runUnattended(options, { launcher, print: printLine, signal });
  printLine("");
  if (failures.length === 0) {
    printLine("All views agreed each time, and no message was lost or out of order.");
    return 0;
  }
  printLine(`${failures.length} expectations failed:`);
  for (const failure of failures.slice(0, FAILURES_MAX)) printLine(`  ${failure}`);
  if (failures.length > FAILURES_MAX) printLine("  …");
  return 1;
}
