// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Ask, HeartbeatWord } from "./heartbeat_message.ts";
import type { HeartbeatTurn } from "./heartbeat_turn.ts";
import type { HeartbeatSettings } from "./heartbeat_types.ts";

/** Those that asked about one node and wait for a fresh sign of life. */
interface Petition {
  /** The newest counter when it was last asked for. */
  readonly counter: number;
  readonly since: number;
  readonly askers: Set<string>;
}

/** Askers remembered for one node. */
const ASKERS_MAX = 16;

/**
 * Questions about others: this node asks the one in question for a sign of life, and a few more nodes as well, and
 * passes on what it learns. So a node is found alive if anyone that is asked can reach it, or reach somebody who can
 * (SWIM's indirect probe, one step further: Das, Gupta and Motivala, 2002, section 3.1).
 */
export class Petitions {
  readonly #settings: HeartbeatSettings;
  readonly #petitions = new Map<string, Petition>();

  constructor(settings: HeartbeatSettings) {
    this.#settings = settings;
  }

  /** Remembers that `asker` wants to hear of a node, of which nothing newer than the counter in `ask` is known. */
  add(asker: string, [word, name, incarnation, counter, hops]: Ask, turn: HeartbeatTurn): void {
    let petition = this.#petitions.get(name);
    if (petition === undefined || turn.now - petition.since >= this.#settings.interval) {
      petition = { counter, since: turn.now, askers: new Set() };
      this.#petitions.set(name, petition);
      turn.send(name, [word, name, incarnation, counter, 0]);
      if (hops > 0) {
        const further: Ask = [word, name, incarnation, counter, hops - 1];
        turn.sendSome(further, this.#settings.witnesses, (other) => other !== name && other !== asker);
      }
    }
    if (petition.askers.size < ASKERS_MAX) petition.askers.add(asker);
  }

  /** Tells those that wait for it of a newer counter. */
  grant(name: string, incarnation: number, counter: number, turn: HeartbeatTurn): void {
    const petition = this.#petitions.get(name);
    if (petition === undefined || counter <= petition.counter) return;
    this.#petitions.delete(name);
    if (turn.now - petition.since > this.#settings.limit) return;
    for (const asker of petition.askers) turn.send(asker, [HeartbeatWord.alive, name, incarnation, counter]);
  }

  /** Forgets who asked about `name`. */
  forget(name: string): void {
    this.#petitions.delete(name);
  }
}
