// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type DialHost, MemoryDial } from "./memory_dial.ts";
import type { MemoryLinks } from "./memory_links.ts";
import type { MemorySlab } from "./memory_slab.ts";
import type { MemoryNetworkEvent, MemoryStream } from "./memory_stream.ts";
import type { ByteStream, Listener, Transport } from "../transport.ts";
import type { Address } from "../../wire/address.ts";

/** Watches a network. */
export interface MemoryNetworkObserver {
  /** Something from host `from` reached the machine of host `to`. */
  arrived(event: MemoryNetworkEvent, from: string, to: string, bytes: number): void;
  /** Code of `host` is about to run, because something that it waited for has happened. */
  woken(host: string): void;
}

/** State that all hosts of a network share. */
export interface MemoryWorld {
  readonly links: MemoryLinks;
  readonly slab: MemorySlab;
  readonly windowBytes: number;
  readonly observer: MemoryNetworkObserver | undefined;
  readonly ports: MemoryPorts;
}

/** Listeners by address. */
export interface MemoryPorts {
  /** Takes an address for `listener`; port 0 becomes a free one. */
  bind(address: Address, listener: MemoryListener): Address;
  /** Gives the address of `listener` back. */
  release(listener: MemoryListener): void;
  /** Listener at `address`. */
  find(address: Address): MemoryListener | undefined;
  /** The name of the host that has, or last had, `address`. */
  ownerOf(address: Address): string;
}

/** One incarnation of a host of a network in memory: it ends with a crash. */
export class MemoryHost implements Transport, DialHost {
  readonly name: string;
  /** Address that others see its streams come from. */
  readonly origin: Address;
  /** Open streams. */
  readonly streams = new Set<MemoryStream>();
  /** Milliseconds that it takes to process a byte that was read from a stream. */
  msPerByte = 0;
  readonly #world: MemoryWorld;
  readonly #listeners = new Set<MemoryListener>();
  #alive = true;
  #paused = false;
  /** Operations that go on after the pause. */
  readonly #late = new Set<{ settle(): void }>();

  constructor(name: string, world: MemoryWorld) {
    this.name = name;
    this.origin = { hostname: name, port: 0 };
    this.#world = world;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get links(): MemoryLinks {
    return this.#world.links;
  }

  get ports(): MemoryPorts {
    return this.#world.ports;
  }

  get windowBytes(): number {
    return this.#world.windowBytes;
  }

  /** Most bytes that one read takes: what a slow reader deals with in a tenth of a second. */
  get readBytesMax(): number {
    return Math.max(1, Math.floor(100 / this.msPerByte));
  }

  listen(address: Address, accept: (stream: ByteStream) => void): Promise<Listener> {
    if (!this.#alive) return never();
    try {
      const listener = new MemoryListener(this, address, accept);
      this.#listeners.add(listener);
      return Promise.resolve(listener);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  connect(address: Address, options?: { readonly signal?: AbortSignal }): Promise<ByteStream> {
    if (!this.#alive) return never();
    return new Promise((resolve, reject) => new MemoryDial(this, address, options?.signal, resolve, reject));
  }

  /** A copy of `bytes` that will not be changed. */
  copy(bytes: Uint8Array): Uint8Array {
    return this.#world.slab.copy(bytes);
  }

  observe(event: MemoryNetworkEvent, from: string, bytes: number): void {
    this.#world.observer?.arrived(event, from, this.name, bytes);
  }

  /** Whether code of this host may run now; if it is paused, `waiter` is settled afterwards. */
  wake(waiter: { settle(): void }): boolean {
    if (!this.#alive) return false;
    if (this.#paused) {
      this.#late.add(waiter);
      return false;
    }
    this.#world.observer?.woken(this.name);
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const late = [...this.#late];
    this.#late.clear();
    for (const waiter of late) waiter.settle();
  }

  /** Ends this incarnation. With `tell`, the machine lives on and resets the streams; otherwise no other host hears of it. */
  crash(tell: boolean): void {
    this.#alive = false;
    for (const listener of this.#listeners) listener.close();
    for (const stream of this.streams) stream.die(tell);
    this.streams.clear();
    this.#late.clear();
  }

  /** Forgets a closed listener. */
  forget(listener: MemoryListener): void {
    this.#listeners.delete(listener);
  }
}

/** An address of a {@linkcode MemoryHost}. */
export class MemoryListener implements Listener {
  readonly host: MemoryHost;
  readonly address: Address;
  readonly #accept: (stream: ByteStream) => void;
  #closed = false;

  constructor(host: MemoryHost, address: Address, accept: (stream: ByteStream) => void) {
    this.host = host;
    this.#accept = accept;
    this.address = host.ports.bind(address, this);
  }

  /** Hands `stream` over, unless the listener was closed meanwhile. */
  accept(stream: MemoryStream): void {
    if (this.#closed) stream.reset();
    else this.#accept(stream);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.host.ports.release(this);
    this.host.forget(this);
  }
}

/** Promise that code of a crashed host waits for. */
function never(): Promise<never> {
  return new Promise(() => {});
}
