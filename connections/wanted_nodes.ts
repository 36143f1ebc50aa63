// Copyright 2026 the Partisan peer-service authors. MIT license.

import { difference } from "../runtime/list_difference.ts";
import type { NodeSpec } from "../wire/node_spec.ts";

/** Receiver of the nodes that are wanted, or are not any more. */
export interface WantedNodesHost {
  /** Connections with a node are wanted from now on. */
  want(spec: NodeSpec): void;
  /** Connections with a node are wanted no longer. */
  unwant(name: string): void;
}

/** The nodes with which connections are wanted. A change costs as much as what comes and goes. */
export class WantedNodes {
  readonly #host: WantedNodesHost;
  #specs: readonly NodeSpec[] = [];
  #next: readonly NodeSpec[] = [];
  #isChanging = false;

  constructor(host: WantedNodesHost) {
    this.#host = host;
  }

  /** The nodes `specs` are wanted from now on, and no others. */
  replace(specs: readonly NodeSpec[]): void {
    this.#next = specs;
    // What is told of peers on the way may have others wanted: they come after these.
    if (this.#isChanging) return;
    this.#isChanging = true;
    try {
      while (this.#specs !== this.#next) this.#change(this.#next);
    } finally {
      this.#isChanging = false;
    }
  }

  /** No node is wanted, and the host knows. */
  clear(): void {
    this.#specs = this.#next = [];
  }

  #change(specs: readonly NodeSpec[]): void {
    const [gone, come] = difference(this.#specs, specs);
    this.#specs = specs;
    const names = new Set(come.map(({ name }) => name));
    for (const { name } of gone) if (!names.has(name)) this.#host.unwant(name);
    for (const spec of come) {
      if (this.#specs !== specs) return;
      this.#host.want(spec);
    }
  }
}
