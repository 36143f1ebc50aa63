// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Random, Runtime, Timer } from "../runtime/runtime.ts";
import type { MemoryNetworkEvent } from "../transport/memory_host.ts";
import type { Latency } from "../transport/memory_links.ts";
import { MemoryNetwork } from "../transport/memory_transport.ts";
import { HistoryHash } from "./history_hash.ts";
import { OutsideQueue } from "./outside_queue.ts";
import { SeededRandom } from "./seeded_random.ts";
import { SimulatedNode } from "./simulated_node.ts";
import { VirtualClock, type VirtualEvent } from "./virtual_clock.ts";

/** Something that happened in a {@linkcode SimulatedWorld}. */
export interface SimulatedEvent {
  /** Milliseconds of virtual time since the world began. */
  readonly time: number;
  /** What: the first five reached the machine of `node`, the others happened on it. */
  readonly kind: MemoryNetworkEvent | "timer" | "pause" | "resume" | "crash" | "start";
  /** Where. */
  readonly node: string;
  /** The host that sent it, if it came over the network. */
  readonly from?: string;
  /** How many bytes arrived. */
  readonly bytes: number;
}

/** Options of {@linkcode SimulatedWorld}. */
export interface SimulatedWorldOptions {
  /**
   * Decides everything that is left to chance.
   *
   * @default {1}
   */
  readonly seed?: number | string | undefined;
  /**
   * How long bytes are under way between two nodes, in milliseconds.
   *
   * @default {uniformLatency(0.5, 5)}
   */
  readonly latency?: Latency | undefined;
  /**
   * Bytes arrive at multiples of this, in milliseconds. What happens at one instant costs one turn of the event loop,
   * so a coarser one makes large worlds faster.
   *
   * @default {0.25}
   */
  readonly resolution?: number | undefined;
  /**
   * How many bytes may be under way or unread in each direction of a stream.
   *
   * @default {131_072}
   */
  readonly windowBytes?: number | undefined;
  /** Is told what happens, as it happens. */
  readonly trace?: ((event: SimulatedEvent) => void) | undefined;
}

/** What outlives a node's crash. */
interface Place {
  readonly index: number;
  lives: number;
  skew: number;
  node: SimulatedNode | undefined;
}

const EVENT_NUMBERS = {
  timer: 1,
  connect: 2,
  refused: 3,
  data: 4,
  end: 5,
  reset: 6,
  pause: 7,
  resume: 8,
  crash: 9,
  start: 10,
} as const satisfies Record<SimulatedEvent["kind"], number>;

/** Any latency between `min` and `max` milliseconds is as likely as any other. */
export function uniformLatency(min: number, max: number): Latency {
  return (random) => min + (max - min) * random.next();
}

/**
 * A world of nodes in one process: virtual time, one seed for all that is left to chance, and a network in memory.
 * Code that reaches the world through its {@linkcode Runtime} only runs in it unchanged, and always the same way: the same
 * seed gives the same {@linkcode SimulatedWorld.historyHash}.
 *
 * Time stands still until {@linkcode advance}, {@linkcode runUntil} or {@linkcode wait} moves it from event to event. After
 * each event all promises that it settled are followed up before anything else happens.
 *
 * @example Ten seconds that take no time
 * ```ts
 * import { SimulatedWorld } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const world = new SimulatedWorld({ seed: 7 });
 * const { clock } = world.node("a");
 * let ticks = 0;
 * const tick = () => {
 *   ticks++;
 *   clock.schedule(1000, tick);
 * };
 * clock.schedule(1000, tick);
 * await world.advance(10_000);
 * assertEquals(ticks, 10);
 * ```
 */
export class SimulatedWorld {
  /** What decides everything that is left to chance. */
  readonly seed: number | string;
  /** The network, for cutting, clogging and healing it. */
  readonly network: MemoryNetwork;
  readonly #clock = new VirtualClock();
  readonly #random: SeededRandom;
  readonly #hash = new HistoryHash();
  readonly #outside = new OutsideQueue(turn);
  readonly #places = new Map<string, Place>();
  readonly #trace: ((event: SimulatedEvent) => void) | undefined;
  #events = 0;
  /** Counts turns of the real event loop. */
  #turn = 0;
  /** Code of a node may have run in this turn. */
  #stirred = false;
  #running = false;

  /** Begins at time 0, without nodes. */
  constructor(options: SimulatedWorldOptions = {}) {
    this.seed = options.seed ?? 1;
    this.#random = new SeededRandom(this.seed);
    this.#trace = options.trace;
    this.network = new MemoryNetwork({
      clock: this.#clock,
      random: this.#random.fork("network"),
      latency: options.latency ?? uniformLatency(0.5, 5),
      resolution: options.resolution ?? 0.25,
      windowBytes: options.windowBytes,
      observer: {
        arrived: (kind, from, to, bytes) => this.#record(kind, to, bytes, from),
        woken: (host) => this.#stir(this.#places.get(host)?.node),
      },
    });
  }

  /** Milliseconds of virtual time since the world began. */
  get now(): number {
    return this.#clock.now();
  }

  /** Events so far. */
  get events(): number {
    return this.#events;
  }

  /** Stands for all that has happened so far: when, what, where, and how many bytes. */
  get historyHash(): string {
    return this.#hash.toString();
  }

  /** Randomness for a test itself; drawing from it changes nothing for the nodes. */
  random(label: string): SeededRandom {
    return this.#random.fork(`test/${label}`);
  }

