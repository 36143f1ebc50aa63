// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Run } from "./run.ts";

/** Bounds of what may wait at a node. */
export interface Bounds {
  /** Bytes for one peer, over all connections with it. */
  readonly queuedBytes: number;
}

/** Every queue, buffer and set that can be seen keeps within its bound. */
export class BoundsChecker {
  readonly #run: Run;
  readonly #bounds: Bounds;

  constructor(run: Run, bounds: Bounds) {
    this.#run = run;
    this.#bounds = bounds;
  }

  /** Looks at all nodes. */
  sample(): void {
    for (const { id, node } of this.#run.processes) {
      const { peers, unknownFrames } = node.stats();
      for (const [peer, { queuedBytes }] of Object.entries(peers)) {
        if (queuedBytes <= this.#bounds.queuedBytes) continue;
        this.#run.fail(`${id} holds ${queuedBytes} bytes for ${peer}, at most ${this.#bounds.queuedBytes}`);
      }
      if (unknownFrames > 0) this.#run.fail(`${id} was sent frames of kinds that it does not know`);
    }
  }
}
