// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { Heartbeat } from "../../gossip/heartbeat.ts";
import { COUNTER_MAX, HeartbeatWord } from "../../gossip/heartbeat_message.ts";
import type { HeartbeatOptions } from "../../gossip/heartbeat_types.ts";
import { assertRefuses, type Refused } from "../refused_options.ts";
import { LoneDetector } from "./lone_detector.ts";
import { entryOf } from "../values.ts";

const { probeRequest, probeReport, dead, alive } = HeartbeatWord;

const isProbeRequest = (message: unknown): boolean => Array.isArray(message) && message[0] === probeRequest;

Deno.test("Heartbeat asks those that it watches for beats, again when the connection reopens", () => {
  const me = new LoneDetector(["a", "b"]);
  assertEquals([me.sentTo("a"), me.sentTo("b")], [[true], [true]]);
  me.disconnect("a");
  assertEquals(me.sent, []);
  me.connect("a");
  assertEquals(me.sentTo("a"), [true]);
});

Deno.test("Heartbeat tells a node when it no longer watches it, and again when that goes on to beat", () => {
  const me = new LoneDetector(["a", "b"]);
  me.detector.setPeers(["b"]);
  me.wait(250);
  assertEquals(me.sentTo("a"), [false]);
  assertEquals(me.detector.watched, ["b"]);
  assertEquals(me.hear("a", 9).sentTo("a"), [false]);
  assertEquals(me.hear("b", 9).sent, []);
});

Deno.test("Heartbeat beats at once and then every interval to those that asked, also to one that it does not watch", () => {
  const me = new LoneDetector(["a", "b"]);
  me.peers.set("stranger", { incarnation: 1, connected: true, heardAt: 0 });
  assertEquals(me.hear("stranger", true).sentTo("stranger"), [1]);
  me.wait(3000, ["a", "b"]);
  assertEquals(me.sentTo("stranger"), [2, 3, 4]);
  assertEquals([...me.sentTo("a"), ...me.sentTo("b")], []);
  assertEquals(me.hear("stranger", false).wait(2000, ["a", "b"]).sentTo("stranger"), []);
});

Deno.test("Heartbeat beats at the tick that is nearest to the time, and makes up for no beats that it slept through", () => {
  const me = new LoneDetector(["a"], { interval: 1020 }).hear("a", true);
  assertEquals(me.wait(1000, ["a"]).sentTo("a"), [2]);
  assertEquals(me.sleep(20_000).wait(3000, ["a"]).sentTo("a").filter((message) => message !== true), [3, 4, 5]);
});

Deno.test("Heartbeat stops beating to a node whose connection closed until it asks again", () => {
  const me = new LoneDetector(["a"]).hear("a", true).disconnect("a").connect("a");
  assertEquals(me.wait(2000, ["a"]).sentTo("a"), []);
});

Deno.test("Heartbeat suspects a watched node after five silent intervals, whatever frames came before", () => {
  const me = new LoneDetector(["a", "b", "c"]);
  me.wait(20_000, ["a", "b", "c"]);
  assertEquals(me.events, []);
  assertEquals(me.wait(4750, ["b", "c"]).events, []);
  assertEquals(me.wait(250, ["b", "c"]).news, ["suspect a"]);
  assert(me.detector.isSuspect("a"));
  assertEquals(me.wait(250, ["a", "b", "c"]).news, ["trusted a"]);
  assertFalse(me.detector.isSuspect("a"));
});

Deno.test("Heartbeat declares a node dead when two other watchers are silent, and tells everyone, that node included", () => {
  const me = new LoneDetector(["a", "b", "c"]).hear("a", 7).wait(5000, ["b", "c"]);
  assertEquals(me.sentTo("b").at(-1), [probeRequest, "a", 1, 7, 1]);
  assertEquals(me.hear("b", [probeReport, "a", 1, 7, 5000, 5000]).events, []);
  me.hear("c", [probeReport, "a", 1, 7, 5000, 5000]);
  assertEquals(me.events, [{ type: "down", node: "a", incarnation: 1, counter: 7 }]);
  assertEquals(me.sent.map(({ to }) => to).sort(), ["a", "b", "c"]);
  assertEquals(me.sentTo("b"), [[dead, "a", 1, 7]]);
  assert(me.detector.isDown("a"));
});

Deno.test("Heartbeat takes a newer counter, or a frame heard by another watcher, for life, and reports a silent link", () => {
  for (const answer of [[probeReport, "a", 1, 8, 200, 9000], [probeReport, "a", 1, 7, 9000, 100]]) {
    const me = new LoneDetector(["a", "b", "c"]).hear("a", 7).wait(5000, ["b", "c"]);
    me.hear("b", answer);
    assertEquals(me.news, ["silentLink a"]);
    me.hear("c", [probeReport, "a", 1, 7, 5000, 5000]);
    assertEquals(me.wait(1000, ["b", "c"]).events, []);
    assert(
      me.wait(4000, ["b", "c"]).sent.some(({ message }) => isProbeRequest(message)),
      "asks again while silence goes on",
    );
    assertFalse(me.detector.isDown("a"));
  }
});

