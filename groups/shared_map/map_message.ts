// Copyright 2026 the Partisan peer-service authors. MIT license.

import { decode } from "../../wire/message_pack_decode.ts";
import { checkArray, checkInteger } from "../../wire/node_spec_check.ts";
import { isStamp } from "../hybrid_clock.ts";
import { SeenCounters } from "./seen_counters.ts";

/** Longest key, in UTF-16 code units. */
export const KEY_LENGTH_MAX = 1_024;
/** Most actors, operations or numbers of an actor in one message. */
const COUNT_MAX = 1_000_000;
const ACTOR_LENGTH_MAX = 300;

/** The name of one operation: an actor is one incarnation of a map on one node, and counts its operations from 1. */
export interface MapDot {
  readonly actor: string;
  readonly counter: number;
}

/** A value that was set, or a deletion. */
export interface MapOperation extends MapDot {
  readonly key: string;
  /** Time of the operation, on the hybrid clock of its node. */
  readonly stamp: number;
  /** The encoded value; `null` deletes. */
  readonly value: Uint8Array | null;
  /** The operations on the key that its node knew: they are over. */
  readonly replaced: readonly MapDot[];
}

/** Counters by actor, ascending. */
export type DotSet = ReadonlyMap<string, readonly number[]>;
/** Operations of each actor that are known, whether they still hold or not. */
export type Contexts = ReadonlyMap<string, SeenCounters>;

/** All that a replica knows, without the values. */
export interface MapSummary {
  /** The operations that hold. */
  readonly live: DotSet;
  readonly contexts: Contexts;
}

/** Message of one replica to another one. */
export interface MapDelta {
  /** Operations that hold. */
  readonly operations: readonly MapOperation[];
  /** Operations that are over. */
  readonly over: DotSet;
  /** All that the sender knows: what is in here, and not among the operations, the receiver has or needs not have. */
  readonly contexts: Contexts;
}

const NO_DOTS: DotSet = new Map();
const NO_CONTEXTS: Contexts = new Map();

/** A delta that only tells of operations. */
export function deltaOf(operations: readonly MapOperation[]): MapDelta {
  return { operations, over: NO_DOTS, contexts: NO_CONTEXTS };
}

/** A summary as a value that MessagePack can carry. */
export function summaryToValue({ live, contexts }: MapSummary): unknown[] {
  return [dotsToValue(live), contextsToValue(contexts)];
}

/** The summary of a value of another node. @throws {TypeError | RangeError} When it is malformed. */
export function summaryFromValue(value: unknown): MapSummary {
  const [live, contexts] = checkArray(value, "summary", 2);
  return { live: dotsFromValue(live), contexts: contextsFromValue(contexts) };
}

/** A delta as a value that MessagePack can carry. Actors of operations are numbers in a table. */
export function deltaToValue({ operations, over, contexts }: MapDelta): unknown[] {
  const numbers = new Map<string, number>();
  const numberOf = (actor: string) => {
    const number = numbers.get(actor) ?? numbers.size;
    numbers.set(actor, number);
    return number;
  };
  const packed = operations.map(({ actor, counter, stamp, key, value, replaced }) => [
    numberOf(actor),
    counter,
    stamp,
    key,
    value,
    replaced.flatMap((dot) => [numberOf(dot.actor), dot.counter]),
  ]);
  return [[...numbers.keys()], packed, dotsToValue(over), contextsToValue(contexts)];
}

/** The delta of a value of another node. @throws {TypeError | RangeError} When it is malformed. */
export function deltaFromValue(value: unknown): MapDelta {
  const [table, packed, over, contexts] = checkArray(value, "delta", 4);
  const actors = checkArray(table, "actors", COUNT_MAX).map(checkActor);
  return {
    operations: checkArray(packed, "operations", COUNT_MAX).map((operation) => operationFromValue(operation, actors)),
    over: dotsFromValue(over),
    contexts: contextsFromValue(contexts),
  };
}

function operationFromValue(packed: unknown, actors: readonly string[]): MapOperation {
  const [number, count, stamp, key, value, dots] = checkArray(packed, "operation", 6);
  if (!isStamp(stamp)) throw new TypeError("Invalid stamp: expected a safe integer above 0");
  const flat = checkArray(dots, "dots", COUNT_MAX);
  const replaced: MapDot[] = [];
  for (let at = 0; at < flat.length; at += 2) replaced.push(dotFromValue(flat[at], flat[at + 1], actors));
  return { ...dotFromValue(number, count, actors), stamp, key: checkKey(key), value: checkValue(value), replaced };
}

/** A copy, so that a few bytes do not keep the buffer that they came in. @throws {TypeError | SyntaxError} When no reader could read it. */
function checkValue(value: unknown): Uint8Array | null {
  if (value === null) return null;
  if (!(value instanceof Uint8Array)) throw new TypeError("Invalid value: expected bytes or null");
  const own = value.slice();
  decode(own);
  return own;
}

function dotFromValue(number: unknown, counter: unknown, actors: readonly string[]): MapDot {
  const actor = actors[checkInteger(number, "actor", 0, actors.length - 1)] ?? "";
  return { actor, counter: checkCounter(counter) };
}

/** Counters are told by their differences, which are small. */
function dotsToValue(dots: DotSet): unknown[] {
  return [...dots].map(([actor, counters]) => [
    actor,
    ...counters.map((counter, at) => counter - (counters[at - 1] ?? 0)),
  ]);
}

function dotsFromValue(value: unknown): DotSet {
  return new Map(
    checkArray(value, "dots", COUNT_MAX).map((packed) => {
      const [actor, ...steps] = checkArray(packed, "dots of an actor", COUNT_MAX);
      let counter = 0;
      return [checkActor(actor), steps.map((step) => checkCounter(counter += checkCounter(step)))];
    }),
  );
}

function contextsToValue(contexts: Contexts): unknown[] {
  return [...contexts].map(([actor, { contiguous, cloud }]) => [actor, contiguous, ...cloud]);
}

function contextsFromValue(value: unknown): Contexts {
  return new Map(
    checkArray(value, "contexts", COUNT_MAX).map((packed) => {
      const [actor, first, ...cloud] = checkArray(packed, "context", COUNT_MAX);
      const contiguous = checkInteger(first, "counter", 0, Number.MAX_SAFE_INTEGER);
      return [checkActor(actor), new SeenCounters(contiguous, cloud.map(checkCounter))];
    }),
  );
}

function checkActor(value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= ACTOR_LENGTH_MAX) return value;
  throw new TypeError(`Invalid actor: expected a string of 1 to ${ACTOR_LENGTH_MAX} code units`);
}

function checkCounter(value: unknown): number {
  return checkInteger(value, "counter", 1, Number.MAX_SAFE_INTEGER);
}

/** @throws {TypeError} When a key can be none. */
export function checkKey(value: unknown): string {
  if (typeof value === "string" && value.length <= KEY_LENGTH_MAX) return value;
  throw new TypeError(`Invalid key: expected a string of at most ${KEY_LENGTH_MAX} UTF-16 code units`);
}
