// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Something that a node noticed in the background, and that an operator should know. */
export interface Warning {
  /** Code of the event, in kebab case: stable, for programs. */
  readonly code: string;
  /** Description of the event, with the action to take, for people. */
  readonly message: string;
  /** The node that it has to do with, if any. */
  readonly node?: string | undefined;
  /** The address that it has to do with, `host:port`, if any. */
  readonly address?: string | undefined;
  /** Error that was thrown, if any. */
  readonly error?: unknown;
}

/** By this any room tells the users of the node about a {@linkcode Warning}. */
export type Warn = (warning: Warning) => void;

/** An event that has no listener, as the `log` option is given it. */
export interface LogEntry {
  /** Severity of the event. */
  readonly level: "error" | "warning";
  /** `error`, `undeliverable`, or the code of a {@linkcode Warning}. */
  readonly kind: string;
  /** Description of the event, for people. It may quote what other nodes sent. */
  readonly message: string;
  /** The node that it has to do with, if any. */
  readonly node?: string | undefined;
  /** Error that was thrown, if any. */
  readonly error?: unknown;
  /** Time of the event, in milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Takes entries of the log. */
export type Log = (entry: LogEntry) => void;
