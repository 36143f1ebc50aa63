// Copyright 2026 the Partisan peer-service authors. MIT license.

// What our tests rely on, of the real packages and of the stand-ins alike: by bare names it tests whichever are in use.

import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";
import { abortable, deadline, delay, retry, RetryError } from "@std/async";
import { decode, encode, type ValueType } from "@std/msgpack";

function rejected(...assertions: (() => void)[]): void {
  for (const assertion of assertions) assertThrows(assertion, AssertionError);
}

class Point {
  constructor(readonly x: number) {}
}

/** Object with no property of its own: what is read of it is private. */
class Hidden {
  readonly #x: number;
  constructor(x: number) {
    this.#x = x;
  }
  get x(): number {
    return this.#x;
  }
}

function cyclic(): unknown {
  const node: Record<string, unknown> = { name: "a" };
  return Object.assign(node, { self: node });
}

const ERROR = new RangeError("too much");
const TARGET = { a: 1 };
const OTHER_TARGET = { a: 2 };

const EQUAL: [unknown, unknown][] = [
  [NaN, NaN],
  [0, -0],
  [{ a: [1, { b: null }] }, { a: [1, { b: null }] }],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }],
  [new Map([["k", new Set([{ deep: 1 }])]]), new Map([["k", new Set([{ deep: 1 }])]])],
  [new Map([[{ key: 1 }, 2]]), new Map([[{ key: 1 }, 2]])],
  [new Date(5), new Date(5)],
  [/a/g, /a/g],
  [new URL("http://a/b"), new URL("http://a/b")],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [Object.create(null), {}],
  [new Point(1), new Point(1)],
  [new Hidden(1), new Hidden(1)],
  [cyclic(), cyclic()],
  [ERROR, ERROR],
  [[ERROR], [ERROR]],
  [{ error: ERROR }, { error: ERROR }],
  [new WeakRef(TARGET), new WeakRef(TARGET)],
];

const DISTINCT: [unknown, unknown][] = [
  [1, "1"],
  [1, 1n],
  [null, undefined],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [[1, 2], [2, 1]],
  [[1], { 0: 1 }],
  [[undefined], []],
  [new Map([["k", 1]]), new Map([["k", 2]])],
  [new Map([["k", undefined]]), new Map([["l", undefined]])],
  [Object.assign(new Map(), { note: 1 }), new Map()],
  [new Set([1]), new Set([2])],
  [new Date(5), new Date(6)],
  [/a/g, /a/],
  [new URL("http://a/b"), new URL("http://a/c")],
  [new URLSearchParams("a=1"), new URLSearchParams("a=2")],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  [new Uint8Array([1]), new Int8Array([1])],
  [new Float64Array([1]), new Float64Array([2])],
  [new DataView(new Uint8Array([1]).buffer), new DataView(new Uint8Array([2]).buffer)],
  [new Point(1), { x: 1 }],
  [new Point(1), new Point(2)],
  [new Hidden(1), new Hidden(2)],
  [new WeakRef(TARGET), new WeakRef(OTHER_TARGET)],
  [() => 1, () => 1],
  [Symbol("a"), Symbol("a")],
  // Errors that were made apart: where each was made is part of it.
  [new Error("a"), new Error("a")],
  [new Error("a"), new Error("b")],
  [new Error("a"), new TypeError("a")],
  [new Error("a", { cause: 1 }), new Error("a", { cause: 2 })],
  [[new Error("a")], [new Error("a")]],
  [{ error: new Error("a") }, { error: new Error("a") }],
  [new Map([["k", new Error("a")]]), new Map([["k", new Error("a")]])],
  [ERROR, { name: ERROR.name, message: ERROR.message }],
];

Deno.test("equal() compares by value, and errors by all that they are", () => {
  for (const [a, b] of EQUAL) {
    assert(equal(a, b) && equal(b, a), Deno.inspect([a, b]));
    assertEquals(a, b);
  }
  for (const [a, b] of DISTINCT) {
    assertFalse(equal(a, b) || equal(b, a), Deno.inspect([a, b]));
    assertThrows(() => assertEquals(a, b), AssertionError);
    assertNotEquals(a, b);
  }
  assertThrows(() => equal(new WeakMap(), new WeakMap()), TypeError);
  assertThrows(() => equal(new WeakSet(), new WeakSet()), TypeError);
});

