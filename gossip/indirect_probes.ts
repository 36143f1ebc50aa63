// Copyright 2026 the Partisan peer-service authors. MIT license.

import { HeartbeatWord, type ProbeRequest } from "./heartbeat_message.ts";
import type { HeartbeatTurn } from "./heartbeat_turn.ts";
import type { HeartbeatSettings } from "./heartbeat_types.ts";

/** Those that asked about one node and wait for a fresh sign of life. */
interface IndirectProbe {
  /** The newest counter when it was last asked for. */
  readonly counter: number;
  readonly since: number;
  readonly askers: Set<string>;
}

/** Askers remembered for one node. */
const ASKERS_MAX = 16;

/**
 * Questions about others: this node asks the one in question for a sign of life, and a few more nodes as well, and
 * passes on what it learns. So a node is found alive if anyone that is asked can reach it, or reach one that can
 * (SWIM's indirect probe, one step further: Das, Gupta and Motivala, 2002, section 3.1).
 */
export class IndirectProbes {
  readonly #settings: HeartbeatSettings;
  readonly #probes = new Map<string, IndirectProbe>();

  constructor(settings: HeartbeatSettings) {
    this.#settings = settings;
  }

  /** Remembers that `asker` wants to hear of a node, of which nothing newer than the counter in `ask` is known. */
  add(asker: string, [word, name, incarnation, counter, hops]: ProbeRequest, turn: HeartbeatTurn): void {
    let probe = this.#probes.get(name);
    if (probe === undefined || turn.now - probe.since >= this.#settings.interval) {
      probe = { counter, since: turn.now, askers: new Set() };
      this.#probes.set(name, probe);
      turn.send(name, [word, name, incarnation, counter, 0]);
      if (hops > 0) {
        const further: ProbeRequest = [word, name, incarnation, counter, hops - 1];
        turn.sendSome(further, this.#settings.indirectProbes, (other) => other !== name && other !== asker);
      }
    }
    if (probe.askers.size < ASKERS_MAX) probe.askers.add(asker);
  }

  /** Tells those that wait for it of a newer counter. */
  answer(name: string, incarnation: number, counter: number, turn: HeartbeatTurn): void {
    const probe = this.#probes.get(name);
    if (probe === undefined || counter <= probe.counter) return;
    this.#probes.delete(name);
    if (turn.now - probe.since > this.#settings.limit) return;
    for (const asker of probe.askers) turn.send(asker, [HeartbeatWord.alive, name, incarnation, counter]);
  }

  /** Forgets who asked about `name`. */
  forget(name: string): void {
    this.#probes.delete(name);
  }
}
