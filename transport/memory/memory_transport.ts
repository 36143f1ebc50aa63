// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Random } from "../../runtime/runtime.ts";
import { CLOCK, objectWith, RANDOM } from "../../runtime/object_with.ts";
import { checkOptions, checkRequired, NUMBER, OBJECT, type OptionKinds } from "../../runtime/options.ts";
import { MemoryHost, type MemoryListener, type MemoryNetworkObserver, type MemoryPorts } from "./memory_host.ts";
import { type CutConnects, type Latency, MemoryLinks, type Retransmission } from "./memory_links.ts";
import { connectsAcross, isReset, LATENCY } from "./network_options.ts";
import { MemorySlab } from "./memory_slab.ts";
import type { Transport } from "../transport.ts";
import type { Address } from "../../wire/address.ts";

/** Options of {@linkcode MemoryNetwork}. */
export interface MemoryNetworkOptions {
  /** Times what is under way. */
  readonly clock: Clock;
  /**
   * Draws latencies. Needed when `latency` is a function.
   *
   * @default {none}
   */
  readonly random?: Random | undefined;
  /**
   * Latency: time that bytes are under way, in milliseconds.
   *
   * @default {0}
   */
  readonly latency?: Latency | undefined;
  /**
   * Arrivals happen at multiples of this, in milliseconds; 0 means at any time. A simulation with a thousand hosts runs
   * much faster when many arrivals share an instant.
   *
   * @default {0}
   */
  readonly resolution?: number | undefined;
  /**
   * Maximum of bytes under way or unread in each direction of a stream, before writing waits.
   *
   * @default {131_072}
   */
  readonly windowBytes?: number | undefined;
  /**
   * Schedule by which bytes that met a cut are sent again: after `initial` milliseconds, then each time after twice as long,
   * `cap` at most. After the cut has healed they go on when the next try is due, as those of TCP do.
   *
   * @default {none: they go on as soon as it has healed}
   */
  readonly retransmission?: Retransmission | undefined;
  /**
   * Is told what happens.
   *
   * @default {none}
   */
  readonly observer?: MemoryNetworkObserver | undefined;
}

const ACTION = "Cannot make a network";
const KINDS: OptionKinds<MemoryNetworkOptions> = {
  clock: CLOCK,
  random: RANDOM,
  latency: LATENCY,
  resolution: NUMBER,
  windowBytes: NUMBER,
  retransmission: OBJECT,
  observer: objectWith("an object with arrived() and woken()", "arrived", "woken"),
};
const RETRANSMISSION_KINDS: OptionKinds<Retransmission> = { initial: NUMBER, cap: NUMBER };

/**
 * A network in memory, with the faults of real ones. Its hosts open streams as over TCP: ordered, with nothing lost in
 * between, and bounded. Hosts are named; all of them share one space of addresses, as processes on one machine do,
 * and `port: 0` gives a port that no other host has.
 *
 * Bytes that meet a cut wait, as TCP would resend them, and arrive once it has healed.
 *
 * @example Bytes from one host to another
 * ```ts
 * import { MemoryNetwork } from "@partisan/peer-service/transport";
 * import { VirtualClock } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new MemoryNetwork({ clock: new VirtualClock() });
 * const listener = await network.transport("b").listen({ hostname: "b", port: 0 }, async (stream) => {
 *   await stream.write(new TextEncoder().encode("hello"));
 *   stream.close();
 * });
 * const stream = await network.transport("a").connect(listener.address);
 * const buffer = new Uint8Array(16);
 * assertEquals(await stream.read(buffer), 5);
 * assertEquals(await stream.read(buffer), null);
 * ```
 *
 * @example Everything that can go wrong
 * ```ts
 * import { MemoryNetwork } from "@partisan/peer-service/transport";
 * import { VirtualClock } from "@partisan/peer-service/testing";
 * import { assert, assertEquals, assertRejects } from "@std/assert";
 *
 * const clock = new VirtualClock();
 * const network = new MemoryNetwork({ clock });
 * const { address } = await network.transport("b").listen({ hostname: "b", port: 0 }, () => {});
 * const connect = () => network.transport("a").connect(address);
 * const buffer = new Uint8Array(16);
 *
 * network.cut("a", "b", { connects: "refuse" });
 * await assertRejects(connect);
 * network.heal();
 * const stream = await connect();
 *
 * network.cutOneWay("a", "b");
 * assert(network.isCut("a", "b"));
 * network.clog("b", "a", 1_000);
 * network.narrow("a", "b", 1_400);
 * network.forget("a", "b", 1);
 * network.slowReader("a", 1_000);
 * network.pause("b");
 * network.resume("b");
 * network.heal("a", "b");
 *
 * const reading = stream.read(buffer);
 * network.reset("a", "b");
 * await assertRejects(() => reading);
 * network.crash("b", { reset: true });
 * await assertRejects(connect);
 * assertEquals(clock.now(), 0);
 * ```
 */
