// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions, FUNCTION, KEY, NUMBER, type OptionKinds } from "../runtime/options.ts";
import type { Random, Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import { type Latency, type Retransmission, uniformLatency } from "../transport/memory/memory_links.ts";
import { isReset, LATENCY } from "../transport/memory/network_options.ts";
import { MemoryNetwork } from "../transport/memory/memory_transport.ts";
import { stretch } from "../connections/noise/primitives.ts";
import { HistoryHash } from "./history_hash.ts";
import { SeededRandom } from "./seeded_random.ts";
import { EVENT_NUMBERS, type SimulatedEvent } from "./simulated_event.ts";
import { SimulatedNode } from "./simulated_node.ts";
import { WaitLimitError } from "./wait_limit_error.ts";
import { VirtualEventLoop } from "./virtual_event_loop.ts";

/** Options of {@linkcode SimulatedWorld}. */
export interface SimulatedWorldOptions {
  /**
   * Decides everything that is left to chance.
   *
   * @default {1}
   */
  readonly seed?: number | string | undefined;
  /**
   * Latency: time that bytes are under way between two nodes, in milliseconds.
   *
   * @default {uniformLatency(0.5, 5)}
   */
  readonly latency?: Latency | undefined;
  /**
   * Bytes arrive at multiples of this, in milliseconds. All that happens at one instant costs one turn of the event loop,
   * so a coarser one makes large worlds faster.
   *
   * @default {0.25}
   */
  readonly resolution?: number | undefined;
  /**
   * Schedule by which bytes that met a cut are sent again. With `false` they go on as soon as the cut has healed, and no way
   * needs the other one.
   *
   * @default {as TCP on Linux does: after 200 ms, then each time after twice as long, 120 s at most}
   */
  readonly retransmission?: Retransmission | false | undefined;
  /**
   * Maximum of bytes under way or unread in each direction of a stream.
   *
   * @default {131_072}
   */
  readonly windowBytes?: number | undefined;
  /** Is told what happens, as it happens. */
  readonly trace?: ((event: SimulatedEvent) => void) | undefined;
}

/** Kinds of the options of a {@linkcode SimulatedWorld}. */
export const WORLD_KINDS: OptionKinds<SimulatedWorldOptions> = {
  seed: KEY,
  latency: LATENCY,
  resolution: NUMBER,
  retransmission: ["an object or false", (value) => value === false || (typeof value === "object" && value !== null)],
  windowBytes: NUMBER,
  trace: FUNCTION,
};

/** Schedule of TCP on Linux where round trips are short. */
const TCP_RETRANSMISSION: Retransmission = { initial: 200, cap: 120_000 };

/** State that outlives a node's crash. */
interface Place {
  readonly index: number;
  incarnations: number;
  skew: number;
  node: SimulatedNode | undefined;
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
 *
 * @example A node that is paused, and one that crashes
 * ```ts
 * import { SimulatedWorld } from "@partisan/peer-service/testing";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const world = new SimulatedWorld();
 * const calls: string[] = [];
 * world.setSkew("a", 3_600_000);
 * const [a, b] = [world.node("a"), world.node("b")];
 * assertEquals(a.clock.wallTime() - b.clock.wallTime(), 3_600_000);
 *
 * a.clock.schedule(10 * world.random("delays").next(), () => calls.push("a"));
 * b.clock.schedule(10, () => calls.push("b"));
 * world.pause("a");
 * world.crash("b");
 * await world.advance(1_000);
 * assert(world.isPaused("a"));
 * assertEquals(calls, []);
 *
 * world.resume("a");
 * assert(await world.runUntil(() => calls.length > 0, 1_000));
 * assertEquals(calls, ["a"]);
 * assertEquals(world.timers("a"), 0);
 * assertEquals(await world.wait(Promise.resolve("done"), 1_000), "done");
 * ```
 */
export class SimulatedWorld {
  /** Seed of everything that is left to chance. */
  readonly seed: number | string;
  /** The network, for cutting, clogging and healing it. */
  readonly network: MemoryNetwork;
  readonly #loop = new VirtualEventLoop();
  readonly #random: SeededRandom;
  readonly #keys = new Map<string, Promise<Uint8Array>>();
  readonly #hash = new HistoryHash();
  readonly #places = new Map<string, Place>();
  readonly #trace: ((event: SimulatedEvent) => void) | undefined;

  /**
   * Begins at time 0, without nodes.
   *
   * @throws {TypeError | RangeError} When an option can be none.
   */
  constructor(options: SimulatedWorldOptions = {}) {
    const { seed = 1, latency, resolution, retransmission, windowBytes, trace } = checkOptions(
      "Cannot make a world",
      options,
      WORLD_KINDS,
    );
    this.seed = seed;
    this.#random = new SeededRandom(seed);
    this.#trace = trace;
    this.network = new MemoryNetwork({
      clock: this.#loop.kernelClock,
      random: this.#random.fork("network"),
      latency: latency ?? uniformLatency(0.5, 5),
      resolution: resolution ?? 0.25,
      windowBytes,
      retransmission: retransmission === false ? undefined : retransmission ?? TCP_RETRANSMISSION,
      observer: {
        arrived: (kind, from, to, bytes) => this.#record(kind, to, bytes, from),
        woken: (host) => this.#loop.stir(this.#places.get(host)?.node),
      },
    });
  }

  /** Milliseconds of virtual time since the world began. */
  get now(): number {
    return this.#loop.clock.now();
  }

  /** Events so far. */
  get events(): number {
    return this.#loop.events;
  }

  /** Stands for all that has happened so far: when, what, where, and how many bytes. */
  get historyHash(): string {
    return this.#hash.toString();
  }

  /** Randomness for a test itself; drawing from it changes nothing for the nodes. */
  random(label: string): SeededRandom {
    return this.#random.fork(`test/${label}`);
  }

  /** The runtime of node `name`, which is also its host name. After a crash: that of its next incarnation. */
  node(name: string): Runtime {
    const place = this.#place(name);
    if (place.node === undefined) {
      place.incarnations++;
      const random: Random = this.#random.fork(`node/${name}/${place.incarnations}`);
      this.#record("start", name, place.incarnations);
      place.node = new SimulatedNode(name, () => place.skew, {
        clock: this.#loop.clock,
        random,
        transport: this.network.transport(name),
        woken: (node, cause) => {
          this.#loop.stir(node);
          if (cause === "timer") this.#record("timer", name, 0);
        },
        outside: (operation) => this.#loop.outside.add(operation),
        stretch: (secret, salt) => this.#stretch(secret, salt),
      });
    }
    return place.node;
  }

  /** Keys of secrets take long to make, and all nodes have the same ones. */
  #stretch(secret: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
    const id = `${salt} ${secret}`;
    const known = this.#keys.get(id) ?? stretch(secret, salt);
    this.#keys.set(id, known);
    return known;
  }

  /** Stops node `name` as SIGSTOP stops a process: what comes due or arrives waits until it resumes. */
  pause(name: string): void {
    const node = this.#living(name, "pause");
    if (node.paused) return;
    this.#record("pause", name, 0);
    node.pause();
    this.network.pause(name);
  }

  /** Whether node `name` is paused. */
  isPaused(name: string): boolean {
    return this.#places.get(name)?.node?.paused ?? false;
  }

  /** Timers of node `name` that are still to run: a node that has stopped leaves none behind. */
  timers(name: string): number {
    return this.#places.get(name)?.node?.timers ?? 0;
  }

  /** Lets node `name` go on: first its late timers run, then it learns what arrived meanwhile. */
  resume(name: string): void {
    const node = this.#living(name, "resume");
    if (!node.paused) return;
    this.#record("resume", name, 0);
    node.resume();
    this.#loop.clock.schedule(0, () => {
      if (!node.paused) this.network.resume(name);
    });
  }

  /**
   * Ends this incarnation of node `name`: its timers and streams are gone, and none of its promises settles any more. Its machine
   * goes silent too, until the next incarnation begins; with `reset: true` the machine resets the streams at once.
   */
  crash(name: string, options: { readonly reset?: boolean } = {}): void {
    const reset = isReset(name, options);
    this.#living(name, "crash").crash();
    this.#place(name).node = undefined;
    this.#record("crash", name, reset ? 1 : 0);
    this.network.crash(name, { reset });
  }

  /** Sets the wall clock of node `name`, in this incarnation and later ones, `ms` milliseconds ahead of that of the world. */
  setSkew(name: string, ms: number): void {
    this.#place(name).skew = ms;
  }

  /** Calls `callback` at a later time, between two events: for faults. */
  schedule(delay: number, callback: () => void): Timer {
    return this.#loop.clock.schedule(delay, callback);
  }

  /** Lets `ms` milliseconds of virtual time pass. Rejects with what a timer of a node throws. */
  async advance(ms: number): Promise<void> {
    await this.#loop.run(this.now + ms, () => false);
  }

  /**
   * Lets time pass until `condition` holds, which is asked after each event, for `limit` milliseconds at most.
   *
   * @returns Whether it holds.
   */
  async runUntil(condition: () => boolean, limit: number): Promise<boolean> {
    return await this.#loop.run(this.now + limit, condition);
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
    if (await this.#loop.run(this.now + limit, () => settled)) return await promise;
    throw new WaitLimitError(`Cannot wait any longer: the promise is still pending after ${limit} ms of virtual time`);
  }

  #record(kind: SimulatedEvent["kind"], node: string, bytes: number, from?: string): void {
    const fromIndex = from === undefined ? 0 : this.#place(from).index;
    this.#hash.add(this.now, EVENT_NUMBERS[kind] + 16 * fromIndex, this.#place(node).index, bytes);
    this.#trace?.({ time: this.now, kind, node, bytes, ...(from !== undefined && { from }) });
  }

  #place(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      this.#places.set(name, place = { index: this.#places.size, incarnations: 0, skew: 0, node: undefined });
    }
    return place;
  }

  #living(name: string, action: string): SimulatedNode {
    const node = this.#places.get(name)?.node;
    if (node === undefined) throw new Error(`Cannot ${action} node "${name}": it is not alive`);
    return node;
  }
}
