// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "../../runtime/runtime.ts";
import type { ByteStream } from "../transport.ts";
import { type Address, formatAddress } from "../../wire/address.ts";

/** A read that brings no more than this has brought a short message or two. */
const SHORT_READ_BYTES = 2048;

/** State that the streams of one {@linkcode TcpTransport} share. */
export interface TcpStreamContext {
  /** Times the last wait of a closing stream. */
  readonly clock: Clock;
  /** Maximum time that a closing stream waits for the other end, in milliseconds. */
  readonly closeTimeout: number;
  /** Takes the bytes that arrive after closing; they are not looked at. */
  readonly sink: Uint8Array<ArrayBuffer>;
  /** Streams that were closed, but whose sockets still live. */
  readonly closing: Set<Promise<void>>;
  /** Listeners that were closed, but whose addresses are not free yet. */
  readonly unbinding: Set<Promise<void>>;
  /** Reads that have brought no more than a short message. */
  shortReads: number;
}

/**
 * A TCP connection as a {@linkcode ByteStream}.
 *
 * The kernel answers bytes that arrive on a closed socket with a reset, and a reset discards what the other end was
 * still to receive. Closing therefore says "no more from here", reads on until the other end says the same, and only
 * then gives up the socket. A read or write that is waiting meanwhile rejects when the kernel has let go of its buffer,
 * so that its owner can safely use that again.
 */
export class TcpStream implements ByteStream {
  readonly #conn: Deno.Conn;
  readonly #context: TcpStreamContext;
  readonly #remoteAddress: Address;
  #closed = false;
  #ended = false;
  #reading: Promise<number | null> | undefined;
  #writing: Promise<number> | undefined;

  /** @param remoteAddress The other end, where the connection does not know it. */
  constructor(conn: Deno.Conn, context: TcpStreamContext, remoteAddress?: Address) {
    this.#conn = conn;
    this.#context = context;
    const { hostname, port } = remoteAddress ?? conn.remoteAddr as Deno.NetAddr;
    this.#remoteAddress = { hostname, port };
  }

  get remoteAddress(): Address {
    return this.#remoteAddress;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed) return Promise.reject(this.#closedError("read from"));
    if (this.#reading !== undefined) return Promise.reject(new TypeError("Cannot read: another read is waiting"));
    if (buffer.length === 0) return Promise.reject(new RangeError("Cannot read: the buffer is empty"));
    // An idle connection waits here: an async function would be made for each read, and kept.
    return (this.#reading = this.#conn.read(buffer)).then(this.#took, this.#broke);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closedError("write to"));
    if (this.#writing !== undefined) return Promise.reject(new TypeError("Cannot write: another write is waiting"));
    return bytes.length === 0 ? Promise.resolve() : this.#write(bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The other end sends nothing more, and nothing is being written here: there is no end to wait for.
    if (this.#ended && this.#writing === undefined) return release(this.#conn);
    const { clock, closeTimeout, closing } = this.#context;
    const timer = clock.schedule(closeTimeout, () => release(this.#conn));
    const done = this.#windDown().then(() => {
      timer.cancel();
      release(this.#conn);
      closing.delete(done);
    });
    closing.add(done);
  }

  readonly #took = (count: number | null): number | null => {
    this.#reading = undefined;
    if (count === null) this.#ended = true;
    if (this.#closed) throw this.#closedError("read from");
    if (count !== null && count <= SHORT_READ_BYTES) this.#context.shortReads++;
    return count;
  };

  readonly #broke = (error: unknown): never => {
    this.#reading = undefined;
    this.#ended = true;
    throw this.#closed ? this.#closedError("read from") : error;
  };

  #write(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#conn.write(bytes);
    return this.#writing.then((count) => this.#wrote(bytes, count), this.#notWritten);
  }

  #wrote(bytes: Uint8Array, count: number): void | Promise<void> {
    if (!this.#closed && count < bytes.length) return this.#write(bytes.subarray(count));
    this.#writing = undefined;
    if (this.#closed) throw this.#closedError("write to");
  }

  readonly #notWritten = (error: unknown): never => {
    this.#writing = undefined;
    throw this.#closed ? this.#closedError("write to") : error;
  };

  /** Never rejects: a stream that breaks while it is being closed is closed. */
  async #windDown(): Promise<void> {
    try {
      await this.#writing;
      await this.#conn.closeWrite();
      let count = this.#ended ? null : await (this.#reading ?? this.#conn.read(this.#context.sink));
      while (count !== null) count = await this.#conn.read(this.#context.sink);
    } catch {
      // Reset by the other end, or released because it did not answer in time.
    }
  }

  #closedError(action: string): Error {
    return new Error(`Cannot ${action} "${formatAddress(this.#remoteAddress)}": the stream is closed`);
  }
}

/** Sends small writes at once, and lets the kernel notice peers that vanished. */
export function tune(conn: Deno.TcpConn): void {
  conn.setNoDelay(true);
  conn.setKeepAlive(true);
}

/** Closes a socket that may be closed already. */
export function release(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was.
  }
}
