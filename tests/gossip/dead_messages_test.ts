// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { HeartbeatWord } from "../../gossip/heartbeat_message.ts";
import { LoneDetector } from "./lone_detector.ts";
import { entryOf } from "../values.ts";

const { probeRequest, dead, alive } = HeartbeatWord;

const OTHERS = ["b", "c", "d", "e", "f"];

/** A detector that heard counter 7 of "a" and nothing from it for five intervals, without having declared it dead. */
function uncertain(): LoneDetector {
  return new LoneDetector(["a", ...OTHERS]).hear("a", 7).wait(5000, OTHERS);
}

Deno.test("a dead message is believed by a watcher that heard nothing itself, and passed on to three others", () => {
  const me = uncertain().hear("b", [dead, "a", 1, 7]);
  assertEquals(me.news, ["down a"]);
  assertEquals(me.sent.length, 3);
  assert(me.sent.every(({ to }) => to !== "a" && to !== "b"));
  assertEquals(me.hear("c", [dead, "a", 1, 7]).sent, [], "passed on once");
  assertEquals(me.events, []);
});

Deno.test("a dead message is not believed while a frame was heard within the limit; the node is asked to refute it", () => {
  const me = new LoneDetector(["a", ...OTHERS]).hear("a", 7).wait(4000, OTHERS).hear("b", [dead, "a", 1, 7]);
  assertEquals(me.events, []);
  assertEquals(me.sent, [{ to: "a", message: [dead, "a", 1, 7] }]);
  assertEquals(me.hear("c", [dead, "a", 1, 7]).sent, []);
  me.hear("a", [alive, "a", 1, 9]);
  assertEquals(me.sentTo("b"), [[alive, "a", 1, 9]]);
  assertEquals(me.wait(4750, OTHERS).news, []);
});

Deno.test("a dead message that was not believed is, once its object was silent for the limit", () => {
  const me = new LoneDetector(["a", ...OTHERS]).hear("a", 7).wait(4000, OTHERS).hear("b", [dead, "a", 1, 7]);
  assertEquals(me.wait(750, OTHERS).news, []);
  assert(me.wait(250, OTHERS).news.includes("down a"));
});

Deno.test("a dead message that was not believed is forgotten when its object was heard for long enough", () => {
  const me = new LoneDetector(["a", ...OTHERS]);
  me.detector.setPeers(OTHERS);
  me.wait(1000, ["a", ...OTHERS]).hear("b", [dead, "a", 1, 7]);
  assertEquals(me.wait(10_000, ["a", ...OTHERS]).wait(20_000, OTHERS).events, []);
});

Deno.test("a dead message that was not believed is forgotten when its object connects anew", () => {
  const me = new LoneDetector(["a", ...OTHERS]);
  me.detector.setPeers(OTHERS);
  me.wait(1000, OTHERS).hear("b", [dead, "a", 1, 7]).disconnect("a").connect("a");
  assertEquals(me.wait(20_000, OTHERS).events, []);
});

Deno.test("a dead message is refuted by a node that knows a newer counter of late", () => {
  const me = uncertain().hear("c", [alive, "a", 1, 8]).hear("b", [dead, "a", 1, 7]);
  assertEquals(me.news, []);
  assertEquals(me.sentTo("b"), [[alive, "a", 1, 8]]);
});

Deno.test("a dead message is not believed at once by a node that does not watch its object, only if that does not refute it", () => {
  const me = new LoneDetector(["a", ...OTHERS]);
  me.detector.setPeers(OTHERS);
  me.wait(10_000, OTHERS).hear("b", [dead, "a", 1, 7]);
  assertEquals(me.events, []);
  assertEquals(me.sentTo("a"), [[dead, "a", 1, 7]]);
  assertEquals(me.wait(750, OTHERS).events, []);
  assertEquals(me.wait(250, OTHERS).news, ["down a"]);
});

Deno.test("a dead message is doubted by a node that slept", () => {
  const me = uncertain().sleep(20_000).hear("b", [dead, "a", 1, 7]);
  assertEquals(me.events, []);
  assertEquals(me.wait(4750, OTHERS).news, []);
  assert(me.wait(500, OTHERS).news.includes("down a"));
});

Deno.test("a dead message about an older incarnation is ignored, one about a newer one only passed on", () => {
  const me = uncertain();
  entryOf(me.peers, "a").incarnation = 2;
  assertEquals(me.hear("b", [dead, "a", 1, 7]).sent, []);
  assertEquals(me.events, []);
  assertEquals(me.hear("b", [dead, "a", 3, 7]).sent.length, 3);
  assertEquals(me.events, []);
  assertEquals(me.hear("c", [dead, "a", 3, 7]).sent, []);
});

