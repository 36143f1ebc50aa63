// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { EventReport, Report, ViewReport } from "./protocol.ts";

/**
 * State of a node's process. Those that were `killed` or `failed` are still members, as no failure removes a node; those that
 * `left` are not.
 */
export type NodeState = "starting" | "up" | "paused" | "cut" | "leaving" | "left" | "killed" | "failed";

/** A node, as the supervisor knows it. */
export interface NodeModel {
  readonly name: string;
  /** Number of the process among those of that name: 1, 2, … */
  run: number;
  state: NodeState;
  /** Time at which it came into that state, in milliseconds since the epoch. */
  since: number;
  /** Address at which it listens, once it does. */
  address: string | undefined;
  /** Last view of its present process. */
  view: ViewReport | undefined;
}

/** Something that the supervisor did to a node. */
export interface Action {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: "start" | "kill" | "pause" | "resume" | "cut" | "heal" | "leave" | "stop";
  readonly node: string;
}

/** Observation of a node's process: its reports, and events of the process itself by the kinds added here. */
export interface Observation extends Omit<EventReport, "type" | "kind"> {
  readonly observer: string;
  readonly kind: EventReport["kind"] | "listen" | "stderr" | "exit";
}

/** Entry of the log. */
export type LogEntry = Action | Observation;

/** Older entries are forgotten, so that a cluster can be watched for days. */
const LOG_LENGTH_MAX = 100_000;

/** Everything that the supervisor knows of its cluster. Does no I/O. */
export class ClusterModel {
  /** Whether every node keeps connections with all others, or the overlay is a partial one. */
  readonly isFullMesh: boolean;
  /** Nodes by name, in the order of their first start. */
  readonly nodes: Map<string, NodeModel> = new Map();
  /** Actions and observations, in the order in which they became known. */
  readonly log: LogEntry[] = [];

  /** Begins without nodes. */
  constructor({ isFullMesh = true }: { readonly isFullMesh?: boolean } = {}) {
    this.isFullMesh = isFullMesh;
  }

  /** Notes what is about to be done to a node. */
  act(action: Action): NodeModel {
    this.#append(action);
    if (action.kind === "start") this.#forgetTheDeadWithoutSurvivors();
    const node = this.nodes.get(action.node) ?? newNode(action.node);
    this.nodes.set(action.node, node);
    node.since = action.at;
    switch (action.kind) {
      case "start":
        Object.assign(node, newNode(node.name), { run: node.run + 1, since: action.at });
        break;
      case "kill":
      case "stop":
        node.state = "killed";
        break;
      case "pause":
        node.state = "paused";
        break;
      case "cut":
        node.state = "cut";
        break;
      case "resume":
      case "heal":
        node.state = "up";
        break;
      case "leave":
        node.state = "leaving";
        break;
    }
    return node;
  }

  /** Notes what happened in the view of a node. */
  observe(observation: Observation): void {
    this.#append(observation);
  }

  /** Takes in what else a node's process reports. */
  apply(name: string, report: Exclude<Report, EventReport>): void {
    const node = this.nodes.get(name)!;
    switch (report.type) {
      case "started":
        node.address = report.address;
        if (node.state === "starting") {
          node.state = "up";
          node.since = report.at;
        }
        break;
      case "view":
        node.view = report;
        break;
      case "left":
        node.state = "left";
        node.since = report.at;
        break;
    }
  }

  /** Notes that a process is gone. Returns whether it should not have been. */
  exited(name: string, at: number): boolean {
    const node = this.nodes.get(name)!;
    if (node.state === "killed" || node.state === "left") return false;
    node.state = "failed";
    node.since = at;
    return true;
  }

  /** Nodes that every view should list, though perhaps as down. */
  members(): NodeModel[] {
    return [...this.nodes.values()].filter((node) => node.state !== "left");
  }

  /** Forgets dead members once all that knew of them are dead, too: no node remembers them. */
  #forgetTheDeadWithoutSurvivors(): void {
    const members = this.members();
    const dead = members.filter(({ state }) => state === "killed" || state === "failed");
    if (dead.length === members.length) dead.forEach((node) => node.state = "left");
  }

  #append(entry: LogEntry): void {
    this.log.push(entry);
    if (this.log.length > LOG_LENGTH_MAX) this.log.splice(0, LOG_LENGTH_MAX / 2);
  }
}

/** Tells what nodes saw from what was done to them. */
export function isObservation(entry: LogEntry): entry is Observation {
  return "observer" in entry;
}

function newNode(name: string): NodeModel {
  return { name, run: 0, state: "starting", since: 0, address: undefined, view: undefined };
}
