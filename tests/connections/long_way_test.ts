// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertGreater, assertLess } from "@std/assert";
import { useChannels } from "../use_channels.ts";
import { SimulatedCluster } from "@partisan/peer-service/testing";

const KIBIBYTE = 1_024;
const PAYLOAD = 256 * KIBIBYTE;
const ACTORS = 16;
const ROUNDS = 3;

/** A link as long ways have it: both directions take their time, carry so much a second, and a connection has so much under way. */
interface LongWay {
  readonly roundTrip: number;
  readonly bytesPerSecond: number;
  readonly windowBytes: number;
}

/** Virtual milliseconds for actors that echo a large message `ROUNDS` times each, one under way for each actor. */
async function echoed({ roundTrip, bytesPerSecond, windowBytes }: LongWay, connections: number): Promise<number> {
  const channels = Object.fromEntries(Array.from({ length: connections }, (_, index) => [`c${index}`, {}]));
  await using cluster = await SimulatedCluster.start({
    nodes: ["a", "b"],
    latency: roundTrip / 2,
    windowBytes,
    options: { channels: { ...channels } },
  });
  cluster.world.network.clog("a", "b", bytesPerSecond);
  cluster.world.network.clog("b", "a", bytesPerSecond);
  const [a, b] = [cluster.node("a"), cluster.node("b")];
  b.register("echo", (message) => message);
  await cluster.runUntil(() => cluster.nodes.map(useChannels).every(Boolean), 10_000);
  await cluster.advance(roundTrip);
  const payload = new Uint8Array(PAYLOAD);
  const started = cluster.now;
  const actor = async (index: number) => {
    for (let round = 0; round < ROUNDS; round++) {
      await a.call("b", "echo", payload, { channel: `c${index % connections}`, timeout: 60_000 });
    }
  };
  await cluster.wait(Promise.all(Array.from({ length: ACTORS }, (_, index) => actor(index))));
  return cluster.now - started;
}

Deno.test("On a long way one connection is held to its window, and channels share the link among more of them", async () => {
  const way = { roundTrip: 20, bytesPerSecond: 100e6, windowBytes: 256 * KIBIBYTE };
  const bytes = ACTORS * ROUNDS * PAYLOAD;
  // In the simulated network the news that bytes were read take no time on their way back.
  const byWindow = bytes / way.windowBytes * way.roundTrip / 2;
  const byRate = bytes / way.bytesPerSecond * 1_000;
  const [one, four, sixteen] = [await echoed(way, 1), await echoed(way, 4), await echoed(way, 16)];
  assertGreater(one, byWindow, "a connection had more under way than its window");
  assertLess(one, 1.5 * byWindow);
  assertLess(four, one / 3, "four channels bring less than three times as much");
  assertGreater(sixteen, byRate, "the link carried more than it can");
  // All actors send at once, and are then all echoed at once: the link has one direction to carry at a time.
  assertLess(sixteen, 2 * byRate + 2 * ROUNDS * way.roundTrip);
});

Deno.test("On a short way, where the rate of the link is the limit, more connections bring nothing and cost nothing", async () => {
  const way = { roundTrip: 1, bytesPerSecond: 50e6, windowBytes: 1_024 * KIBIBYTE };
  const [one, four] = [await echoed(way, 1), await echoed(way, 4)];
  assertLess(Math.abs(one - four), 0.1 * one);
});
