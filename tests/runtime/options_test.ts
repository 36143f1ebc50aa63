// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  BOOLEAN,
  CHECKED_ELSEWHERE,
  checkOptions,
  checkRequired,
  type OptionKinds,
  SIGNAL,
  STRING,
} from "../../runtime/options.ts";
import { shown } from "../../runtime/type_name.ts";

interface Options {
  readonly name?: string | undefined;
  readonly loud?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly other?: unknown;
}

const KINDS: OptionKinds<Options> = { name: STRING, loud: BOOLEAN, signal: SIGNAL, other: CHECKED_ELSEWHERE };

const check = (given: unknown) => checkOptions("Cannot test", given as Options, KINDS);

Deno.test("checkOptions() returns the options that it was given, and none where it was given none", () => {
  const options = { name: "a", loud: false, signal: AbortSignal.abort(), other: Symbol("x") };
  assertStrictEquals(check(options), options);
  assertEquals([check(undefined), check(null)], [{}, {}]);
});

Deno.test("checkOptions() takes what is undefined for what was not given, whatever its name", () => {
  check({ name: undefined, loud: undefined, nome: undefined });
});

Deno.test("checkOptions() takes an object with a class, whose methods are no options", () => {
  check(new AbortController());
  check(Object.create({ name: "a" }));
  assertThrows(() => check(Object.create({ name: 5 })), TypeError, `"name" is 5, expected a string`);
  assertThrows(() => check({ abort: () => {} }), TypeError, `there is no option "abort"`);
});

Deno.test("checkOptions() refuses what is no object, another kind of value, and a name that is not known", () => {
  for (
    const [given, says] of [
      ["loud", `Cannot test: the options are "loud", expected an object`],
      [["loud"], "Cannot test: the options are an array, expected an object"],
      [{ loud: "yes" }, `Cannot test: "loud" is "yes", expected a boolean`],
      [{ name: null }, `Cannot test: "name" is null, expected a string`],
      [{ nome: "a" }, `Cannot test: there is no option "nome", only "name", "loud", "signal", "other"`],
      [{ constructor: "a" }, `Cannot test: there is no option "constructor", only "name", "loud", "signal", "other"`],
      [
        JSON.parse('{"__proto__":5}'),
        `Cannot test: there is no option "__proto__", only "name", "loud", "signal", "other"`,
      ],
      [AbortSignal.abort(), `Cannot test: there is no option "aborted", only "name", "loud", "signal", "other"`],
    ] as const
  ) {
    const error = assertThrows(() => check(given), TypeError) as TypeError;
    assertEquals(error.message, says);
  }
});

Deno.test("checkRequired() refuses what checkOptions() does, and options of which one is missing that must be given", () => {
  const options = { name: "a" };
  assertStrictEquals(checkRequired("Cannot test", options, KINDS, "name"), options);
  for (
    const [given, says] of [
      [{ loud: true }, `Cannot test: "name" is undefined, expected a string`],
      [{ name: undefined, loud: true }, `Cannot test: "name" is undefined, expected a string`],
      [undefined, `Cannot test: "name" is undefined, expected a string`],
      [{ name: "a", loud: "yes" }, `Cannot test: "loud" is "yes", expected a boolean`],
    ] as const
  ) {
    const error = assertThrows(
      () => checkRequired("Cannot test", given as Options, KINDS, "name"),
      TypeError,
    ) as TypeError;
    assertEquals(error.message, says);
  }
});

Deno.test("shown() shows what is short, and the type of everything else", () => {
  const values = [
    "a\nb",
    "x".repeat(41),
    5,
    NaN,
    true,
    null,
    undefined,
    Symbol("x"),
    5n,
    [],
    {},
    new Date(0),
    () => {},
  ];
  assertEquals(values.map(shown), [
    ...[
      '"a\\nb"',
      "a string",
      "5",
      "NaN",
      "true",
      "null",
      "undefined",
      "a symbol",
      "a bigint",
      "an array",
      "an object",
    ],
    ...["a Date", "a function"],
  ]);
});
