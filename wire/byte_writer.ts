// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A growing buffer that frames are written into, one after the other, big endian.
 *
 * Its fields are public on purpose: hot code reserves once and then writes to {@linkcode ByteWriter.bytes} itself, and
 * `writer.length = mark` takes back a half-written frame. Growing replaces `bytes` and `view` and leaves the old buffer
 * as it was, so read them anew after anything that may have grown the writer.
 *
 * @example Write a length-prefixed frame
 * ```ts
 * import { ByteWriter } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new ByteWriter();
 * const mark = writer.length;
 * writer.u32(0);
 * writer.raw(new Uint8Array([7, 8, 9]));
 * writer.setU32(mark, writer.length - mark - 4);
 *
 * assertEquals(writer.written(), new Uint8Array([0, 0, 0, 3, 7, 8, 9]));
 * ```
 *
 * @example Numbers of all sizes
 * ```ts
 * import { ByteWriter } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new ByteWriter();
 * writer.reserve(23);
 * writer.u8(1);
 * writer.u16(2);
 * writer.u32(3);
 * writer.u64(4n);
 * writer.float64(0.5);
 *
 * assertEquals(writer.length, 23);
 * assertEquals(writer.view.getBigUint64(7), 4n);
 * assertEquals(writer.view.getFloat64(15), 0.5);
 * ```
 */
export class ByteWriter {
  /** The buffer. The part from {@linkcode ByteWriter.length} on has no meaning. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The whole of {@linkcode ByteWriter.bytes}, for floats and 64-bit integers. */
  view: DataView<ArrayBuffer>;
  /** Number of bytes written. */
  length: number = 0;
  /** Cost, so far, of the value that is being encoded, for its decoder; see `decode_budget.ts`. */
  cost: number = 0;

  /**
   * Creates an empty writer.
   *
   * @param capacity Bytes to allocate at once.
   */
  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /**
   * Makes room for `count` more bytes; at least doubles the buffer when there is too little.
   *
   * @throws {RangeError} When the machine cannot hold that much.
   */
  reserve(count: number): void {
    if (count > this.bytes.length - this.length) this.#grow(count);
  }

  /** Writes the low 8 bits of `value`. */
  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Writes the low 16 bits of `value`. */
  u16(value: number): void {
    this.reserve(2);
    const { bytes, length } = this;
    bytes[length] = value >>> 8;
    bytes[length + 1] = value;
    this.length = length + 2;
  }

  /** Writes the low 32 bits of `value`. */
  u32(value: number): void {
    this.reserve(4);
    this.length += 4;
    this.setU32(this.length - 4, value);
  }

  /** Writes `value` as an IEEE 754 double. */
  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value);
    this.length += 8;
  }

  /** Writes the low 64 bits of `value`, signed or not. */
  u64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.length, value);
    this.length += 8;
  }

  /** Writes a copy of `bytes`. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Overwrites the 4 bytes from `at` on, which must be written already, with the low 32 bits of `value`. */
  setU32(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  /**
   * Bytes written so far.
   *
   * @returns A view, which changes with later writes.
   */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  #grow(count: number): void {
    const old = this.written();
    this.bytes = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count));
    this.bytes.set(old);
    this.view = new DataView(this.bytes.buffer);
  }
}