export class MemoryNetwork {
  readonly #links: MemoryLinks;
  readonly #hosts = new Map<string, MemoryHost>();
  readonly #ports = new Ports();
  readonly #slab = new MemorySlab();
  readonly #windowBytes: number;
  readonly #observer: MemoryNetworkObserver | undefined;

  /**
   * Begins without hosts and without faults.
   *
   * @throws {TypeError | RangeError} When an option can be none.
   */
  constructor(options: MemoryNetworkOptions) {
    const { clock, random, latency = 0, resolution = 0, windowBytes = 128 * 1024, retransmission, observer } =
      checkRequired(ACTION, options, KINDS, "clock");
    if (retransmission !== undefined) checkOptions(`${ACTION}: "retransmission"`, retransmission, RETRANSMISSION_KINDS);
    for (const [what, value, least] of [["resolution", resolution, 0], ["windowBytes", windowBytes, 1]] as const) {
      if (!(value >= least)) throw new RangeError(`${ACTION}: "${what}" is ${value}, expected ${least} or more`);
    }
    this.#windowBytes = windowBytes;
    this.#observer = observer;
    this.#links = new MemoryLinks(clock, random, latency, resolution, retransmission);
  }

  /** Transport of `host`. After a crash of that host: of its next incarnation. */
  transport(host: string): Transport {
    let found = this.#hosts.get(host);
    if (found === undefined) {
      found = new MemoryHost(host, {
        links: this.#links,
        slab: this.#slab,
        windowBytes: this.#windowBytes,
        observer: this.#observer,
        ports: this.#ports,
      });
      this.#hosts.set(host, found);
      this.#links.markUp(host);
    }
    return found;
  }

  /**
   * Lets nothing pass between `a` and `b` (hosts, or groups of hosts). Streams stay open and stall. Connects hang
   * until the cut has healed or, with `connects: "refuse"`, fail.
   */
  cut(a: string | readonly string[], b: string | readonly string[], options?: { connects?: CutConnects }): void {
    this.cutOneWay(a, b, options);
    this.cutOneWay(b, a, options);
  }

  /** Lets nothing pass from `from` to `to`; the other direction stays open. */
  cutOneWay(
    from: string | readonly string[],
    to: string | readonly string[],
    options?: { connects?: CutConnects },
  ): void {
    const connects = connectsAcross(options);
    for (const [sender, receiver] of pairs(from, to)) this.#links.cut(sender, receiver, connects);
  }

  /** Whether a cut lets nothing pass from `from` to `to`. */
  isCut(from: string, to: string): boolean {
    return this.#links.isCut(from, to);
  }

  /** Lets no more than `bytesPerSecond` pass from `from` to `to`, all streams together. */
  clog(from: string | readonly string[], to: string | readonly string[], bytesPerSecond: number): void {
    if (!(bytesPerSecond > 0)) {
      throw new RangeError(`Cannot clog: bytesPerSecond is ${bytesPerSecond}, expected above 0`);
    }
    for (const [sender, receiver] of pairs(from, to)) this.#links.clog(sender, receiver, bytesPerSecond / 1000);
  }

  /** Loses every packet of more than `bytes` bytes on its way from `from` to `to`, as a path with a smaller MTU does when no router says so. */
  narrow(from: string | readonly string[], to: string | readonly string[], bytes: number): void {
    if (!(bytes > 0)) throw new RangeError(`Cannot narrow: bytes is ${bytes}, expected above 0`);
    for (const [sender, receiver] of pairs(from, to)) this.#links.narrow(sender, receiver, bytes);
  }

