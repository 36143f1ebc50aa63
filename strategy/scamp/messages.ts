// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { checkNodeSpec } from "../../wire/node_spec_check.ts";
import { checkDeparture, type Departure } from "../departures.ts";
import { checkCount, checkNodes, type Fields, readMessage } from "../check_message.ts";
import type { View } from "../view.ts";

/** Messages between SCAMP nodes. */
export type ScampMessage =
  /**
   * Newcomer → any member: let me in. Or, `again`, a member whose lease is about to end, or that no node seems to know. `others` asks for a
   * few nodes to turn to later.
   */
  | { readonly type: "subscribe"; readonly again: boolean; readonly others: boolean }
  /** The answer to that. Not in the papers. */
  | { readonly type: "others"; readonly nodes: View }
  /** A subscription on its way to a random contact. `degree` is the number of neighbours of the node that it came from. */
  | {
    readonly type: "walk";
    readonly node: NodeSpec;
    readonly again: boolean;
    readonly ttl: number;
    readonly degree: number;
  }
  /** Contact → newcomer: put me in your view. */
  | { readonly type: "welcome" }
  /** One copy of a subscription, on its way to a node that keeps it. */
  | { readonly type: "subscription"; readonly node: NodeSpec; readonly ttl: number }
  /** You are in my view: said once when that begins, and as a heartbeat. */
  | { readonly type: "kept" }
  /** A leaver → who has it in its view: put this node in my place. Or, when it is `spare`, only if no other is left there. */
  | { readonly type: "replace"; readonly node: NodeSpec; readonly isSpare: boolean }
  /** That incarnation of a node is over. */
  | { readonly type: "left" } & Departure;

/**
 * Checks a message from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function checkScampMessage(strategy: string, value: unknown): ScampMessage {
  return readMessage(strategy, value, readScampMessage);
}

function readScampMessage(fields: Fields): ScampMessage {
  switch (fields.type) {
    case "welcome":
    case "kept":
      return { type: fields.type };
    case "subscribe":
      // A node of before does not understand the answer, and does not ask.
      return { type: "subscribe", again: checkFlag(fields.again, "again"), others: fields.others === true };
    case "others":
      return { type: "others", nodes: checkNodes(fields.nodes) };
    case "walk":
      return {
        type: "walk",
        node: checkNodeSpec(fields.node),
        again: checkFlag(fields.again, "again"),
        ttl: checkCount(fields.ttl, "ttl"),
        degree: checkCount(fields.degree, "degree"),
      };
    case "subscription":
      return { type: "subscription", node: checkNodeSpec(fields.node), ttl: checkCount(fields.ttl, "ttl") };
    case "replace":
      return { type: "replace", node: checkNodeSpec(fields.node), isSpare: checkFlag(fields.isSpare, "isSpare") };
    case "left":
      return { type: "left", ...checkDeparture(fields) };
    default:
      throw new TypeError("Invalid type: it is unknown");
  }
}

function checkFlag(value: unknown, what: string): boolean {
  if (typeof value !== "boolean") throw new TypeError(`Invalid ${what}: expected a boolean`);
  return value;
}
