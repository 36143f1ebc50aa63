// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions, NUMBER, type OptionKinds } from "../runtime/options.ts";
import { checkOption } from "./check_option.ts";
import { Scamp } from "./scamp/scamp.ts";
import { NEVER } from "./scamp/state.ts";
import type { Strategy } from "./strategy.ts";

/** Options of {@linkcode scampV1}. */
export interface ScampV1Options {
  /**
   * Copies of each subscription beyond those that keep views at ln(N), 0 to 32: views hold (c + 1) · ln(N) nodes on average, and
   * the graph stays connected while up to c / (c + 1) of all links fail.
   *
   * @default {5}
   */
  readonly c?: number | undefined;
  /**
   * Nodes in a view at most, as a safeguard, 8 to 1,024.
   *
   * @default {256}
   */
  readonly viewSizeMax?: number | undefined;
  /**
   * Gossip intervals for which a node that is down is redialed, 1 to 1,000,000. Two halves of a cluster that were cut from
   * each other for longer come together only by a new join.
   *
   * @default {3600}
   */
  readonly forgetAfter?: number | undefined;
}

/** Kinds of the options of {@linkcode scampV1}. */
export const SCAMP_V1_KINDS: OptionKinds<ScampV1Options> = { c: NUMBER, viewSizeMax: NUMBER, forgetAfter: NUMBER };

/**
 * The SCAMP overlay in its basic form: each node keeps connections with about (c + 1) · ln(N) others, without any node knowing N.
 *
 * From A. Ganesh, A.-M. Kermarrec and L. Massoulié, "SCAMP: peer-to-peer lightweight membership service for large-scale
 * group communication", NGC 2001: subscription and unsubscription. A node that newcomers join through is in the view of all of
 * them: where that is always the same node, {@linkcode scampV2} is the better choice.
 *
 * @param options Sizes and times.
 * @returns The strategy.
 * @throws {TypeError} When an option has another kind of value, or a name that is not known.
 * @throws {RangeError} When an option is out of range.
 *
 * @example A cluster in which each newcomer joins through another node
 * ```ts
 * import { scampV1 } from "@partisan/peer-service/strategy";
 * import { StrategySimulator } from "@partisan/peer-service/testing";
 * import { assert, assertLess } from "@std/assert";
 *
 * const cluster = new StrategySimulator(scampV1({ c: 1 }), { seed: 1 });
 * for (let index = 0; index < 100; index++) {
 *   cluster.start(`n${index}`, { join: index > 0 ? `n${index >> 1}` : undefined });
 *   cluster.run(1_000);
 * }
 *
 * const sizes = cluster.alive.map((name) => cluster.peers(name).length);
 * const mean = sizes.reduce((sum, size) => sum + size) / sizes.length;
 * assert(cluster.isConnected());
 * assertLess(Math.abs(mean - 2 * Math.log(100)), 4);
 * ```
 */
export function scampV1(options: ScampV1Options = {}): Strategy {
  const { c = 5, viewSizeMax = 256, forgetAfter = 3_600 } = checkOptions(
    'Cannot use the strategy "scamp-v1"',
    options,
    SCAMP_V1_KINDS,
  );
  return new Scamp({
    name: "scamp-v1",
    c: checkOption(c, "c", 0, 32),
    viewSizeMax: checkOption(viewSizeMax, "viewSizeMax", 8, 1_024),
    forgetAfter: checkOption(forgetAfter, "forgetAfter", 1, 1_000_000),
    lease: NEVER,
    heartbeat: NEVER,
    hasIndirection: false,
  });
}
