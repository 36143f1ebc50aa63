// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { type LogEntry, startPeerService } from "../../mod.ts";
import { EventLog } from "../../manager/event_log.ts";
import { settingsFrom } from "../../manager/settings.ts";
import { denoRuntime } from "../../transport/deno_runtime.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";
import { scenario } from "./worlds.ts";
import { firstOf, nthOf } from "../values.ts";

/** A runtime of which nothing is used but its time, and that keeps what it is to report. */
function reporting() {
  const time = { now: 0 };
  const { clock: { schedule } } = bareRuntime();
  const clock = { now: () => time.now, wallTime: () => time.now, schedule };
  const reported: LogEntry[] = [];
  return { time, clock, reported, report: (entry: LogEntry) => void reported.push(entry) };
}

scenario("What no node listens to reaches the log option, with its kind, node and error", async (world) => {
  const entries: LogEntry[] = [];
  const log = (entry: LogEntry) => void entries.push(entry);
  await using a = await startPeerService({ name: "a", runtime: world.runtime("a"), log });
  a.castMessage("a", "nobody", 1);
  await world.until("the log has an entry", () => entries.length > 0);
  const { level, kind, node, message } = firstOf(entries);
  assertEquals([level, kind, node], ["warning", "undeliverable", "a"]);
  assert(message.includes('"nobody"'), message);
});

scenario("What a node listens to does not reach the log option", async (world) => {
  const entries: LogEntry[] = [];
  const heard: string[] = [];
  const a = await world.start("a", { log: (entry) => void entries.push(entry) });
  a.addEventListener("undeliverable", ({ detail }) => heard.push(detail.name));
  a.castMessage("a", "nobody", 1);
  await world.until("the listener was called", () => heard.length > 0);
  assertEquals([heard, entries], [["nobody"], []]);
});

Deno.test("The runtime is told about each kind once a minute, and how many were left out", () => {
  const runtime = reporting();
  const { unheard } = new EventLog(undefined, runtime);
  for (let count = 0; count < 3; count++) unheard("warning", { code: "weak-secret", message: "Weak" });
  unheard("error", { error: new Error("No such luck"), during: "calling a listener", node: "b" });
  assertEquals(runtime.reported.map(({ kind }) => kind), ["weak-secret", "error"]);
  assertEquals(nthOf(runtime.reported, 1).message, "Something failed while calling a listener: Error: No such luck");
  runtime.time.now = 60_000;
  unheard("warning", { code: "weak-secret", message: "Weak" });
  assertEquals(nthOf(runtime.reported, 2).message, "Weak (2 more since the last one)");
});

Deno.test("The log option is given all entries, and one that throws is reported instead", () => {
  const runtime = reporting();
  let calls = 0;
  const { unheard } = new EventLog(() => {
    calls++;
    throw new Error("Disk full");
  }, runtime);
  for (let count = 0; count < 3; count++) unheard("warning", { code: "weak-secret", message: "Weak" });
  assertEquals([calls, runtime.reported.length], [3, 1]);
  assertEquals(firstOf(runtime.reported).message, 'The function that the "log" option names threw: Error: Disk full');
});

Deno.test("With log: false nothing is told, and events that are no cause for concern never are", () => {
  const runtime = reporting();
  new EventLog(false, runtime).unheard("warning", { code: "weak-secret", message: "Weak" });
  new EventLog(undefined, runtime).unheard("up", { node: "b" });
  assertEquals(runtime.reported, []);
});

Deno.test("settingsFrom() refuses a log that is neither false nor a function", () => {
  // @ts-expect-error -- the type does not allow it
  assertThrows(() => settingsFrom({ log: true }, bareRuntime()), TypeError, '"log" is a boolean');
});

Deno.test("The console is told in one line, in which what others sent cannot steer the terminal", () => {
  const { warn } = console;
  const lines: string[] = [];
  // deno-lint-ignore no-console -- replaced while the test looks at what it is given
  console.warn = (line: string) => void lines.push(line);
  try {
    denoRuntime().report?.({ level: "warning", kind: "undeliverable", message: "To \u001b[2Ja\nb", at: 0 });
  } finally {
    // deno-lint-ignore no-console -- as above
    console.warn = warn;
  }
  assertEquals(lines, ["[peer-service] undeliverable: To \ufffd[2Ja\ufffdb"]);
});

scenario(
  "A listener of an event that throws is told to the process, and the node goes on where that does",
  async (world) => {
    const told: string[] = [];
    const listener = (event: ErrorEvent) => {
      event.preventDefault();
      told.push(event.message);
    };
    globalThis.addEventListener("error", listener);
    try {
      const [a, b] = await world.cluster(["a", "b"]);
      a.addEventListener("undeliverable", () => {
        throw new Error("No such luck");
      });
      const heard = world.inbox(b, "log");
      b.castMessage("a", "nobody", 1);
      await world.until("it was told", () => told.length === 1);
      await a.forwardMessage("b", "log", "on", { ack: true });
      assertEquals([told, heard.messages, world.errors], [["Uncaught Error: No such luck"], ["on"], []]);
    } finally {
      globalThis.removeEventListener("error", listener);
    }
  },
);
