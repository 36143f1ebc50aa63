// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { LogEntry } from "./cluster_model.ts";
import { disagreements } from "./disagreements.ts";
import { describe } from "./describe.ts";
import { nodeTable, secondsSince } from "./summary.ts";
import { type ControlKind, RefusedError, type Supervisor } from "./supervisor.ts";
import { untilAborted } from "./until_aborted.ts";

/** A command as a person writes it. */
export type LineCommand =
  | { readonly kind: ControlKind; readonly node: string | undefined }
  | { readonly kind: "status" | "wait" | "quit" | "help" | "nothing" };

/** Dependencies of line mode. */
export interface LineModeContext {
  /** The commands. */
  readonly lines: AsyncIterable<string>;
  /** Prints a line. */
  readonly print: (line: string) => void;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

const WAIT_TIMEOUT_MS = 60_000;

const help = `kill NODE, pause NODE, resume NODE, cut NODE, heal NODE, leave NODE
start [NODE]   start that node again, or a new one
status         what each node sees
wait           until all views agree
quit           stop all nodes; so does the end of the input`;

/**
 * Understands one line.
 *
 * @throws {RefusedError} When that is impossible.
 */
export function parseLine(line: string): LineCommand {
  const [word = "", node, ...rest] = line.trim().split(/\s+/);
  if (rest.length > 0) throw new RefusedError(`Cannot understand "${line}": expected one node at most`);
  switch (word) {
    case "":
      return { kind: "nothing" };
    case "start":
      return { kind: word, node };
    case "kill":
    case "pause":
    case "resume":
    case "cut":
    case "heal":
    case "leave":
      if (node === undefined) throw new RefusedError(`Cannot ${word}: name a node`);
      return { kind: word, node };
    case "status":
    case "wait":
    case "quit":
    case "help":
      return { kind: word };
    default:
      throw new RefusedError(`Unknown command "${word}": help lists them`);
  }
}

/** Prints what happens and obeys commands, until `quit`, the end of the input, or `signal` is aborted. */
export async function runLineMode(supervisor: Supervisor, context: LineModeContext): Promise<void> {
  const beginning = Date.now();
  const { print, signal } = context;
  supervisor.addEventListener("entry", (event) => {
    const entry = (event as CustomEvent<LogEntry>).detail;
    print(`${secondsSince(beginning, entry.at).padStart(10)}  ${describe(entry)}`);
  });
  for await (const line of untilAborted(context.lines, signal)) {
    try {
      const command = parseLine(line);
      if (command.kind === "quit") return;
      await obey(command, supervisor, context);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      print(error.message);
    }
  }
}

type Obeyable = Exclude<LineCommand, { readonly kind: "quit" }>;

async function obey(command: Obeyable, supervisor: Supervisor, { print, signal }: LineModeContext): Promise<void> {
  switch (command.kind) {
    case "status":
      [...nodeTable(supervisor.model), ...disagreements(supervisor.model)].forEach(print);
      break;
    case "wait": {
      const pending = await supervisor.settled(WAIT_TIMEOUT_MS, signal);
      print(pending.length === 0 ? "All views agree" : `The views do not agree: ${pending.join("; ")}`);
      break;
    }
    case "help":
      print(help);
      break;
    case "start":
      supervisor.start(command.node);
      break;
    case "kill":
    case "pause":
    case "resume":
    case "cut":
    case "heal":
    case "leave":
      supervisor[command.kind](command.node!);
      break;
  }
}
