// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Something that a node noticed in the background, and that an operator should know. */
export interface Warning {
  /** What kind of thing it is, in kebab case: stable, for programs. */
  readonly code: string;
  /** What happened and what can be done about it, for people. */
  readonly message: string;
  /** The node that it has to do with, if any. */
  readonly node?: string | undefined;
  /** The address that it has to do with, `host:port`, if any. */
  readonly address?: string | undefined;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

/** By this any room tells the users of the node about a {@linkcode Warning}. */
export type Warn = (warning: Warning) => void;

/** An event that has no listener, as the `log` option is given it. */
export interface LogEntry {
  /** How bad it is. */
  readonly level: "error" | "warning";
  /** `error`, `undeliverable`, or the code of a {@linkcode Warning}. */
  readonly kind: string;
  /** What happened, for people. It may quote what other nodes sent. */
  readonly message: string;
  /** The node that it has to do with, if any. */
  readonly node?: string | undefined;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
  /** When, in milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Takes entries of the log. */
export type Log = (entry: LogEntry) => void;
