// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Action, Observation } from "./cluster_model.ts";
import { consequences, neverSaw, type SightingWatch } from "./sighting_watch.ts";

/** Of a full mesh, in which every node has to see everything. */
export class MeshWatch implements SightingWatch {
  readonly failures: string[] = [];
  /** Nodes that run undisturbed. */
  readonly #up = new Set<string>();
  /** Sightings of others that each node must have next. */
  readonly #expected = new Map<string, Map<string, Observation["kind"]>>();
  /** The nodes that each node saw up, unless something was done to them since. */
  readonly #steady = new Map<string, Set<string>>();

  act({ kind, node }: Action): void {
    const consequence = consequences[kind];
    if (consequence === undefined) return;
    for (const observer of this.#up) {
      if (observer === node) continue;
      this.#expect(observer, node, consequence);
      this.#steady.get(observer)!.delete(node);
    }
    this.#expected.set(node, new Map());
    if (kind === "start") {
      this.#steady.set(node, new Set());
      for (const other of this.#up) this.#expect(node, other, "up");
    }
    if (kind === "start" || kind === "resume") this.#up.add(node);
    else this.#up.delete(node);
  }

  observe({ observer, kind, node }: Observation): void {
    if (kind === "exit") {
      this.failures.push(`${observer} exited unexpectedly`);
      this.#up.delete(observer);
      this.#expected.delete(observer);
    }
    if (node === undefined || !this.#up.has(observer)) return;
    const expected = this.#expected.get(observer)!;
    if (expected.get(node) === kind) expected.delete(node);
    const steady = this.#steady.get(observer)!;
    if (kind === "up") steady.add(node);
    if (kind === "down" && steady.delete(node)) this.failures.push(`${observer} saw ${node} down without a cause`);
  }

  missing(): string[] {
    return [...this.#expected].flatMap(([observer, nodes]) =>
      [...nodes].map(([node, kind]) => neverSaw(observer, node, kind))
    );
  }

  #expect(observer: string, node: string, kind: Observation["kind"]): void {
    const expected = this.#expected.get(observer)!;
    const missed = expected.get(node);
    if (missed !== undefined) this.failures.push(neverSaw(observer, node, missed));
    expected.set(node, kind);
  }
}
