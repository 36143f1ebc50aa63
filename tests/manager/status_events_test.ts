// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Peer } from "../../connections/peer.ts";
import type { NodeContext } from "../../manager/node_context.ts";
import { StatusEvents } from "../../manager/status_events.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { nodeSpec } from "../node_spec.ts";

function bench() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const emit = (type: string, detail: object) => void told.push(`${type} ${Object.values(detail).join(" ")}`);
  const context = { runtime: { clock }, settings: { courtesy: 1_000 }, stopped: false, emit };
  const events = new StatusEvents(context as unknown as NodeContext);
  events.down.add("b", (node, channel) => told.push(`heard ${node} ${channel}`), { channel: "bulk" });
  return { clock, told, events, peer: new Peer(nodeSpec("b"), nodeSpec("a")) };
}

Deno.test("StatusEvents sets no timer for the channels of a node that is down as a whole, and tells those that asked for a channel", () => {
  const { clock, told, events, peer } = bench();
  events.channelUp(peer, "bulk");
  events.channelDown(peer, "bulk", true);
  assertEquals(clock.pending, 0);
  events.peerDown(peer);
  assertEquals(told, ["up b bulk", "heard b bulk", "down b"]);
});

Deno.test("StatusEvents waits before it tells that a channel is down of a node that is up", () => {
  const { clock, told, events, peer } = bench();
  events.channelUp(peer, "bulk");
  events.channelDown(peer, "bulk", false);
  assertEquals([told, clock.pending], [["up b bulk", "heard b bulk"], 1]);
  clock.runNext();
  assertEquals(told, ["up b bulk", "heard b bulk", "down b bulk"]);
});
