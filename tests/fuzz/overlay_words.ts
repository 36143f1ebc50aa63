// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { firstOf } from "../values.ts";

/** Different names that are made up. */
const NAMES = 10_000;
/** Longest list that is read. */
const LIST_MAX = 128;

/** Words of the strategies with partial views, about nodes that live and about others. */
export class OverlayWords {
  readonly #random: SeededRandom;
  readonly #specs: readonly NodeSpec[];
  readonly #saysEnds: boolean;

  /**
   * @param specs Nodes that live.
   * @param saysEnds Whether it says of these that they have left, or begun another incarnation.
   */
  constructor(random: SeededRandom, specs: readonly NodeSpec[], saysEnds = true) {
    this.#random = random;
    this.#specs = specs;
    this.#saysEnds = saysEnds;
  }

  /** Something that a node with that strategy would understand; `undefined` when that has no words of its own. */
  of(strategy: string): unknown {
    if (strategy === "hyparview") return this.hyparview();
    return strategy.startsWith("scamp") ? this.scamp() : undefined;
  }

  /** A message of HyParView, or of X-BOT. */
  hyparview(): unknown {
    const { pick, chance } = this.#random;
    const [accepted, initiator, old, candidate] = [chance(0.7), this.#node(), this.#node(), this.#node()];
    return pick<() => unknown>([
      () => ({ type: pick(["join", "accept", "reject", "disconnect", "disconnectWait"]) }),
      () => ({ type: "forwardJoin", node: this.#node(), ttl: this.#hops() }),
      () => ({ type: "neighbour", priority: pick(["high", "low"]) }),
      () => ({ type: "shuffle", ttl: this.#hops(), nodes: this.#nodes(1), path: this.#path() }),
      () => ({ type: "shuffleReply", nodes: this.#nodes(0), departures: this.#departures(), path: this.#path() }),
      () => ({ type: "optimization", old }),
      () => ({ type: "optimizationReply", accepted, replaced: chance(0.5), old }),
      () => ({ type: "replace", initiator, old }),
      () => ({ type: "replaceReply", accepted, initiator, old }),
      () => ({ type: "switch", initiator, candidate }),
      () => ({ type: "switchReply", accepted, initiator, candidate }),
      () => ({ type: "left", ...this.#departure() }),
    ])();
  }

  /** A message of either version of SCAMP. */
  scamp(): unknown {
    const { pick, chance } = this.#random;
    const node = this.#node();
    return pick<() => unknown>([
      () => ({ type: "subscribe", again: chance(0.5), others: chance(0.5) }),
      () => ({ type: "others", nodes: this.#nodes(0) }),
      () => ({ type: "walk", node, again: chance(0.5), ttl: this.#hops(), degree: this.#hops() }),
      () => ({ type: pick(["welcome", "kept"]) }),
      () => ({ type: "subscription", node, ttl: this.#hops() }),
      () => ({ type: "replace", node, isSpare: chance(0.5) }),
      () => ({ type: "left", ...this.#departure() }),
    ])();
  }

  #name(): string {
    return this.#random.chance(0.4) ? this.#random.pick(this.#specs).name : `made up ${this.#random.int(NAMES)}`;
  }

  /** A node that lives as it is, or elsewhere or in another incarnation; or one that there is not. */
  #node(): NodeSpec {
    const name = this.#name();
    const known = this.#specs.find((spec) => spec.name === name);
    if (known !== undefined && this.#random.chance(0.5)) return known;
    const { since: _, ...model } = known ?? firstOf(this.#specs);
    const addresses = [{ hostname: "made-up.test", port: 1 + this.#random.int(60_000) }];
    return { ...model, name, incarnation: this.#incarnation(name), addresses };
  }

  #incarnation(name: string): number {
    const live = this.#specs.find((spec) => spec.name === name)?.incarnation;
    if (live !== undefined && !this.#saysEnds) return live;
    const known = live ?? 1;
    return Math.max(0, known + this.#random.pick([0, 0, 0, 1, 2, -1, 2 ** 40]));
  }

  #nodes(least: number): NodeSpec[] {
    const length = this.#random.pick([least, least + this.#random.int(8), LIST_MAX]);
    return Array.from({ length }, () => this.#node());
  }

  #path(): string[] {
    return Array.from({ length: this.#random.pick([0, 0, 1, 3, LIST_MAX]) }, () => this.#name());
  }

  #hops(): number {
    return this.#random.pick([0, 1, 2, 3, 6, 100, 65_535]);
  }

  #departure(): Record<string, unknown> {
    const name = this.#saysEnds ? this.#name() : `made up ${this.#random.int(NAMES)}`;
    return { name, incarnation: this.#incarnation(name), isRemoval: this.#random.chance(0.5) };
  }

  #departures(): unknown[] {
    return Array.from({ length: this.#random.pick([0, 0, 3, LIST_MAX]) }, () => this.#departure());
  }
}