  /**
   * Forgets open streams between `a` and `b`, as a router that translates addresses forgets connections: they look open, and everything that is
   * sent over them is lost, for good.
   *
   * @param index Index among them, in the order in which they were opened; all without it.
   */
  forget(a: string, b: string, index?: number): void {
    const streams = [...this.#hosts.get(a)?.streams ?? []].filter((stream) => stream.peerHost.name === b);
    for (const stream of index === undefined ? streams : streams.slice(index, index + 1)) stream.forget();
  }

  /** Lets `host`, in this incarnation, read no more than `bytesPerSecond` from each stream; `Infinity` ends that. */
  slowReader(host: string, bytesPerSecond: number): void {
    if (!(bytesPerSecond > 0)) {
      throw new RangeError(`Cannot slow down: bytesPerSecond is ${bytesPerSecond}, expected above 0`);
    }
    const found = this.#hosts.get(host);
    if (found !== undefined) found.msPerByte = 1000 / bytesPerSecond;
  }

  /** Undoes cuts, clogs and narrow ways between `a` and `b`, or all of them. */
  heal(a?: string | readonly string[], b?: string | readonly string[]): void {
    if (a === undefined || b === undefined) return this.#links.healAll();
    for (const [from, to] of [...pairs(a, b), ...pairs(b, a)]) this.#links.heal(from, to);
  }

  /** Breaks all open streams between `a` and `b`: both ends get an error. */
  reset(a: string | readonly string[], b: string | readonly string[]): void {
    for (const [from, to] of [...pairs(a, b), ...pairs(b, a)]) {
      for (const stream of [...this.#hosts.get(from)?.streams ?? []]) {
        if (stream.peerHost.name === to) stream.reset();
      }
    }
  }

  /** Stops `host` as SIGSTOP stops a process: its machine takes bytes and connections, but no code of it runs. */
  pause(host: string): void {
    this.#hosts.get(host)?.pause();
  }

  /** Lets a paused host go on: with all that has arrived meanwhile. */
  resume(host: string): void {
    this.#hosts.get(host)?.resume();
  }

  /**
   * Ends this incarnation of `host`; none of its promises settles any more. Its machine goes silent too: no other host hears of
   * it until the next incarnation begins. With `reset: true` only the process dies, and the machine resets its streams.
   */
  crash(host: string, options: { reset?: boolean } = {}): void {
    const reset = isReset(host, options);
    const found = this.#hosts.get(host);
    if (found === undefined) return;
    this.#hosts.delete(host);
    if (!reset) this.#links.markDown(host);
    found.crash(reset);
  }
}

/** Every one of `a` with every one of `b`, but none with itself. */
function* pairs(a: string | readonly string[], b: string | readonly string[]): Generator<[string, string]> {
  for (const from of typeof a === "string" ? [a] : a) {
    for (const to of typeof b === "string" ? [b] : b) if (from !== to) yield [from, to];
  }
}

const PORT_FIRST = 1024;
const PORT_LAST = 65_535;

class Ports implements MemoryPorts {
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #owners = new Map<string, string>();
  readonly #used = new Map<number, number>();
  #last = PORT_FIRST - 1;

  bind(address: Address, listener: MemoryListener): Address {
    const port = address.port === 0 ? this.#free() : address.port;
    const bound = { hostname: address.hostname, port };
    const key = keyOf(bound, listener.host);
    if (this.#listeners.has(key)) throw new Error(`Cannot listen on "${key}": address already in use`);
    this.#listeners.set(key, listener);
    this.#owners.set(key, listener.host.name);
    this.#used.set(port, (this.#used.get(port) ?? 0) + 1);
    return bound;
  }

  release(listener: MemoryListener): void {
    const { address, host } = listener;
    this.#listeners.delete(keyOf(address, host));
    const users = (this.#used.get(address.port) ?? 0) - 1;
    if (users > 0) this.#used.set(address.port, users);
    else this.#used.delete(address.port);
  }

  find(address: Address): MemoryListener | undefined {
    return this.#listeners.get(keyOf(address));
  }

  ownerOf(address: Address): string {
    return this.#owners.get(keyOf(address)) ?? address.hostname;
  }

  #free(): number {
    for (let tried = PORT_FIRST; tried <= PORT_LAST; tried++) {
      this.#last = this.#last === PORT_LAST ? PORT_FIRST : this.#last + 1;
      if (!this.#used.has(this.#last)) return this.#last;
    }
    throw new Error("Cannot listen: all ports are taken");
  }
}

/** Key by which an address is looked up; all interfaces of `host` go by its name. */
function keyOf({ hostname, port }: Address, host?: MemoryHost): string {
  const isEverywhere = hostname === "0.0.0.0" || hostname === "::";
  return `${isEverywhere && host !== undefined ? host.name : hostname}:${port}`;
}
