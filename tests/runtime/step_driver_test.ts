// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { Step } from "../../runtime/step.ts";
import { StepDriver } from "../../runtime/step_driver.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { pass } from "../connections/bare_runtime.ts";

/** A driver whose protocol answers each waking with the next of `answers`. */
function driven(answers: Step<string, string>[]) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const reactions = new Map<string, Step<string, string>>();
  const driver: StepDriver<string, string> = new StepDriver<string, string>({
    clock,
    send: (to, message) => log.push(`${message} to ${to}`),
    tell: (event) => {
      log.push(event);
      const reaction = reactions.get(event);
      if (reaction !== undefined) driver.do(reaction);
    },
    tick: (now) => {
      log.push(`tick ${now}`);
      return answers.shift() ?? { outgoing: [], events: [] };
    },
  });
  return { clock, log, reactions, driver };
}

Deno.test("StepDriver sends, then tells, and wakes the protocol when it said", async () => {
  const { clock, log, driver } = driven([{ outgoing: [{ to: "c", message: "again" }], events: [], nextAt: 30 }]);
  driver.do({ outgoing: [{ to: "b", message: "one" }, { to: "c", message: "two" }], events: ["known"], nextAt: 20 });
  assertEquals(log.splice(0), ["one to b", "two to c", "known"]);
  await pass(clock, 19);
  assertEquals(log, []);
  await pass(clock, 1);
  assertEquals(log.splice(0), ["tick 20", "again to c"]);
  await pass(clock, 10);
  assertEquals([log, clock.pending], [["tick 30"], 0]);
});

Deno.test("StepDriver keeps the time of the last step, also of one that an event of another leads to", async () => {
  const { clock, log, reactions, driver } = driven([]);
  reactions.set("outer", { outgoing: [], events: ["inner"], nextAt: 5 });
  driver.do({ outgoing: [], events: ["outer"], nextAt: Infinity });
  assertEquals(log.splice(0), ["outer", "inner"]);
  driver.do({ outgoing: [], events: [], nextAt: 7 });
  await pass(clock, 6);
  assertEquals(log, []);
  await pass(clock, 1);
  assertEquals(log, ["tick 7"]);
});

Deno.test("StepDriver wakes at once a protocol that is late, and one that was stopped no more", async () => {
  const { clock, log, driver } = driven([]);
  await pass(clock, 10);
  driver.do({ outgoing: [], events: [], nextAt: 4 });
  await pass(clock, 0);
  assertEquals(log.splice(0), ["tick 10"]);
  driver.do({ outgoing: [], events: [], nextAt: 20 });
  driver.stop();
  driver.do({ outgoing: [], events: ["still told"], nextAt: 20 });
  await pass(clock, 20);
  assertEquals([log, clock.pending], [["still told"], 0]);
});
