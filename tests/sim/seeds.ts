// Copyright 2026 the Partisan peer-service authors. MIT license.

import { OVERLAY_SEEDS } from "./scenario.ts";

/** Number of seeds, from the first one, that are run each time. */
const FIRST_SEEDS = 1_000;

/**
 * Seeds that once failed, and what they showed. A change of the scenarios makes another run of each; what was found is tested step by step in
 * `found_bugs_test.ts`.
 */
export const FAILED_ONCE: readonly { readonly seed: number; readonly showed: string }[] = [
  {
    seed: 143_844_738_809,
    showed:
      "an acknowledgement was told again over a connection alone that carried nothing any more, and the sender waited",
  },
  {
    seed: 208_420_544_657,
    showed: "a connection that was closed in the middle of a frame was told as an error",
  },
  {
    seed: 539_511_075_761,
    showed: "nodes were called fully connected over connections that were about to be replaced",
  },
  {
    seed: 710_571_502_930,
    showed: "a dial that took long replaced a connection that was in use, and lost what was on its way over it",
  },
];

/** The seeds that each test run goes through: always the same, so that a red run can be repeated. */
export const SEEDS: readonly number[] = [
  ...FAILED_ONCE.map(({ seed }) => seed),
  ...Array.from({ length: FIRST_SEEDS }, (_, index) => index + 1),
];

/**
 * Seeds over partial views that each test run goes through: one of each overlay at least, with few nodes, as these runs take long. Those of them that once
 * failed showed:
 *
 * - 38: a causal message waited without end, because its sender, which had its receiver for no neighbour, heard nothing of that one's next incarnation.
 * - 60: a message was refused, because the only connection for it was being replaced, although others could have passed it on.
 * - 604: a node that had left was taken for gone in the incarnation in which it joined again, by one that had heard of that before it heard of the end.
 * - 1330: a message came twice, because its receiver had forgotten the sender, which knew nothing of that and said again what was not known to be read.
 * - 1436: a call failed, because one side had given up a connection that the other went on with, and for which that refused what others relayed.
 * - 694,140,816,737: a causal message waited without end, because its receiver took its sender for gone, which had not heard that it was removed.
 * - 499,707,333,859: a node that is well was told down for good, by a former neighbour of which a router forgot that it was none any more.
 */
export const SEEDS_OVER_OVERLAYS: readonly number[] = [
  4,
  7,
  13,
  15,
  16,
  18,
  19,
  22,
  24,
  25,
  37,
  38,
  47,
  51,
  55,
  60,
  604,
  1330,
  1436,
  499_707_333_859,
  694_140_816_737,
]
  .map((seed) => OVERLAY_SEEDS + seed);
