// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkArray, checkInteger, checkName } from "../wire/node_spec_check.ts";
import { checkRanges } from "../wire/sequence_ranges.ts";
import type { BroadcastId, BroadcastRanges } from "./broadcast_id.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Most broadcasts that one message may name: as many as a node remembers to be missing. A range of them is a few bytes, but each costs work. */
export const BROADCAST_IDS_MAX = 10_240;

/**
 * Messages between the nodes of a broadcast tree. The names of the first four are those of the paper.
 *
 * @typeParam T What is broadcast.
 */
export type BroadcastMessage<T> =
  /** A broadcast; and for how many milliseconds it has been on its way, the time on the wire excepted. */
  | { readonly kind: "gossip"; readonly id: BroadcastId; readonly age: number; readonly payload: T }
  /** I have these, should you not get them from another node. */
  | { readonly kind: "ihave"; readonly ids: readonly BroadcastRanges[] }
  /** Send me these, and from now on everything of their roots. */
  | { readonly kind: "graft"; readonly ids: readonly BroadcastRanges[] }
  /** Send me nothing of these roots any more, just tell me what you have. */
  | { readonly kind: "prune"; readonly roots: readonly string[] }
  /** These are the recent ones that I have; an answer names only those that were not in the question. */
  | { readonly kind: "summary"; readonly ids: readonly BroadcastRanges[]; readonly isAnswer: boolean }
  /** Send me these, once. */
  | { readonly kind: "request"; readonly ids: readonly BroadcastRanges[] }
  /** Like gossip, in answer to a request: it says nothing about the tree. */
  | { readonly kind: "repair"; readonly id: BroadcastId; readonly age: number; readonly payload: T };

/** A broadcast that has arrived, or begins here. */
export interface Broadcast<T> {
  /** Identity of the broadcast, with the node that made it. */
  readonly id: BroadcastId;
  /** Payload of the broadcast. */
  readonly payload: T;
  /** Time at which it began, on the local clock. */
  readonly bornAt: number;
}

type PayloadMessage<T> = Extract<BroadcastMessage<T>, { readonly kind: "gossip" | "repair" }>;

/** The broadcast that a message brings. */
export function broadcastOf<T>({ id, payload, age }: PayloadMessage<T>, now: number): Broadcast<T> {
  return { id, payload, bornAt: now - age };
}

/** The message that brings a broadcast. */
export function payloadMessage<T>(
  kind: PayloadMessage<T>["kind"],
  { id, payload, bornAt }: Broadcast<T>,
  now: number,
): BroadcastMessage<T> {
  return { kind, id, payload, age: now - bornAt };
}

/** The numbers are part of the wire protocol: never reuse one. */
const GOSSIP = 0;
const IHAVE = 1;
const GRAFT = 2;
const PRUNE = 3;
const SUMMARY = 4;
const ANSWER = 5;
const REQUEST = 6;
const REPAIR = 7;

/** A message as a value that MessagePack can carry, when its payload can: an array that begins with the number of its kind. */
export function broadcastToValue(message: BroadcastMessage<unknown>): unknown[] {
  switch (message.kind) {
    case "gossip":
    case "repair": {
      const { id: { root, incarnation, sequence }, age, payload } = message;
      return [message.kind === "gossip" ? GOSSIP : REPAIR, root, incarnation, sequence, Math.ceil(age), payload];
    }
    case "ihave":
      return [IHAVE, ...message.ids.flatMap(rangesToValue)];
    case "graft":
      return [GRAFT, ...message.ids.flatMap(rangesToValue)];
    case "prune":
      return [PRUNE, ...message.roots];
    case "summary":
      return [message.isAnswer ? ANSWER : SUMMARY, ...message.ids.flatMap(rangesToValue)];
    case "request":
      return [REQUEST, ...message.ids.flatMap(rangesToValue)];
  }
}

/**
 * The message of a value that {@linkcode broadcastToValue} made, on whatever node. The payload is for the caller to check.
 *
 * @throws {TypeError} When it is malformed, or something in it is out of bounds.
 */
export function broadcastFromValue(value: unknown): BroadcastMessage<unknown> {
  try {
    return parse(checkArray(value, "broadcast", 3 * BROADCAST_IDS_MAX));
  } catch (cause) {
    const reason = messageOf(cause);
    throw new TypeError(`Cannot read a broadcast: ${reason}`, { cause });
  }
}

function parse([kind, ...rest]: readonly unknown[]): BroadcastMessage<unknown> {
  switch (kind) {
    case GOSSIP:
      return { kind: "gossip", ...payloadFromValue(rest) };
    case REPAIR:
      return { kind: "repair", ...payloadFromValue(rest) };
    case IHAVE:
      return { kind: "ihave", ids: idsFromValue(rest) };
    case GRAFT:
      return { kind: "graft", ids: idsFromValue(rest) };
    case PRUNE:
      return { kind: "prune", roots: rootsFromValue(rest) };
    case SUMMARY:
    case ANSWER:
      return { kind: "summary", ids: idsFromValue(rest), isAnswer: kind === ANSWER };
    case REQUEST:
      return { kind: "request", ids: idsFromValue(rest) };
    default:
      throw new TypeError(`unknown kind ${String(kind)}`);
  }
}

function rootsFromValue(values: readonly unknown[]): string[] {
  if (values.length === 0) throw new TypeError("it names no root");
  return values.map((root) => checkName(root, "root"));
}

function payloadFromValue([root, incarnation, sequence, age, payload]: readonly unknown[]) {
  return {
    id: {
      root: checkName(root, "root"),
      incarnation: checkInteger(incarnation, "incarnation", 0, Number.MAX_SAFE_INTEGER),
      sequence: checkInteger(sequence, "sequence", 1, Number.MAX_SAFE_INTEGER),
    },
    age: checkInteger(age, "age", 0, Number.MAX_SAFE_INTEGER),
    payload,
  };
}

function rangesToValue({ root, incarnation, ranges }: BroadcastRanges): unknown[] {
  return [root, incarnation, ranges];
}

function idsFromValue(values: readonly unknown[]): BroadcastRanges[] {
  if (values.length % 3 !== 0) throw new TypeError("ids are no list of triples");
  const ids: BroadcastRanges[] = [];
  let room = BROADCAST_IDS_MAX;
  for (let index = 0; index < values.length; index += 3) {
    const ranges = checkRanges(values[index + 2], room);
    for (let pair = 0; pair < ranges.length; pair += 2) room -= ranges[pair + 1]! - ranges[pair]! + 1;
    ids.push({
      root: checkName(values[index], "root"),
      incarnation: checkInteger(values[index + 1], "incarnation", 0, Number.MAX_SAFE_INTEGER),
      ranges,
    });
  }
  return ids;
}