Deno.test("a dead message about a node that is not connected is passed on once, without an event", () => {
  const me = uncertain().disconnect("a").hear("b", [dead, "a", 1, 7]);
  assertEquals(me.events, []);
  assertEquals(me.sent.length, 3);
  assertEquals(me.hear("c", [dead, "a", 1, 7]).sent, []);
  assertEquals(me.hear("c", [dead, "stranger", 1, 7]).sent.length, 3);
  assertEquals(me.hear("d", [dead, "stranger", 1, 6]).sent, []);
});

Deno.test("a dead message about oneself is refuted to everyone, then to those that repeat it, and once more to everyone", () => {
  const me = new LoneDetector(["a", ...OTHERS]).hear("b", [dead, "me", 5, 40]);
  assertEquals(me.sent.map(({ to }) => to).sort(), ["a", ...OTHERS]);
  assertEquals(me.sentTo("a"), [[alive, "me", 5, 41]]);
  assertEquals(me.hear("c", [dead, "me", 5, 40]).sent, [{ to: "c", message: [alive, "me", 5, 41] }]);
  assertEquals(me.wait(750, ["a", ...OTHERS]).sent, []);
  me.wait(250, ["a", ...OTHERS]);
  assertEquals(me.sent.map(({ to }) => to).sort(), ["a", ...OTHERS]);
  assertEquals(me.wait(2000, ["a", ...OTHERS]).sent, []);
  assertEquals(me.hear("c", [dead, "me", 5, 60]).sent.length, 6);
  assertEquals(me.hear("c", [dead, "me", 4, 50]).sent, []);
});

Deno.test("a node that is down comes up with a newer counter from anyone, which is passed on, but not with the old one", () => {
  const me = uncertain().hear("b", [dead, "a", 1, 7]);
  assertEquals(me.hear("c", [alive, "a", 1, 7]).events, []);
  assertEquals(me.hear("c", [alive, "a", 2, 9]).events, []);
  me.hear("c", [alive, "a", 1, 8]);
  assertEquals(me.news, ["up a"]);
  assertEquals(me.sent.length, 3);
  assertFalse(me.detector.isDown("a"));
});

Deno.test("a node that is down comes up with any frame, at once or at the next tick, and is told what was said", () => {
  for (const at of ["once", "tick"]) {
    const me = uncertain().hear("b", [dead, "a", 1, 7]);
    if (at === "once") me.sleep(10).frame("a");
    else me.wait(250, ["a", ...OTHERS]);
    assertEquals(me.news, ["up a"]);
    assertEquals(me.sentTo("a"), [[dead, "a", 1, 7]]);
  }
});

Deno.test("a node that is up because of a late frame is down again when it stays silent", () => {
  const me = uncertain().hear("b", [dead, "a", 1, 7]).sleep(10).frame("a");
  me.detector.setPeers(OTHERS);
  assertEquals(me.wait(4750, OTHERS).news, []);
  assertEquals(me.wait(500, OTHERS).news, ["down a"]);
});

Deno.test("a new incarnation of a node that is down is up, and starts afresh", () => {
  const me = uncertain().hear("b", [dead, "a", 1, 7]).disconnect("a").connect("a", 2);
  assertEquals(me.events, [{ type: "up", node: "a", incarnation: 2, counter: 0 }]);
  assertEquals(me.sentTo("a"), [true]);
  assertEquals(me.hear("a", 1, 2).wait(4750, OTHERS).events, []);
});

Deno.test("a node that is down is told so by its watchers now and then, so that it can refute it", () => {
  const me = uncertain().hear("b", [dead, "a", 1, 7]).wait(10_500, OTHERS);
  assertEquals(me.sentTo("a"), [[dead, "a", 1, 7], [dead, "a", 1, 7]]);
  assertEquals(me.hear("c", [probeRequest, "a", 1, 7, 1]).sentTo("c"), [[dead, "a", 1, 7]]);
});

Deno.test("a newer dead message about a node that is down raises the counter that refutes it", () => {
  const me = uncertain().hear("b", [dead, "a", 1, 7]).hear("c", [dead, "a", 1, 9]);
  assertEquals(me.events, []);
  assertEquals(me.sent.length, 3);
  assertEquals(me.hear("d", [alive, "a", 1, 9]).events, []);
  assertEquals(me.hear("d", [alive, "a", 1, 10]).news, ["up a"]);
});

Deno.test("only so many dead messages are remembered", () => {
  const me = new LoneDetector(OTHERS);
  for (let index = 0; index <= 1024; index++) me.hear("b", [dead, `x${index}`, 1, 1]);
  assertEquals(me.hear("b", [dead, "x1024", 1, 1]).sent.length, 0);
  assertEquals(me.hear("b", [dead, "x0", 1, 1]).sent.length, 3);
});
