// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CallOptions } from "../messaging/calls.ts";
import { checkTimeout } from "../runtime/deadline.ts";
import { CHECKED_ELSEWHERE, checkOptions, type OptionKinds } from "../runtime/options.ts";
import { shown } from "../runtime/type_name.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Node } from "./node.ts";
import { checkHandlerName, nameOf } from "./arguments.ts";
import { FORWARD_OPTIONS, type ForwardOptions } from "./forward_options.ts";
import { request } from "./sending.ts";

/** Options of `callAll`. Where a node does not know all others, give a `timeout`: it is not told that one is gone which it has no connection with. */
export interface CallAllOptions extends Omit<CallOptions, "into"> {
  /**
   * The nodes to call.
   *
   * @default {all members, this node included}
   */
  readonly nodes?: Iterable<string | NodeSpec> | undefined;
}

const CALL_ALL_OPTIONS: OptionKinds<ForwardOptions & CallAllOptions> = { ...FORWARD_OPTIONS, nodes: CHECKED_ELSEWHERE };

/** Calls one handler on many nodes, and waits until each call has settled. */
export async function callAll(
  from: Node,
  name: string,
  message: unknown,
  callAllOptions: CallAllOptions | undefined,
): Promise<Map<string, PromiseSettledResult<unknown>>> {
  from.context.checkRunning("call");
  checkHandlerName("Cannot call", name);
  const { nodes: given, ...options } = checkOptions<CallAllOptions>(
    "Cannot call",
    callAllOptions,
    CALL_ALL_OPTIONS,
  );
  checkTimeout(options.timeout, `Cannot call "${name}"`);
  options.signal?.throwIfAborted();
  const nodes = [...new Set(given === undefined ? from.overlay.members.keys() : namesOf(name, given))];
  // With a partial view most members have no connection with this node, and others pass the calls on.
  const transitive = options.transitive ?? !(from.settings.strategy.isFullMesh ?? false);
  const one = async (node: string) => await request(from, { node, name, message }, { ...options, transitive });
  const results = await Promise.allSettled(nodes.map(one));
  return new Map(nodes.map((node, index) => [node, results[index]!]));
}

/** Names of the nodes to call. A text is iterable as well, and each of its letters could be a name. */
function namesOf(name: string, given: Iterable<string | NodeSpec>): string[] {
  if (typeof given !== "string" && typeof given?.[Symbol.iterator] === "function") {
    return Array.from(given, (node) => nameOf(`Cannot call "${name}"`, node));
  }
  throw new TypeError(`Cannot call "${name}": "nodes" is ${shown(given)}, expected a list of nodes`);
}
