// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readU32 } from "../../wire/integers.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { type PayloadCodec, UndecodableMessage } from "../../wire/payload_codec.ts";
import { MessageTooLargeError } from "../errors.ts";

/** `u32 length` in front of each value. */
const HEAD_BYTES = 4;

/** Values as records in a stream of bytes, one behind the other: `u32 length | value`. */
export class RecordWriter {
  readonly #codec: PayloadCodec;
  readonly #maxBytes: number;

  /** @param maxBytes Most bytes of a value. */
  constructor(codec: PayloadCodec, maxBytes: number) {
    this.#codec = codec;
    this.#maxBytes = maxBytes;
  }

  /**
   * Makes the record of a value.
   *
   * @throws {EncodeError} When the value cannot be encoded.
   * @throws {MessageTooLargeError} When it is too large.
   */
  record(value: unknown): Uint8Array {
    const writer = new ByteWriter(64);
    writer.u32(0);
    const tail = this.#codec.write(writer, value);
    if (tail !== undefined) writer.raw(tail);
    const bytes = writer.length - HEAD_BYTES;
    if (bytes > this.#maxBytes) {
      throw new MessageTooLargeError(`Cannot send a value: it has ${bytes} bytes, the limit is ${this.#maxBytes}`);
    }
    writer.setU32(0, bytes);
    return writer.written();
  }
}

/** Takes values out of a stream of bytes, however that is cut. The part of a value that has come is held once, and no more room is made than for that. */
export class RecordReader {
  readonly #codec: PayloadCodec;
  readonly #maxBytes: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The record that has begun in an earlier chunk. */
  #partial: ByteWriter | null = null;

  /** @param maxBytes Most bytes of a value. */
  constructor(codec: PayloadCodec, maxBytes: number) {
    this.#codec = codec;
    this.#maxBytes = maxBytes;
  }

  /** Whether the bytes so far end between two records. */
  get isBetween(): boolean {
    return this.#partial === null && this.#at === this.#chunk.length;
  }

  /** Takes the next bytes, once all values were taken out of the ones before. */
  put(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Takes the next value out.
   *
   * @returns The value in a list, or `undefined` when more bytes are needed.
   * @throws {ProtocolError} When it is too large.
   * @throws What the codec throws.
   */
  next(): readonly [unknown] | undefined {
    if (this.#partial !== null) return this.#nextOfPartial(this.#partial);
    const rest = this.#chunk.length - this.#at;
    const length = rest < HEAD_BYTES ? Infinity : this.#lengthAt(this.#chunk, this.#at);
    if (rest >= HEAD_BYTES + length) {
      const start = this.#at + HEAD_BYTES;
      this.#at = start + length;
      return [this.#decode(this.#chunk, start, this.#at)];
    }
    if (rest > 0) {
      this.#partial = new ByteWriter(rest);
      this.#fill(this.#partial, rest);
    }
    return undefined;
  }

  #nextOfPartial(partial: ByteWriter): readonly [unknown] | undefined {
    this.#fill(partial, HEAD_BYTES - partial.length);
    if (partial.length < HEAD_BYTES) return undefined;
    const end = HEAD_BYTES + this.#lengthAt(partial.bytes, 0);
    this.#fill(partial, end - partial.length);
    if (partial.length < end) return undefined;
    this.#partial = null;
    return [this.#decode(partial.bytes, HEAD_BYTES, end)];
  }

  /** Takes up to `count` more bytes of the chunk. */
  #fill(partial: ByteWriter, count: number): void {
    if (count <= 0) return;
    const end = Math.min(this.#at + count, this.#chunk.length);
    partial.raw(this.#chunk.subarray(this.#at, end));
    this.#at = end;
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const length = readU32(bytes, at);
    if (length <= this.#maxBytes) return length;
    throw new ProtocolError(`Cannot read a value: it has ${length} bytes, the limit is ${this.#maxBytes}`);
  }

  #decode(bytes: Uint8Array, start: number, end: number): unknown {
    const value = this.#codec.read(bytes, start, end);
    if (value instanceof UndecodableMessage) throw value.error;
    return value;
  }
}
