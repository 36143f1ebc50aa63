// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Strategy } from "../../strategy/strategy.ts";
import { SeededRandom } from "../seeded_random.ts";
import { StrategySimulator } from "../strategy_simulator.ts";
import { type WatchedState, WatchedStrategy } from "./watched_strategy.ts";

/** Options of `testStrategy()`, all of them given. */
export interface TrialOptions {
  readonly names: readonly string[];
  readonly seeds: readonly number[];
  readonly metadata: (name: string) => Readonly<Record<string, unknown>>;
  readonly knowsAll: boolean;
  readonly isSymmetric: boolean;
  readonly settle: number;
}

/** One simulated cluster of nodes with the strategy under test, and what is demanded of it. */
export class Trial<State> {
  readonly strategy: WatchedStrategy<State>;
  readonly cluster: StrategySimulator<WatchedState<State>>;
  readonly options: TrialOptions;
  /** For the choices of a check. */
  readonly random: SeededRandom;
  /** Every message that was sent. */
  readonly messages: unknown[] = [];

  /** A cluster without nodes so far. */
  constructor(create: () => Strategy<State>, options: TrialOptions, seed: number, isThorough = false) {
    this.options = options;
    this.random = new SeededRandom(seed).fork("check");
    this.strategy = new WatchedStrategy(create(), isThorough);
    this.cluster = new StrategySimulator(this.strategy, {
      seed,
      metadata: options.metadata,
      onMessage: (message) => this.messages.push(message),
    });
  }

  /** The node through which all others join. */
  get contact(): string {
    return this.options.names[0]!;
  }

  /** Starts all nodes, one after another, and waits until they have settled. */
  form(pause = 500): this {
    for (const name of this.options.names) {
      this.cluster.start(name, { join: name === this.contact ? undefined : this.contact });
      this.cluster.run(pause);
    }
    this.settle();
    return this;
  }

  /** Lets the time pass in which the cluster must have settled. */
  settle(): void {
    this.cluster.run(this.options.settle);
  }

  /** Demands that the running nodes are one cluster, and no other node is in it but `others`. */
  expectOneCluster(others: readonly string[] = []): void {
    const { cluster, options } = this;
    const { alive } = cluster;
    if (!cluster.isConnected()) {
      throw new Error(`the nodes are not connected: ${alive.map((name) => this.#describe(name)).join("; ")}`);
    }
    const known = new Set([...alive, ...others]);
    for (const name of alive) {
      const members = cluster.members(name);
      demand(members.includes(name), () => `members() of "${name}" misses "${name}" itself`);
      const strangers = members.filter((member) => !known.has(member));
      demand(
        strangers.length === 0,
        () => `members() of "${name}" has ${strangers.join()}, which are not in the cluster`,
      );
      const missing = options.knowsAll ? [...known].filter((other) => !members.includes(other)) : [];
      demand(missing.length === 0, () => `members() of "${name}" misses ${missing.join()}`);
      for (const spec of [...cluster.memberSpecs(name), ...cluster.peerSpecs(name)]) this.#expectNewest(name, spec);
    }
    if (options.isSymmetric) this.#expectSymmetry();
  }

  /** Demands that no node knows or wants those nodes any more. */
  expectGone(names: readonly string[]): void {
    const { cluster } = this;
    for (const name of cluster.alive) {
      for (const gone of names) {
        demand(!cluster.members(name).includes(gone), () => `members() of "${name}" still has "${gone}"`);
        demand(!cluster.peers(name).includes(gone), () => `peers() of "${name}" still has "${gone}"`);
      }
    }
  }

  #expectNewest(name: string, spec: NodeSpec): void {
    const { alive } = this.cluster;
    if (!alive.includes(spec.name)) return;
    const { incarnation } = this.cluster.spec(spec.name);
    demand(
      spec.incarnation === incarnation,
      () =>
        `"${name}" knows incarnation ${spec.incarnation} of "${spec.name}", which is in its incarnation ${incarnation}`,
    );
  }

  /** While two nodes come to an agreement, one of them may be ahead for a moment. */
  #expectSymmetry(): void {
    let unequal = this.#unequalPairs();
    for (let count = 0; count < 8 && unequal.length > 0; count++) {
      this.cluster.run(700);
      const still = new Set(this.#unequalPairs());
      unequal = unequal.filter((pair) => still.has(pair));
    }
    demand(unequal.length === 0, () => `nodes have peers that do not have them among theirs: ${unequal.join(", ")}`);
  }

  #unequalPairs(): string[] {
    const { cluster } = this;
    const peers = new Map(cluster.alive.map((name) => [name, cluster.peers(name)]));
    return [...peers].flatMap(([name, others]) =>
      others.filter((other) => peers.get(other)?.includes(name) === false).map((other) => `${name} → ${other}`)
    );
  }

  #describe(name: string): string {
    return `${name} → ${this.cluster.neighbours(name).join(" ") || "none"}`;
  }
}

/**
 * One thing that every strategy has to do: throws when it does not. `another` gives further clusters, the same as the
 * first one at its beginning.
 */
export interface Check {
  /** Property of the strategy, as the rest of a sentence that begins with its name. */
  readonly name: string;
  /** Whether each step of the strategy is to be taken twice and compared. */
  readonly isThorough?: boolean;
  /** Makes the check. */
  readonly run: <State>(trial: Trial<State>, another: () => Trial<State>) => void;
}

/** Throws with `message` unless `condition` holds. */
export function demand(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message());
}
