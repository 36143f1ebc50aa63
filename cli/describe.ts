// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Action, isObservation, type LogEntry, type Observation } from "./cluster_model.ts";

const actions: Readonly<Record<Action["kind"], string>> = {
  start: "start",
  kill: "kill (SIGKILL)",
  pause: "pause (SIGSTOP)",
  resume: "resume (SIGCONT)",
  cut: "cut",
  heal: "heal",
  leave: "leave",
  stop: "stop",
};

/** Tells an entry of the log in one line. */
export function describe(entry: LogEntry): string {
  return isObservation(entry) ? `${entry.observer}: ${describeObservation(entry)}` : describeAction(entry);
}

function describeAction({ kind, node }: Action): string {
  return `${actions[kind]} ${node}`;
}

function describeObservation({ kind, node, detail }: Observation): string {
  switch (kind) {
    case "up":
    case "down":
      return `${node} is ${kind}`;
    case "join":
      return `${node} has joined`;
    case "leave":
      return `${node} has left`;
    case "suspect":
      return `${node} is suspected`;
    case "removed":
      return "was removed from the cluster";
    case "listen":
      return `listens on ${detail}`;
    case "exit":
      return `exited unexpectedly with ${detail}`;
    case "warning":
      return `warning ${detail}`;
    case "stderr":
      return detail ?? "";
    default:
      return [kind, node, detail].filter((part) => part).join(" ");
  }
}
