// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CutConnects } from "../transport/memory/memory_links.ts";

/** A way from one node to another. */
export type Way = readonly [from: string, to: string];

/** Fault and its parameters. */
export type FaultAction =
  /** Nothing passes on these ways. `shape` says what they are together. */
  | { readonly kind: "cut"; readonly shape: string; readonly ways: readonly Way[]; readonly connects: CutConnects }
  /** No more than so much passes on these ways. */
  | { readonly kind: "clog"; readonly ways: readonly Way[]; readonly bytesPerSecond: number }
  /** Larger packets are lost on these ways. */
  | { readonly kind: "narrow"; readonly ways: readonly Way[]; readonly bytes: number }
  /** A connection between two nodes, the one that was opened so many others ago, looks open and carries nothing any more. That has no duration. */
  | { readonly kind: "forget"; readonly nodes: Way; readonly index: number }
  /** The connections that are open between two nodes break. That has no duration. */
  | { readonly kind: "reset"; readonly nodes: Way }
  /** A node reads no more than so much from each connection. */
  | { readonly kind: "slow-reader"; readonly node: string; readonly bytesPerSecond: number }
  /** A node stops, and goes on. */
  | { readonly kind: "pause"; readonly node: string }
  /**
   * A node dies, and is started again under the same name. With `reset` its machine lives on and tells the others. Its disk, if it has one, is kept or
   * lost. It joins the cluster again when `join` says so; otherwise it waits to be found, or finds what its disk remembers.
   */
  | {
    readonly kind: "crash";
    readonly node: string;
    readonly reset: boolean;
    readonly disk: "kept" | "lost";
    readonly join: boolean;
  }
  /** The disk of a node, if it has one, refuses to write, or forgets what was written. */
  | { readonly kind: "disk"; readonly node: string; readonly fault: "fail" | "lose" }
  /** The wall clock of a node jumps, and jumps back. */
  | { readonly kind: "skew"; readonly node: string; readonly ms: number };

/** The name of a kind of fault. */
export type FaultKind = FaultAction["kind"];

/** Something that goes wrong for a while. A plain value, so that it can be printed and repeated. */
export type Fault = FaultAction & {
  /** Milliseconds after the beginning of the plan at which it begins. */
  readonly at: number;
  /** Milliseconds for which it lasts. */
  readonly duration: number;
};

/** All kinds of faults. */
export const FAULT_KINDS: readonly FaultKind[] = [
  ...["cut", "clog", "narrow", "forget", "reset", "slow-reader", "pause", "crash", "disk", "skew"] as const,
];

/**
 * Description of a fault, in a few words.
 *
 * @example For the report of a failed run
 * ```ts
 * import { describeFault } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(describeFault({ kind: "pause", node: "a" }), "pause of a");
 * ```
 */
export function describeFault(fault: FaultAction): string {
  switch (fault.kind) {
    case "cut":
      return `${fault.shape} cut, connects ${fault.connects}: ${listWays(fault.ways)}`;
    case "clog":
      return `clog at ${fault.bytesPerSecond} B/s: ${listWays(fault.ways)}`;
    case "narrow":
      return `no packets above ${fault.bytes} bytes: ${listWays(fault.ways)}`;
    case "forget":
      return `connection ${fault.index} between ${fault.nodes.join(" and ")} is forgotten`;
    case "reset":
      return `reset of all connections between ${fault.nodes.join(" and ")}`;
    case "slow-reader":
      return `slow reader at ${fault.bytesPerSecond} B/s: ${fault.node}`;
    case "pause":
      return `pause of ${fault.node}`;
    case "crash":
      return [
        `crash of ${fault.node}, disk ${fault.disk}`,
        ...(fault.reset ? ["its machine resets"] : []),
        ...(fault.join ? ["joins again"] : []),
      ].join(", ");
    case "disk":
      return `disk of ${fault.node} ${fault.fault === "fail" ? "fails" : "loses what is written"}`;
    case "skew":
      return `skew of ${fault.node} by ${fault.ms} ms`;
  }
}

function listWays(ways: readonly Way[]): string {
  const keys = new Set(ways.map((way) => way.join(" ")));
  const shown = ways.flatMap(([from, to]) => {
    if (!keys.has(`${to} ${from}`)) return [`${from} → ${to}`];
    return from < to ? [`${from} ↔ ${to}`] : [];
  });
  return shown.join(", ");
}
