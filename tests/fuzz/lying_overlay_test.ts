// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertGreater, assertLess } from "@std/assert";
import { hyparview, scampV1, scampV2, type Strategy } from "../../strategy/mod.ts";
import { DEPARTURES_MAX } from "../../strategy/departures.ts";
import { LyingOverlay } from "./lying_overlay.ts";

const HYPARVIEW = { active: 5, passive: 30, pending: 11, lost: 16, exchanges: 4, departures: DEPARTURES_MAX };
const SCAMP = { view: 256, inView: 1_024, heardOf: 16, vacated: 64, departures: DEPARTURES_MAX };
const cost = (one: { readonly name: string }, other: { readonly name: string }) =>
  (one.name.length + other.name.length) % 3;

/** Overlays, the lies in each round, and how many messages a lie may come to. */
const OVERLAYS: readonly [
  name: string,
  make: () => Strategy,
  limits: Record<string, number>,
  rate: number,
  most: number,
][] = [
  ["hyparview()", () => hyparview(), HYPARVIEW, 20, 40],
  ["hyparview({ xbot })", () => hyparview({ xbot: { cost } }), HYPARVIEW, 20, 40],
  ["scampV1()", () => scampV1({ c: 1 }), SCAMP, 4, 600],
  ["scampV2()", () => scampV2({ c: 1 }), SCAMP, 4, 600],
];

for (const [name, make, limits, rate, most] of OVERLAYS) {
  Deno.test(`Over ${name}, a member that lies about others takes no node from the overlay, and fills no memory`, () => {
    const overlay = new LyingOverlay({ strategy: make(), size: 16, limits, seed: 1, saysEnds: false });
    const { messagesPerLie, honestNeighbours } = overlay.run(20, rate);
    assertLess(messagesPerLie, most);
    assertGreater(honestNeighbours, 1);
  });
}

Deno.test("Over hyparview(), honest nodes find each other again after a member has said of all that they are gone", () => {
  const overlay = new LyingOverlay({ strategy: hyparview(), size: 16, limits: HYPARVIEW, seed: 1, saysEnds: true });
  overlay.run(20, 20);
});
