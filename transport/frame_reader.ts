// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "./frame_kind.ts";
import type { ByteStream } from "./transport.ts";

/** Bytes before a frame's body: `u32 length | u8 kind`. */
export const FRAME_HEADER_BYTES = 5;

const IDLE_CHUNK_BYTES = 1024;
const BUSY_CHUNK_BYTES = 64 * 1024;
/** So many small reads in a row end a busy time. */
const CALM_AFTER_READS = 16;

/** A peer broke the framing rules; the connection cannot go on. */
export class ProtocolError extends Error {
  /** Always `"ProtocolError"`. */
  override readonly name = "ProtocolError";
}

/**
 * Takes one frame whose body is `buffer[start, end)`. A promise holds back the frames behind it until it resolves.
 * The bytes are only valid during the call, unless {@linkcode FrameReader.retain} is called in it.
 */
export type FrameSink = (kind: number, buffer: Uint8Array, start: number, end: number) => void | Promise<void>;

/** One frame with a body of its own. */
export interface Frame {
  /** What the body means; see `FrameKind`. */
  readonly kind: number;
  /** The bytes behind the kind. */
  readonly body: Uint8Array;
}

/**
 * Cuts a byte stream into frames. Its buffer is small while the stream is idle, grows to 64 KiB under load, and takes a larger
 * frame in one piece, so that a payload is never copied on its way in.
 */
export class FrameReader {
  /** Largest length field that is accepted, in bytes. */
  maxFrameBytes: number;
  readonly #stream: ByteStream;
  #chunk = new Uint8Array(IDLE_CHUNK_BYTES);
  #start = 0;
  #end = 0;
  #retained = false;
  #bytesRead = 0;
  #smallReads = 0;

  constructor(stream: ByteStream, maxFrameBytes: number) {
    this.#stream = stream;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Bytes taken from the stream so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Keeps the bytes of the frame at hand valid for ever: nothing is read over them. */
  retain(): void {
    this.#retained = true;
  }

  /**
   * Waits for one frame.
   *
   * @returns The frame, or `null` when the stream ended between two frames.
   * @throws {ProtocolError} When the frame is malformed or too long, or the stream ends within it.
   */
  async next(): Promise<Frame | null> {
    while (!this.#hasFrame()) {
      if (!await this.#fill()) return null;
    }
    const start = this.#start + FRAME_HEADER_BYTES;
    this.#start += 4 + this.#length();
    return { kind: this.#chunk[start - 1]!, body: this.#chunk.slice(start, this.#start) };
  }

  /**
   * Hands every frame to `sink` until the stream ends.
   *
   * @throws {ProtocolError} When a frame is malformed or too long, or the stream ends within one.
   * @throws Whatever the stream or `sink` throws.
   */
  async run(sink: FrameSink): Promise<void> {
    do {
      while (this.#hasFrame()) {
        const start = this.#start + FRAME_HEADER_BYTES;
        this.#start += 4 + this.#length();
        const pending = sink(this.#chunk[start - 1]!, this.#chunk, start, this.#start);
        if (pending !== undefined) await pending;
      }
    } while (await this.#fill());
  }

  /**
   * Hands every frame of a batch that came in one piece to `sink`.
   *
   * @throws {ProtocolError} When the batch is malformed, or holds a batch itself.
   */
  takeBatch(batch: Uint8Array, sink: FrameSink): void {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    for (let at = 0; at < batch.length;) {
      const end = batch.length - at < FRAME_HEADER_BYTES ? Infinity : at + 4 + view.getUint32(at);
      if (end > batch.length || end < at + FRAME_HEADER_BYTES) {
        throw new ProtocolError("Cannot read a batch: it is malformed");
      }
      const kind = batch[at + 4]!;
      if (kind === FrameKind.compressed) throw new ProtocolError("Cannot read a batch: it holds another batch");
      sink(kind, batch, at + FRAME_HEADER_BYTES, end);
      at = end;
    }
  }

  #hasFrame(): boolean {
    const available = this.#end - this.#start;
    return available >= FRAME_HEADER_BYTES && available >= 4 + this.#length();
  }

  /** The length field at the read position, checked before anything is allocated for it. */
  #length(): number {
    const chunk = this.#chunk, at = this.#start;
    const length = ((chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!) >>> 0;
    if (length === 0) throw new ProtocolError("Cannot read a frame: its length is 0, expected at least 1");
    if (length > this.maxFrameBytes) {
      throw new ProtocolError(`Cannot read a frame: its length is ${length} bytes, the limit is ${this.maxFrameBytes}`);
    }
    return length;
  }

  /** Reads once more; false when the stream ended between two frames. */
  async #fill(): Promise<boolean> {
    this.#makeRoom();
    const room = this.#chunk.length - this.#end;
    const count = await this.#stream.read(this.#end === 0 ? this.#chunk : this.#chunk.subarray(this.#end));
    if (count === null) {
      if (this.#start === this.#end) return false;
      throw new ProtocolError("Cannot read a frame: the stream ended within it");
    }
    this.#end += count;
    this.#bytesRead += count;
    this.#smallReads = count < IDLE_CHUNK_BYTES ? this.#smallReads + 1 : 0;
    if (count === room && this.#chunk.length < BUSY_CHUNK_BYTES) this.#move(BUSY_CHUNK_BYTES);
    return true;
  }

  /** Makes sure that the frame at the read position fits into the chunk, and that a read is worth its cost. */
  #makeRoom(): void {
    const pending = this.#end - this.#start;
    if (pending === 0 && !this.#retained) {
      this.#start = this.#end = 0;
      this.#chunk = this.#chunkForNextRead();
      return;
    }
    const needed = pending < 4 ? FRAME_HEADER_BYTES : 4 + this.#length();
    const room = this.#chunk.length - this.#end;
    const cramped = needed <= BUSY_CHUNK_BYTES && room < this.#chunk.length / 4;
    if (cramped || this.#start + needed > this.#chunk.length) {
      this.#move(Math.max(needed, Math.min(this.#chunk.length, BUSY_CHUNK_BYTES)));
    }
  }

  /** Gives back the room of a large frame at once, and that of a busy time when it is over. */
  #chunkForNextRead(): Uint8Array<ArrayBuffer> {
    const size = this.#chunk.length;
    if (size > IDLE_CHUNK_BYTES && this.#smallReads >= CALM_AFTER_READS) return new Uint8Array(IDLE_CHUNK_BYTES);
    return size > BUSY_CHUNK_BYTES ? new Uint8Array(BUSY_CHUNK_BYTES) : this.#chunk;
  }

  /** Goes on in a fresh chunk, or at the front of this one when nobody holds on to its bytes. */
  #move(size: number): void {
    const fresh = this.#retained || size > this.#chunk.length;
    if (fresh) {
      const chunk = new Uint8Array(size);
      chunk.set(this.#chunk.subarray(this.#start, this.#end));
      this.#chunk = chunk;
      this.#retained = false;
    } else {
      this.#chunk.copyWithin(0, this.#start, this.#end);
    }
    this.#end -= this.#start;
    this.#start = 0;
  }
}
