// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { IncarnationNews } from "../../connections/incarnation_news.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";

/** A node that hears of newer incarnations of its name, and what it believed. */
function node(incarnation: number) {
  const clock = new VirtualClock();
  const believed: number[] = [];
  const news = new IncarnationNews(clock, () => incarnation, (known) => believed.push(known));
  return { clock, news, believed };
}

Deno.test("IncarnationNews believes three words in ten minutes, and then one for each that has grown old", () => {
  const { clock, news, believed } = node(5);
  for (let known = 6; known < 11; known++) news.take(known);
  assertEquals(believed.splice(0), [6, 7, 8]);
  clock.moveTo(599_999);
  news.take(11);
  assertEquals(believed.splice(0), []);
  clock.moveTo(600_000);
  for (let known = 11; known < 16; known++) news.take(known);
  assertEquals(believed, [11, 12, 13]);
});

Deno.test("IncarnationNews believes in nothing old or present and nothing more than a day ahead, and does not count it", () => {
  const { clock, news, believed } = node(500);
  const latest = clock.wallTime() + 86_400_000;
  for (const known of [Number.MAX_SAFE_INTEGER, latest + 1, 500, 499, 0]) news.take(known);
  assertEquals(believed, []);
  for (let count = 0; count < 3; count++) news.take(latest);
  assertEquals(believed.length, 3);
});
