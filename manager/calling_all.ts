// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CallOptions } from "../messaging/calls.ts";
import { checkTimeout } from "../runtime/deadline.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Node } from "./node.ts";
import { nameOf } from "./node_name.ts";
import { call } from "./sending.ts";

/** Options of `callAll`. Where a node does not know all others, give a `timeout`: it is not told that one is gone which it has no connection with. */
export interface CallAllOptions extends Omit<CallOptions, "into"> {
  /**
   * The nodes to call.
   *
   * @default {all members, this node included}
   */
  readonly nodes?: Iterable<string | NodeSpec> | undefined;
}

/** Calls one handler on many nodes, and waits until each call has settled. */
export async function callAll(
  from: Node,
  name: string,
  message: unknown,
  { nodes: given, ...options }: CallAllOptions,
): Promise<Map<string, PromiseSettledResult<unknown>>> {
  from.context.checkRunning("call");
  checkTimeout(options.timeout, `Cannot call "${name}"`);
  options.signal?.throwIfAborted();
  const nodes = [...new Set(given === undefined ? from.overlay.members.keys() : [...given].map(nameOf))];
  // With a partial view most members have no connection with this node, and others pass the calls on.
  const transitive = options.transitive ?? !(from.settings.strategy.isFullMesh ?? false);
  const one = async (node: string) => await call(from, { node, name, message }, { ...options, transitive });
  const results = await Promise.allSettled(nodes.map(one));
  return new Map(nodes.map((node, index) => [node, results[index]!]));
}
