// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readU32 } from "./integers.ts";
import { makeLargeBuffer } from "../runtime/large_buffer.ts";
import { CONTROL_FRAME_BYTES, FrameKind, isControlKind } from "./frame_kind.ts";

/** Bytes before a frame's body: `u32 length | u8 kind`. */
export const FRAME_HEADER_BYTES = 5;

const IDLE_CHUNK_BYTES = 1024;
const BUSY_CHUNK_BYTES = 64 * 1024;
/** Frames from this size on do better with chunks that hold several of them. */
const MEDIUM_FRAME_BYTES = 16 * 1024;
const MEDIUM_CHUNK_BYTES = 256 * 1024;
/** After so many small pieces were copied out of a large chunk it is cheaper to keep it: it holds thousands of them then. */
const COPIES_MAX = 16;
/** Frames from this size on get a chunk of their own. */
const LARGE_FRAME_BYTES = 128 * 1024;
/** Most room that is made before it is known to be needed. */
const CHUNK_BYTES_MAX = 1024 * 1024;
/** So many small reads in a row end a busy time. */
const CALM_AFTER_READS = 16;
/** After so much work it looks whether others wait for the event loop: a frame counts for its bytes, and for what it costs whatever its size. */
const WORK_BETWEEN_LOOKS = 256 * 1024;
const WORK_PER_FRAME = 512;

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

/** Says whether the event loop is due to others: then until when to wait. */
export type GiveWay = () => Promise<void> | undefined;

/** Bounds what is held of frames that have not come in whole. */
export interface ReadingBudget {
  /** Takes room for a large frame. @returns Promise to wait for when there is none. */
  take(bytes: number): Promise<void> | undefined;
  /** Gives back what was taken, or ends the waiting for it. */
  give(): void;
}

/** A frame of which only a part has come. */
export interface HalfReadFrame {
  /** Its offset in the stream. */
  readonly begin: number;
  /** Its number of bytes, as far as that is known. */
  readonly length: number;
}

/** One frame. */
export interface Frame {
  /** Kind of the body; see `FrameKind`. */
  readonly kind: number;
  /** The bytes behind the kind: valid until more is read. */
  readonly body: Uint8Array;
}

/** Source of bytes: a stream, as far as a reader needs to know it. */
export interface ByteSource {
  /** Reads into `buffer`. @returns The number of bytes, or `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/**
 * Cuts a byte stream into frames. Its buffer is small while the stream is idle and grows under load. Large frames are read into
 * buffers of their own, so that a payload is hardly copied on its way in, and holds on to nothing but itself.
 */
export class FrameReader {
  /** Budget for the buffers of frames of more than 1 MiB, if they are bounded. */
  budget: ReadingBudget | undefined;
  #maxFrameBytes = 0;
  /** Up to this length it makes no difference of what kind a frame is. */
  #anyFrameBytes = 0;
  /** Whether room was taken for the frame at the read position. */
  #hasRoom = false;
  readonly #stream: ByteSource;
  #chunk = new Uint8Array(IDLE_CHUNK_BYTES);
  #start = 0;
  #end = 0;
  #retained = false;
  /** Small pieces that had to be copied out of what was read into the chunk last. */
  #copies = 0;
  /** Size of the next chunk. */
  #chunkBytes = IDLE_CHUNK_BYTES;
  #smallReads = 0;
  #workUntilLook = WORK_BETWEEN_LOOKS;
  #bytesRead = 0;

