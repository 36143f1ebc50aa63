// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Random, Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Transport } from "../transport/transport.ts";
import type { VirtualClock } from "./virtual_clock.ts";
import { EventOwner } from "./virtual_event_loop.ts";

/** Part of a simulated world that its nodes use. */
export interface SimulatedNodeContext {
  /** The time of the world. */
  readonly clock: VirtualClock;
  /** Randomness of this incarnation of this node. */
  readonly random: Random;
  /** Network of this incarnation of this node. */
  readonly transport: Transport;
  /** Is told that code of the node is about to run, because a timer is due or because it deferred something. */
  readonly woken: (node: SimulatedNode, cause: "timer" | "defer") => void;
  /** Finishes `operation` before time goes on. */
  readonly outside: <T>(operation: Promise<T>) => Promise<T>;
  /** Makes a key of a secret, once for all nodes. */
  readonly stretch: (secret: Uint8Array, salt: Uint8Array) => Promise<Uint8Array>;
}

/** One incarnation of a node: it ends with a crash. */
export class SimulatedNode extends EventOwner implements Runtime {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly #context: SimulatedNodeContext;
  #alive = true;
  #paused = false;
  /** Timers that came due during a pause, in order. */
  readonly #late = new Set<SimulatedTimer>();
  #timers = 0;

  /** @param skew Milliseconds by which the wall clock is ahead of that of the world now. */
  constructor(name: string, skew: () => number, context: SimulatedNodeContext) {
    super();
    this.name = name;
    this.random = context.random;
    this.transport = context.transport;
    this.#context = context;
    this.clock = {
      now: () => context.clock.now(),
      wallTime: () => context.clock.wallTime() + skew(),
      schedule: (delay, callback) => new SimulatedTimer(this, context.clock, delay, callback, this.#late),
    };
  }

  defer(callback: () => void): void {
    this.#context.woken(this, "defer");
    queueMicrotask(() => {
      if (this.#alive) callback();
    });
  }

  outside<T>(operation: Promise<T>): Promise<T> {
    const finished = this.#context.outside(operation);
    return new Promise((resolve, reject) => {
      finished.then(
        (value) => this.#alive && resolve(value),
        (error) => this.#alive && reject(error),
      );
    });
  }

  stretch(secret: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
    return this.#context.stretch(secret, salt);
  }

  /** Whether a timer that is due may run now; otherwise it waits for the end of the pause, which may never come. */
  wake(timer: SimulatedTimer): boolean {
    if (!this.#alive) return false;
    if (this.#paused) {
      this.#late.add(timer);
      return false;
    }
    this.#context.woken(this, "timer");
    return true;
  }

  /** Timers that are still to run. */
  get timers(): number {
    return this.#timers;
  }

  /** A timer begins, or ends. */
  count(step: 1 | -1): void {
    this.#timers += step;
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  /** Timers that came due meanwhile run now, each in an event of its own. */
  resume(): void {
    this.#paused = false;
    const late = [...this.#late];
    this.#late.clear();
    for (const timer of late) timer.restart();
  }

  crash(): void {
    this.#alive = false;
    this.#late.clear();
  }
}

/** A timer of a node. */
export class SimulatedTimer implements Timer {
  readonly #node: SimulatedNode;
  readonly #clock: VirtualClock;
  readonly #callback: () => void;
  readonly #late: Set<SimulatedTimer>;
  #timer: Timer;
  #isOver = false;

  constructor(
    node: SimulatedNode,
    clock: VirtualClock,
    delay: number,
    callback: () => void,
    late: Set<SimulatedTimer>,
  ) {
    this.#node = node;
    this.#clock = clock;
    this.#callback = callback;
    this.#late = late;
    this.#timer = this.#start(delay);
    node.count(1);
  }

  cancel(): void {
    this.#end();
    this.#timer.cancel();
    this.#late.delete(this);
  }

  restart(): void {
    this.#timer = this.#start(0);
  }

  #start(delay: number): Timer {
    return this.#clock.schedule(delay, () => {
      if (!this.#node.wake(this)) return;
      this.#end();
      this.#callback();
    }, this.#node);
  }

  #end(): void {
    if (!this.#isOver) this.#node.count(-1);
    this.#isOver = true;
  }
}
