// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { parseKeys, pressKey } from "../../cli/keys.ts";
import { clusterOf } from "./fixtures.ts";

Deno.test("parseKeys() tells characters, arrows and Ctrl-C apart", () => {
  assertEquals(parseKeys("k\x1b[A\x1b[B3?\x1bOA\x1b[D\x1b[C\x03"), [
    "k",
    "up",
    "down",
    "3",
    "?",
    "up",
    "up",
    "down",
    "ctrl-c",
  ]);
});

Deno.test("parseKeys() skips other escape sequences whole", () => {
  assertEquals(parseKeys("\x1b[3~\x1b[1;5A\x1b[15~\x1bq"), ["q"]);
});

const model = clusterOf("a", "b", "c");
model.act({ at: 1, kind: "kill", node: "b" });
const nodes = [...model.nodes.values()];

function press(key: string, selected: string | undefined = "a", help = false) {
  return pressKey({ selected, help }, key, nodes);
}

Deno.test("pressKey() moves the selection within the nodes", () => {
  assertEquals(press("down").panel.selected, "b");
  assertEquals(press("down", "c").panel.selected, "c");
  assertEquals(press("up", "b").panel.selected, "a");
  assertEquals(press("up", "a").panel.selected, "a");
  assertEquals(press("3").panel.selected, "c");
  assertEquals(press("9").panel.selected, "a");
});

Deno.test("pressKey() asks for what is done to the selected node", () => {
  assertEquals(press("k").request, { kind: "kill", node: "a" });
  assertEquals(press("p").request, { kind: "pause", node: "a" });
  assertEquals(press("r").request, { kind: "resume", node: "a" });
  assertEquals(press("l", "c").request, { kind: "leave", node: "c" });
});

Deno.test("pressKey() starts a dead node again, and a new one next to a living", () => {
  assertEquals(press("s", "b").request, { kind: "start", node: "b" });
  assertEquals(press("s", "a").request, { kind: "start", node: undefined });
});

Deno.test("pressKey() asks to quit with q and with Ctrl-C", () => {
  assertEquals(press("q").request, { kind: "quit" });
  assertEquals(press("ctrl-c").request, { kind: "quit" });
});

Deno.test("pressKey() shows and hides the help, and does nothing for other keys", () => {
  assertEquals(press("?"), { panel: { selected: "a", help: true } });
  assertEquals(press("?", "a", true), { panel: { selected: "a", help: false } });
  assertEquals(press("x"), { panel: { selected: "a", help: false } });
  assertEquals(press("constructor"), { panel: { selected: "a", help: false } });
});
