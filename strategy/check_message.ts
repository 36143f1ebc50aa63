// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { checkArray, checkInteger, checkNodeSpec, checkObject } from "../wire/node_spec_check.ts";
import { messageOf } from "../runtime/message_of.ts";

/** The fields of a value that came from outside. */
export type Fields = Readonly<Record<string, unknown>>;

/** Lists longer than this are refused, whatever size of views the sender was configured with. */
export const LIST_MAX = 128;

/**
 * Reads a message that came from another node.
 *
 * @param strategy Strategy of the message, for the error.
 * @param value Value that came.
 * @param read Makes a message of the fields, or throws.
 * @throws {TypeError} When `read` throws, or `value` is no object.
 *
 * @example A message of one kind
 * ```ts
 * import { checkWord, readMessage } from "@partisan/peer-service/strategy";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * interface Word {
 *   readonly type: "hello" | "bye";
 * }
 * const read = (value: unknown): Word =>
 *   readMessage("chatty", value, ({ type }) => ({ type: checkWord(type, "type", ["hello", "bye"]) }));
 * assertEquals(read({ type: "bye" }), { type: "bye" });
 * assertThrows(() => read({ type: "what" }), TypeError, 'a message of strategy "chatty"');
 * ```
 */
export function readMessage<T>(strategy: string, value: unknown, read: (fields: Fields) => T): T {
  return readValue(`a message of strategy "${strategy}"`, value, read);
}

/** Like {@linkcode readMessage}, for any value from outside. */
export function readValue<T>(what: string, value: unknown, read: (fields: Fields) => T): T {
  try {
    return read(checkObject(value, "value"));
  } catch (error) {
    const reason = messageOf(error);
    throw new TypeError(`Cannot read ${what}: ${reason}`, { cause: error });
  }
}

/**
 * A list of nodes, not too long.
 *
 * @example A list from outside
 * ```ts
 * import { checkNodes } from "@partisan/peer-service/strategy";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const plain = { parallelism: 1, monotonic: false, compression: false };
 * const spec = (name: string, incarnation = 1) => ({
 *   name,
 *   incarnation,
 *   addresses: [],
 *   channels: { default: plain, membership: plain },
 *   metadata: {},
 * });
 * assertEquals(checkNodes([spec("a")]), [spec("a")]);
 * assertThrows(() => checkNodes(["a"]), TypeError);
 * ```
 */
export function checkNodes(value: unknown): readonly NodeSpec[] {
  return checkArray(value, "nodes", LIST_MAX).map(checkNodeSpec);
}

/**
 * A number of hops, or another small count.
 *
 * @example Hops that are left
 * ```ts
 * import { checkCount } from "@partisan/peer-service/strategy";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(checkCount(3, "ttl"), 3);
 * assertThrows(() => checkCount(-1, "ttl"), RangeError);
 * ```
 */
export function checkCount(value: unknown, what: string): number {
  return checkInteger(value, what, 0, 65_535);
}

/**
 * One of some words.
 *
 * @example A word that is known
 * ```ts
 * import { checkWord } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(checkWord("low", "priority", ["high", "low"]), "low");
 * ```
 */
export function checkWord<Word extends string>(value: unknown, what: string, words: readonly Word[]): Word {
  const word = words.find((word) => word === value);
  if (word === undefined) throw new TypeError(`Invalid ${what}: expected one of ${words.join(", ")}`);
  return word;
}
