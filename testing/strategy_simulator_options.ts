// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BOOLEAN, FUNCTION, KEY, NUMBER, type OptionKind, type OptionKinds, STRING } from "../runtime/options.ts";

/** Options of a `StrategySimulator`. Times are milliseconds. */
export interface StrategySimulatorOptions {
  /**
   * Decides the whole run.
   *
   * @default {0}
   */
  readonly seed?: number | string | undefined;
  /**
   * From one call of `periodic` to the next.
   *
   * @default {1000}
   */
  readonly interval?: number | undefined;
  /**
   * The least and the greatest time that a message takes.
   *
   * @default {[1, 50]}
   */
  readonly latency?: readonly [number, number] | undefined;
  /**
   * The greatest time until an end notices that its connection is broken.
   *
   * @default {100}
   */
  readonly notice?: number | undefined;
  /**
   * Whether `down` is called, too, when a node that was dialed cannot be reached.
   *
   * @default {false}
   */
  readonly tellUnreachable?: boolean | undefined;
  /** Metadata of each node, such as its role; nothing by default. */
  readonly metadata?: ((name: string) => Readonly<Record<string, unknown>>) | undefined;
  /** Called with each message that is sent, to count its bytes for example. */
  readonly onMessage?: ((message: unknown) => void) | undefined;
}

/** Options of the start of a node. */
export interface StartOptions {
  /** The node through which it joins the cluster; without one, it begins a cluster of its own. */
  readonly join?: string | undefined;
  /**
   * Whether it remembers what its former incarnation knew.
   *
   * @default {false}
   */
  readonly remember?: boolean | undefined;
  /**
   * Whether it has the address of its former incarnation.
   *
   * @default {false}
   */
  readonly keepAddress?: boolean | undefined;
}

const TWO_NUMBERS: OptionKind = [
  "a list of two numbers",
  (value) => Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === "number"),
];

/** Kinds of the options of a `StrategySimulator`. */
export const SIMULATOR_KINDS: OptionKinds<StrategySimulatorOptions> = {
  seed: KEY,
  interval: NUMBER,
  latency: TWO_NUMBERS,
  notice: NUMBER,
  tellUnreachable: BOOLEAN,
  metadata: FUNCTION,
  onMessage: FUNCTION,
};

/** Kinds of the options of the start of a node. */
export const START_KINDS: OptionKinds<StartOptions> = { join: STRING, remember: BOOLEAN, keepAddress: BOOLEAN };
