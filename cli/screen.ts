// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type ClusterModel, isObservation, type NodeModel, type Observation } from "./cluster_model.ts";
import { disagreements } from "./disagreements.ts";
import { describe } from "./describe.ts";
import { headingLine, nodeLine } from "./node_rows.ts";
import { fit, type Look, renderLine, type Span, span } from "./style.ts";
import { nameList, secondsSince } from "./summary.ts";

/** Contents of the screen. */
export interface ScreenView {
  readonly model: ClusterModel;
  /** Shown in the title. */
  readonly title: string;
  /** The node that the keys act upon. */
  readonly selected: string | undefined;
  /** Shown in place of the keys, such as why something cannot be done. */
  readonly notice: string;
  /** Whether the help covers the events. */
  readonly help: boolean;
  /** Time at which the cluster was begun, in milliseconds since the epoch. */
  readonly beginning: number;
  /** The time now, likewise. */
  readonly now: number;
}

/** The size of the terminal, in characters. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lines that are neither nodes nor events: title, heading, rest, agreement, a blank, details, keys. */
const FIXED_ROWS = 7;
const EVENT_ROWS_MIN = 4;

const eventLooks: Readonly<Partial<Record<Observation["kind"], Look>>> = {
  up: "green",
  down: "red",
  suspect: "yellow",
  warning: "yellow",
  error: "red",
  exit: "red",
  stderr: "red",
};

const helpLines = [
  "  k  kill the selected node (SIGKILL)    s  start it, or a new one if it runs",
  "  p  pause it (SIGSTOP)                  r  resume it (SIGCONT)",
  "  c  cut it off from all others          h  heal that",
  "  l  make it leave the cluster           q  quit",
  "  arrows, 1-9  select a node             ?  show or hide this",
  "",
  "  Each row is a node's own view. On the right are the nodes that it sees:",
  "  ● fully connected   ◐ partly   ○ not, but a member   · no member   - itself",
];

/**
 * Draws the cluster: exactly as many lines as the terminal has, none wider than it is.
 *
 * @param color Whether escape sequences for colours may be used.
 */
export function renderScreen(view: ScreenView, { columns, rows }: ScreenSize, color: boolean): string[] {
  const nodes = [...view.model.nodes.values()];
  const shown = windowAround(nodes, view.selected, Math.max(1, rows - FIXED_ROWS - EVENT_ROWS_MIN));
  const top = [
    titleLine(view, columns),
    headingLine(view.model, columns),
    ...shown.map((node) => nodeLine(node, view.model, node.name === view.selected, columns)),
    restLine(nodes, shown),
    agreementLine(view.model),
    ...detailLines(view.model, view.selected),
  ];
  const space = Math.max(0, rows - top.length - 1);
  const middle = view.help ? helpLines.map((line) => [span(line)]) : eventLines(view, space);
  const blank = Array.from({ length: Math.max(0, space - middle.length) }, (): Span[] => []);
  const lines = [...top, ...middle.slice(0, space), ...blank].slice(0, rows - 1);
  return [...lines, keysLine(view.notice)].map((line) => renderLine(line, columns, color));
}

function titleLine({ title, now, beginning }: ScreenView, columns: number): Span[] {
  const time = `${Math.floor((now - beginning) / 1_000)} s `;
  return [span(fit(` ${title}`, columns - time.length) + time, "inverse")];
}

/** As many nodes as there is space for, the selected one among them. */
function windowAround(nodes: readonly NodeModel[], selected: string | undefined, size: number): NodeModel[] {
  const index = nodes.findIndex(({ name }) => name === selected);
  const start = Math.min(Math.max(0, index - Math.floor(size / 2)), Math.max(0, nodes.length - size));
  return nodes.slice(start, start + size);
}

/** Counts the nodes for which there was no space. */
function restLine(nodes: readonly NodeModel[], shown: readonly NodeModel[]): Span[] {
  const counts = new Map<string, number>();
  for (const { state } of nodes.filter((node) => !shown.includes(node))) {
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  return [span(`  and ${[...counts].map(([state, count]) => `${count} ${state}`).join(", ")}`, "dim")];
}

function agreementLine(model: ClusterModel): Span[] {
  const [first, ...others] = disagreements(model);
  if (first === undefined) return [span("  all views agree", "green")];
  return [span(`  ${first}${others.length > 0 ? `, and ${others.length} more` : ""}`, "yellow")];
}

/** View of the selected node, by name. */
function detailLines(model: ClusterModel, selected: string | undefined): Span[][] {
  const node = model.nodes.get(selected ?? "");
  if (node?.view === undefined || node.state !== "up") return [[], []];
  const { name, view } = node;
  const others = Object.keys(view.members).filter((other) => other !== name && !view.connected.includes(other));
  const received = Object.values(view.incoming);
  const total = (field: "received" | "disordered") => received.reduce((sum, stream) => sum + stream[field], 0);
  return [[], [
    span(`  ${name}`, "bold"),
    span(` sees up: ${nameList(view.connected)}; ${model.isFullMesh ? "down" : "knows"}: ${nameList(others)}; `),
    span(`received ${total("received")} messages, ${total("disordered")} out of order`),
  ]];
}

/** The newest events, the newest of all at the bottom. */
function eventLines({ model, beginning }: ScreenView, space: number): Span[][] {
  return model.log.slice(-space || model.log.length).map((entry) => [
    span(`${secondsSince(beginning, entry.at).padStart(11)}  `, "dim"),
    span(describe(entry), isObservation(entry) ? eventLooks[entry.kind] ?? "plain" : "bold"),
  ]);
}

function keysLine(notice: string): Span[] {
  if (notice !== "") return [span(` ${notice}`, "yellow")];
  return [span(" k kill  p pause  r resume  c cut  h heal  s start  l leave  ? help  q quit", "inverse")];
}
