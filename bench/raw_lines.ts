// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Contestant } from "./contestant.ts";
import { RawPeers } from "./raw_peers.ts";

/** Bytes that one code unit of a text takes at most. */
const UTF8_BYTES_MAX = 3;

/** Values as one would send them by hand: `JSON.stringify` and a newline, batched like {@linkcode RawSocket}'s bytes. */
export class RawLines extends RawPeers implements Contestant {
  readonly #encoder = new TextEncoder();
  #take: (message: unknown) => void = () => {};

  on(_index: number, take: (message: unknown) => void): void {
    this.#take = take;
  }

  send(index: number, message: unknown): boolean {
    const writer = this.writerOf(index);
    const { batch, length } = writer;
    const line = JSON.stringify(message) + "\n";
    const { written } = this.#encoder.encodeInto(line, batch.subarray(length, length + UTF8_BYTES_MAX * line.length));
    return writer.wrote(length + written);
  }

  keep(message: unknown): unknown {
    return message;
  }

  protected override async read(conn: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return;
      const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }
}
