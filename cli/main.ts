// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The command line: `cluster` runs a local cluster of real processes, and starts this same program with `node` for
 * each of them.
 *
 * @module
 */

import { helpText, type Invocation, parseArguments, UsageError } from "./arguments.ts";
import { launcherOf } from "./child.ts";
import { runCluster } from "./cluster_command.ts";
import { runNode } from "./node_process.ts";
import { printLine } from "./output.ts";

const USAGE_ERROR = 2;

async function main(args: readonly string[]): Promise<number> {
  const invocation = understand(args);
  switch (invocation?.command) {
    case "help":
      printLine(helpText);
      return 0;
    case "cluster":
      return await runCluster(invocation.options, launcherOf(import.meta.url));
    case "node":
      await runNode();
      return 0;
    case undefined:
      return USAGE_ERROR;
  }
}

function understand(args: readonly string[]): Invocation | undefined {
  try {
    return parseArguments(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const text = `${error.message}: see --help\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}

// Exits although standard input may still be read.
if (import.meta.main) Deno.exit(await main(Deno.args));
