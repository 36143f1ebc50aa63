// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertRejects, assertStringIncludes, assertThrows } from "@std/assert";

/** Options that are refused: the kind of error, and what it says. */
export type Refused = readonly [options: unknown, kind: ErrorConstructor, says: string];

/** A function that takes options, as a program without types sees it. */
export interface Refusing {
  /** Calls it. */
  readonly call: (options: unknown) => unknown;
  /** Whether it answers by a promise, and so refuses by one. */
  readonly rejects?: boolean;
  /** Action, as its errors say it: `Cannot join "g"`. */
  readonly action: string;
  /** One of its options. */
  readonly option: string;
  /** Options that it refuses, apart from those that every function does; `says` goes on after the action. */
  readonly refused: readonly Refused[];
}

/** Makes sure that a function refuses what it should: what is no object, a name that is not known, and values of another kind. */
export async function assertRefuses({ call, rejects = false, action, option, refused }: Refusing): Promise<void> {
  const misspelt = `${option}${option.at(-1)}`;
  const all: readonly Refused[] = [
    [5, TypeError, "the options are 5, expected an object"],
    ["all", TypeError, 'the options are "all", expected an object'],
    [[], TypeError, "the options are an array, expected an object"],
    [{ [misspelt]: true }, TypeError, `there is no option "${misspelt}", only `],
    ...refused,
  ];
  for (const [options, kind, says] of all) {
    const whole = `${action}: ${says}`;
    const error = rejects
      ? await assertRejects(() => call(options) as Promise<unknown>, kind, undefined, whole)
      : assertThrows(() => call(options), kind, undefined, whole);
    assertStringIncludes(error.message, whole);
  }
}
