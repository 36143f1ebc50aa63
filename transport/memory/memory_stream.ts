// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Timer } from "../../runtime/runtime.ts";
import type { MemoryLinks, Stalled } from "./memory_links.ts";
import type { ByteStream } from "../transport.ts";
import type { Address } from "../../wire/address.ts";

/** Event that an observer of a network is told about. */
export type MemoryNetworkEvent = "connect" | "refused" | "data" | "end" | "reset";

/** Part of the host at its end that a stream uses. */
export interface StreamHost {
  readonly name: string;
  /** Address that others see its streams come from. */
  readonly origin: Address;
  readonly alive: boolean;
  readonly links: MemoryLinks;
  /** Its open streams. */
  readonly streams: Set<MemoryStream>;
  /** Maximum of bytes that are under way, or wait to be read. */
  readonly windowBytes: number;
  /** Most bytes that one read takes. */
  readonly readBytesMax: number;
  /** Milliseconds that it takes to process a byte that was read. */
  readonly msPerByte: number;
  /** A copy of `bytes` that will not be changed. */
  copy(bytes: Uint8Array): Uint8Array;
  /** Something from host `from` has reached it. */
  observe(event: MemoryNetworkEvent, from: string, bytes: number): void;
  /** Whether code of this host may run now; if it is paused, `waiter` is settled afterwards. */
  wake(waiter: { settle(): void }): boolean;
}

/** Item under way: bytes, or the notice that no more will come. */
type Item = Uint8Array | "end" | "reset";

interface Flight {
  arrivesAt: number;
  readonly item: Item;
}

interface WaitingRead {
  readonly buffer: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

interface WaitingWrite {
  readonly bytes: Uint8Array;
  written: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * One end of a stream between two hosts in memory. An idle one holds no buffer, timer or queue: there may be a
 * million of them.
 *
 * What its host sends waits in `#flights` while it is under way, then in `#inbox` of the other end. Both together never
 * hold more than a window: a write resolves once all its bytes are in.
 */
export class MemoryStream implements ByteStream, Stalled {
  readonly remoteAddress: Address;
  readonly #host: StreamHost;
  #peer: MemoryStream;
  #closed = false;
  #ended = false;
  #failure: Error | undefined;
  #inbox: Uint8Array[] | undefined;
  #flights: Flight[] | undefined;
  #timer: Timer | undefined;
  /** Time at which the first flight met a cut, if it did. */
  #heldAt: number | undefined;
  /** Since when no word has come back of what was sent, if there should have been one. */
  #unheardSince: number | undefined;
  /** Whether everything that is sent over it is lost. */
  #forgotten = false;
  /** Bytes sent that the other end has not read. */
  #outstanding = 0;
  /** Whether the host, a slow one, has yet to deal with what it has read. */
  #busy = false;
  #reading: WaitingRead | undefined;
  #writing: WaitingWrite | undefined;

  private constructor(host: StreamHost, remoteAddress: Address) {
    this.#host = host;
    this.#peer = this;
    this.remoteAddress = remoteAddress;
    host.streams.add(this);
  }

  /** Makes both ends of a stream that `dialer` opened to `acceptor`. */
  static pair(dialer: StreamHost, acceptor: StreamHost, address: Address): [MemoryStream, MemoryStream] {
    const near = new MemoryStream(dialer, address);
    const far = new MemoryStream(acceptor, dialer.origin);
    near.#peer = far;
    far.#peer = near;
    return [near, far];
  }

