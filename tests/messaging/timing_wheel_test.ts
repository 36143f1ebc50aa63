// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess } from "@std/assert";
import { TimingWheel, WheelEntry } from "../../messaging/timing_wheel.ts";
import { forEachSeed } from "../seeded_random.ts";
import { entryOf, firstOf, nthOf } from "../values.ts";

class Task extends WheelEntry {
  constructor(readonly id: number) {
    super();
  }
}

function takeAll(wheel: TimingWheel<Task>, now: number): number[] {
  const ids = [];
  for (let task = wheel.take(now); task !== undefined; task = wheel.take(now)) ids.push(task.id);
  return ids;
}

Deno.test("TimingWheel.take() gives what is due, not before and at most one resolution late, for any schedule", () => {
  forEachSeed(200, (random) => {
    const wheel = new TimingWheel<Task>(10);
    const due = new Map<Task, number>();
    let now = random.next() * 1e6;
    for (let step = 0; step < 200; step++) {
      for (let count = random.int(4); count > 0; count--) {
        const task = new Task(step);
        // Some are due in the past, some many turns away.
        const at = now - 20 + random.next() * random.pick([50, 500, 20_000]);
        due.set(task, Math.max(at, now));
        wheel.schedule(task, at, now);
      }
      for (const task of due.keys()) {
        const fate = random.next();
        if (fate < 0.05) {
          wheel.cancel(task);
          due.delete(task);
        } else if (fate < 0.1) {
          due.set(task, now + random.next() * 5_000);
          wheel.schedule(task, entryOf(due, task), now);
        }
      }
      assertEquals(wheel.size, due.size);
      now += random.next() * random.pick([5, 50, 500, 30_000]);
      const next = wheel.nextAt();
      for (let task = wheel.take(now); task !== undefined; task = wheel.take(now)) {
        const at = due.get(task);
        assert(at !== undefined, "nothing comes twice, or after it was cancelled");
        assert(at <= now, "nothing comes early");
        assert(next !== undefined && next <= now, "nextAt() is never late");
        due.delete(task);
      }
      for (const at of due.values()) assert(at > now - 10, `due at ${at}, still waiting at ${now}`);
      if (due.size === 0) assertEquals(wheel.nextAt(), undefined);
    }
  });
});

Deno.test("TimingWheel.expedite() makes an entry due at once, behind those that are due", () => {
  const wheel = new TimingWheel<Task>(10);
  const tasks = [new Task(0), new Task(1), new Task(2)];
  wheel.schedule(firstOf(tasks), 5_000, 0);
  wheel.schedule(nthOf(tasks, 1), 6_000, 0);
  wheel.schedule(nthOf(tasks, 2), 7_000, 0);
  wheel.expedite(nthOf(tasks, 2), 0);
  wheel.expedite(firstOf(tasks), 0);
  assertEquals(takeAll(wheel, 0), [2, 0]);
  assertEquals(wheel.size, 1);
});

Deno.test("TimingWheel.take() does not look at the many that are not due", () => {
  let looks = 0;
  const wheel = new TimingWheel<Task>(10);
  for (let id = 0; id < 20_000; id++) {
    const task = new Task(id);
    let dueAt = 0;
    Object.defineProperty(task, "dueAt", { get: () => (looks++, dueAt), set: (value: number) => dueAt = value });
    wheel.schedule(task, 30_000 + id, 0);
  }
  const ticks = 100;
  for (let tick = 1; tick <= ticks; tick++) assertEquals(wheel.take(tick * 10), undefined);
  assertLess(looks / ticks, 20_000 / 100, "looks a tick");
});
