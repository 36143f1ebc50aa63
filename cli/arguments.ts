// Copyright 2026 the Partisan peer-service authors. MIT license.

import { strategies } from "./strategies.ts";
import { parseTls, type TlsInvocation } from "./tls_command.ts";
import { UsageError } from "./usage_error.ts";

/** What every node of the cluster is started with. */
export interface NodeSettings {
  /** A key of {@linkcode strategies}. */
  readonly strategy: string;
  /** The preset of intervals. */
  readonly preset: Preset;
  /** Milliseconds between two heartbeats; `undefined` leaves it to the preset. */
  readonly heartbeatInterval: number | undefined;
  /** Decides what is in the messages. */
  readonly seed: number;
}

/** Named sets of intervals. */
export type Preset = typeof presets[number];

/** The options of `cluster`. */
export interface ClusterOptions extends NodeSettings {
  /** How many nodes to begin with. */
  readonly nodes: number;
  /** How long the unattended run takes; `undefined` asks for the interactive one. */
  readonly seconds: number | undefined;
  /** Whether colours may be used. */
  readonly color: boolean;
}

/** What the command line asks for. */
export type Invocation =
  | { readonly command: "help" }
  | { readonly command: "cluster"; readonly options: ClusterOptions }
  | { readonly command: "tls"; readonly options: TlsInvocation }
  | { readonly command: "node"; readonly name: string };

/** Less time than this does not suffice to kill, restart and remove a node and to watch what comes of it. */
const SECONDS_MIN = 8;
const SECONDS_MAX = 86_400;
const NODES_MIN = 2;
const NODES_MAX = 100;
const presets = ["local", "lan", "wan"] as const;

/** Defaults of `cluster`. */
export const defaultOptions: ClusterOptions = {
  nodes: 5,
  seconds: undefined,
  strategy: "fullMesh",
  preset: "local",
  heartbeatInterval: undefined,
  seed: 1,
  color: true,
};

/** What `--help` prints. */
export const helpText =
  `A cluster of real processes on this machine, each of them a node that sends messages to all others.

Usage: deno task cluster [options]

  --nodes N                 nodes to begin with, ${NODES_MIN} to ${NODES_MAX} (default ${defaultOptions.nodes})
  --seconds S               run unattended for about S seconds (at least ${SECONDS_MIN}): kill a node, restart it, pause and
                            resume another (from 12 seconds on), let one leave; print what every node saw; exit
                            with 0 only if all views agreed each time and no message was lost or out of order
  --seed N                  chooses the victims and the messages (default ${defaultOptions.seed})
  --strategy NAME           ${Object.keys(strategies).join(", ")} (default ${defaultOptions.strategy})
  --preset NAME             intervals: ${presets.join(", ")} (default ${defaultOptions.preset})
  --heartbeat-interval MS   milliseconds between heartbeats, in place of the preset's
  --no-color                no colours (as with NO_COLOR in the environment)
  --help                    this text

Without --seconds the terminal shows every node's view of the cluster; the key ? explains the others.
When standard input is no terminal, it is read as commands, one a line: help lists them.`;

/**
 * Reads the command line.
 *
 * @throws {UsageError} When something in it is unknown, missing or out of range.
 */
export function parseArguments(args: readonly string[]): Invocation {
  const [command, ...rest] = args;
  switch (command) {
    case "help":
    case "--help":
    case "-h":
      return { command: "help" };
    case "cluster":
      return parseCluster(rest);
    case "tls":
      return { command: "tls", options: parseTls(rest) };
    case "node":
      if (rest.length !== 1) throw new UsageError("The command node takes one name");
      return { command: "node", name: rest[0]! };
    case undefined:
      throw new UsageError("A command is missing: expected cluster or tls");
    default:
      throw new UsageError(`Unknown command "${command}": expected cluster or tls`);
  }
}

function parseCluster(args: readonly string[]): Invocation {
  const options: { -readonly [Key in keyof ClusterOptions]: ClusterOptions[Key] } = { ...defaultOptions };
  const words = args.flatMap(splitAtEqualsSign);
  for (let index = 0; index < words.length; index++) {
    const option = words[index]!;
    const value = (): string => {
      const next = words[++index];
      if (next === undefined) throw new UsageError(`Option "${option}" needs a value`);
      return next;
    };
    switch (option) {
      case "--help":
      case "-h":
        return { command: "help" };
      case "--nodes":
        options.nodes = integer(option, value(), NODES_MIN, NODES_MAX);
        break;
      case "--seconds":
        options.seconds = integer(option, value(), SECONDS_MIN, SECONDS_MAX);
        break;
      case "--seed":
        options.seed = integer(option, value(), 0, 2 ** 32 - 1);
        break;
      case "--strategy":
        options.strategy = oneOf(option, value(), Object.keys(strategies));
        break;
      case "--preset":
        options.preset = oneOf(option, value(), presets);
        break;
      case "--heartbeat-interval":
        options.heartbeatInterval = integer(option, value(), 10, 60_000);
        break;
      case "--no-color":
        options.color = false;
        break;
      default:
        throw new UsageError(`Unknown option "${option}"`);
    }
  }
  return { command: "cluster", options };
}

/** `--nodes=3` → `--nodes`, `3`. */
function splitAtEqualsSign(word: string): string[] {
  const at = word.indexOf("=");
  return word.startsWith("--") && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word];
}

function integer(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`Option "${option}" is "${text}": expected a whole number from ${min} to ${max}`);
  }
  return value;
}

function oneOf<const Choice extends string>(option: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new UsageError(`Option "${option}" is "${text}": expected ${choices.join(" or ")}`);
  }
  return choice;
}
