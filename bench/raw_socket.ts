// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Contestant } from "./contestant.ts";
import { RawPeers } from "./raw_peers.ts";
import { RawWriter } from "./raw_connection.ts";

/** More than 64 KiB helps large messages, and harms no small ones. */
const READ_BYTES = 256 * 1024;
/** `u32 length | u16 handler`; the length counts what follows it. */
const HEAD_BYTES = 6;

/**
 * Protocol as one would write it by hand: length-prefixed bytes for numbered handlers, batched, read into one reused buffer. No names, no
 * bounds, no errors, and handlers may not keep what they are given.
 */
export class RawSocket extends RawPeers implements Contestant {
  readonly #handlers: ((message: Uint8Array) => void)[] = [];

  on(index: number, take: (message: Uint8Array) => void): void {
    this.#handlers[index] = take;
  }

  send(index: number, message: Uint8Array): boolean {
    const writer = this.writerOf(index);
    const { batch, length } = writer;
    const body = 2 + message.length;
    batch[length] = body >>> 24;
    batch[length + 1] = body >>> 16;
    batch[length + 2] = body >>> 8;
    batch[length + 3] = body;
    batch[length + 4] = index >>> 8;
    batch[length + 5] = index;
    if (RawWriter.isLarge(message)) return writer.wrote(length + HEAD_BYTES, message);
    batch.set(message, length + HEAD_BYTES);
    return writer.wrote(length + 4 + body);
  }

  keep(message: Uint8Array): unknown {
    return RawWriter.isLarge(message) ? message.slice() : message;
  }

  protected override async read(conn: Deno.Conn): Promise<void> {
    let buffer = new Uint8Array(READ_BYTES);
    let start = 0;
    let end = 0;
    for (;;) {
      const count = await conn.read(end === 0 ? buffer : buffer.subarray(end));
      if (count === null) return;
      end += count;
      let wanted = 0;
      while (end - start >= HEAD_BYTES) {
        wanted = 4 + (buffer[start]! << 24 | buffer[start + 1]! << 16 | buffer[start + 2]! << 8 | buffer[start + 3]!);
        if (wanted > end - start) break;
        const index = buffer[start + 4]! << 8 | buffer[start + 5]!;
        this.#handlers[index]!(buffer.subarray(start + HEAD_BYTES, start + wanted));
        start += wanted;
      }
      if (start === end) {
        start = end = 0;
      } else if (wanted > buffer.length) {
        const larger = new Uint8Array(2 * wanted);
        larger.set(buffer.subarray(start, end));
        buffer = larger;
        end -= start;
        start = 0;
      } else if (start > 0) {
        buffer.copyWithin(0, start, end);
        end -= start;
        start = 0;
      }
    }
  }
}
