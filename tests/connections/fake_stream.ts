// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteStream } from "../../transport/transport.ts";
import type { Address } from "../../wire/address.ts";
import { present } from "../values.ts";

/** One end of a stream whose other end is the test: it says what arrives, and sees what is written. */
export class FakeStream implements ByteStream {
  readonly remoteAddress: Address = { hostname: "10.0.0.9", port: 4242 };
  /** Bytes that were written, write by write. */
  readonly writes: Uint8Array[] = [];
  /** Room that each read offered, in bytes. */
  readonly readSizes: number[] = [];
  /** The room of the read that waits, if any. */
  waitingRead: Uint8Array | undefined;
  closed = false;
  /** Makes writes wait until `release()`. */
  holdWrites = false;
  /** Error with which the next write fails. */
  writeError: Error | undefined;
  readonly #arrived: (Uint8Array | "end" | Error)[] = [];
  #settleRead: PromiseWithResolvers<number | null> | undefined;
  #settleWrite: PromiseWithResolvers<void> | undefined;

  /** These pieces arrive, each for a read of its own, or several when they do not fit. */
  give(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) if (piece.length > 0) this.#arrived.push(piece);
    this.#serve();
  }

  /** The other end closes. */
  end(): void {
    this.#arrived.push("end");
    this.#serve();
  }

  /** The stream breaks. */
  fail(error: Error): void {
    this.#arrived.push(error);
    this.#serve();
  }

  /** Lets the write that waits succeed, or fail. */
  release(error?: Error): void {
    const waiting = this.#settleWrite;
    this.#settleWrite = undefined;
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(error);
  }

  /** All that was written. */
  written(): Uint8Array<ArrayBuffer> {
    return concat(...this.writes);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.closed) return Promise.reject(new Error("Cannot read: the stream is closed"));
    if (this.#settleRead !== undefined) return Promise.reject(new TypeError("Cannot read: another read is waiting"));
    this.readSizes.push(buffer.length);
    this.waitingRead = buffer;
    this.#settleRead = Promise.withResolvers();
    const { promise } = this.#settleRead;
    this.#serve();
    return promise;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.closed) throw new Error("Cannot write: the stream is closed");
    if (this.#settleWrite !== undefined) throw new TypeError("Cannot write: another write is waiting");
    if (this.writeError !== undefined) throw this.writeError;
    this.writes.push(bytes.slice());
    if (!this.holdWrites) return;
    this.#settleWrite = Promise.withResolvers();
    await this.#settleWrite.promise;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#settleRead?.reject(new Error("Cannot read: the stream is closed"));
    this.#settleRead = undefined;
    this.release(new Error("Cannot write: the stream is closed"));
  }

  #serve(): void {
    const first = this.#arrived[0];
    const settle = this.#settleRead;
    if (first === undefined || settle === undefined) return;
    const buffer = present(this.waitingRead);
    this.#settleRead = this.waitingRead = undefined;
    if (first === "end") return settle.resolve(null);
    if (first instanceof Error) return settle.reject(first);
    const count = Math.min(first.length, buffer.length);
    buffer.set(first.subarray(0, count));
    if (count === first.length) this.#arrived.shift();
    else this.#arrived[0] = first.subarray(count);
    settle.resolve(count);
  }
}

/** One piece of bytes made of several. */
export function concat(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A frame as it goes over the wire. */
export function frame(kind: number, body: Uint8Array | readonly number[] = []): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(0, body.length + 1);
  head[4] = kind;
  return concat(head, Uint8Array.from(body));
}

/** `length` bytes that differ from each other and, for another seed, from those of that one. */
export function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + seed * 17 + (index >> 8);
  return bytes;
}

/** Resolves when every microtask that is under way, and those that they lead to, are done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Whether a promise is settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.finally(() => done = true).catch(() => {});
  await settled();
  return done;
}
