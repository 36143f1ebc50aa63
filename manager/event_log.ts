// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Log, LogEntry } from "../runtime/log_entry.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Emit, PeerServiceEventMap } from "./events.ts";

/** The runtime is told about each kind of entry at most this often. */
const INTERVAL_MS = 60_000;

/** Events that an operator should know about. */
type Logged = "error" | "undeliverable" | "warning";

/** Content of an entry, before it has a time. */
type Content = Omit<LogEntry, "at">;

/** Text of each kind of event. All others are no cause for concern. */
const CONTENTS: { readonly [Type in Logged]: (detail: PeerServiceEventMap[Type]["detail"]) => Content } = {
  error: ({ error, during, node }) => ({
    level: "error",
    kind: "error",
    message: `Something failed while ${during}: ${textOf(error)}`,
    node,
    error,
  }),
  undeliverable: ({ node, name, reason }) => ({
    level: "warning",
    kind: "undeliverable",
    message: `A message to "${name}" at "${node}" was not delivered: ${reason}`,
    node,
  }),
  warning: ({ code, message, node, error }) => ({ level: "warning", kind: code, message, node, error }),
};

/**
 * Logs events that have no listener: all of them to the `log` option, or else to the runtime, each kind once a minute. Those
 * that are left out are counted, and the next entry of its kind tells the count.
 */
export class EventLog {
  readonly #log: Log | false | undefined;
  readonly #runtime: Pick<Runtime, "clock" | "report">;
  /** By kind: when the runtime was told last, and how many entries it was not told since. */
  readonly #told = new Map<string, { readonly at: number; omitted: number }>();

  /** @param log Option of the user: `undefined` for the runtime's own way. */
  constructor(log: Log | false | undefined, runtime: Pick<Runtime, "clock" | "report">) {
    this.#log = log;
    this.#runtime = runtime;
  }

  /** Takes an event that has no listener. */
  readonly unheard: Emit = (type, detail) => {
    if (this.#log === false) return;
    if (this.#log === undefined && this.#runtime.report === undefined) return;
    const content = contentOf(type, detail);
    if (content === undefined) return;
    if (this.#log === undefined) return this.#report(content);
    try {
      this.#log({ ...content, at: this.#runtime.clock.wallTime() });
    } catch (error) {
      const message = `The function that the "log" option names threw: ${textOf(error)}`;
      this.#report({ level: "error", kind: "log", message, error });
    }
  };

  #report(content: Content): void {
    const { clock } = this.#runtime;
    const told = this.#told.get(content.kind);
    if (told !== undefined && clock.now() - told.at < INTERVAL_MS) {
      told.omitted++;
      return;
    }
    this.#told.set(content.kind, { at: clock.now(), omitted: 0 });
    const omitted = told?.omitted ?? 0;
    const message = omitted === 0 ? content.message : `${content.message} (${omitted} more since the last one)`;
    this.#runtime.report?.({ ...content, message, at: clock.wallTime() });
  }
}

function contentOf<Type extends keyof PeerServiceEventMap>(
  type: Type,
  detail: PeerServiceEventMap[Type]["detail"],
): Content | undefined {
  if (!isLogged(type)) return undefined;
  // The compiler does not see that the detail is that of the type.
  return (CONTENTS[type] as (detail: unknown) => Content)(detail);
}

function isLogged(type: string): type is Logged {
  return Object.hasOwn(CONTENTS, type);
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
