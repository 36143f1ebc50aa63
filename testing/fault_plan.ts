// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Fault, FAULT_KINDS, type FaultAction, type FaultKind, type Way } from "./fault.ts";
import { checkRequired, NUMBER, type OptionKind, type OptionKinds, STRINGS } from "../runtime/options.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** Options of a plan of faults. */
export interface FaultPlanOptions {
  /** The nodes that faults happen to. */
  readonly nodes: readonly string[];
  /** Milliseconds in which all of it happens. */
  readonly duration: number;
  /**
   * Number of faults.
   *
   * @default {10}
   */
  readonly count?: number | undefined;
  /**
   * Most milliseconds that one of them lasts.
   *
   * @default {half of the duration}
   */
  readonly longest?: number | undefined;
  /**
   * Kinds of faults that may happen; a kind that is listed twice happens twice as often.
   *
   * @default {all kinds}
   */
  readonly kinds?: readonly FaultKind[] | undefined;
}

const FAULTS: OptionKind = [
  `a list of some of ${FAULT_KINDS.join(", ")}`,
  (value) => Array.isArray(value) && value.length > 0 && value.every((kind) => FAULT_KINDS.includes(kind)),
];

const ACTION = "Cannot plan faults";
const KINDS: OptionKinds<FaultPlanOptions> = {
  nodes: STRINGS,
  duration: NUMBER,
  count: NUMBER,
  longest: NUMBER,
  kinds: FAULTS,
};

/**
 * Draws up a plan of faults by chance, in the order of their beginning.
 *
 * @throws {TypeError} When an option has another kind of value, or a name that is not known.
 * @throws {RangeError} When there are less than two nodes.
 *
 * @example The same seed makes the same plan
 * ```ts
 * import { planFaults, SeededRandom } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const options = { nodes: ["a", "b", "c"], duration: 10_000, kinds: ["cut", "pause"] as const };
 * assertEquals(planFaults(new SeededRandom(7), options), planFaults(new SeededRandom(7), options));
 * ```
 */
export function planFaults(random: SeededRandom, options: FaultPlanOptions): Fault[] {
  const given = checkRequired(ACTION, options, KINDS, "nodes", "duration");
  const { nodes, duration, count = 10, longest = duration / 2, kinds = FAULT_KINDS } = given;
  if (nodes.length < 2) throw new RangeError(`${ACTION}: ${nodes.length} nodes, expected 2 or more`);
  const faults = Array.from({ length: count }, (): Fault => {
    const action = drawAction(random, random.pick(kinds), random.shuffle(nodes));
    const at = random.int(duration);
    // Most faults are short; now and then one lasts until all nodes have noticed.
    const lasts = Math.min(duration - at, longest * random.next() ** 2);
    return { ...action, at, duration: action.kind === "reset" || action.kind === "forget" ? 0 : Math.round(lasts) };
  });
  return faults.sort((a, b) => a.at - b.at);
}

/** @param nodes All nodes, in random order. */
function drawAction(random: SeededRandom, kind: FaultKind, nodes: readonly string[]): FaultAction {
  const [node, other] = nodes as readonly [string, string];
  switch (kind) {
    case "cut":
      return { kind, ...drawCut(random, nodes), connects: random.pick(["hang", "hang", "refuse"]) };
    case "clog":
      return { kind, ways: bothWays([node], [other]), bytesPerSecond: random.pick([500, 5_000, 50_000]) };
    case "narrow":
      return { kind, ways: [[node, other]], bytes: random.pick([100, 1_400]) };
    case "forget":
      return { kind, nodes: [node, other], index: random.int(5) };
    case "reset":
      return { kind, nodes: [node, other] };
    case "slow-reader":
      return { kind, node, bytesPerSecond: random.pick([500, 5_000, 50_000]) };
    case "pause":
      return { kind, node };
    case "crash":
      return {
        kind,
        node,
        reset: random.int(2) === 0,
        disk: random.pick(["kept", "lost"]),
        join: random.int(3) > 0,
      };
    case "disk":
      return { kind, node, fault: random.pick(["fail", "lose"]) };
    case "skew":
      return { kind, node, ms: (random.int(2) * 2 - 1) * random.pick([50, 1_000, 60_000]) };
  }
}

function drawCut(random: SeededRandom, nodes: readonly string[]): { shape: string; ways: Way[] } {
  const [node, other, ...rest] = nodes as readonly [string, string, ...string[]];
  const half = Math.floor(nodes.length / 2);
  switch (random.int(nodes.length < 4 ? 3 : 6)) {
    case 0:
      return { shape: "one-way", ways: [[node, other]] };
    case 1:
      return { shape: "link", ways: bothWays([node], [other]) };
    case 2:
      return { shape: "one-node", ways: bothWays([node], [other, ...rest]) };
    case 3:
      return { shape: "halves", ways: bothWays(nodes.slice(0, half), nodes.slice(half)) };
    case 4:
      return { shape: "majority-ring", ways: majorityRing(nodes) };
    default: {
      // The first node reaches both halves of the others.
      const others = nodes.slice(1);
      return { shape: "bridge", ways: bothWays(others.slice(0, half), others.slice(half)) };
    }
  }
}

/** Each node reaches the nearest ones on a ring, which with itself are a majority; and no two reach the same. */
function majorityRing(nodes: readonly string[]): Way[] {
  const reach = Math.ceil((nodes.length - 1) / 4);
  const ways: Way[] = [];
  for (const [index, from] of nodes.entries()) {
    for (const [otherIndex, to] of nodes.entries()) {
      const apart = Math.abs(index - otherIndex);
      if (Math.min(apart, nodes.length - apart) > reach) ways.push([from, to]);
    }
  }
  return ways;
}

function bothWays(some: readonly string[], others: readonly string[]): Way[] {
  return some.flatMap((a) => others.flatMap((b): Way[] => [[a, b], [b, a]]));
}
