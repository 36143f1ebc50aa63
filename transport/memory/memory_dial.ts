// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Stalled } from "./memory_links.ts";
import { MemoryStream, type StreamHost } from "./memory_stream.ts";
import type { ByteStream } from "../transport.ts";
import { type Address, formatAddress } from "../../wire/address.ts";

/** Milliseconds before an attempt that was lost is made again for the first time (RFC 6298). */
const FIRST_TRY_MS = 1_000;

/** Acceptor of the streams of an address. */
export interface DialTarget {
  readonly host: StreamHost;
  accept(stream: MemoryStream): void;
}

/** Part of a host that its attempts to connect use. */
export interface DialHost extends StreamHost {
  readonly ports: {
    /** Listener at `address`. */
    find(address: Address): DialTarget | undefined;
    /** The name of the host that has, or last had, `address`. */
    ownerOf(address: Address): string;
  };
}

/** An attempt to connect: it travels to the listener and back. */
export class MemoryDial implements Stalled {
  readonly #host: DialHost;
  readonly #address: Address;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (stream: ByteStream) => void;
  readonly #reject: (reason: unknown) => void;
  /** The host at the address. */
  readonly #target: string;
  readonly #abort = () => this.#finish(undefined);
  /** Answer on its way back; not set while on the way there. */
  #answer: MemoryStream | "refused" | undefined;
  #finished = false;
  /** Time at which it met a cut, if it did. */
  #heldAt: number | undefined;

  constructor(
    host: DialHost,
    address: Address,
    signal: AbortSignal | undefined,
    resolve: (stream: ByteStream) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#host = host;
    this.#address = address;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#target = host.ports.ownerOf(address);
    signal?.addEventListener("abort", this.#abort, { once: true });
    if (signal?.aborted) this.#finish(undefined);
    else this.resume();
  }

  /** Travels on, to the listener or back from it. */
  resume(): void {
    const { links, name } = this.#host;
    const isBack = this.#answer !== undefined;
    const [from, to] = isBack ? [this.#target, name] : [name, this.#target];
    const arrivesAt = links.arrival(from, to, 0) +
      (this.#heldAt === undefined ? 0 : links.untilNextTry(this.#heldAt, FIRST_TRY_MS));
    const arrive = () => isBack ? this.#comeBack() : this.#reach();
    // A microtask later: neither the listener nor the dialer expects to be called from within the call.
    if (links.isImmediate(arrivesAt)) Promise.resolve().then(arrive);
    else links.clock.schedule(Math.max(0, arrivesAt - links.clock.now()), arrive);
  }

  /** Called again when the host of the dialer goes on after a pause. */
  settle(): void {
    if (!this.#finished && this.#host.wake(this)) this.#finish(this.#answer);
  }

  #reach(): void {
    if (this.#finished || !this.#host.alive) return;
    const { links, name, ports } = this.#host;
    const refused = links.refuses(name, this.#target);
    if (!refused && this.#isHeld(name, this.#target)) return;
    const listener = refused ? undefined : ports.find(this.#address);
    if (listener === undefined) {
      this.#answer = "refused";
    } else {
      const [near, far] = MemoryStream.pair(this.#host, listener.host, this.#address);
      this.#answer = near;
      listener.host.observe("connect", name, 0);
      new PendingAccept(listener, far).settle();
    }
    this.resume();
  }

  #isHeld(from: string, to: string): boolean {
    const { links } = this.#host;
    const isHeld = links.holds(from, to, this);
    this.#heldAt = isHeld ? this.#heldAt ?? links.clock.now() : undefined;
    return isHeld;
  }

  #comeBack(): void {
    const { links, name } = this.#host;
    if (this.#finished) return;
    if (!links.refuses(name, this.#target) && this.#isHeld(this.#target, name)) return;
    if (this.#answer === "refused") this.#host.observe("refused", this.#target, 0);
    this.settle();
  }

  #finish(answer: MemoryStream | "refused" | undefined): void {
    this.#finished = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#host.links.forget(this.#host.name, this.#target, this);
    this.#host.links.forget(this.#target, this.#host.name, this);
    if (answer instanceof MemoryStream) {
      this.#resolve(answer);
    } else if (answer === "refused") {
      const cause = Object.assign(new Error("connection refused"), { name: "ConnectionRefused" });
      this.#reject(new Error(`Cannot connect to "${formatAddress(this.#address)}": connection refused`, { cause }));
    } else {
      if (this.#answer instanceof MemoryStream) this.#answer.close();
      this.#reject(this.#signal?.reason);
    }
  }
}

/** A stream that waits to be accepted while its host is paused. */
class PendingAccept {
  readonly #listener: DialTarget;
  readonly #stream: MemoryStream;

  constructor(listener: DialTarget, stream: MemoryStream) {
    this.#listener = listener;
    this.#stream = stream;
  }

  settle(): void {
    if (this.#listener.host.wake(this)) this.#listener.accept(this.#stream);
  }
}