  /** The host at the other end. */
  get peerHost(): StreamHost {
    return this.#peer.#host;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#reading !== undefined) return Promise.reject(new TypeError("Cannot read: another read is waiting"));
    if (buffer.length === 0) return Promise.reject(new RangeError("Cannot read: the buffer is empty"));
    if (this.#closed) return Promise.reject(this.#error("read from", "the stream is closed"));
    return new Promise((resolve, reject) => {
      this.#reading = { buffer, resolve, reject };
      this.settle();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#writing !== undefined) return Promise.reject(new TypeError("Cannot write: another write is waiting"));
    if (this.#closed) return Promise.reject(this.#error("write to", "the stream is closed"));
    return new Promise((resolve, reject) => {
      this.#writing = { bytes, written: 0, resolve, reject };
      this.settle();
    });
  }

  close(): void {
    if (this.#closed || !this.#host.alive) return;
    this.#closed = true;
    this.#host.streams.delete(this);
    this.#inbox = undefined;
    this.settle();
    if (this.#failure === undefined) this.#send("end");
  }

  /** Breaks this end at once. */
  fail(): void {
    if (this.#failure !== undefined || this.#closed) return;
    this.#failure = this.#error("use", "connection reset");
    this.#host.streams.delete(this);
    this.#dropFlights();
    this.#inbox = undefined;
    this.settle();
  }

  /** Nothing comes through any more, either way, and no end is told. */
  forget(): void {
    this.#forgotten = this.#peer.#forgotten = true;
  }

  /** Breaks both ends at once. */
  reset(): void {
    this.fail();
    this.#peer.fail();
  }

  /** The process of this end died; its machine tells the other end, or is gone as well. */
  die(tell: boolean): void {
    this.#reading = this.#writing = this.#inbox = undefined;
    if (tell) this.#send("reset");
    else this.#dropFlights();
  }

  /** Lets what waits here go on as far as it can. */
  settle(): void {
    if (!this.#canRead() && !this.#canWrite()) return;
    if (!this.#host.wake(this)) return;
    if (this.#canRead()) this.#settleRead();
    if (this.#canWrite()) this.#settleWrite();
  }

  /** Sends again what was held back by a cut, a clog or a host that was down. */
  resume(): void {
    if (this.#flights === undefined) return;
    const { links } = this.#host;
    const arrivesAt = this.#arrival(0) + (this.#heldAt === undefined ? 0 : links.untilNextTry(this.#heldAt));
    for (const flight of this.#flights) flight.arrivesAt = arrivesAt;
    this.#awaitArrival();
  }

  /** Whether something waits to be read, and something is there for which the host has time. */
  #canRead(): boolean {
    if (this.#reading === undefined) return false;
    if (this.#closed || this.#failure !== undefined) return true;
    return this.#inbox === undefined ? this.#ended : !this.#busy;
  }

  #settleRead(): void {
    const waiting = this.#reading as WaitingRead;
    this.#reading = undefined;
    if (this.#closed) waiting.reject(this.#error("read from", "the stream is closed"));
    else if (this.#failure !== undefined) waiting.reject(this.#failure);
    else if (this.#inbox !== undefined) waiting.resolve(this.#take(waiting.buffer));
    else waiting.resolve(null);
  }

  /** Whether something waits to be written, and there is room for it, or no use in waiting. */
  #canWrite(): boolean {
    const waiting = this.#writing;
    if (waiting === undefined) return false;
    if (this.#ended || this.#closed || this.#failure !== undefined) return true;
    const { windowBytes } = this.#host;
    const room = windowBytes - this.#outstanding;
    // Like the kernel, rather wait for a good part of the window than send a crumb for each that was read.
    return room >= waiting.bytes.length - waiting.written || room >= windowBytes / 4;
  }

  #settleWrite(): void {
    const waiting = this.#writing as WaitingWrite;
    const { bytes } = waiting;
    if (this.#ended || this.#closed || this.#failure !== undefined) {
      this.#writing = undefined;
      const detail = this.#closed ? "the stream is closed" : "the other end has closed it";
      waiting.reject(this.#failure ?? this.#error("write to", detail));
      return;
    }
    const room = this.#host.windowBytes - this.#outstanding;
    const rest = bytes.length - waiting.written;
    const count = Math.min(room, rest);
    const piece = this.#host.copy(bytes.subarray(waiting.written, waiting.written + count));
    waiting.written += count;
    if (waiting.written === bytes.length) {
      this.#writing = undefined;
      waiting.resolve();
    }
    if (count === 0) return;
    this.#outstanding += count;
    this.#send(piece);
  }

  /** Moves bytes that have arrived into `buffer`. */
  #take(buffer: Uint8Array): number {
    const inbox = this.#inbox ?? [];
    const limit = Math.min(buffer.length, this.#host.readBytesMax);
    let taken = 0;
    while (inbox.length > 0) {
      const piece = inbox[0] as Uint8Array;
      const count = Math.min(piece.length, limit - taken);
      if (count === 0) break;
      buffer.set(count < piece.length ? piece.subarray(0, count) : piece, taken);
      taken += count;
      if (count === piece.length) inbox.shift();
      else inbox[0] = piece.subarray(count);
    }
    if (inbox.length === 0) this.#inbox = undefined;
    this.#rest(taken);
    this.#peer.#credit(taken);
    return taken;
  }

  /** Reads no more until the host, if it is slow, has dealt with `count` bytes. */
  #rest(count: number): void {
    const { links: { clock }, msPerByte } = this.#host;
    if (msPerByte === 0) return;
    this.#busy = true;
    clock.schedule(count * msPerByte, () => {
      this.#busy = false;
      this.settle();
    });
  }

  /** The other end has taken `count` bytes. */
  #credit(count: number): void {
    this.#outstanding -= count;
    if (this.#writing !== undefined) this.settle();
  }

  #send(item: Item): void {
    const packetBytes = this.#host.links.packetBytes(this.#host.name, this.peerHost.name);
    if (typeof item === "string" || item.length <= packetBytes) return this.#sendPiece(item);
    for (let at = 0; at < item.length; at += packetBytes) this.#sendPiece(item.subarray(at, at + packetBytes));
  }

  #sendPiece(item: Item): void {
    const arrivesAt = this.#arrival(sizeOf(item));
    if (this.#flights === undefined && this.#host.links.isImmediate(arrivesAt) && !this.#isHeld(item)) {
      this.#peer.#receive(item);
    } else if (this.#flights === undefined) {
      this.#flights = [{ arrivesAt, item }];
      this.#awaitArrival();
    } else {
      // Whenever it would arrive: not before those that set out earlier.
      this.#flights.push({ arrivesAt, item });
    }
  }

  #arrival(bytes: number): number {
    return this.#host.links.arrival(this.#host.name, this.peerHost.name, bytes, this);
  }

  /** Whether something that would arrive now does not. */
  #isHeld(item: Item): boolean {
    const { name, links } = this.#host;
    const to = this.peerHost.name;
    if (this.#forgotten || links.holds(name, to, this, sizeOf(item))) return true;
    if (links.starves(name, to, this, this.#unheardSince)) return true;
    this.#unheardSince = links.isDeaf(name, to) ? this.#unheardSince ?? links.clock.now() : undefined;
    return false;
  }

  #awaitArrival(): void {
    this.#timer?.cancel();
    const { clock } = this.#host.links;
    const first = this.#flights?.[0]?.arrivesAt ?? 0;
    this.#timer = clock.schedule(Math.max(0, first - clock.now()), () => this.#land());
  }

  #dropFlights(): void {
    this.#timer?.cancel();
    this.#timer = this.#flights = this.#heldAt = undefined;
  }

  /** The first flight has arrived, and with it all that are no later. */
  #land(): void {
    this.#timer = undefined;
    const flights = this.#flights as Flight[];
    const { clock } = this.#host.links;
    if (this.#isHeld((flights[0] as Flight).item)) {
      this.#heldAt ??= clock.now();
      return;
    }
    this.#heldAt = undefined;
    // Timers of the system may run a little early: the first flight has arrived whatever the clock says. Each arrival
    // may add to the flights, or drop them all.
    do {
      this.#peer.#receive((flights.shift() as Flight).item);
    } while (this.#flights === flights && this.#isDue(flights[0], clock.now()));
    if (this.#flights !== flights) return;
    if (flights.length === 0) this.#flights = undefined;
    else this.#awaitArrival();
  }

  #isDue(flight: Flight | undefined, now: number): boolean {
    return flight !== undefined && flight.arrivesAt <= now && !this.#isHeld(flight.item);
  }

  #receive(item: Item): void {
    const size = sizeOf(item);
    this.#host.observe(typeof item === "string" ? item : "data", this.peerHost.name, size);
    if (!this.#host.alive) {
      // The machine is up, but knows nothing of this stream.
      if (item !== "reset") this.#send("reset");
    } else if (item === "reset") {
      this.fail();
    } else if (item === "end") {
      this.#ended = true;
      this.settle();
    } else if (!this.#closed && this.#failure === undefined) {
      if (this.#inbox === undefined) this.#inbox = [item];
      else this.#inbox.push(item);
      this.settle();
    }
  }

  #error(action: string, detail: string): Error {
    return new Error(`Cannot ${action} the stream to "${this.peerHost.name}": ${detail}`);
  }
}

function sizeOf(item: Item): number {
  return typeof item === "string" ? 0 : item.length;
}
