// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Stands in for `@std/assert` where JSR cannot be reached: the assertions that our tests and examples use, under
 * the same names and with the same meaning.
 *
 * @module
 */

import { inspect } from "node:util";
import { equal } from "./equal.ts";

export { equal } from "./equal.ts";

// deno-lint-ignore no-explicit-any -- Any class will do, abstract ones too, whatever its constructor wants.
type AnyClass<T = unknown> = abstract new (...args: any[]) => T;
type Falsy = false | 0 | 0n | "" | null | undefined;

/** Error that every failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

export function fail(message?: string): never {
  throw new AssertionError(`Failed assertion${message === undefined ? "." : `: ${message}`}`);
}

export function unreachable(reason?: string): never {
  throw new AssertionError(reason ?? "Unreachable.");
}

export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError(message);
}

export function assertFalse(condition: unknown, message?: string): asserts condition is Falsy {
  if (condition) refuse("Expected the condition to be falsy", message);
}

export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    refuse(`Expected ${show(actual)} to be neither null nor undefined`, message);
  }
}

export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  if (!equal(actual, expected)) refuse("Values are not equal", message, compared(actual, expected));
}

export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (equal(actual, expected)) refuse(`Expected a value other than ${show(expected)}`, message);
}

export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const what = equal(actual, expected)
    ? "Values have the same structure but are not the same"
    : "Values are not the same";
  refuse(what, message, compared(actual, expected));
}

export function assertNotStrictEquals(actual: unknown, expected: unknown, message?: string): void {
  if (Object.is(actual, expected)) refuse(`Expected anything but the very value ${show(expected)}`, message);
}

export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, message?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (Math.abs(expected - actual) <= allowed) return;
  refuse(`Expected ${actual} to be within ${allowed} of ${expected}`, message);
}

export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (!(actual > expected)) refuse(`Expected ${show(actual)} > ${show(expected)}`, message);
}

export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual >= expected)) refuse(`Expected ${show(actual)} >= ${show(expected)}`, message);
}

export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) refuse(`Expected ${show(actual)} < ${show(expected)}`, message);
}

export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual <= expected)) refuse(`Expected ${show(actual)} <= ${show(expected)}`, message);
}

export function assertInstanceOf<T extends AnyClass>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is InstanceType<T> {
  if (actual instanceof expected) return;
  refuse(`Expected an instance of "${expected.name}", but was "${classOf(actual)}"`, message);
}

export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) refuse(`Expected ${show(actual)} to contain ${show(expected)}`, message);
}

export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) refuse(`Expected ${show(actual)} to match ${expected}`, message);
}

export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) refuse(`Expected ${show(actual)} not to match ${expected}`, message);
}

export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void {
  const all = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) => !all.some((value) => equal(value, wanted)));
  if (missing.length > 0) {
    refuse(`Expected ${show(actual)} to include ${show(expected)}, missing ${show(missing)}`, message);
  }
}

export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any -- An interface has no index signature, but must be taken.
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void {
  if (!matches(actual, expected)) refuse("The object does not match", message, compared(actual, expected));
}

/** Whether `actual` has everything that `expected` has, recursively; arrays must be of one length. */
function matches(actual: unknown, expected: unknown): boolean {
  const partly = isPlain(actual) && isPlain(expected) || Array.isArray(actual) && Array.isArray(expected);
  if (!partly) return equal(actual, expected);
  return Reflect.ownKeys(expected).every((key) =>
    Reflect.has(actual, key) && matches(Reflect.get(actual, key), Reflect.get(expected, key))
  );
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

export function assertIsError<E extends Error>(
  error: unknown,
  expectedClass?: AnyClass<E>,
  includes?: string | RegExp,
  message?: string,
): asserts error is E {
  if (!(error instanceof Error)) refuse(`Expected an Error, but was "${classOf(error)}"`, message);
  if (expectedClass !== undefined && !(error instanceof expectedClass)) {
    refuse(`Expected error to be instance of "${expectedClass.name}", but was "${classOf(error)}": ${error}`, message);
  }
  if (includes === undefined) return;
  const found = typeof includes === "string" ? error.message.includes(includes) : includes.test(error.message);
  if (!found) refuse(`Expected error message to include ${show(includes)}, but got ${show(error.message)}`, message);
}

export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  expectedClass: AnyClass<E>,
  includes?: string,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMessage?: AnyClass<Error> | string,
  includes?: string,
  message?: string,
): unknown {
  const { expectedClass, note } = wanted(classOrMessage, message);
  try {
    fn();
  } catch (error) {
    if (expectedClass !== undefined) assertIsError(error, expectedClass, includes, note);
    return error;
  }
  refuse("Expected function to throw", note);
}

export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  expectedClass: AnyClass<E>,
  includes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: AnyClass<Error> | string,
  includes?: string,
  message?: string,
): Promise<unknown> {
  const { expectedClass, note } = wanted(classOrMessage, message);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    refuse(`Function throws when expected to reject: ${error}`, note);
  }
  try {
    await promise;
  } catch (error) {
    if (expectedClass !== undefined) assertIsError(error, expectedClass, includes, note);
    return error;
  }
  refuse("Expected function to reject", note);
}

/** The two shapes in which the "throws" assertions are called. */
function wanted(classOrMessage: AnyClass<Error> | string | undefined, message: string | undefined) {
  if (typeof classOrMessage === "string") return { expectedClass: undefined, note: classOrMessage };
  return { expectedClass: classOrMessage, note: message };
}

function refuse(what: string, message?: string, details = ""): never {
  throw new AssertionError(`${what}${message === undefined ? "." : `: ${message}`}${details}`);
}

function compared(actual: unknown, expected: unknown): string {
  return `\n\n  Actual:   ${show(actual)}\n  Expected: ${show(expected)}\n`;
}

function classOf(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "Object" : typeof value;
}

function show(value: unknown): string {
  return inspect(value, { depth: 10, sorted: true, maxArrayLength: 200, breakLength: 100 });
}
