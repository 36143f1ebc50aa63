// Copyright 2026 the Partisan peer-service authors. MIT license.

import { COUNTER_MAX, HeartbeatWord } from "./heartbeat_message.ts";
import type { HeartbeatTurn } from "./heartbeat_turn.ts";
import type { HeartbeatSettings } from "./heartbeat_types.ts";

/** Sends the heartbeats of this node to those that asked for them, and refutes its death. */
export class HeartbeatSender {
  readonly #settings: HeartbeatSettings;
  readonly #subscribers = new Set<string>();
  #counter = 0;
  /** The counter of the last refutation that went to everyone. */
  #refuted = 0;
  #refutedAt = -Infinity;
  /** Whether a node repeated the news of this node's death since: others may have missed the refutation as well. */
  #owesRefutation = false;
  #nextAt: number;

  constructor(settings: HeartbeatSettings, now: number) {
    this.#settings = settings;
    this.#nextAt = now + settings.interval;
  }

  /** Sends heartbeats when it is time: at the tick that is nearest to it, so that ticks a little early do not cost a whole one. */
  tick(turn: HeartbeatTurn): void {
    const { interval } = this.#settings;
    if (this.#owesRefutation && turn.now - this.#refutedAt >= interval) this.#refuteToAll(turn);
    if (turn.now < this.#nextAt - interval / 8) return;
    const stalled = turn.now - this.#nextAt > interval;
    this.#nextAt = (stalled ? turn.now : this.#nextAt) + interval;
    const counter = this.#countOn();
    for (const name of this.#subscribers) turn.send(name, counter);
  }

  /** Begins or ends to send heartbeats to `name`. */
  subscribe(name: string, wanted: boolean, turn: HeartbeatTurn): void {
    if (!wanted) {
      this.#subscribers.delete(name);
      return;
    }
    this.#subscribers.add(name);
    turn.send(name, this.#countOn());
  }

  unsubscribe(name: string): void {
    this.#subscribers.delete(name);
  }

  /** Gives a sign of life to one that asked for it, perhaps on behalf of another. */
  answer(to: string, turn: HeartbeatTurn): void {
    const { name, incarnation } = this.#settings.self;
    turn.send(to, [HeartbeatWord.alive, name, incarnation, this.#countOn()]);
  }

  /**
   * Refutes a dead message about this node, which knew of `counter`. Everyone hears of it at once; those that repeat it
   * later get an answer for themselves, and everyone another one, once per interval at most.
   */
  refute(counter: number, from: string, turn: HeartbeatTurn): void {
    const { name, incarnation } = this.#settings.self;
    if (counter < this.#refuted) {
      this.#owesRefutation = true;
      turn.send(from, [HeartbeatWord.alive, name, incarnation, this.#counter]);
      return;
    }
    this.#counter = Math.max(this.#counter, counter);
    this.#refuteToAll(turn);
  }

  #refuteToAll(turn: HeartbeatTurn): void {
    const { name, incarnation } = this.#settings.self;
    this.#owesRefutation = false;
    this.#refutedAt = turn.now;
    this.#refuted = this.#countOn();
    turn.sendAll([HeartbeatWord.alive, name, incarnation, this.#refuted]);
  }

  /** One heartbeat further. Stays at the greatest number that others accept, which only a made-up dead message leads to. */
  #countOn(): number {
    this.#counter = Math.min(this.#counter + 1, COUNTER_MAX);
    return this.#counter;
  }
}