Deno.test("Heartbeat takes an old counter of another watcher for no sign of life", () => {
  const me = new LoneDetector(["a", "b", "c"]).hear("a", 7).wait(5000, ["b", "c"]);
  me.hear("b", [probeReport, "a", 1, 8, 6000, 6000]).hear("c", [probeReport, "a", 1, 8, 6000, 6000]);
  assertEquals(me.events, [{ type: "down", node: "a", incarnation: 1, counter: 8 }]);
});

Deno.test("Heartbeat asks an uneasily silent node again for beats: the first request may have got lost", () => {
  const me = new LoneDetector(["a", "b"]).wait(3750, ["b"]);
  assertEquals(me.sentTo("a"), []);
  assertEquals(me.wait(250, ["b"]).sentTo("a"), [true]);
});

Deno.test("Heartbeat asks neither suspects nor those that are down", () => {
  const me = new LoneDetector(["a", "b", "c", "d"]).wait(2000, ["a", "b", "c", "d"]).wait(5000, ["a", "c", "d"]);
  me.hear("c", [dead, "b", 1, 0]);
  assertEquals(me.news, ["down b"]);
  me.wait(5000, ["d"]);
  assert(me.detector.isSuspect("a") && me.detector.isSuspect("c") && me.detector.isDown("b"));
  me.wait(2000, ["d"]);
  assertEquals(me.sent.filter(({ to, message }) => to !== "d" && isProbeRequest(message)), []);
});

Deno.test("Heartbeat declares a node dead on its own when there is no node to ask", () => {
  const me = new LoneDetector(["a"]).wait(4750);
  assertEquals(me.events, []);
  assertEquals(me.wait(250).news, ["suspect a", "down a"]);
});

Deno.test("Heartbeat does not watch a node that is not connected, but remembers that it was down", () => {
  const me = new LoneDetector(["a", "b"]).disconnect("a");
  assertEquals(me.wait(20_000, ["b"]).events, []);
  me.connect("a").wait(6000, ["b"]).hear("b", [probeReport, "a", 1, 0, 0, 6000]);
  assertEquals(me.news, ["down a"]);
  me.disconnect("a");
  assert(me.detector.isDown("a"));
  assertEquals(me.connect("a").news, ["up a"]);
  assertFalse(me.detector.isDown("a"));
});

Deno.test("Heartbeat.forget() forgets that a node was down", () => {
  const me = new LoneDetector(["a"]).wait(5000);
  assert(me.detector.isDown("a"));
  me.detector.forget("a");
  assertFalse(me.detector.isDown("a"));
});

Deno.test("Heartbeat that slept blames no node for it", () => {
  const me = new LoneDetector(["a", "b", "c"]).wait(3000, ["a", "b", "c"]);
  me.sleep(20_000).wait(250);
  assertEquals(me.events, []);
  assertEquals(me.wait(4750).events, []);
  assertEquals(me.wait(250).news.filter((news) => news.startsWith("suspect")).length, 3);
});

Deno.test("Heartbeat that slept, or does not watch the node, testifies nothing but what it heard", () => {
  const me = new LoneDetector(["a", "b"]).hear("a", 7).wait(6000, ["b"]);
  assertEquals(me.hear("b", [probeRequest, "a", 1, 0, 1]).sentTo("b"), [[probeReport, "a", 1, 7, 6000, 6000]]);
  me.sleep(20_000);
  assertEquals(me.hear("b", [probeRequest, "a", 1, 0, 1]).sentTo("b"), [[probeReport, "a", 1, 7, 26_000, -1]]);
  me.detector.setPeers(["b"]);
  me.wait(6000, ["b"]);
  assertEquals(me.hear("b", [probeRequest, "a", 1, 0, 1]).sentTo("b"), [[probeReport, "a", 1, 7, 32_000, -1]]);
  me.frame("a").sleep(100);
  assertEquals(me.hear("b", [probeRequest, "a", 1, 0, 1]).sentTo("b"), [[probeReport, "a", 1, 7, 32_100, 100]]);
  assertEquals(me.hear("b", [probeRequest, "nobody", 1, 0, 1]).sentTo("b"), [[probeReport, "nobody", 1, 0, 0, -1]]);
});

