// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The command `partisan`: starts nodes, sees and operates those that run, runs a local cluster, makes certificates.
 * `deno run -A jsr:@partisan/peer-service/cli --help` tells how.
 *
 * @module
 */

import { AdminClient, EndpointError, OperationError } from "./admin_client.ts";
import { type AttachedCommand, printResult } from "./attached.ts";
import { launcherOf } from "./child.ts";
import { runCluster } from "./cluster_command.ts";
import { clusterOptions } from "./cluster_options.ts";
import { completionsFor } from "./completions.ts";
import { commandHelp, EXIT_CODES, generalHelp } from "./help_text.ts";
import { parseArguments } from "./arguments.ts";
import { info, members, stats } from "./member_commands.ts";
import { drain, join, keys, leave, reloadKeys, remove } from "./membership_commands.ts";
import { call, cast, ping, publish } from "./message_commands.ts";
import { runNode } from "./node_process.ts";
import type { Arguments } from "./option_table.ts";
import { complain, printLine } from "./output.ts";
import { runStart } from "./start_command.ts";
import { top } from "./top_command.ts";
import { watch } from "./watch_command.ts";
import { runTls, tlsInvocation } from "./tls_command.ts";
import { UsageError } from "./usage_error.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Errors of a node that say that another node cannot be reached. */
const UNREACHABLE: ReadonlySet<string> = new Set(["NoSuchNodeError", "NotConnectedError", "PartitionedError"]);

const attachedCommands: ReadonlyMap<string, AttachedCommand> = new Map<string, AttachedCommand>([
  ...Object.entries({ members, info, watch, stats, ping, call, cast, publish, join, leave, remove, drain, keys, top }),
  ["keys reload", reloadKeys],
]);

async function main(args: readonly string[]): Promise<number> {
  try {
    const { command, options } = parseArguments(args);
    if (command === null) {
      printLine(generalHelp());
      return EXIT_CODES.success;
    }
    if (options === null) {
      printLine(commandHelp(command));
      return EXIT_CODES.success;
    }
    const attached = attachedCommands.get(command.name);
    if (attached === undefined) return await runOwn(command.name, options);
    using client = await AdminClient.open(options);
    return await attached(client, options) ?? EXIT_CODES.success;
  } catch (error) {
    if (error instanceof UsageError) complain(`${error.message}: see --help`);
    else complain(messageOf(error));
    return exitCodeOf(error);
  }
}

/** The commands that ask no node. */
async function runOwn(name: string, options: Arguments): Promise<number> {
  switch (name) {
    case "start":
      return await runStart(options);
    case "cluster":
      return await runCluster(clusterOptions(options), launcherOf(import.meta.url));
    case "node":
      await runNode();
      return EXIT_CODES.success;
    case "completions":
      printLine(completionsFor(options.word("SHELL")));
      return EXIT_CODES.success;
    default:
      printResult(options, { files: await runTls(tlsInvocation(name, options)) }, ({ files }) => files);
      return EXIT_CODES.success;
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT_CODES.usage;
  if (error instanceof EndpointError) return EXIT_CODES.noEndpoint;
  if (error instanceof OperationError && UNREACHABLE.has(error.kind)) return EXIT_CODES.unreachable;
  return EXIT_CODES.failure;
}

// Exits although standard input may still be read.
if (import.meta.main) Deno.exit(await main(Deno.args));
