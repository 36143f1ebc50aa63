// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import * as library from "../../mod.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const EVENTS = await Deno.readTextFile(new URL("../../manager/events.ts", import.meta.url));

/** The words in backticks between two phrases of the README. */
function named(from: string, to: string): string[] {
  const begin = README.indexOf(from);
  const end = README.indexOf(to, begin);
  return Array.from(README.slice(begin, end).matchAll(/`(\w+)`/g), ([, word = ""]) => word).sort();
}

Deno.test("README.md names every event", () => {
  const map = EVENTS.slice(EVENTS.indexOf("export interface PeerServiceEventMap"));
  const events = Array.from(map.matchAll(/^ {2}(\w+): CustomEvent</gm), ([, event = ""]) => event);
  assertEquals(named("knows `up`", ";"), events.sort());
});

Deno.test("README.md names every class of errors", () => {
  const errors = Object.keys(library).filter((name) => name.endsWith("Error"));
  assertEquals(named("Errors that callers catch", "##"), errors.sort());
});
