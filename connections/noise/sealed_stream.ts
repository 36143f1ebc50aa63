// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readU16 } from "../../wire/integers.ts";
import type { ByteStream, PeerCertificate } from "../../transport/transport.ts";
import type { Address } from "../../wire/address.ts";
import type { GiveWay } from "../../wire/frame_reader.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { WriterPool } from "../writer_pool.ts";
import { type CipherState, SealError } from "./cipher_state.ts";
import { NOISE_MESSAGE_BYTES } from "./handshake_state.ts";
import { TAG_BYTES } from "./primitives.ts";

/** Bytes before a record: the length of what is sealed, tag included. */
const HEAD_BYTES = 2;
/** Most plain bytes of a record. */
export const RECORD_BYTES = NOISE_MESSAGE_BYTES - TAG_BYTES;
/** So many records are written at once: enough that a write costs little per byte, few enough for the processor's cache. */
const RECORDS_AT_ONCE = 3;
const IDLE_CHUNK_BYTES = 1024;
const BUSY_CHUNK_BYTES = 2 * (HEAD_BYTES + NOISE_MESSAGE_BYTES);
/** So many small reads in a row end a busy time. */
const CALM_AFTER_READS = 16;

/** After so many records a direction goes on with another key: at most 4 GiB are sealed with one. */
export const REKEY_INTERVAL = 65_536;

const NOTHING = new Uint8Array();

/** Parts of a {@linkcode SealedStream}. */
export interface SealedStreamOptions {
  /** Stream of the sealed bytes. */
  readonly stream: ByteStream;
  readonly outbound: CipherState;
  readonly inbound: CipherState;
  /** Bytes that were read from the stream already. */
  readonly received?: Uint8Array;
  /**
   * Records after which a direction goes on with another key; the same at both ends.
   *
   * @default {REKEY_INTERVAL}
   */
  readonly rekeyInterval?: number | undefined;
  /**
   * Pool of writers that put records together.
   *
   * @default {a pool of its own}
   */
  readonly writers?: WriterPool | undefined;
  /** Asked while much is sealed: others may be due. */
  readonly giveWay?: GiveWay | undefined;
}

/**
 * A stream of which every byte is encrypted and authenticated. Bytes that are written at once are sealed at once, in records of
 * `u16 length | ciphertext | tag`, whose number is the nonce: what is changed, repeated, left out or moved ends the stream with a
 * {@linkcode SealError}, and nothing of it is handed on. An empty record says that the stream ends; without it, it was cut off.
 */
export class SealedStream implements ByteStream {
  readonly remoteAddress: Address;
  readonly certificate?: PeerCertificate;
  readonly #stream: ByteStream;
  readonly #outbound: CipherState;
  readonly #inbound: CipherState;
  readonly #rekeyInterval: number;
  readonly #giveWay: GiveWay | undefined;
  readonly #writers: WriterPool;
  /** Bytes that were read and not opened: `#chunk[#start, #end)`. */
  #chunk: Uint8Array;
  #start = 0;
  #end: number;
  #chunkBytes = IDLE_CHUNK_BYTES;
  #smallReads = 0;
  /** Bytes that were opened and not handed on. */
  #plain: Uint8Array = NOTHING;
  #isWriting = false;
  #isOver = false;
  #isBroken = false;
  #closed = false;

