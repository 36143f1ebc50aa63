// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import type { PeerServiceOptions } from "../manager/peer_service_options.ts";
import { BOOLEAN, FUNCTION, OBJECT, type OptionKind, type OptionKinds, STRING, STRINGS } from "../runtime/options.ts";
import type { Runtime } from "../transport/runtime.ts";
import { type SimulatedWorldOptions, WORLD_KINDS } from "./simulated_world.ts";

/** Options of a node of a simulated cluster: the cluster itself gives it its name and its runtime. */
export type SimulatedNodeOptions = Omit<PeerServiceOptions, "name" | "runtime">;

/** Options of `SimulatedCluster.start()`. */
export interface SimulatedClusterOptions extends SimulatedWorldOptions {
  /**
   * The nodes' names; or how many there are, and they are `"n1"`, `"n2"`, and so on.
   *
   * @default {3}
   */
  readonly nodes?: number | readonly string[] | undefined;
  /**
   * Options that each node is started with, as by `startPeerService()`. Unless told otherwise, a node listens on a host of its
   * own name, at the same port in every incarnation.
   *
   * @default {{}}
   */
  readonly options?: SimulatedNodeOptions | ((name: string) => SimulatedNodeOptions) | undefined;
  /**
   * Whether each node has a simulated disk, on which it keeps what it knows of the cluster: see `SimulatedCluster.disk()`. A node with a disk
   * finds its cluster again after a crash without being told where it is.
   *
   * @default {false}
   */
  readonly disks?: boolean | undefined;
  /**
   * Called each time a node has started, restarts included, before it joins: the place to register handlers. The application on the node finds
   * the node's own clock and randomness in `runtime`.
   */
  readonly setup?: ((node: PeerServiceManager, runtime: Runtime) => void | Promise<void>) | undefined;
}

/** Options of a node that comes into a cluster. */
export interface StartNodeOptions {
  /**
   * The node whose cluster it joins, or `false` to join none. Others that have it for a member will find it all the same.
   *
   * @default {the first node that runs}
   */
  readonly join?: string | false | undefined;
}

const COUNT_OR_NAMES: OptionKind = [
  "a number or a list of strings",
  (value) => typeof value === "number" || STRINGS[1](value),
];
const OBJECT_OR_FUNCTION: OptionKind = [
  "an object or a function",
  (value) => OBJECT[1](value) || typeof value === "function",
];
const NAME_OR_FALSE: OptionKind = ["the name of a node or false", (value) => value === false || STRING[1](value)];

/** Kinds of the options of a simulated cluster. */
export const CLUSTER_KINDS: OptionKinds<SimulatedClusterOptions> = {
  ...WORLD_KINDS,
  nodes: COUNT_OR_NAMES,
  options: OBJECT_OR_FUNCTION,
  disks: BOOLEAN,
  setup: FUNCTION,
};

/** Kinds of the options of a node that comes into a cluster. */
export const START_NODE_KINDS: OptionKinds<StartNodeOptions> = { join: NAME_OR_FALSE };
