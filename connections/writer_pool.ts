// Copyright 2026 the Partisan peer-service authors. MIT license.

import { makeLargeBuffer } from "../runtime/large_buffer.ts";
import { ByteWriter } from "../wire/byte_writer.ts";

/** Larger buffers were made for one large message. */
const WRITER_BYTES_MAX = 256 * 1024;
const POOL_BYTES_MAX = 1024 * 1024;
/** So much is kept for copies of large messages: as many as a queue below its high-water mark takes, and the one in flight. */
const LARGE_BYTES_MAX = 4 * 1024 * 1024;
/** Larger buffers would crowd out all others. */
const LARGE_MAX = 1024 * 1024;
/** A buffer is not used for much less than it can hold. */
const LARGE_SLACK = 4;

/**
 * Writers between two uses, shared by the connections of a node: a busy connection finds one that is large enough already and
 * still in the processor's cache, and an idle one holds none.
 */
export class WriterPool {
  readonly #spare: ByteWriter[] = [];
  #bytes = 0;
  readonly #large: Uint8Array<ArrayBuffer>[] = [];
  #largeBytes = 0;

  /** An empty writer. */
  take(): ByteWriter {
    const writer = this.#spare.pop();
    if (writer === undefined) return new ByteWriter();
    this.#bytes -= writer.bytes.length;
    return writer;
  }

  /** Takes a writer back, to which no reference may be left. */
  give(writer: ByteWriter): void {
    const size = writer.bytes.length;
    if (size > WRITER_BYTES_MAX || this.#bytes + size > POOL_BYTES_MAX) return;
    writer.length = 0;
    this.#bytes += size;
    this.#spare.push(writer);
  }

  /** Room for at least `size` bytes, which may hold anything. */
  takeLarge(size: number): Uint8Array<ArrayBuffer> {
    const index = this.#large.findLastIndex(({ length }) => length >= size && length <= LARGE_SLACK * size);
    if (index < 0) return makeLargeBuffer(size);
    const [buffer] = this.#large.splice(index, 1);
    this.#largeBytes -= buffer!.length;
    return buffer!;
  }

  /** Takes room back, to which no reference may be left. */
  giveLarge(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.length > LARGE_MAX || this.#largeBytes + buffer.length > LARGE_BYTES_MAX) return;
    this.#largeBytes += buffer.length;
    this.#large.push(buffer);
  }
}
