// Copyright 2026 the Partisan peer-service authors. MIT license.

import { ByteWriter } from "../wire/byte_writer.ts";

/** Larger buffers were made for one large message. */
const WRITER_BYTES_MAX = 256 * 1024;
const POOL_BYTES_MAX = 1024 * 1024;

/**
 * Writers between two uses, shared by the connections of a node: a busy connection finds one that is large enough already and
 * still in the processor's cache, and an idle one holds none.
 */
export class WriterPool {
  readonly #spare: ByteWriter[] = [];
  #bytes = 0;

  /** An empty writer. */
  take(): ByteWriter {
    const writer = this.#spare.pop();
    if (writer === undefined) return new ByteWriter();
    this.#bytes -= writer.bytes.length;
    return writer;
  }

  /** Takes a writer back, which nobody may refer to any more. */
  give(writer: ByteWriter): void {
    const size = writer.bytes.length;
    if (size > WRITER_BYTES_MAX || this.#bytes + size > POOL_BYTES_MAX) return;
    writer.length = 0;
    this.#bytes += size;
    this.#spare.push(writer);
  }
}