  constructor(options: SealedStreamOptions) {
    const { stream, outbound, inbound, received = NOTHING, rekeyInterval, giveWay, writers } = options;
    this.remoteAddress = stream.remoteAddress;
    if (stream.certificate !== undefined) this.certificate = stream.certificate;
    this.#stream = stream;
    this.#outbound = outbound;
    this.#inbound = inbound;
    this.#chunk = received;
    this.#end = received.length;
    this.#rekeyInterval = rekeyInterval ?? REKEY_INTERVAL;
    this.#giveWay = giveWay;
    this.#writers = writers ?? new WriterPool();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0) throw new RangeError("Cannot read: the buffer is empty");
    for (;;) {
      const count = this.#take(buffer);
      if (count > 0) return count;
      if (this.#isOver) return null;
      this.#makeRoom();
      const room = this.#chunk.length - this.#end;
      const received = await this.#stream.read(this.#chunk.subarray(this.#end));
      if (received === null) throw new SealError("Cannot read on: the stream was cut off", "truncated");
      this.#end += received;
      this.#adapt(received, room);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isWriting) throw new TypeError("Cannot write: another write is waiting");
    this.#isWriting = true;
    const writer = this.#writers.take();
    try {
      for (let at = 0; at < bytes.length;) {
        const part = bytes.subarray(at, at + RECORDS_AT_ONCE * RECORD_BYTES);
        writer.length = 0;
        this.#seal(part, writer);
        await this.#stream.write(writer.written());
        at += part.length;
        const turn = at < bytes.length ? this.#giveWay?.() : undefined;
        if (turn !== undefined) await turn;
      }
    } finally {
      this.#isWriting = false;
      this.#writers.give(writer);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // In the middle of a write the stream is cut off; the other end can tell.
    if (!this.#isWriting && !this.#isBroken) this.#sayEnd();
    this.#stream.close();
  }

  #sayEnd(): void {
    const writer = new ByteWriter(HEAD_BYTES + TAG_BYTES);
    this.#seal(NOTHING, writer);
    this.#stream.write(writer.written()).catch(() => {});
  }

  /** Seals `bytes` as one or more records. */
  #seal(bytes: Uint8Array, writer: ByteWriter): void {
    const records = Math.max(1, Math.ceil(bytes.length / RECORD_BYTES));
    writer.reserve(bytes.length + records * (HEAD_BYTES + TAG_BYTES));
    for (let record = 0; record < records; record++) {
      const plain = bytes.subarray(record * RECORD_BYTES, (record + 1) * RECORD_BYTES);
      writer.u16(plain.length + TAG_BYTES);
      writer.length = this.#outbound.sealInto(NOTHING, plain, writer.bytes, writer.length);
      if (this.#outbound.counter % this.#rekeyInterval === 0) this.#outbound.rekey();
    }
  }

  /** Opens what has arrived, as far as there is room for it in `buffer`. @returns Number of bytes in it. */
  #take(buffer: Uint8Array): number {
    let taken = Math.min(this.#plain.length, buffer.length);
    buffer.set(this.#plain.subarray(0, taken));
    this.#plain = this.#plain.subarray(taken);
    while (!this.#isOver && this.#plain.length === 0) {
      const end = this.#recordEnd();
      const size = end - this.#start - HEAD_BYTES - TAG_BYTES;
      if (end > this.#end || taken > 0 && size > buffer.length - taken) break;
      const plain = this.#open(this.#chunk.subarray(this.#start + HEAD_BYTES, end));
      this.#start = end;
      if (plain.length === 0) this.#isOver = true;
      const count = Math.min(plain.length, buffer.length - taken);
      buffer.set(count < plain.length ? plain.subarray(0, count) : plain, taken);
      this.#plain = plain.subarray(count);
      taken += count;
    }
    return taken;
  }

  #open(sealed: Uint8Array): Uint8Array {
    try {
      const plain = this.#inbound.open(NOTHING, sealed);
      if (this.#inbound.counter % this.#rekeyInterval === 0) this.#inbound.rekey();
      return plain;
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  /** End of the record at the read position; beyond all that has arrived when not even its length has. */
  #recordEnd(): number {
    const chunk = this.#chunk, at = this.#start;
    if (this.#end - at < HEAD_BYTES) return at + HEAD_BYTES + TAG_BYTES;
    return at + HEAD_BYTES + Math.max(TAG_BYTES, readU16(chunk, at));
  }

  /** Makes sure that the record at the read position fits into the chunk, and that a read is worth its cost. */
  #makeRoom(): void {
    const pending = this.#end - this.#start;
    const needed = Math.max(this.#recordEnd() - this.#start, this.#chunkBytes);
    if (this.#chunk.length < needed || pending === 0 && this.#chunk.length > needed) {
      const chunk = new Uint8Array(needed);
      chunk.set(this.#chunk.subarray(this.#start, this.#end));
      this.#chunk = chunk;
    } else if (this.#start > 0) {
      this.#chunk.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = pending;
  }

  /** A stream that brings much gets a large chunk, and an idle one a small chunk. */
  #adapt(received: number, room: number): void {
    this.#smallReads = received < IDLE_CHUNK_BYTES ? this.#smallReads + 1 : 0;
    if (this.#smallReads >= CALM_AFTER_READS) this.#chunkBytes = IDLE_CHUNK_BYTES;
    else if (received === room) this.#chunkBytes = BUSY_CHUNK_BYTES;
  }
}
