// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import { checkArray, checkName, checkNodeSpec } from "../../wire/node_spec_check.ts";
import { checkDeparture, type Departure } from "../departures.ts";
import { checkCount, checkNodes, checkWord, type Fields, LIST_MAX, readMessage } from "../check_message.ts";

/** Urgency with which a node wants a neighbour: `"high"` cannot be refused. */
export type Priority = "high" | "low";

/** Messages between HyParView nodes. Names of sections are those of the paper. */
export type HyParViewMessage =
  /** Newcomer → contact (4.2). */
  | { readonly type: "join" }
  /** A newcomer's name on its random walk along active links (4.2). */
  | { readonly type: "forwardJoin"; readonly node: NodeSpec; readonly ttl: number }
  /** Asks to become neighbours (4.3). */
  | { readonly type: "neighbour"; readonly priority: Priority }
  /** We are neighbours now. */
  | { readonly type: "accept" }
  /** No room for another neighbour. */
  | { readonly type: "reject" }
  /** We are neighbours no more (4.2). */
  | { readonly type: "disconnect" }
  /** Some of the origin's views, the origin first, on their random walk along active links (4.4). */
  | {
    readonly type: "shuffle";
    readonly ttl: number;
    readonly nodes: readonly NodeSpec[];
    /** The nodes that it came through, the origin first; without the one that it comes from. */
    readonly path: readonly string[];
  }
  /** As many nodes in return (4.4), back the way that the shuffle came. */
  | {
    readonly type: "shuffleReply";
    readonly nodes: readonly NodeSpec[];
    /** Those of the shuffled nodes that are gone. */
    readonly departures: readonly Departure[];
    /** The nodes that it has still to go through, the origin first. */
    readonly path: readonly string[];
  }
  /** X-BOT, initiator → candidate: be my neighbour in the place of `old`, which costs more. */
  | { readonly type: "optimization"; readonly old: NodeSpec }
  /** X-BOT, candidate → initiator. `replaced`: `old` knows, because another node takes the initiator's place there. */
  | {
    readonly type: "optimizationReply";
    readonly accepted: boolean;
    readonly replaced: boolean;
    readonly old: NodeSpec;
  }
  /** X-BOT, candidate → its neighbour that has to go: be the neighbour of `old` in my place. */
  | { readonly type: "replace"; readonly initiator: NodeSpec; readonly old: NodeSpec }
  | { readonly type: "replaceReply"; readonly accepted: boolean; readonly initiator: NodeSpec; readonly old: NodeSpec }
  /** X-BOT, that neighbour → old: be my neighbour in the place of `initiator`. */
  | { readonly type: "switch"; readonly initiator: NodeSpec; readonly candidate: NodeSpec }
  | {
    readonly type: "switchReply";
    readonly accepted: boolean;
    readonly initiator: NodeSpec;
    readonly candidate: NodeSpec;
  }
  /** X-BOT, old → initiator: we are neighbours no more, and the candidate is about to take this slot. */
  | { readonly type: "disconnectWait" }
  /** That incarnation of a node is over; spreads along all active links. Not in the paper, where no node ever leaves. */
  | { readonly type: "left" } & Departure;

/**
 * Checks a message from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function checkHyParViewMessage(value: unknown): HyParViewMessage {
  return readMessage("hyparview", value, readHyParViewMessage);
}

function readHyParViewMessage(fields: Fields): HyParViewMessage {
  switch (fields.type) {
    case "join":
    case "accept":
    case "reject":
    case "disconnect":
    case "disconnectWait":
      return { type: fields.type };
    case "forwardJoin":
      return { type: "forwardJoin", node: checkNodeSpec(fields.node), ttl: checkCount(fields.ttl, "ttl") };
    case "neighbour":
      return { type: "neighbour", priority: checkWord(fields.priority, "priority", ["high", "low"]) };
    case "shuffle": {
      const nodes = checkNodes(fields.nodes);
      if (nodes.length === 0) throw new TypeError("Invalid nodes: the origin is missing");
      return { type: "shuffle", ttl: checkCount(fields.ttl, "ttl"), nodes, path: checkPath(fields.path) };
    }
    case "shuffleReply":
      return {
        type: "shuffleReply",
        nodes: checkNodes(fields.nodes),
        departures: checkArray(fields.departures, "departures", LIST_MAX).map(checkDeparture),
        path: checkPath(fields.path),
      };
    case "optimization":
      return { type: "optimization", old: checkNodeSpec(fields.old) };
    case "optimizationReply":
      return {
        type: "optimizationReply",
        ...checkReply(fields),
        replaced: checkBoolean(fields.replaced),
        old: checkNodeSpec(fields.old),
      };
    case "replace":
    case "replaceReply":
      return checkReplace(fields, fields.type);
    case "switch":
    case "switchReply":
      return checkSwitch(fields, fields.type);
    case "left":
      return { type: "left", ...checkDeparture(fields) };
    default:
      throw new TypeError("Invalid type: it is unknown");
  }
}

function checkReplace(fields: Fields, type: "replace" | "replaceReply"): HyParViewMessage {
  const nodes = { initiator: checkNodeSpec(fields.initiator), old: checkNodeSpec(fields.old) };
  return type === "replace" ? { type, ...nodes } : { type, ...nodes, ...checkReply(fields) };
}

function checkSwitch(fields: Fields, type: "switch" | "switchReply"): HyParViewMessage {
  const nodes = { initiator: checkNodeSpec(fields.initiator), candidate: checkNodeSpec(fields.candidate) };
  return type === "switch" ? { type, ...nodes } : { type, ...nodes, ...checkReply(fields) };
}

function checkReply({ accepted }: Fields): { readonly accepted: boolean } {
  return { accepted: checkBoolean(accepted) };
}

function checkBoolean(value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError("Invalid answer: it is neither true nor false");
  return value;
}

function checkPath(value: unknown): readonly string[] {
  return checkArray(value, "path", LIST_MAX).map((name) => checkName(name, "path"));
}
