// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Process, Run } from "./run.ts";

/** Every node in a partial view was there at some time, and no view goes back to an earlier incarnation of a node that it has. */
export class ViewChecker {
  readonly #run: Run;
  /** Incarnations that there were, as `"name/incarnation"`. */
  readonly #born = new Set<string>();
  /** By replica: the incarnation of each node in its view. A replica begins anew with each incarnation of its node. */
  readonly #views = new Map<string, ReadonlyMap<string, number>>();
  readonly #shown = new Map<Process, string>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Takes note of the incarnation that a node has now. */
  record({ node: { spec } }: Process): void {
    this.#born.add(`${spec.name}/${spec.incarnation}`);
  }

  /** Looks at all nodes. */
  sample(): void {
    for (const process of this.#run.processes) this.record(process);
    for (const process of this.#run.processes) this.#look(process);
  }

  #look(process: Process): void {
    const { id, node } = process;
    const replica = `${id}/${node.spec.incarnation}`;
    const before = this.#views.get(replica);
    const view = new Map(node.membersForOrchestration().map(({ name, incarnation }) => [name, incarnation]));
    this.#views.set(replica, view);
    for (const [name, incarnation] of view) {
      if (!this.#born.has(`${name}/${incarnation}`)) {
        this.#run.fail(`${id} knows ${name}/${incarnation}, which there never was`);
      }
      const earlier = before?.get(name);
      if (earlier !== undefined && earlier > incarnation) {
        this.#run.fail(`${id} went back from ${name}/${earlier} to ${name}/${incarnation}`);
      }
    }
    this.#show(process, view);
  }

  #show(process: Process, view: ReadonlyMap<string, number>): void {
    const text = [...view].map(([name, incarnation]) => `${name}/${incarnation % 1_000_000}`).join(" ");
    if (this.#shown.get(process) === text) return;
    this.#shown.set(process, text);
    this.#run.timeline.note(process.id, `view: ${text}`);
  }
}
