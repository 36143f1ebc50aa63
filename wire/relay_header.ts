// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkArray, checkInteger, checkName, checkObject } from "./node_spec_check.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Most links that a message may ever go along. */
const RELAY_TTL_MAX = 255;

/** Header of a relayed message. A plain value: MessagePack carries it as it is. */
export interface RelayHeader {
  /** Name of the node that sent it first. */
  readonly origin: string;
  /** Incarnation of that node. */
  readonly incarnation: number;
  /** Number of the message among its relayed messages, from 1. */
  readonly sequence: number;
  /** Name of the node that it is for. */
  readonly destination: string;
  /** Number of links that it may still go along. */
  readonly ttl: number;
  /** The root of the spanning tree that it goes along; `null` when it goes to all nodes. */
  readonly tree: string | null;
  /** Names of the nodes that it came by, first one first. */
  readonly path: readonly string[];
  /** Whether it goes one way only from here on: a node on its way was not paid for copies. */
  readonly single?: true;
}

/**
 * Checks a header that came from another node.
 *
 * @throws {TypeError} When it is malformed.
 */
export function parseRelayHeader(value: unknown): RelayHeader {
  try {
    const { origin, incarnation, sequence, destination, ttl, tree, path, single } = checkObject(value, "header");
    return {
      origin: checkName(origin, "origin"),
      incarnation: checkInteger(incarnation, "incarnation", 0, Number.MAX_SAFE_INTEGER),
      sequence: checkInteger(sequence, "sequence", 1, Number.MAX_SAFE_INTEGER),
      destination: checkName(destination, "destination"),
      ttl: checkInteger(ttl, "ttl", 0, RELAY_TTL_MAX),
      tree: tree === null ? null : checkName(tree, "tree"),
      path: checkArray(path, "path", RELAY_TTL_MAX).map((name) => checkName(name, "path")),
      ...(single === true ? { single } : {}),
    };
  } catch (cause) {
    const reason = messageOf(cause);
    throw new TypeError(`Cannot read a relayed message: ${reason}`, { cause });
  }
}
