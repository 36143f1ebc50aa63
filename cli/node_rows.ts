// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ClusterModel, NodeModel, NodeState } from "./cluster_model.ts";
import type { ViewReport } from "./protocol.ts";
import { fit, type Look, type Span, span } from "./style.ts";

const stateLooks: Readonly<Record<NodeState, Look>> = {
  starting: "yellow",
  up: "green",
  paused: "yellow",
  cut: "yellow",
  leaving: "yellow",
  left: "dim",
  killed: "red",
  failed: "red",
};

/** Columns of numbers: heading, width, and what stands there while the node is up. */
const numberColumns: readonly [string, number, (view: ViewReport) => string | number][] = [
  ["members", 7, (view) => Object.keys(view.members).length],
  ["up", 3, (view) => view.connected.length],
  ["conns", 5, (view) => view.connections],
  ["in/s", 5, (view) => Math.round(view.receivedPerSecond)],
  ["out/s", 5, (view) => Math.round(view.sentPerSecond)],
  ["rtt ms", 6, (view) => meanRoundTrip(view)],
];

const NAME_WIDTH = 4;
const STATE_WIDTH = 8;
const PORT_WIDTH = 5;
const MATRIX_START = 2 + NAME_WIDTH + 1 + STATE_WIDTH + 1 + PORT_WIDTH +
  numberColumns.reduce((sum, [, width]) => sum + 1 + width, 0) + 2;

/** The heading over the rows of nodes. */
export function headingLine(model: ClusterModel, columns: number): Span[] {
  const nodes = [...model.nodes.values()];
  const numbers = numberColumns.map(([heading, width]) => heading.padStart(width + 1)).join("");
  const names = [fit("node", NAME_WIDTH), fit("state", STATE_WIDTH), "port".padStart(PORT_WIDTH)].join(" ");
  const width = matrixCellWidth(nodes, columns);
  const matrix = width === 0
    ? (model.isFullMesh ? "sees down" : "sees up")
    : nodes.map(({ name }) => name.slice(-1).padEnd(width)).join("");
  return [span(`  ${names}${numbers}  ${matrix}`, "bold")];
}

/** One node: its process, its view in numbers, and the nodes that it sees. */
export function nodeLine(
  node: NodeModel,
  model: ClusterModel,
  selected: boolean,
  columns: number,
): Span[] {
  const { name, state, address, view } = node;
  const live = state === "up" ? view : undefined;
  const port = address?.split(":").at(-1) ?? "";
  const numbers = numberColumns.map(([, width, value]) => String(live ? value(live) : "").padStart(width + 1));
  return [
    span(selected ? "> " : "  ", "bold"),
    span(fit(name, NAME_WIDTH) + " ", selected ? "bold" : "plain"),
    span(fit(state, STATE_WIDTH) + " ", stateLooks[state]),
    span(port.padStart(PORT_WIDTH) + numbers.join("") + "  "),
    ...(live ? sight(name, live, model, columns) : []),
  ];
}

/** 2 or 1 characters per node, as many as there is space for; 0 when the matrix does not fit at all. */
function matrixCellWidth(nodes: readonly NodeModel[], columns: number): number {
  return [2, 1].find((width) => MATRIX_START + nodes.length * width <= columns + 1) ?? 0;
}

function sight(name: string, view: ViewReport, { nodes, isFullMesh }: ClusterModel, columns: number): Span[] {
  const width = matrixCellWidth([...nodes.values()], columns);
  if (width > 0) {
    return [...nodes.keys()].map((other) => {
      const [symbol, look] = mark(name, view, other, isFullMesh);
      return span(symbol.padEnd(width), look);
    });
  }
  if (!isFullMesh) return [span(view.connected.join(" "), "green")];
  const down = Object.keys(view.members).filter((other) => other !== name && !view.connected.includes(other));
  return [down.length === 0 ? span("none", "green") : span(down.sort().join(" "), "red")];
}

function mark(name: string, view: ViewReport, other: string, isFullMesh: boolean): [symbol: string, look: Look] {
  if (other === name) return ["-", "dim"];
  if (view.fullyConnected.includes(other)) return ["●", "green"];
  if (view.connected.includes(other)) return ["◐", "yellow"];
  // In a partial overlay nothing is wrong with a member that is no neighbour.
  if (other in view.members) return ["○", isFullMesh ? "red" : "dim"];
  return ["·", "dim"];
}

function meanRoundTrip({ roundTrips }: ViewReport): string {
  const times = Object.values(roundTrips);
  return times.length === 0 ? "" : (times.reduce((sum, time) => sum + time, 0) / times.length).toFixed(2);
}
