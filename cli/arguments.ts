// Copyright 2026 the Partisan peer-service authors. MIT license.

import { commands } from "./commands.ts";
import { type Arguments, type CommandSpec, readArguments } from "./option_table.ts";
import { UsageError } from "./usage_error.ts";

/** Request of the command line: the general help, the help of a command (`options` is `null`), or a command. */
export type Invocation =
  | { readonly command: null; readonly options: null }
  | { readonly command: CommandSpec; readonly options: Arguments | null };

/**
 * Reads the command line.
 *
 * @throws {UsageError} When something in it is unknown, missing or out of range.
 */
export function parseArguments(args: readonly string[]): Invocation {
  const [first, second] = args;
  if (first === undefined) throw new UsageError(`A command is missing: expected ${names()}`);
  if (first === "help" || isHelp(first)) return { command: null, options: null };
  const command = commands.find(({ name }) => name === `${first} ${second}`) ??
    commands.find(({ name }) => name === first);
  if (command === undefined) {
    const started = commands.filter(({ name }) => name.startsWith(`${first} `));
    if (started.length === 0) throw new UsageError(`Unknown command "${first}": expected ${names()}`);
    if (second === undefined || isHelp(second)) return { command: started[0]!, options: null };
    const expected = started.map(({ name }) => name.slice(first.length + 1)).join(" or ");
    throw new UsageError(`Unknown command "${first} ${second}": expected ${expected}`);
  }
  const rest = args.slice(command.name.split(" ").length);
  const end = rest.indexOf("--");
  if (rest.slice(0, end < 0 ? undefined : end).some(isHelp)) return { command, options: null };
  return { command, options: readArguments(command, rest) };
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}

function names(): string {
  const first = commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name.split(" ")[0]!);
  return [...new Set(first)].join(", ");
}
