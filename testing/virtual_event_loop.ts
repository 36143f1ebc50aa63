// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "../runtime/runtime.ts";
import { OutsideQueue } from "./outside_queue.ts";
import { VirtualClock, type VirtualEvent } from "./virtual_clock.ts";

/** The owner of events that call no code of any node by themselves: what the network does. */
const KERNEL = {};

/** The owner of events that call code of one node only. */
export class EventOwner {
  /** In which turn of the loop its code last began to run. */
  lastTurn = -1;
}

/**
 * Runs what a virtual clock holds, event by event, and follows up all promises that are settled by it before time goes on.
 *
 * Following up takes a turn of the real event loop, some microseconds. Events of one instant that cannot know of each
 * other share a turn: those of different owners, and those of the network. So what a thousand nodes do at one instant
 * costs one turn.
 */
export class VirtualEventLoop {
  /** Virtual time. Events without an owner get a turn of their own. */
  readonly clock: VirtualClock = new VirtualClock();
  /** Virtual time for events that call code of nodes through promises, or through {@linkcode stir}, only. */
  readonly kernelClock: Clock = {
    now: () => this.clock.now(),
    wallTime: () => this.clock.wallTime(),
    schedule: (delay, callback) => this.clock.schedule(delay, callback, KERNEL),
  };
  /** Operations to be finished before time goes on. */
  readonly outside: OutsideQueue = new OutsideQueue(turn);
  #events = 0;
  #turn = 0;
  #stirred = false;
  #running = false;

  /** Events so far. */
  get events(): number {
    return this.#events;
  }

  /** Code of `owner` is about to run. */
  stir(owner: EventOwner | undefined): void {
    this.#stirred = true;
    if (owner !== undefined) owner.lastTurn = this.#turn;
  }

  /**
   * Runs events until `isDone`, which is asked after each turn, or until all that are due at `limit` or before have run.
   *
   * @returns Last result of `isDone`.
   * @throws What an event throws.
   */
  async run(limit: number, isDone: () => boolean): Promise<boolean> {
    if (this.#running) throw new TypeError("Cannot let time pass: it is passing already");
    this.#running = true;
    try {
      let mustFollowUp = true;
      for (;;) {
        const next = this.clock.peek();
        if (mustFollowUp || (this.#stirred && !this.#sharesTurn(next))) {
          await this.#followUp();
          if (isDone()) return true;
          mustFollowUp = false;
        } else if (next === undefined || next.time > limit) {
          this.clock.moveTo(limit);
          return false;
        } else {
          this.#events++;
          this.clock.runNext();
          mustFollowUp = next.owner === undefined;
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /** Whether `next` may run before what has happened in this turn is followed up. */
  #sharesTurn(next: VirtualEvent | undefined): boolean {
    if (next === undefined || next.time > this.clock.now()) return false;
    if (next.owner instanceof EventOwner) return next.owner.lastTurn !== this.#turn;
    return next.owner === KERNEL;
  }

  async #followUp(): Promise<void> {
    do {
      await this.outside.busy;
      await turn();
    } while (this.outside.busy !== undefined);
    this.#turn++;
    this.#stirred = false;
  }
}

/** Resolves when all microtasks are done. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
