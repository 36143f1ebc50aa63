// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Life, Run } from "./run.ts";
import { entryOf } from "../values.ts";

/** Up and down alternate, for each peer and for each channel of each peer, and agree with what can be asked. */
export class StatusChecker {
  readonly #run: Run;
  readonly #channels: readonly string[];
  readonly #changed: (life: Life) => void;
  /** Of each life: the peers that are up, and the channels, as `"peer channel"`. */
  readonly #up = new Map<Life, Set<string>>();

  /** @param changed Called when a node tells that a peer came or went. */
  constructor(run: Run, channels: readonly string[], changed: (life: Life) => void) {
    this.#run = run;
    this.#channels = channels;
    this.#changed = changed;
  }

  /** Watches a node from its start. */
  watch(life: Life): void {
    const up = new Set<string>();
    this.#up.set(life, up);
    const { node } = life;
    for (const channel of [undefined, ...this.#channels]) {
      const key = (peer: string) => channel === undefined ? peer : `${peer} ${channel}`;
      const options = channel === undefined ? {} : { channel };
      node.onUp("*", (peer) => this.#came(life, up, key(peer)), options);
      node.onDown("*", (peer) => this.#went(life, up, key(peer)), options);
    }
  }

  /** Compares what was told with what the nodes say now. */
  sample(): void {
    for (const life of this.#run.lives) {
      const told = [...entryOf(this.#up, life)].filter((key) => !key.includes(" ")).sort();
      const asked = life.node.connected();
      if (told.join() !== asked.join()) {
        this.#run.fail(`${life.id} told that [${told}] are up, but is connected with [${asked}]`);
      }
    }
  }

  #came(life: Life, up: Set<string>, key: string): void {
    this.#run.timeline.note(life.id, `up: ${key}`);
    if (up.has(key)) this.#run.fail(`${life.id} tells twice in a row that "${key}" is up`);
    up.add(key);
    this.#changed(life);
  }

  #went(life: Life, up: Set<string>, key: string): void {
    this.#run.timeline.note(life.id, `down: ${key}`);
    if (!up.delete(key)) this.#run.fail(`${life.id} tells that "${key}" is down, which was not up`);
    this.#changed(life);
  }
}
