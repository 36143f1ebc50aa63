// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertStrictEquals, assertThrows } from "@std/assert";
import { checkHeartbeatMessage, COUNTER_MAX, HeartbeatWord } from "../../gossip/heartbeat_message.ts";
import { seededRandom } from "../seeded_random.ts";

const { probeRequest, probeReport, dead, alive } = HeartbeatWord;

const sound: readonly unknown[] = [
  0,
  COUNTER_MAX,
  true,
  false,
  [probeRequest, "a", 1_700_000_000_000, 7, 1],
  [probeReport, "a", 1, 7, 0, -1],
  [probeReport, "a", 1, 7, 12_000, 6_500],
  [dead, "a", 0, 0],
  [alive, "é".repeat(255), Number.MAX_SAFE_INTEGER, 1],
];

Deno.test("checkHeartbeatMessage() takes every message as it is", () => {
  for (const message of sound) assertStrictEquals<unknown>(checkHeartbeatMessage(message), message);
});

Deno.test("checkHeartbeatMessage() throws a TypeError at anything else", () => {
  const malformed: readonly unknown[] = [
    ...[undefined, null, "beat", {}, new Uint8Array(4), 1n, -1, 0.5, NaN, Infinity, COUNTER_MAX + 1],
    ...[[], [0], [5, "a", 1, 1], ["1", "a", 1, 1], [1.5, "a", 1, 1, 1], [-1, "a", 1, 1], [dead]],
    ...[[dead, "a", 1], [dead, "a", 1, 1, 1], [probeRequest, "a", 1, 1], [probeReport, "a", 1, 1, 0]],
    ...[[dead, "", 1, 1], [dead, "x".repeat(256), 1, 1], [dead, 7, 1, 1], [dead, null, 1, 1]],
    ...[[dead, "a", -1, 1], [dead, "a", 2 ** 53, 1], [dead, "a", "1", 1]],
    ...[[dead, "a", 1, -1], [alive, "a", 1, COUNTER_MAX + 1], [alive, "a", 1, 0.5]],
    ...[[probeRequest, "a", 1, 1, 2], [probeRequest, "a", 1, 1, -1], [probeRequest, "a", 1, 1, true]],
    ...[[probeReport, "a", 1, 1, -1, 0], [probeReport, "a", 1, 1, 0, -2], [probeReport, "a", 1, 1, 0, null]],
  ];
  for (const value of malformed) {
    assertThrows(() => checkHeartbeatMessage(value), TypeError, "Malformed heartbeat message");
  }
});

Deno.test("checkHeartbeatMessage() throws nothing but TypeErrors, whatever is mutated", () => {
  const random = seededRandom(1);
  const oddities: readonly unknown[] = [undefined, null, NaN, -1, 2 ** 60, "", "x", [], {}, 3n, true];
  for (let round = 0; round < 10_000; round++) {
    const message: unknown[] = structuredClone(random.pick(sound.filter(Array.isArray)));
    const place = random.int(message.length + 1);
    if (random.int(4) === 0) message.splice(place, 1);
    else message[place] = random.pick(oddities);
    try {
      assertStrictEquals<unknown>(checkHeartbeatMessage(message), message);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
});
