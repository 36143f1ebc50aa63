// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Suspicion } from "../../gossip/suspicion.ts";
import { seededRandom } from "../seeded_random.ts";
import { takeOf } from "../values.ts";

const PATIENCE = 1000;

function confirmer(): {
  suspicion: Suspicion;
  confirm: (names: string[], now: number) => ReturnType<Suspicion["confirm"]>;
} {
  const { next } = seededRandom(1);
  const suspicion = new Suspicion();
  return { suspicion, confirm: (names, now) => suspicion.confirm(names, 2, PATIENCE, now, next) };
}

Deno.test("Suspicion is confirmed by two silent watchers, and not by one", () => {
  const { suspicion, confirm } = confirmer();
  const [first, second] = takeOf(confirm(["a", "b", "c"], 0).ask, 2);
  suspicion.answered(first, "silent");
  assertEquals(confirm(["a", "b", "c"], 10), { ask: [], confirmed: false });
  suspicion.answered(second, "silent");
  assertEquals(confirm(["a", "b", "c"], 20).confirmed, true);
});

Deno.test("Suspicion is confirmed by all there are when these are fewer", () => {
  assertEquals(confirmer().confirm([], 0), { ask: [], confirmed: true });
  const { suspicion, confirm } = confirmer();
  assertEquals(confirm(["a"], 0).ask, ["a"]);
  assertEquals(confirm(["a"], 10).confirmed, false);
  suspicion.answered("a", "silent");
  assertEquals(confirm(["a"], 20).confirmed, true);
});

Deno.test("Suspicion replaces a watcher that cannot tell at once, and one that does not answer when its time is over", () => {
  const { suspicion, confirm } = confirmer();
  const [first, second] = takeOf(confirm(["a", "b", "c", "d"], 0).ask, 2);
  suspicion.answered(first, "unable");
  const [third] = confirm(["a", "b", "c", "d"], 10).ask;
  assertEquals(confirm(["a", "b", "c", "d"], PATIENCE - 1).ask, []);
  const [fourth] = confirm(["a", "b", "c", "d"], PATIENCE).ask;
  assertEquals([first, second, third, fourth].sort(), ["a", "b", "c", "d"]);
});

Deno.test("Suspicion begins anew when no node is left to ask and some did not answer", () => {
  const { confirm } = confirmer();
  assertEquals([...confirm(["a", "b"], 0).ask].sort(), ["a", "b"]);
  const again = confirm(["a", "b"], PATIENCE);
  assertEquals([...again.ask].sort(), ["a", "b"]);
  assertEquals(again.confirmed, false);
});

Deno.test("Suspicion is confirmed when those that did not answer are no candidates any more", () => {
  const { suspicion, confirm } = confirmer();
  confirm(["a", "b"], 0);
  suspicion.answered("a", "silent");
  assertEquals(confirm(["a"], PATIENCE).confirmed, true);
});

Deno.test("Suspicion ignores answers that it did not ask for", () => {
  const { suspicion, confirm } = confirmer();
  suspicion.answered("x", "silent");
  suspicion.answered("y", "silent");
  assertEquals(confirm(["a", "b"], 0).confirmed, false);
});

Deno.test("Suspicion.listen() asks everyone once before it asks anyone twice", () => {
  const { next } = seededRandom(1);
  const suspicion = new Suspicion();
  const names = ["a", "b", "c", "d", "e"];
  const asked = [0, 1, 2].flatMap((now) => suspicion.listen(names, 2, now, next));
  assertEquals(asked.toSorted(), names);
  assertEquals(suspicion.listen(names, 2, 3, next).length, 2);
});

Deno.test("Suspicion does not count what it was told before the limit, but first asks those that told it", () => {
  const { next } = seededRandom(1);
  const suspicion = new Suspicion();
  suspicion.listen(["a", "b"], 2, 0, next);
  suspicion.answered("a", "silent");
  suspicion.answered("b", "silent");
  const step = suspicion.confirm(["c", "b", "d", "a", "e"], 2, PATIENCE, 10, next);
  assertEquals(step.confirmed, false);
  assertEquals(step.ask.toSorted(), ["a", "b"]);
});
