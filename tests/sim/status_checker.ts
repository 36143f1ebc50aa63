// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Process, Run } from "./run.ts";
import { entryOf } from "../values.ts";

/** Up and down alternate, for each peer and for each channel of each peer, and agree with what can be asked. */
export class StatusChecker {
  readonly #run: Run;
  readonly #channels: readonly string[];
  readonly #changed: (process: Process) => void;
  /** Of each process: the peers that are up, and the channels, as `"peer channel"`. */
  readonly #up = new Map<Process, Set<string>>();

  /** @param changed Called when a node tells that a peer came or went. */
  constructor(run: Run, channels: readonly string[], changed: (process: Process) => void) {
    this.#run = run;
    this.#channels = channels;
    this.#changed = changed;
  }

  /** Watches a node from its start. */
  watch(process: Process): void {
    const up = new Set<string>();
    this.#up.set(process, up);
    const { node } = process;
    for (const channel of [undefined, ...this.#channels]) {
      const key = (peer: string) => channel === undefined ? peer : `${peer} ${channel}`;
      const options = channel === undefined ? {} : { channel };
      node.onUp("*", (peer) => this.#came(process, up, key(peer)), options);
      node.onDown("*", (peer) => this.#went(process, up, key(peer)), options);
    }
  }

  /** Compares what was told with what the nodes say now. */
  sample(): void {
    for (const process of this.#run.processes) {
      const told = [...entryOf(this.#up, process)].filter((key) => !key.includes(" ")).sort();
      const asked = process.node.connected();
      if (told.join() !== asked.join()) {
        this.#run.fail(`${process.id} told that [${told}] are up, but is connected with [${asked}]`);
      }
    }
  }

  #came(process: Process, up: Set<string>, key: string): void {
    this.#run.timeline.note(process.id, `up: ${key}`);
    if (up.has(key)) this.#run.fail(`${process.id} tells twice in a row that "${key}" is up`);
    up.add(key);
    this.#changed(process);
  }

  #went(process: Process, up: Set<string>, key: string): void {
    this.#run.timeline.note(process.id, `down: ${key}`);
    if (!up.delete(key)) this.#run.fail(`${process.id} tells that "${key}" is down, which was not up`);
    this.#changed(process);
  }
}
