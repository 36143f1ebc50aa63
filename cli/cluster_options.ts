// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Arguments } from "./option_table.ts";
import { mayColor } from "./style.ts";

/** Settings that every node of the cluster is started with. */
export interface NodeSettings {
  /** A key of {@linkcode strategies}. */
  readonly strategy: string;
  /** The preset of intervals. */
  readonly preset: Preset;
  /** Milliseconds between two heartbeats; `undefined` leaves it to the preset. */
  readonly heartbeatInterval: number | undefined;
  /** Decides what is in the messages. */
  readonly seed: number;
  /** The port of the page, 0 for any that is free; `undefined`: there is no page, and nodes do not tell what it would show. */
  readonly page: number | undefined;
}

/** Named sets of intervals. */
export type Preset = "local" | "lan" | "wan";

/** The options of `cluster`. */
export interface ClusterOptions extends NodeSettings {
  /** Number of nodes at the beginning. */
  readonly nodes: number;
  /** Duration of the unattended run, in seconds; `undefined` asks for the interactive one. */
  readonly seconds: number | undefined;
  /** Whether colours may be used. */
  readonly color: boolean;
}

/** Takes the options of `cluster` from its command line. */
export function clusterOptions(args: Arguments): ClusterOptions {
  return {
    nodes: args.number("nodes") ?? 5,
    seconds: args.number("seconds"),
    strategy: args.text("strategy") ?? "fullMesh",
    preset: (args.text("preset") ?? "local") as Preset,
    heartbeatInterval: args.number("heartbeat-interval"),
    seed: args.number("seed") ?? 1,
    page: args.number("page"),
    color: mayColor(args),
  };
}
