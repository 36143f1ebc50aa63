// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Random } from "../../runtime/runtime.ts";

/** Time that bytes are under way between two hosts, in milliseconds: always the same, or drawn anew each time. */
export type Latency = number | ((random: Random, from: string, to: string) => number);

/**
 * A latency between `min` and `max` milliseconds, each as likely as any other.
 *
 * @example A network that takes 5 to 10 milliseconds
 * ```ts
 * import { SeededRandom, uniformLatency } from "@partisan/peer-service/testing";
 * import { assert } from "@std/assert";
 *
 * const latency = uniformLatency(5, 10);
 * const drawn = typeof latency === "function" ? latency(new SeededRandom(1), "a", "b") : latency;
 * assert(drawn >= 5 && drawn < 10);
 * ```
 */
export function uniformLatency(min: number, max: number): Latency {
  return (random) => min + (max - min) * random.next();
}

/** Schedule by which a stream sends again what met a cut. */
export interface Retransmission {
  /** Milliseconds before the first try. */
  readonly initial: number;
  /** Most milliseconds between two tries. */
  readonly cap: number;
}

/** Fate of attempts to connect across a cut. */
export type CutConnects = "hang" | "refuse";

/** Something that waits for a way to open again. */
export interface Stalled {
  /** Called once the way is open. */
  resume(): void;
}

/** Faults of the link from one host to another. */
interface Link {
  cut: CutConnects | undefined;
  bytesPerMs: number;
  /** Larger packets are lost. */
  packetBytesMax: number;
  /** Time at which the last byte sent leaves a clogged link. */
  freeAt: number;
  readonly stalled: Set<Stalled>;
}

/** Bytes of a stream in a packet, on a way that is slow enough to see it. */
const PACKET_BYTES = 1_460;

/** Deliveries without latency in a row, before one takes the way through the clock to let other tasks run. */
const IMMEDIATE_MAX = 1000;

/** The ways between hosts: how long they take, and which of them are cut or clogged. */
export class MemoryLinks {
  readonly clock: Clock;
  readonly #random: Random | undefined;
  readonly #latency: Latency;
  readonly #resolution: number;
  /** By sender, then receiver. Only of ways about which something is unusual. */
  readonly #links = new Map<string, Map<string, Link>>();
  /** Operations that wait for hosts that are down and do not even refuse. */
  readonly #down = new Map<string, Set<Stalled>>();
  readonly #retransmission: Retransmission | undefined;
  #immediate = 0;

  constructor(
    clock: Clock,
    random: Random | undefined,
    latency: Latency,
    resolution: number,
    retransmission?: Retransmission,
  ) {
    if (typeof latency === "function" && random === undefined) {
      throw new TypeError("Cannot draw latencies: no source of randomness was given");
    }
    this.clock = clock;
    this.#random = random;
    this.#latency = latency;
    this.#resolution = resolution;
    this.#retransmission = retransmission;
  }

  /**
   * Time at which `bytes` bytes that leave `from` now reach `to`: now at the earliest. Where a clog delays them, `stalled` is
   * told when that has healed.
   */
  arrival(from: string, to: string, bytes: number, stalled?: Stalled): number {
    const now = this.clock.now();
    let leaves = now;
    const link = this.#find(from, to);
    if (link !== undefined && link.bytesPerMs < Infinity) {
      leaves = link.freeAt = Math.max(now, link.freeAt) + bytes / link.bytesPerMs;
      if (stalled !== undefined) link.stalled.add(stalled);
    }
    const latency = typeof this.#latency === "number" ? this.#latency : this.#latency(this.#random as Random, from, to);
    const arrives = leaves + latency;
    return this.#resolution > 0 ? Math.ceil(arrives / this.#resolution) * this.#resolution : arrives;
  }

