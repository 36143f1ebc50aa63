// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions, NUMBER, type OptionKinds } from "../runtime/options.ts";
import { checkOption } from "./check_option.ts";
import { Scamp } from "./scamp/scamp.ts";
import { SCAMP_V1_KINDS, type ScampV1Options } from "./scamp_v1.ts";
import type { Strategy } from "./strategy.ts";

/** Options of {@linkcode scampV2}. */
export interface ScampV2Options extends ScampV1Options {
  /**
   * Gossip intervals after which a subscription ends unless it was renewed, 20 to 1,000,000.
   *
   * @default {600}
   */
  readonly lease?: number | undefined;
  /**
   * Gossip intervals from one heartbeat to the next along each link, 1 to 1,000. A node that hears of no other for three of them
   * subscribes again.
   *
   * @default {10}
   */
  readonly heartbeat?: number | undefined;
}

const KINDS: OptionKinds<ScampV2Options> = { ...SCAMP_V1_KINDS, lease: NUMBER, heartbeat: NUMBER };

/**
 * The SCAMP overlay with its refinements: views stay balanced whichever node newcomers join through (indirection), forget
 * those that they should (leases), and a node that no other node knows any more gets known again (recovery from isolation).
 *
 * From A. Ganesh, A.-M. Kermarrec and L. Massoulié, "Peer-to-peer membership management for gossip-based
 * protocols", IEEE Transactions on Computers 52(2), 2003.
 *
 * @param options Sizes and times.
 * @returns The strategy.
 * @throws {TypeError} When an option has another kind of value, or a name that is not known.
 * @throws {RangeError} When an option is out of range.
 *
 * @example All newcomers join through one node, whose links stay few
 * ```ts
 * import { scampV2 } from "@partisan/peer-service/strategy";
 * import { StrategySimulator } from "@partisan/peer-service/testing";
 * import { assert, assertLess } from "@std/assert";
 *
 * const cluster = new StrategySimulator(scampV2({ c: 1 }), { seed: 1 });
 * for (let index = 0; index < 100; index++) {
 *   cluster.start(`n${index}`, { join: index > 0 ? "n0" : undefined });
 *   cluster.run(1_000);
 * }
 * cluster.run(10_000);
 *
 * assert(cluster.isConnected());
 * assertLess(cluster.neighbours("n0").length, 50);
 * ```
 */
export function scampV2(options: ScampV2Options = {}): Strategy {
  const { c = 5, viewSizeMax = 256, forgetAfter = 3_600, lease = 600, heartbeat = 10 } = checkOptions(
    'Cannot use the strategy "scamp-v2"',
    options,
    KINDS,
  );
  return new Scamp({
    name: "scamp-v2",
    c: checkOption(c, "c", 0, 32),
    viewSizeMax: checkOption(viewSizeMax, "viewSizeMax", 8, 1_024),
    forgetAfter: checkOption(forgetAfter, "forgetAfter", 1, 1_000_000),
    lease: checkOption(lease, "lease", 20, 1_000_000),
    heartbeat: checkOption(heartbeat, "heartbeat", 1, 1_000),
    hasIndirection: true,
  });
}
