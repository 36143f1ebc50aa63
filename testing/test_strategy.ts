// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Strategy } from "../strategy/strategy.ts";
import { CLUSTER_CHECKS } from "./strategy_checks/cluster_checks.ts";
import { FAULT_CHECKS } from "./strategy_checks/fault_checks.ts";
import { LOCAL_CHECKS } from "./strategy_checks/local_checks.ts";
import { type Check, Trial, type TrialOptions } from "./strategy_checks/trial.ts";
import {
  BOOLEAN,
  checkOptions,
  FUNCTION,
  NUMBER,
  type OptionKind,
  type OptionKinds,
  STRINGS,
} from "../runtime/options.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Options of {@linkcode testStrategy} and {@linkcode strategyChecks}. */
export interface StrategyTestOptions {
  /**
   * The names of the nodes that the clusters are made of, at least 6. All join through the first one, and as long as a third
   * of them or fewer is missing the strategy must be able to connect the others.
   *
   * @default {["n0", "n1", …, "n11"]}
   */
  readonly names?: readonly string[] | undefined;
  /**
   * Each check is made once for each of these.
   *
   * @default {[1, 2, 3]}
   */
  readonly seeds?: readonly number[] | undefined;
  /** Metadata of each node, such as its role; nothing by default. */
  readonly metadata?: ((name: string) => Readonly<Record<string, unknown>>) | undefined;
  /**
   * Whether every node must know every other one, as opposed to a part of them.
   *
   * @default {false}
   */
  readonly knowsAll?: boolean | undefined;
  /**
   * Whether a node that is among the peers of another one must have that one among its own.
   *
   * @default {false}
   */
  readonly isSymmetric?: boolean | undefined;
  /**
   * Milliseconds, at a gossip interval of 1,000, after which a cluster must have settled when nothing happens to it.
   *
   * @default {60_000}
   */
  readonly settle?: number | undefined;
}

const NUMBERS: OptionKind = [
  "a list of numbers",
  (value) => Array.isArray(value) && value.every((each) => typeof each === "number"),
];

const KINDS: OptionKinds<StrategyTestOptions> = {
  names: STRINGS,
  seeds: NUMBERS,
  metadata: FUNCTION,
  knowsAll: BOOLEAN,
  isSymmetric: BOOLEAN,
  settle: NUMBER,
};

/** One thing that a strategy has to do. */
export interface StrategyCheck {
  /** Name of the check, as a sentence. */
  readonly name: string;
  /** Throws an error that says what is wrong, and for which seed, when the strategy does not do it. */
  readonly run: () => void;
}

/**
 * All that a strategy has to do, one by one, so that each can be a test of its own.
 *
 * @param create Makes the strategy.
 * @param options Size and faults of the clusters, and the properties to demand.
 * @throws {TypeError | RangeError} When an option can be none.
 * @returns The checks. They take no longer than some seconds together, in virtual time, and need no permission.
 *
 * @example A test for each
 * ```ts
 * import { fullMesh } from "@partisan/peer-service/strategy";
 * import { strategyChecks } from "@partisan/peer-service/testing";
 *
 * for (const { name, run } of strategyChecks(fullMesh, { knowsAll: true, seeds: [1] })) {
 *   Deno.test(name, run);
 * }
 * ```
 */
export function strategyChecks<State>(
  create: () => Strategy<State>,
  options: StrategyTestOptions = {},
): readonly StrategyCheck[] {
  const trialOptions = withDefaults(options);
  const { name } = create();
  return [...LOCAL_CHECKS, ...CLUSTER_CHECKS, ...FAULT_CHECKS].map((check) => ({
    name: `strategy "${name}" ${check.name}`,
    run: () => runCheck(check, create, trialOptions),
  }));
}

/**
 * Finds out whether a strategy holds what {@linkcode Strategy} demands: that it is pure; that nodes which join become one cluster,
 * and stay one while others crash, restart, leave and are cut off; that a node which left is forgotten; that
 * malformed messages are refused.
 *
 * @param create Makes the strategy.
 * @param options Size and faults of the clusters, and the properties to demand.
 * @throws {Error} With everything that it does not hold.
 * @throws {TypeError | RangeError} When an option can be none.
 *
 * @example Testing a strategy with three servers and some clients
 * ```ts
 * import { clientServer } from "@partisan/peer-service/strategy";
 * import { testStrategy } from "@partisan/peer-service/testing";
 *
 * testStrategy(clientServer, {
 *   names: ["s1", "s2", "s3", "c1", "c2", "c3", "c4"],
 *   metadata: (name) => ({ tag: name.startsWith("s") ? "server" : "client" }),
 *   knowsAll: true,
 *   isSymmetric: true,
 *   seeds: [1],
 * });
 * ```
 */
export function testStrategy<State>(create: () => Strategy<State>, options: StrategyTestOptions = {}): void {
  const checks = strategyChecks(create, options);
  const failures = checks.map(failureOf).filter((failure) => failure !== undefined);
  if (failures.length === 0) return;
  throw new Error([`${failures.length} of ${checks.length} checks fail`, ...failures].join("\n- "));
}

function failureOf({ name, run }: StrategyCheck): string | undefined {
  try {
    run();
  } catch (error) {
    return `${name}: ${messageOf(error)}`;
  }
}

function runCheck<State>(check: Check, create: () => Strategy<State>, options: TrialOptions): void {
  for (const seed of options.seeds) {
    const another = () => new Trial(create, options, seed, check.isThorough);
    try {
      check.run(another(), another);
    } catch (cause) {
      throw new Error(`Seed ${seed}: ${messageOf(cause)}`, { cause });
    }
  }
}

function withDefaults(given: StrategyTestOptions): TrialOptions {
  const options = checkOptions("Cannot test a strategy", given, KINDS);
  const names = options.names ?? Array.from({ length: 12 }, (_, index) => `n${index}`);
  if (names.length < 6) throw new RangeError(`Cannot test a strategy: ${names.length} names, expected at least 6`);
  return {
    names,
    seeds: options.seeds ?? [1, 2, 3],
    metadata: options.metadata ?? (() => ({})),
    knowsAll: options.knowsAll ?? false,
    isSymmetric: options.isSymmetric ?? false,
    settle: options.settle ?? 60_000,
  };
}