  /** The runtime of node `name`, which is also its host name. After a crash: that of its next life. */
  node(name: string): Runtime {
    const place = this.#place(name);
    if (place.node === undefined) {
      place.lives++;
      const random: Random = this.#random.fork(`node/${name}/${place.lives}`);
      this.#record("start", name, place.lives);
      place.node = new SimulatedNode(name, () => place.skew, {
        clock: this.#clock,
        random,
        transport: this.network.transport(name),
        woken: (node, cause) => {
          this.#stir(node);
          if (cause === "timer") this.#record("timer", name, 0);
        },
        outside: (operation) => this.#outside.add(operation),
      });
    }
    return place.node;
  }

  /** Stops node `name` as SIGSTOP stops a process: what comes due or arrives waits until it resumes. */
  pause(name: string): void {
    const node = this.#living(name, "pause");
    if (node.paused) return;
    this.#record("pause", name, 0);
    node.pause();
    this.network.pause(name);
  }

  /** Lets node `name` go on: first its late timers run, then it learns what arrived meanwhile. */
  resume(name: string): void {
    const node = this.#living(name, "resume");
    if (!node.paused) return;
    this.#record("resume", name, 0);
    node.resume();
    this.#clock.schedule(0, () => {
      if (!node.paused) this.network.resume(name);
    });
  }

  /**
   * Ends this life of node `name`: its timers and streams are gone, and none of its promises settles any more. Its machine
   * goes silent too, until the next life begins; with `reset: true` the machine resets the streams at once.
   */
  crash(name: string, options: { readonly reset?: boolean } = {}): void {
    this.#living(name, "crash").crash();
    this.#place(name).node = undefined;
    this.#record("crash", name, options.reset ? 1 : 0);
    this.network.crash(name, options);
  }

  /** Sets the wall clock of node `name`, in this life and later ones, `ms` milliseconds ahead of that of the world. */
  setSkew(name: string, ms: number): void {
    this.#place(name).skew = ms;
  }

  /** Calls `callback` at a later time, between two events: for faults. */
  schedule(delay: number, callback: () => void): Timer {
    return this.#clock.schedule(delay, callback, this);
  }

  /** Lets `ms` milliseconds of virtual time pass. Rejects with what a timer of a node throws. */
  async advance(ms: number): Promise<void> {
    await this.#run(this.now + ms, () => false);
  }

  /**
   * Lets time pass until `condition` holds, which is asked after each event, for `limit` milliseconds at most.
   *
   * @returns Whether it holds.
   */
  async runUntil(condition: () => boolean, limit: number): Promise<boolean> {
    return await this.#run(this.now + limit, condition);
  }

  /**
   * Lets time pass until `promise` is settled, and settles like it.
   *
   * @throws When it is still pending after `limit` milliseconds.
   */
  async wait<T>(promise: Promise<T>, limit: number): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    if (await this.#run(this.now + limit, () => settled)) return await promise;
    throw new Error(`Cannot wait any longer: the promise is still pending after ${limit} ms of virtual time`);
  }

  async #run(limit: number, isDone: () => boolean): Promise<boolean> {
    if (this.#running) throw new TypeError("Cannot let time pass: it is passing already");
    this.#running = true;
    try {
      let mustFollowUp = true;
      for (;;) {
        const next = this.#clock.peek();
        if (mustFollowUp || (this.#stirred && !this.#sharesTurn(next))) {
          await this.#followUp();
          if (isDone()) return true;
          mustFollowUp = false;
        } else if (next === undefined || next.time > limit) {
          this.#clock.moveTo(limit);
          return false;
        } else {
          this.#events++;
          this.#clock.runNext();
          mustFollowUp = next.owner === this;
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /**
   * Whether `next` may happen in the same turn of the real event loop as what has happened since the last: it is due at
   * the same instant, and no code of its node has run yet. So what a thousand nodes do at one instant costs one turn.
   */
  #sharesTurn(next: VirtualEvent | undefined): boolean {
    if (next === undefined || next.time > this.now || next.owner === this) return false;
    return !(next.owner instanceof SimulatedNode && next.owner.lastTurn === this.#turn);
  }

  /** Lets everything run that can without time going on. */
  async #followUp(): Promise<void> {
    do {
      await this.#outside.busy;
      await turn();
    } while (this.#outside.busy !== undefined);
    this.#turn++;
    this.#stirred = false;
  }

  #stir(node: SimulatedNode | undefined): void {
    this.#stirred = true;
    if (node !== undefined) node.lastTurn = this.#turn;
  }

  #record(kind: SimulatedEvent["kind"], node: string, bytes: number, from?: string): void {
    const fromIndex = from === undefined ? 0 : this.#place(from).index;
    this.#hash.add(this.now, EVENT_NUMBERS[kind] + 16 * fromIndex, this.#place(node).index, bytes);
    this.#trace?.({ time: this.now, kind, node, bytes, ...(from !== undefined && { from }) });
  }

  #place(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      this.#places.set(name, place = { index: this.#places.size, lives: 0, skew: 0, node: undefined });
    }
    return place;
  }

  #living(name: string, action: string): SimulatedNode {
    const node = this.#places.get(name)?.node;
    if (node === undefined) throw new Error(`Cannot ${action} node "${name}": it is not alive`);
    return node;
  }
}

/** Resolves when all microtasks are done. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
