// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { ByteStream } from "../transport.ts";

const READ_BYTES = 64 * 1024;

/**
 * The encrypted side of a connection: a {@linkcode ByteStream} as `node:tls` wants it.
 *
 * `node:tls` in Deno 2.9.6 reads from a socket of its own without end, whether anybody takes what it has decrypted or not. Here it
 * is given no more while the decrypted side is full, so that the other end has to wait.
 */
export class CipherStream extends Duplex {
  readonly #stream: ByteStream;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #isFull: () => boolean = () => false;
  #reading = false;
  #held = false;

  /** @param stream Carries the encrypted bytes; it is closed with this stream. */
  constructor(stream: ByteStream) {
    super({ allowHalfOpen: true, readableHighWaterMark: READ_BYTES, writableHighWaterMark: READ_BYTES });
    this.#stream = stream;
  }

  /** Reads no more while `isFull` says so, until {@linkcode pull} is called. */
  holdWhile(isFull: () => boolean): void {
    this.#isFull = isFull;
  }

  /** Reads on, if reading was held. */
  pull(): void {
    if (!this.#held || this.#isFull()) return;
    this.#held = false;
    this._read();
  }

  override _read(): void {
    if (this.#reading || this.destroyed) return;
    this.#held = this.#isFull();
    if (this.#held) return;
    this.#reading = true;
    this.#stream.read(this.#buffer).then((count) => {
      this.#reading = false;
      this.push(count === null ? null : Buffer.from(this.#buffer.slice(0, count).buffer));
    }, (error) => this.destroy(error));
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#stream.write(chunk).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#stream.close();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stream.close();
    callback(error);
  }
}
