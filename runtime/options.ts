// Copyright 2026 the Partisan peer-service authors. MIT license.

import { shown } from "./type_name.ts";

/** A kind of value that an option may have: its name in an error, and the answer whether a value is of it. */
export type OptionKind = readonly [expected: string, fits: (value: unknown) => boolean];

/** The kind of each option that a function has: one that is missing here does not compile. */
export type OptionKinds<Options> = { readonly [Name in keyof Options]-?: OptionKind };

/** Any value: the function itself checks it, and says more about what it takes. */
export const CHECKED_ELSEWHERE: OptionKind = ["a value", () => true];
/** `true` or `false`. */
export const BOOLEAN: OptionKind = ["a boolean", (value) => typeof value === "boolean"];
/** A function. */
export const FUNCTION: OptionKind = ["a function", (value) => typeof value === "function"];
/** A string. */
export const STRING: OptionKind = ["a string", (value) => typeof value === "string"];
/** A list of strings. */
export const STRINGS: OptionKind = [
  "a list of strings",
  (value) => Array.isArray(value) && value.every((element) => typeof element === "string"),
];
/** A string or a number. */
export const KEY: OptionKind = [
  "a string or a number",
  (value) => typeof value === "string" || typeof value === "number",
];
/** An object with fields. */
export const OBJECT: OptionKind = ["an object", isObject];
/** A number. */
export const NUMBER: OptionKind = ["a number", (value) => typeof value === "number"];
/** A switch, or more about it. */
export const BOOLEAN_OR_OBJECT: OptionKind = [
  "a boolean or an object",
  (value) => typeof value === "boolean" || isObject(value),
];
/** A signal. */
export const SIGNAL: OptionKind = ["an AbortSignal", (value) => value instanceof AbortSignal];

/** Options of a call that is given none. */
const NO_OPTIONS = Object.freeze({});

/**
 * Makes sure that the options of a call are some that its function has, each with a value of its kind: nothing is left out of account in silence. An option
 * that is `undefined` is one that was not given.
 *
 * @param action Action that they are for: `Cannot send`.
 * @param kinds Kinds of the options that the function has.
 * @returns The options; none of them where the call has none.
 * @throws {TypeError} When they are no object, or one of them has another kind of value, or a name that is not known.
 */
export function checkOptions<Options extends object>(
  action: string,
  given: Options | null | undefined,
  kinds: OptionKinds<Options>,
): Options {
  if (given === undefined || given === null) return NO_OPTIONS as Options;
  if (typeof given !== "object" || Array.isArray(given)) {
    throw new TypeError(`${action}: the options are ${shown(given)}, expected an object`);
  }
  for (const name in given) {
    const value = given[name];
    if (value === undefined) continue;
    const kind: OptionKind | undefined = kinds[name];
    // What every object inherits is no kind. To ask whether a name is its own would take as long as all else.
    if (!Array.isArray(kind)) {
      // An object with a class, such as an AbortController, may be the options, too: its methods are none.
      if (typeof value === "function" && !Object.hasOwn(given, name)) continue;
      throw unknownOption(action, name, Object.keys(kinds));
    }
    const [expected, fits] = kind;
    if (!fits(value)) throw new TypeError(`${action}: "${name}" is ${shown(value)}, expected ${expected}`);
  }
  return given;
}

/**
 * Makes sure of the options of a call as {@linkcode checkOptions} does, and that some of them were given.
 *
 * @param required Names of those.
 * @throws {TypeError} In the same cases, and when one of them was not given.
 */
export function checkRequired<Options extends object>(
  action: string,
  given: Options,
  kinds: OptionKinds<Options>,
  ...required: readonly (keyof Options & string)[]
): Options {
  const options = checkOptions(action, given, kinds);
  for (const name of required) checkKind(action, `"${name}"`, options[name], kinds[name]);
  return options;
}

/** @throws {TypeError} When a value that is given has another kind. */
export function checkKind(action: string, what: string, value: unknown, [expected, fits]: OptionKind): void {
  if (!fits(value)) throw new TypeError(`${action}: ${what} is ${shown(value)}, expected ${expected}`);
}

function unknownOption(action: string, name: string, known: readonly string[]): TypeError {
  return new TypeError(`${action}: there is no option "${name}", only ${known.map((each) => `"${each}"`).join(", ")}`);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