  constructor(stream: ByteSource, maxFrameBytes: number) {
    this.#stream = stream;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Largest length field that is accepted, in bytes. */
  get maxFrameBytes(): number {
    return this.#maxFrameBytes;
  }

  set maxFrameBytes(bytes: number) {
    this.#maxFrameBytes = bytes;
    this.#anyFrameBytes = Math.min(bytes, CONTROL_FRAME_BYTES);
  }

  /** The frame that has begun and is not there as a whole; `null` between two frames. */
  get halfRead(): HalfReadFrame | null {
    const pending = this.#end - this.#start;
    if (pending === 0) return null;
    const length = pending < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : 4 + this.#length();
    return { begin: this.position, length };
  }

  /** Offset in the stream of what is handed over next, in bytes. */
  get position(): number {
    return this.#bytesRead - (this.#end - this.#start);
  }

  /** Bytes taken from the stream so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /**
   * Keeps the bytes of the frame at hand valid from now on: nothing is read over them.
   *
   * @param bytes Number of those that are needed. Few of them are not worth a chunk that is made for large frames.
   * @returns Whether they stay valid; else they are to be copied.
   */
  retain(bytes: number = Infinity): boolean {
    if (!this.#retained && bytes < MEDIUM_FRAME_BYTES && this.#chunk.length > BUSY_CHUNK_BYTES) {
      if (this.#copies++ < COPIES_MAX) return false;
    }
    return this.#retained = true;
  }

  /** Bytes that were read and not handed over: the next reader of the stream begins with them. */
  rest(): Uint8Array {
    return this.#chunk.slice(this.#start, this.#end);
  }

  /**
   * Waits for one frame.
   *
   * @returns The frame, or `null` when the stream ended between two frames.
   * @throws {ProtocolError} When the frame is malformed or too long.
   * @throws When the stream ends within it.
   */
  async next(): Promise<Frame | null> {
    let frame = this.take();
    while (frame === null) {
      if (!this.#took(await this.#read())) return null;
      frame = this.take();
    }
    return frame;
  }

  /**
   * Takes the next frame, if it is there.
   *
   * @throws {ProtocolError} When it is malformed or too long.
   */
  take(): Frame | null {
    const end = this.#frameEnd();
    if (end === 0) return null;
    const start = this.#start + FRAME_HEADER_BYTES;
    this.#start = end;
    return { kind: this.#chunk[start - 1]!, body: this.#chunk.subarray(start, end) };
  }

  /**
   * Hands every frame to `sink` until the stream ends.
   *
   * @param giveWay Asked now and then: a stream that never runs dry would keep timers and other streams waiting.
   * @throws {ProtocolError} When a frame is malformed or too long.
   * @throws Whatever the stream or `sink` throws, and when the stream ends within a frame.
   */
  async run(sink: FrameSink, giveWay: GiveWay = never): Promise<void> {
    try {
      do {
        for (let wait = this.#handOver(sink, giveWay); wait; wait = this.#handOver(sink, giveWay)) await wait;
        const room = this.#takeRoom();
        if (room !== undefined) await room;
      } while (this.#took(await this.#read()));
    } finally {
      this.#giveRoom();
    }
  }

  /** Hands over complete frames until there are no more, or there is something to wait for first. */
  #handOver(sink: FrameSink, giveWay: GiveWay): void | Promise<void> {
    for (let end = this.#frameEnd(); end !== 0; end = this.#frameEnd()) {
      const start = this.#start + FRAME_HEADER_BYTES;
      this.#start = end;
      if (this.#hasRoom) this.#giveRoom();
      const pending = sink(this.#chunk[start - 1]!, this.#chunk, start, end);
      if (pending !== undefined) return pending;
      this.#workUntilLook -= WORK_PER_FRAME + end - start;
      if (this.#workUntilLook > 0) continue;
      this.#workUntilLook = WORK_BETWEEN_LOOKS;
      const turn = giveWay();
      if (turn !== undefined) return turn;
    }
  }

  /**
   * Hands every frame of a batch that came in one piece to `sink`.
   *
   * @param giveWay Asked now and then, as by {@linkcode FrameReader.run}: a batch may hold millions of frames.
   * @throws {ProtocolError} When the batch is malformed, or holds a batch itself.
   */
  async takeBatch(batch: Uint8Array, sink: FrameSink, giveWay: GiveWay = never): Promise<void> {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    for (let at = 0; at < batch.length;) {
      const end = batch.length - at < FRAME_HEADER_BYTES ? Infinity : at + 4 + view.getUint32(at);
      if (end > batch.length || end < at + FRAME_HEADER_BYTES) {
        throw new ProtocolError("Cannot read a batch: it is malformed");
      }
      const kind = batch[at + 4]!;
      if (kind === FrameKind.compressed) throw new ProtocolError("Cannot read a batch: it holds another batch");
      if (end - at - 4 > this.#anyFrameBytes) this.#checkLong(end - at - 4, kind);
      const pending = sink(kind, batch, at + FRAME_HEADER_BYTES, end);
      if (pending !== undefined) await pending;
      this.#workUntilLook -= WORK_PER_FRAME + end - at;
      at = end;
      if (this.#workUntilLook > 0) continue;
      this.#workUntilLook = WORK_BETWEEN_LOOKS;
      const turn = giveWay();
      if (turn !== undefined) await turn;
    }
  }

  /** End of the frame at the read position; 0 when not all of it is there yet. */
  #frameEnd(): number {
    if (this.#end - this.#start < FRAME_HEADER_BYTES) return 0;
    const end = this.#start + 4 + this.#length();
    return end <= this.#end ? end : 0;
  }

  /** The length field at the read position, checked before anything is allocated for it. */
  #length(): number {
    const chunk = this.#chunk, at = this.#start;
    const length = readU32(chunk, at);
    if (length === 0) {
      if (chunk.length === 0) throw transferred();
      throw new ProtocolError("Cannot read a frame: its length is 0, expected at least 1");
    }
    if (length > this.#anyFrameBytes) this.#checkLong(length, chunk[at + 4]!);
    return length;
  }

  #checkLong(length: number, kind: number): void {
    if (length > this.#maxFrameBytes) {
      throw new ProtocolError(
        `Cannot read a frame: its length is ${length} bytes${spelling(length)}, the limit is ${this.#maxFrameBytes}`,
      );
    }
    if (isControlKind(kind)) {
      const limit = `the limit of frames of kind 0x${kind.toString(16).padStart(2, "0")} is ${CONTROL_FRAME_BYTES}`;
      throw new ProtocolError(`Cannot read a frame: its length is ${length} bytes, ${limit}`);
    }
  }

  /** Takes room for a large frame before it is read. @returns Promise to wait for when there is none. */
  #takeRoom(): Promise<void> | undefined {
    if (this.budget === undefined || this.#hasRoom || this.#end - this.#start < FRAME_HEADER_BYTES) return undefined;
    const needed = 4 + this.#length();
    if (needed <= CHUNK_BYTES_MAX) return undefined;
    this.#hasRoom = true;
    return this.budget.take(needed);
  }

  #giveRoom(): void {
    if (this.#hasRoom) this.budget?.give();
    this.#hasRoom = false;
  }

  /** Reads into the chunk, in which there is room then. */
  #read(): Promise<number | null> {
    this.#makeRoom();
    return this.#stream.read(this.#end === 0 ? this.#chunk : this.#chunk.subarray(this.#end));
  }

  /** Takes note of what was read; false when the stream ended between two frames. */
  #took(count: number | null): boolean {
    if (count === null) {
      if (this.#start === this.#end) return false;
      // No breach of the protocol: the other end closed, or died, while it was writing.
      throw new Error("Cannot read a frame: the stream ended within it");
    }
    const room = this.#chunk.length - this.#end;
    this.#end += count;
    this.#bytesRead += count;
    this.#smallReads = count < IDLE_CHUNK_BYTES ? this.#smallReads + 1 : 0;
    if (this.#smallReads >= CALM_AFTER_READS) this.#chunkBytes = IDLE_CHUNK_BYTES;
    else if (count === room) this.#chunkBytes = Math.max(this.#chunkBytes, BUSY_CHUNK_BYTES);
    return true;
  }

  /** Makes sure that the frame at the read position fits into the chunk, and that a read is worth its cost. */
  #makeRoom(): void {
    const pending = this.#end - this.#start;
    const isTransferred = this.#chunk.length === 0;
    if (pending === 0 && (isTransferred || !this.#retained)) return this.#startOver();
    if (isTransferred) throw transferred();
    const needed = pending < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : 4 + this.#length();
    if (needed >= LARGE_FRAME_BYTES) {
      // What comes behind it is likely to be as large: then its first bytes need not be copied into another chunk.
      this.#chunkBytes = Math.min(needed, CHUNK_BYTES_MAX);
      if (this.#start + needed > this.#chunk.length) this.#move(needed);
      return;
    }
    if (needed >= MEDIUM_FRAME_BYTES) this.#chunkBytes = needed * Math.floor(MEDIUM_CHUNK_BYTES / needed);
    const { length } = this.#chunk;
    const cramped = length - this.#end < length / 4 || length < this.#chunkBytes;
    if (cramped || this.#start + needed > length) this.#move(Math.max(needed, this.#chunkBytes));
  }

  /** Goes on at the front of the chunk, or of one that suits the times better. */
  #startOver(): void {
    this.#start = this.#end = this.#copies = 0;
    if (this.#chunk.length === this.#chunkBytes) return;
    this.#chunk = makeChunk(this.#chunkBytes);
    this.#retained = false;
  }

  /** Goes on in a fresh chunk, or at the front of this one when its bytes are not held. */
  #move(size: number): void {
    this.#copies = 0;
    const fresh = this.#retained || size > this.#chunk.length;
    if (fresh) {
      const chunk = makeChunk(size);
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

function never(): undefined {}

function makeChunk(bytes: number): Uint8Array<ArrayBuffer> {
  return bytes >= BUSY_CHUNK_BYTES ? makeLargeBuffer(bytes) : new Uint8Array(bytes);
}

/** Error for a chunk that a handler has transferred with a message, while others were in it: the other side is not to blame. */
function transferred(): TypeError {
  return new TypeError(
    "Cannot read on: the buffer of a received message was transferred, and others are in it as well; " +
      "transfer a copy, as slice() makes it",
  );
}

/** The first 16 bits of a record of TLS, from a change of cipher to data, whatever its version. */
const TLS_RECORDS: ReadonlySet<number> = new Set([0x1403, 0x1503, 0x1603, 0x1703]);

/** Text that the bytes of a length spell, where they are text, or the name of TLS: other protocols begin like that. */
function spelling(length: number): string {
  if (TLS_RECORDS.has(length >>> 16)) return " (TLS begins so: one side alone speaks it)";
  const text = String.fromCharCode(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
  return /^[ -~]{4}$/.test(text) ? ` (they spell ${JSON.stringify(text)})` : "";
}
