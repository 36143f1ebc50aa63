// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { ChannelEvents } from "../../manager/channel_events.ts";
import type { Emit } from "../../manager/events.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { pass } from "../connections/bare_runtime.ts";

function bench() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const emit: Emit = (type, detail) => void told.push(`${type} ${Object.values(detail).join(" ")}`);
  return { clock, told, events: new ChannelEvents(clock, 100, emit) };
}

Deno.test("ChannelEvents tells of a channel that stays away after its grace, and when it is back", async () => {
  const { clock, told, events } = bench();
  events.up("b", "bulk");
  events.down("b", "bulk");
  await pass(clock, 99);
  assertEquals(told, ["up b bulk"]);
  await pass(clock, 1);
  events.up("b", "bulk");
  assertEquals(told, ["up b bulk", "down b bulk", "up b bulk"]);
});

Deno.test("ChannelEvents tells nothing of a connection that is replaced in time", async () => {
  const { clock, told, events } = bench();
  events.up("b", "bulk");
  for (let round = 0; round < 3; round++) {
    events.down("b", "bulk");
    await pass(clock, 99);
    events.up("b", "bulk");
  }
  await pass(clock, 1_000);
  assertEquals([told, clock.pending], [["up b bulk"], 0]);
});

Deno.test("ChannelEvents tells nothing of channels that go down with their node, and of them anew when that is back", async () => {
  const { clock, told, events } = bench();
  events.up("b", "bulk");
  events.up("c", "bulk");
  events.down("b", "bulk");
  events.nodeDown("b");
  await pass(clock, 1_000);
  events.up("b", "bulk");
  assertEquals(told, ["up b bulk", "up c bulk", "up b bulk"]);
  events.down("c", "bulk");
  events.stop();
  assertEquals(clock.pending, 0);
});
