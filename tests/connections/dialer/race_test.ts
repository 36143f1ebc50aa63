// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { ANSWER_DELAY, type Attempt, ATTEMPT_DELAY, race } from "../../../connections/dialer/race.ts";
import { bareRuntime, pass } from "../bare_runtime.ts";
import { entryOf, firstOf, nthOf } from "../../values.ts";

/** Attempts that end when the test says so. */
class Bench {
  readonly clock = bareRuntime().clock;
  readonly begun: { readonly at: number; readonly candidate: string; readonly attempt: Attempt }[] = [];
  readonly ends = new Map<string, PromiseWithResolvers<string>>();
  readonly discarded: string[] = [];

  race(candidates: string, signal?: AbortSignal): Promise<string> {
    const result = race([...candidates], (candidate, attempt) => {
      this.begun.push({ at: this.clock.now(), candidate, attempt });
      const end = Promise.withResolvers<string>();
      this.ends.set(candidate, end);
      return end.promise;
    }, {
      clock: this.clock,
      signal,
      isFinal: (error) => error === "final",
      discard: (result) => this.discarded.push(result),
    });
    result.catch(() => {});
    return result;
  }

  pass(milliseconds: number): Promise<void> {
    return pass(this.clock, milliseconds);
  }

  get order(): string[] {
    return this.begun.map(({ at, candidate }) => `${candidate} ${at}`);
  }
}

Deno.test("race() begins an attempt each 250 ms, has the first success win and aborts the others", async () => {
  const bench = new Bench();
  const result = bench.race("abcd");
  await bench.pass(2 * ATTEMPT_DELAY);
  assertEquals(bench.order, ["a 0", "b 250", "c 500"]);
  entryOf(bench.ends, "b").resolve("b");
  assertEquals(await result, "b");
  assertEquals(bench.begun.map(({ attempt }) => attempt.signal?.aborted), [true, false, true]);
  await bench.pass(10_000);
  assertEquals(bench.begun.length, 3);
});

Deno.test("race() begins the next attempt at once when the latest one fails, and not when an earlier one does", async () => {
  const bench = new Bench();
  const result = bench.race("abcd");
  entryOf(bench.ends, "a").reject("no");
  await bench.pass(0);
  assertEquals(bench.order, ["a 0", "b 0"]);
  await bench.pass(ATTEMPT_DELAY);
  entryOf(bench.ends, "b").reject("no");
  await bench.pass(1);
  assertEquals(bench.order, ["a 0", "b 0", "c 250"]);
  entryOf(bench.ends, "c").reject("no");
  await bench.pass(0);
  entryOf(bench.ends, "d").reject("last");
  assertEquals(await result.catch((error) => error), "last");
});

Deno.test("race() gives who has taken the connection a second for the handshake", async () => {
  const bench = new Bench();
  const result = bench.race("ab");
  await bench.pass(100);
  firstOf(bench.begun).attempt.reached();
  await bench.pass(ANSWER_DELAY - 1);
  assertEquals(bench.order, ["a 0"]);
  await bench.pass(1);
  assertEquals(bench.order, ["a 0", "b 1100"]);
  firstOf(bench.begun).attempt.reached();
  entryOf(bench.ends, "a").resolve("a");
  assertEquals(await result, "a");
});

Deno.test("race() ends with a failure that makes the others pointless, with an abort, and with no node to try", async () => {
  const final = new Bench();
  const result = final.race("abc");
  await final.pass(ATTEMPT_DELAY);
  entryOf(final.ends, "a").reject("final");
  assertEquals(await result.catch((error) => error), "final");
  assert(nthOf(final.begun, 1).attempt.signal?.aborted);

  const aborted = new Bench();
  const controller = new AbortController();
  const given = aborted.race("ab", controller.signal);
  controller.abort(new Error("enough"));
  assert(firstOf(aborted.begun).attempt.signal?.aborted);
  // What is under way ends first, and nothing follows it, although it got through meanwhile.
  firstOf(aborted.begun).attempt.reached();
  assertEquals(aborted.clock.pending, 0);
  entryOf(aborted.ends, "a").reject(new Error("ended"));
  await assertRejects(() => given, Error, "enough");
  await aborted.pass(10_000);
  assertEquals(aborted.order, ["a 0"]);
  await assertRejects(() => new Bench().race("a", controller.signal), Error, "enough");

  const none = await new Bench().race("").then(() => true, (error) => error);
  assertFalse(none);
});

Deno.test("race() has the result of an attempt let go of that succeeds in the same turn as the winner", async () => {
  const bench = new Bench();
  const result = bench.race("ab");
  await bench.pass(ATTEMPT_DELAY);
  entryOf(bench.ends, "b").resolve("b");
  entryOf(bench.ends, "a").resolve("a");
  assertEquals(await result, "b");
  assertEquals(bench.discarded, ["a"]);
});
