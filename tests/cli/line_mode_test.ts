// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { parseLine } from "../../cli/line_mode.ts";
import { RefusedError } from "../../cli/supervisor.ts";

Deno.test("parseLine() understands every command", () => {
  assertEquals(parseLine("kill b"), { kind: "kill", node: "b" });
  assertEquals(parseLine("  pause   c "), { kind: "pause", node: "c" });
  assertEquals(parseLine("resume c"), { kind: "resume", node: "c" });
  assertEquals(parseLine("leave d"), { kind: "leave", node: "d" });
  assertEquals(parseLine("start"), { kind: "start", node: undefined });
  assertEquals(parseLine("start b"), { kind: "start", node: "b" });
  for (const kind of ["status", "wait", "quit", "help"]) assertEquals(parseLine(kind), { kind } as unknown);
  assertEquals(parseLine("  "), { kind: "nothing" });
});

Deno.test("parseLine() says what it cannot understand", () => {
  for (const line of ["kill", "kil b", "kill a b", "constructor"]) assertThrows(() => parseLine(line), RefusedError);
});