Deno.test("the assertions pass what holds and throw AssertionError otherwise", () => {
  assertEquals({ a: 1 }, { a: 1 });
  assertNotEquals({ a: 1 }, { a: 2 });
  assertStrictEquals(1, 1);
  assertExists(0);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertAlmostEquals(10, 11, 1);
  assertGreater(2, 1);
  assertGreaterOrEqual(2, 2);
  assertLess(1, 2);
  assertLessOrEqual(2, 2);
  assertInstanceOf(new TypeError(), Error);
  assertStringIncludes("abc", "bc");
  assertMatch("abc", /b/);
  assertArrayIncludes([1, { a: 2 }, 3], [{ a: 2 }]);
  assertObjectMatch({ a: 1, b: { c: [1, { d: 2 }], e: 3 } }, { b: { c: [1, { d: 2 }] } });
  rejected(
    () => assert(false),
    () => assertFalse(1),
    () => assertEquals<unknown>({ a: 1 }, { a: 2 }),
    () => assertNotEquals([1], [1]),
    () => assertStrictEquals<unknown>({}, {}),
    () => assertExists(undefined),
    () => assertAlmostEquals(1, 1.1),
    () => assertGreater(1, 1),
    () => assertGreaterOrEqual(1, 2),
    () => assertLess(1, 1),
    () => assertLessOrEqual(2, 1),
    () => assertInstanceOf(new Error(), TypeError),
    () => assertStringIncludes("abc", "x"),
    () => assertMatch("abc", /x/),
    () => assertArrayIncludes([1], [2]),
    () => assertObjectMatch({ a: { b: 1 } }, { a: { b: 2 } }),
    () => assertObjectMatch({ a: 1 }, { b: 1 }),
    () => fail("why"),
    () => unreachable(),
  );
});

Deno.test("assertThrows() and assertRejects() look at the class and the message", async () => {
  const cry = () => {
    throw new RangeError("Cannot do it: too much");
  };
  assertStringIncludes(assertThrows(cry, RangeError, "too much").message, "Cannot");
  rejected(
    () => assertThrows(() => {}),
    () => assertThrows(cry, TypeError),
    () => assertThrows(cry, RangeError, "too little"),
  );
  const sob = () => Promise.reject(new RangeError("Cannot do it: too much"));
  assertInstanceOf(await assertRejects(sob, RangeError, "too much"), RangeError);
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
  await assertRejects(() => assertRejects(sob, TypeError), AssertionError);
  await assertRejects(() => assertRejects(sob, RangeError, "too little"), AssertionError);
});

Deno.test("delay(), deadline(), abortable() and retry() end as asked", async () => {
  await delay(1);
  const never = new Promise<never>(() => {});
  assertEquals((await assertRejects(() => deadline(never, 1), DOMException)).name, "TimeoutError");
  assertEquals(await deadline(Promise.resolve(7), 60_000), 7);
  const aborted = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => delay(60_000, { signal: aborted }), Error, "enough");
  await assertRejects(() => deadline(never, 60_000, { signal: aborted }), Error, "enough");
  await assertRejects(() => abortable(never, aborted), Error, "enough");
  let calls = 0;
  const third = () => {
    if (++calls < 3) throw new Error("not yet");
    return calls;
  };
  assertEquals(await retry(third, { minTimeout: 1 }), 3);
  const cause = new Error("never");
  const failure = await assertRejects(
    () => retry(() => Promise.reject(cause), { minTimeout: 1, maxAttempts: 2 }),
    RetryError,
  );
  assertStrictEquals(failure.cause, cause);
});

Deno.test("encode() and decode() are inverse over the forms of MessagePack", () => {
  const bounds = [0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
  const lengths = [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536];
  const values: ValueType[] = [
    ...[null, true, false, 1.5, NaN, 2n ** 64n - 1n, -(2n ** 63n)],
    ...bounds.flatMap((bound) => [bound, -bound - 1]),
    ...lengths.map((length) => "x".repeat(length)),
    ...lengths.map((length) => new Uint8Array(length).fill(7)),
    ...lengths.map((length) => new Array(length).fill(1)),
    ...lengths.map((length) => Object.fromEntries(Array.from({ length }, (_, index) => [`k${index}`, index]))),
    { "grüße": [{ nested: [[], {}] }] },
  ];
  for (const value of values) assertEquals(decode(encode(value)), value);
  assertEquals(encode({ a: [1, -1, "b"] }), new Uint8Array([0x81, 0xa1, 0x61, 0x93, 0x01, 0xff, 0xa1, 0x62]));
  assertThrows(() => decode(new Uint8Array([0xc0, 0xc0])));
  assertThrows(() => decode(new Uint8Array([0xcd, 0x01])));
});