  /**
   * Milliseconds until what has been held back since `heldAt` is sent again.
   *
   * @param least The first wait at least: TCP begins with a second while it knows nothing of the round trip.
   */
  untilNextTry(heldAt: number, least = 0): number {
    if (this.#retransmission === undefined) return 0;
    const { cap } = this.#retransmission;
    const initial = Math.max(least, this.#retransmission.initial);
    const now = this.clock.now();
    let [next, pause] = [heldAt + initial, initial];
    while (next < now) next += pause = Math.min(cap, 2 * pause);
    return next - now;
  }

  /** Whether bytes that would arrive at `time` may do so within the call that sent them. */
  isImmediate(time: number): boolean {
    if (time > this.clock.now()) return false;
    this.#immediate = (this.#immediate + 1) % IMMEDIATE_MAX;
    return this.#immediate > 0;
  }

  /** Whether a packet of `bytes` bytes does not pass from `from` to `to` now; `stalled` is then told once it does. */
  holds(from: string, to: string, stalled: Stalled, bytes = 0): boolean {
    const link = this.#find(from, to);
    const isOpen = link === undefined || (link.cut === undefined && bytes <= link.packetBytesMax);
    const waiting = isOpen ? this.#down.get(to) : link.stalled;
    waiting?.add(stalled);
    return waiting !== undefined;
  }

  /**
   * Whether no word comes back to `from` of what has reached `to` since `since`, so that it sends nothing more; `stalled` is then told once it
   * does. Where nothing is sent again, that makes no difference.
   */
  starves(from: string, to: string, stalled: Stalled, since: number | undefined): boolean {
    if (this.#retransmission === undefined || this.#find(to, from)?.cut === undefined) return false;
    if (since === undefined || this.clock.now() < since + this.#retransmission.initial) return false;
    return this.holds(to, from, stalled);
  }

  /** Whether no word comes back to `from` of what reaches `to` now. */
  isDeaf(from: string, to: string): boolean {
    return this.#find(to, from)?.cut !== undefined;
  }

  /** The pieces in which bytes are under way from `from` to `to`. */
  packetBytes(from: string, to: string): number {
    return (this.#find(from, to)?.bytesPerMs ?? Infinity) < Infinity ? PACKET_BYTES : Infinity;
  }

  /** `stalled` does not wait any more for the way from `from` to `to`. */
  forget(from: string, to: string, stalled: Stalled): void {
    this.#find(from, to)?.stalled.delete(stalled);
    this.#down.get(to)?.delete(stalled);
  }

  /** Whether nothing passes from `from` to `to`. */
  isCut(from: string, to: string): boolean {
    return this.#find(from, to)?.cut !== undefined;
  }

  /** Whether connects from `from` to `to` fail at once, because a cut says so. */
  refuses(from: string, to: string): boolean {
    return this.#find(from, to)?.cut === "refuse" || this.#find(to, from)?.cut === "refuse";
  }

  /** Lets nothing pass from `from` to `to` any more. */
  cut(from: string, to: string, connects: CutConnects): void {
    this.#get(from, to).cut = connects;
  }

  /** Lets no more than `bytesPerMs` pass from `from` to `to`. */
  clog(from: string, to: string, bytesPerMs: number): void {
    this.#get(from, to).bytesPerMs = bytesPerMs;
  }

  /** Lets no packet of more than `bytes` bytes pass from `from` to `to`. */
  narrow(from: string, to: string, bytes: number): void {
    this.#get(from, to).packetBytesMax = bytes;
  }

  /** Makes the way from `from` to `to` usual again. */
  heal(from: string, to: string): void {
    const receivers = this.#links.get(from);
    const link = receivers?.get(to);
    if (link === undefined) return;
    receivers?.delete(to);
    if (receivers?.size === 0) this.#links.delete(from);
    for (const stalled of link.stalled) stalled.resume();
  }

  /** Makes every way usual again. */
  healAll(): void {
    for (const [from, receivers] of [...this.#links]) {
      for (const to of [...receivers.keys()]) this.heal(from, to);
    }
  }

  /** `host` neither takes bytes nor refuses them. */
  markDown(host: string): void {
    if (!this.#down.has(host)) this.#down.set(host, new Set());
  }

  /** `host` is there again. */
  markUp(host: string): void {
    const waiting = this.#down.get(host);
    if (waiting === undefined) return;
    this.#down.delete(host);
    for (const stalled of waiting) stalled.resume();
  }

  #find(from: string, to: string): Link | undefined {
    return this.#links.size === 0 ? undefined : this.#links.get(from)?.get(to);
  }

  #get(from: string, to: string): Link {
    let receivers = this.#links.get(from);
    if (receivers === undefined) this.#links.set(from, receivers = new Map());
    let link = receivers.get(to);
    if (link === undefined) {
      receivers.set(to, link = newLink());
    }
    return link;
  }
}

function newLink(): Link {
  return { cut: undefined, bytesPerMs: Infinity, packetBytesMax: Infinity, freeAt: 0, stalled: new Set() };
}
