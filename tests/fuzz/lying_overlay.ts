// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../membership/mod.ts";
import type { Strategy, StrategyContext, Transition } from "../../strategy/mod.ts";
import { StrategySimulator } from "../../testing/strategy_simulator.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { present } from "../values.ts";
import { OverlayWords } from "./overlay_words.ts";

const LIAR = "liar";
/** Incarnations by which a node may be ahead of the one that lives, as far as it is believed. */
const AHEAD_MAX = 3;

/** Rounds after the last lie in which the honest nodes find each other again. */
const HEALED_ROUNDS = 300;

/** Part of every state; the rest is read by name. */
type State = { readonly self: { readonly name: string } } & Readonly<Record<string, unknown>>;

/** Overlay in which one member lies. */
export interface Lied {
  readonly strategy: Strategy;
  readonly size: number;
  /** Lengths that the parts of a state may have. */
  readonly limits: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Whether the liar says of others that they have left, or begun another incarnation. */
  readonly saysEnds: boolean;
}

/** Damage that the lies did. */
export interface Damage {
  /** Messages that were sent for each lie. */
  readonly messagesPerLie: number;
  /** The least number of honest neighbours that an honest node had between two rounds, on average over the rounds. */
  readonly honestNeighbours: number;
}

/** A simulated overlay in which one member says to any other one what it likes, well-formed. */
export class LyingOverlay {
  readonly #cluster: StrategySimulator<State>;
  readonly #base: Strategy<State>;
  readonly #random: SeededRandom;
  readonly #limits: Lied["limits"];
  readonly #saysEnds: boolean;
  readonly #names: readonly string[];
  /** Lies in each round; none before the liar begins, and after it has ended. */
  #rate = 0;
  #lies = 0;
  /** Nodes that others hold for gone wrongly: they begin another incarnation, as a peer service does. */
  readonly #unjust = new Set<string>();

  constructor({ strategy, size, limits, seed, saysEnds }: Lied) {
    this.#saysEnds = saysEnds;
    this.#base = strategy as Strategy<State>;
    this.#random = seededRandom(seed);
    this.#limits = limits;
    this.#names = Array.from({ length: size }, (_, index) => `n${index}`);
    this.#cluster = new StrategySimulator(this.#lying(), { seed });
  }

  /**
   * Lets the overlay form, the liar lie for some rounds, and the overlay recover.
   *
   * @throws {Error} When an honest node throws, keeps too much, or is not connected with the others in the end.
   */
  run(rounds: number, rate: number): Damage {
    const cluster = this.#cluster;
    for (const [index, name] of [...this.#names, LIAR].entries()) {
      cluster.start(name, { join: index > 0 ? this.#names[0] : undefined });
      cluster.run(500);
    }
    cluster.run(60_000);
    this.#rate = rate;
    const before = cluster.messages;
    let neighbours = 0;
    for (let round = 0; round < rounds; round++) {
      cluster.run(1_000);
      this.#restartRemoved();
      this.#checkSizes();
      neighbours += Math.min(...this.#names.map((name) => this.#honest(cluster.neighbours(name)).length));
    }
    const messagesPerLie = (cluster.messages - before) / this.#lies;
    this.#rate = 0;
    if (cluster.alive.includes(LIAR)) cluster.kill(LIAR);
    this.#unjust.delete(LIAR);
    for (let round = 0; round < HEALED_ROUNDS; round++) {
      cluster.run(1_000);
      this.#restartRemoved();
    }
    if (!cluster.isConnected()) throw new Error(`The honest nodes are not connected: ${this.#describe()}`);
    return { messagesPerLie, honestNeighbours: neighbours / rounds };
  }

  #honest(names: readonly string[]): string[] {
    return names.filter((name) => this.#names.includes(name));
  }

  #describe(): string {
    return this.#names.map((name) => `${name}: ${this.#cluster.neighbours(name)}`).join("; ");
  }

  #restartRemoved(): void {
    for (const name of this.#unjust) {
      if (this.#cluster.alive.includes(name)) this.#cluster.kill(name);
      this.#cluster.start(name, { remember: true, keepAddress: true });
    }
    this.#unjust.clear();
  }

  #checkSizes(): void {
    for (const name of this.#names) {
      const state = this.#cluster.state(name);
      for (const [part, most] of Object.entries(this.#limits)) {
        const { length, size } = state[part] as { length?: number; size?: number };
        const count = length ?? present(size);
        if (count > most) throw new Error(`${name} keeps ${count} in "${part}", at most ${most}`);
      }
    }
  }

  /** The strategy of all nodes, which says more at one of them. */
  #lying(): Strategy<State> {
    const base = this.#base;
    return new Proxy(base, {
      get: (_, key: keyof Strategy) => {
        const value = base[key];
        if (typeof value !== "function") return value;
        if (key === "periodic") return (state: State, context: StrategyContext) => this.#periodic(state, context);
        if (key === "handleMessage") {
          return (...event: Parameters<Strategy<State>["handleMessage"]>) => this.#hear(event);
        }
        return (...args: unknown[]) =>
          (value as (...args: unknown[]) => unknown).apply(base, args.map((arg) => this.#informed(arg)));
      },
    });
  }

  #periodic(state: State, context: StrategyContext): Transition<State> {
    const step = this.#base.periodic(state, this.#informed(context) as StrategyContext);
    if (state.self.name !== LIAR || this.#rate === 0) return step;
    const specs = [...this.#names, LIAR].map((name) => this.#cluster.spec(name));
    const words = new OverlayWords(this.#random, specs, this.#saysEnds);
    const lies = Array.from({ length: this.#rate }, () => ({
      to: this.#cluster.spec(this.#random.pick(this.#names)),
      message: words.of(this.#base.name),
    }));
    this.#lies += lies.length;
    return { state: step.state, outgoing: [...step.outgoing, ...lies] };
  }

  #hear([state, from, message, context]: Parameters<Strategy<State>["handleMessage"]>): Transition<State> {
    const step = this.#base.handleMessage(
      state,
      this.#informed(from) as NodeSpec,
      message,
      this.#informed(context) as StrategyContext,
    );
    const { name } = state.self;
    const isEnd = !this.#base.members(step.state).some((member) => member.name === name);
    if (!isEnd) return step;
    this.#unjust.add(name);
    return { state, outgoing: [] };
  }

  /** A context with what a peer service knows of its connections, and of time. Specifications of those that had to begin a membership anew say so. */
  #informed(arg: unknown): unknown {
    if (typeof arg !== "object" || arg === null) return arg;
    if ("since" in arg && "addresses" in arg) {
      const { since: _, ...rest } = arg;
      return rest;
    }
    if (!("connected" in arg)) return arg;
    const live = [...this.#names, LIAR].flatMap((name) =>
      this.#cluster.alive.includes(name) ? [this.#cluster.spec(name)] : []
    );
    const incarnations = new Map(live.map(({ name, incarnation }) => [name, incarnation]));
    const context = arg as StrategyContext;
    return {
      ...context,
      incarnationOf: (name: string) => context.connected.has(name) ? incarnations.get(name) : undefined,
      incarnationMax: Math.max(1, ...incarnations.values()) + AHEAD_MAX,
    };
  }
}
