// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeView } from "../ops/page/cluster_document.ts";
import type { NodeSettings } from "./cluster_options.ts";

/**
 * Command of the supervisor to a node's process, over its standard input: one JSON value a line. When the input ends, the
 * process exits, so that no node outlives its supervisor.
 */
export type Command =
  /** The first one: become the node of this name. `run` counts the processes that had the name. */
  | { readonly type: "start"; readonly name: string; readonly run: number; readonly settings: NodeSettings }
  /** Join the cluster of the node that listens at `address`. */
  | { readonly type: "join"; readonly address: string }
  /** Drop all messages between this node and others. */
  | { readonly type: "cut" }
  /** Drop them no more. */
  | { readonly type: "heal" }
  /** Leave the cluster, then exit. */
  | { readonly type: "leave" }
  /** Send no more traffic. */
  | { readonly type: "quiet" }
  /** Exit in good order, without leaving the cluster. */
  | { readonly type: "stop" };

/** Report of a node's process to the supervisor, over its standard output: one JSON value a line. */
export type Report = StartedReport | EventReport | ViewReport | LeftReport;

/** The node listens. */
export interface StartedReport {
  readonly type: "started";
  /** Milliseconds since the epoch, here and in the other reports. */
  readonly at: number;
  /** Address at which it can be joined. */
  readonly address: string;
}

/** Kinds of events that nodes report. */
export const eventKinds = ["up", "down", "join", "leave", "removed", "suspect", "undeliverable", "error"] as const;

/** Something happened in the view of the node. */
export interface EventReport {
  readonly type: "event";
  readonly at: number;
  /** `warning` stands for what the node writes to its log. */
  readonly kind: typeof eventKinds[number] | "warning";
  /** The node that it happened to, if it was to one. */
  readonly node?: string;
  /** More about it. */
  readonly detail?: string;
}

/** The cluster as the node sees it now. */
export interface ViewReport {
  readonly type: "view";
  readonly at: number;
  /** Members by name, itself included, and the run of each. */
  readonly members: Readonly<Record<string, number>>;
  /** Peers that are up. */
  readonly connected: readonly string[];
  /** Peers with all their connections. */
  readonly fullyConnected: readonly string[];
  /** Open connections to peers. */
  readonly connections: number;
  /** Round-trip times in milliseconds, as far as they are known. */
  readonly roundTrips: Readonly<Record<string, number>>;
  /** Traffic that it sent, by receiver. */
  readonly outgoing: Readonly<Record<string, OutgoingStream>>;
  /** Traffic that it received, by sender. */
  readonly incoming: Readonly<Record<string, IncomingStream>>;
  /** Messages accepted in the last second, all receivers together. */
  readonly sentPerSecond: number;
  /** Messages received in the last second, all senders together. */
  readonly receivedPerSecond: number;
  /** Whether it sends no more, and nothing that it sent waits to be accepted. */
  readonly quiet: boolean;
  /** View of it for the page; left out where there is no page. */
  readonly page?: NodeView;
}

/** The node has left: others have forgotten it. It exits next. */
export interface LeftReport {
  readonly type: "left";
  readonly at: number;
}

/** Numbered messages from one process to another one, as the sender counts them. */
export interface OutgoingStream {
  /** The receiver's run. */
  readonly run: number;
  /** Messages given to the peer service, which are numbered from 1 on. */
  readonly attempted: number;
  /** Those of them that it accepted. */
  readonly accepted: number;
}

/** Numbered messages from one process to another one, as the receiver counts them. */
export interface IncomingStream {
  /** The sender's run. */
  readonly run: number;
  /** Messages received in order. */
  readonly received: number;
  /** Messages that came twice, or after a later one. */
  readonly disordered: number;
}

/** Encodes a command or a report as a line. */
export function encodeLine(value: Command | Report): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value) + "\n");
}

/**
 * Decodes a line of the other end. Both ends are this program, so that nothing but the shape of the envelope
 * is checked.
 *
 * @throws {SyntaxError} When the line is not a command or report.
 */
export function decodeLine<Message extends Command | Report>(line: string): Message {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !("type" in value)) {
    throw new SyntaxError(`Cannot decode the line "${line}": it has no type`);
  }
  return value as Message;
}

/** Splits a stream of bytes into its lines, without their ends. An unfinished last line counts. */
export async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  if (rest !== "") yield rest;
}