Deno.test("Heartbeat that is asked about a node asks that for a sign of life, and passes it on", () => {
  const me = new LoneDetector(["a", "b", "c"]).wait(3000, ["b", "c"]).hear("b", [probeRequest, "a", 1, 0, 1]);
  assertEquals(me.sentTo("a"), [[probeRequest, "a", 1, 0, 0]]);
  assertEquals(me.sentTo("c"), [[probeRequest, "a", 1, 0, 0]]);
  assertEquals(me.hear("c", [probeRequest, "a", 1, 0, 1]).sentTo("a"), [], "asks once");
  me.hear("a", [alive, "a", 1, 4]);
  assertEquals([me.sentTo("b"), me.sentTo("c")], [[[alive, "a", 1, 4]], [[alive, "a", 1, 4]]]);
  assertEquals(me.hear("a", 5).sentTo("b"), [], "answers once");
});

Deno.test("Heartbeat passes on what another watcher says only while it is news", () => {
  const me = new LoneDetector(["a", "b", "c"]).hear("b", [probeRequest, "a", 1, 0, 1]);
  assertEquals(me.hear("c", [probeReport, "a", 1, 9, 2001, 2001]).sentTo("b"), []);
  assertEquals(me.hear("c", [probeReport, "a", 1, 9, 2000, 2000]).sentTo("b"), [[alive, "a", 1, 9]]);
});

Deno.test("Heartbeat forgets the counter of an earlier incarnation", () => {
  const me = new LoneDetector(["a", "b"]).hear("a", 7);
  entryOf(me.peers, "a").incarnation = 2;
  me.hear("a", 1, 2);
  assertEquals(me.hear("b", [probeRequest, "a", 2, 0, 0]).sentTo("b"), [[probeReport, "a", 2, 1, 0, 0]]);
});

Deno.test("Heartbeat asks no other node on behalf of one who is no watcher itself", () => {
  const me = new LoneDetector(["a", "b", "c"]).hear("b", [probeRequest, "a", 1, 0, 0]);
  assertEquals(me.sentTo("c"), []);
});

Deno.test("Heartbeat gives a sign of life when asked about itself, in this incarnation", () => {
  const me = new LoneDetector(["a"]);
  assertEquals(me.hear("a", [probeRequest, "me", 5, 0, 0]).sentTo("a"), [[alive, "me", 5, 1]]);
  assertEquals(me.hear("a", [probeRequest, "me", 4, 0, 0]).sent, []);
});

Deno.test("Heartbeat ignores who is not connected, or in another incarnation, and throws at what is malformed", () => {
  const me = new LoneDetector(["a"]);
  assertEquals(me.hear("stranger", true).sent, []);
  assertEquals(me.hear("a", true, 2).sent, []);
  assertThrows(() => me.hear("a", [dead]), TypeError, "Malformed heartbeat message");
});

Deno.test("Heartbeat never counts beyond what others accept", () => {
  const me = new LoneDetector(["a"]).hear("a", [dead, "me", 5, COUNTER_MAX]);
  assertEquals(me.sentTo("a"), [[alive, "me", 5, COUNTER_MAX]]);
  assertEquals(me.hear("a", true).sentTo("a"), [COUNTER_MAX]);
});

Deno.test("Heartbeat's constructor throws a RangeError at options out of range", () => {
  const self = { name: "me", incarnation: 1 };
  for (
    const wrong of [{ interval: 0 }, { interval: NaN }, { missed: 1 }, { watchers: 0 }, { indirectProbes: -1 }, {
      fanout: 0.5,
    }]
  ) {
    assertThrows(() => new Heartbeat({ self, ...wrong }, 0), RangeError, "Cannot detect failures");
  }
});

Deno.test("Heartbeat's constructor refuses options of another name or kind", async () => {
  const self = { name: "me", incarnation: 1 };
  const counts = ["interval", "missed", "watchers", "indirectProbes", "fanout"];
  await assertRefuses({
    call: (options) => new Heartbeat(options as HeartbeatOptions, 0),
    action: "Cannot detect failures",
    option: "interval",
    refused: [
      [{}, TypeError, '"self" is undefined, expected an object'],
      [{ self: "me" }, TypeError, '"self" is "me", expected an object'],
      ...counts.map((name): Refused => [{ self, [name]: "5" }, TypeError, `"${name}" is "5", expected a number`]),
    ],
  });
  const nothing = Object.fromEntries([...counts, "misspelt"].map((name) => [name, undefined]));
  assertFalse(new Heartbeat({ self, ...nothing }, 0).isSuspect("b"));
});

Deno.test("A node that is late itself bears silence for longer, and until then tells others that it cannot tell", () => {
  const lone = new LoneDetector(["a", "b"]);
  lone.patience = 3;
  lone.wait(14_750, ["b"]);
  assertEquals(lone.events, []);
  lone.hear("b", [HeartbeatWord.probeRequest, "a", 1, 0, 0]);
  const [report] = lone.sent.filter(({ to, message }) => to === "b" && Array.isArray(message));
  assertEquals(report?.message, [HeartbeatWord.probeReport, "a", 1, 0, 0, -1]);
  lone.wait(250, ["b"]);
  assertEquals(lone.events.map(({ type, node }) => `${type} ${node}`), ["suspect a"]);
});
