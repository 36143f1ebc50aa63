// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteStream } from "../../transport/transport.ts";
import { pack } from "./message_pack.ts";
import { present } from "../values.ts";

/** A frame: its kind, and its body. */
export type Frame = readonly [kind: number, body: Uint8Array];

/** Frames over a byte stream, and the handler names of one connection: `docs/protocol.md`, "Frames" and "Messages". */
export class StandInLink {
  /** The names that the other side has numbered, from 1. */
  readonly namesIn: string[] = [];
  readonly #stream: ByteStream;
  readonly #namesOut = new Map<string, number>();
  #writing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Writes a frame behind those before it. */
  send(kind: number, body: Uint8Array): void {
    const frame = new Uint8Array(5 + body.length);
    new DataView(frame.buffer).setUint32(0, 1 + body.length);
    frame[4] = kind;
    frame.set(body, 5);
    this.#writing = this.#writing.then(() => this.#stream.write(frame)).catch(() => this.close());
  }

  /** Writes a frame whose body is one value. */
  sendValue(kind: number, value: unknown): void {
    this.send(kind, pack(value));
  }

  /** The number of a handler's name, which is introduced when it is first used. */
  numberOf(name: string): number {
    const known = this.#namesOut.get(name);
    if (known !== undefined) return known;
    this.send(0x20, new TextEncoder().encode(name));
    this.#namesOut.set(name, this.#namesOut.size + 1);
    return this.#namesOut.size;
  }

  /** Frames of the other side, until the stream ends. */
  async *frames(): AsyncGenerator<Frame, void> {
    const chunk = new Uint8Array(65_536);
    let unread = new Uint8Array(0);
    while (!this.#closed) {
      const count = await this.#stream.read(chunk).catch(() => null);
      if (count === null) return;
      const bytes = new Uint8Array(unread.length + count);
      bytes.set(unread);
      bytes.set(chunk.subarray(0, count), unread.length);
      const view = new DataView(bytes.buffer);
      let at = 0;
      while (bytes.length - at >= 4 && bytes.length - at >= 4 + view.getUint32(at)) {
        const end = at + 4 + view.getUint32(at);
        yield [present(bytes[at + 4]), bytes.slice(at + 5, end)];
        at = end;
      }
      unread = bytes.slice(at);
    }
  }

  /** Resolves once all that was sent is written. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  close(): void {
    this.#closed = true;
    this.#stream.close();
  }
}
