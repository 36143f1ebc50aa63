// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The command line: `cluster` runs a local cluster of real processes, and starts this same program with `node` for
 * each of them. `tls` makes certificates.
 *
 * @module
 */

import { helpText, type Invocation, parseArguments } from "./arguments.ts";
import { launcherOf } from "./child.ts";
import { runCluster } from "./cluster_command.ts";
import { runNode } from "./node_process.ts";
import { printLine } from "./output.ts";
import { runTls, type TlsInvocation } from "./tls_command.ts";
import { UsageError } from "./usage_error.ts";

const FAILURE = 1;
const USAGE_ERROR = 2;

async function main(args: readonly string[]): Promise<number> {
  const invocation = understand(args);
  switch (invocation?.command) {
    case "help":
      printLine(helpText);
      return 0;
    case "cluster":
      return await runCluster(invocation.options, launcherOf(import.meta.url));
    case "tls":
      return await makeCertificates(invocation.options);
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
    complain(`${error.message}: see --help`);
  }
}

async function makeCertificates(options: TlsInvocation): Promise<number> {
  try {
    for (const line of await runTls(options)) printLine(line);
    return 0;
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return FAILURE;
  }
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

// Exits although standard input may still be read.
if (import.meta.main) Deno.exit(await main(Deno.args));
