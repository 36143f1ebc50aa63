// Copyright 2026 the Partisan peer-service authors. MIT license.

import { commands } from "./commands.ts";
import type { CommandSpec, OptionSpec } from "./option_table.ts";

/** The help is no wider. */
const COLUMNS = 100;

/** Meaning of each exit code. */
export const EXIT_CODES = {
  success: 0,
  failure: 1,
  usage: 2,
  unreachable: 3,
  noEndpoint: 4,
  removed: 5,
} as const;

/** Text of `--help`. */
export function generalHelp(): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const width = Math.max(...shown.map((command) => usageOf(command).length));
  return [
    "partisan: start nodes of a cluster, and see and operate those that run.",
    "",
    "Usage: partisan COMMAND [options]",
    "",
    ...shown.flatMap((command) => row(usageOf(command), width, command.summary)),
    "",
    "partisan COMMAND --help tells more, with examples. A first cluster:",
    "",
    "  partisan start --name a --listen 127.0.0.1:9090 &",
    "  partisan start --name b --join 127.0.0.1:9090 &",
    "  partisan members --admin $XDG_RUNTIME_DIR/partisan/a.sock",
    "",
    "Exit codes: 0 done; 1 it failed; 2 the command line makes no sense; 3 there is no such node, or it cannot be",
    "reached; 4 there is no admin endpoint, or it refuses; 5 (start) another node has removed this one.",
  ].join("\n");
}

/** Text of `COMMAND --help`. */
export function commandHelp(command: CommandSpec): string {
  const width = Math.max(...command.options.map((option) => optionOf(option).length));
  return [
    `partisan ${command.name}: ${command.summary}`,
    "",
    `Usage: partisan ${usageOf(command)} [options]`,
    "",
    ...command.options.flatMap((option) => row(optionOf(option), width, describe(option))),
    ...(command.details === undefined ? [] : ["", command.details]),
    "",
    "Examples:",
    ...command.examples.map((example) => `  partisan ${example}`),
  ].join("\n");
}

/** A term and what it means, which goes on below itself where it is long. */
function row(term: string, width: number, meaning: string): string[] {
  const lines = [""];
  for (const word of meaning.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > COLUMNS - width - 4) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line, index) => `  ${(index === 0 ? term : "").padEnd(width)}  ${line}`);
}

function usageOf({ name, words = [] }: CommandSpec): string {
  return [name, ...words.map((word) => word.endsWith("?") ? `[${word.slice(0, -1)}]` : word)].join(" ");
}

function optionOf({ name, value, isValueOptional }: OptionSpec): string {
  if (isValueOptional === true) return `--${name}[=${value}]`;
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function describe({ help, choices, range, repeat }: OptionSpec): string {
  const notes = [
    choices?.join(", "),
    range === undefined ? undefined : `${range[0]} to ${range[1]}`,
    repeat === true ? "may be repeated" : undefined,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? help : `${help} [${notes.join("; ")}]`;
}
