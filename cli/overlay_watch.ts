// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Action, ClusterModel, Observation } from "./cluster_model.ts";
import { consequenceOf, neverSaw, type SightingWatch } from "./sighting_watch.ts";

/**
 * Follows the log of a partial overlay. A node whose neighbour dies, freezes or leaves has to see it go down; a node that
 * comes, or comes back, must be seen by at least one node.
 */
export class OverlayWatch implements SightingWatch {
  readonly failures: string[] = [];
  readonly #model: ClusterModel;
  /** Nodes that run undisturbed. */
  readonly #up = new Set<string>();
  /** The neighbours that each node sees up. */
  readonly #neighbours = new Map<string, Set<string>>();
  /** By node that went: those that have to see it. */
  readonly #observers = new Map<string, Set<string>>();
  /** Those that came and were not seen yet. */
  readonly #unseen = new Set<string>();

  constructor(model: ClusterModel) {
    this.#model = model;
  }

  act({ kind, node }: Action): void {
    const consequence = consequenceOf(kind, this.#model);
    if (consequence === undefined) return;
    this.failures.push(...this.#missingOf(node));
    this.#unseen.delete(node);
    this.#observers.delete(node);
    // What it sees itself from now on is of no consequence.
    for (const observers of this.#observers.values()) observers.delete(node);
    if (consequence === "up") {
      if (this.#up.size > 0) this.#unseen.add(node);
      this.#up.add(node);
    } else {
      this.#up.delete(node);
      this.#observers.set(node, new Set([...this.#up].filter((other) => this.#of(other).has(node))));
    }
    if (kind === "start") this.#neighbours.delete(node);
  }

  observe({ observer, kind, node }: Observation): void {
    if (kind === "exit") {
      this.failures.push(`${observer} exited unexpectedly`);
      this.#up.delete(observer);
    }
    if (node === undefined) return;
    if (kind === "up") {
      this.#of(observer).add(node);
      this.#unseen.delete(node);
    } else if (kind === "down") {
      this.#of(observer).delete(node);
      this.#observers.get(node)?.delete(observer);
    }
  }

  missing(): string[] {
    return [...new Set([...this.#observers.keys(), ...this.#unseen])].flatMap((node) => this.#missingOf(node));
  }

  #missingOf(node: string): string[] {
    const blind = [...this.#observers.get(node) ?? []].map((observer) => neverSaw(observer, node, "down"));
    return this.#unseen.has(node) ? [...blind, `no node saw ${node} up`] : blind;
  }

  #of(observer: string): Set<string> {
    let neighbours = this.#neighbours.get(observer);
    if (neighbours === undefined) this.#neighbours.set(observer, neighbours = new Set());
    return neighbours;
  }
}
