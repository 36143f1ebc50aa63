// Copyright 2026 the Partisan peer-service authors. MIT license.

import { readU16, readU32 } from "./integers.ts";
import { ByteWriter } from "./byte_writer.ts";
import type { Codec } from "./codec.ts";
import { ProtocolError } from "./frame_reader.ts";
import { Decoder } from "./message_pack_decode.ts";
import { encodeInto } from "./message_pack_encode.ts";
import { writeHead } from "./message_pack_head.ts";
import { EncodeError } from "./encode_error.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Bytes from this size on go to the socket from where they are; smaller ones are cheaper to copy into the batch. */
export const ZERO_COPY_MIN_BYTES = 128 * 1024;

/** A scratch buffer that grew beyond this is given back. */
const SCRATCH_KEPT_BYTES = 64 * 1024;

/** Larger memory is held by none but its messages. */
const REMEMBERED_BYTES_MAX = 256 * 1024;

/** Encoded messages up to this size share chunks: memory of its own costs a small message more than all else. */
const SHARED_MAX_BYTES = 2 * 1024;
/** One message that is kept for long keeps a chunk. */
const SHARED_CHUNK_BYTES = 16 * 1024;

/** MessagePack's marker of bytes whose number fits into the next byte. */
export const BIN_8 = 0xc4;
/** Maximum of those. */
export const BIN_8_BYTES_MAX = 0xff;
const BIN_16 = 0xc5;
const BIN_32 = 0xc6;
/** Maximum of bytes in front of bytes: the marker and the length. */
const BIN_HEAD_BYTES_MAX = 5;

/** The reader of a buffer, which reads over it as soon as it may. */
export interface BufferOwner {
  /**
   * Asks it to keep the bytes of the frame at hand valid.
   *
   * @param bytes Number of those that are needed.
   * @returns Whether they stay valid; else they are to be copied.
   */
  retain(bytes: number): boolean;
}

/** A message in the form in which it is sent: what becomes of the value that it was made of does not matter any more. */
export class EncodedMessage {
  /** Number of its bytes. */
  readonly length: number;
  #bytes: Uint8Array;
  readonly #start: number;
  #source: Uint8Array | undefined;

  /**
   * Keeps the bytes.
   *
   * @param buffer Holds them, and may hold others.
   * @param source Bytes that the message was made of, where it is nothing else.
   */
  constructor(buffer: Uint8Array, start = 0, end: number = buffer.length, source?: Uint8Array) {
    this.length = end - start;
    this.#bytes = buffer;
    this.#start = start;
    this.#source = source;
  }

  /** Its bytes, which have no other owner. Their buffer may hold others. */
  get bytes(): Uint8Array {
    // Made when it is first asked for: nearly all small messages are acknowledged before, and a view costs more than to copy them.
    if (this.#bytes.length !== this.length) this.#bytes = this.#bytes.subarray(this.#start, this.#start + this.length);
    return this.#bytes;
  }

  /** Bytes that it was made of, as long as they cannot have changed. */
  get source(): Uint8Array | undefined {
    return this.#source;
  }

  /** Takes its bytes out of a buffer that holds others as well, which it would keep in memory for as long as it lives. */
  moveOut(): void {
    const { bytes } = this;
    if (bytes.buffer.byteLength > bytes.length) this.#bytes = bytes.slice();
  }

  /** The owner of the bytes that it was made of may change them from now on. */
  detach(): void {
    this.#source = undefined;
  }
}

/** Stands for a message that the codec could not decode. */
export class UndecodableMessage {
  /** Error of the codec. */
  readonly error: unknown;

  /** Keeps the reason. */
  constructor(error: unknown) {
    this.error = error;
  }

  /** Description of the failure, in a sentence. */
  toString(): string {
    return `Cannot decode the message: ${messageOf(this.error)}`;
  }
}

/**
 * Puts values into frames and takes them out. Messages go through the codec that the user chose, MessagePack by default; everything
 * that nodes say to each other on their own account is MessagePack always.
 */
export class PayloadCodec {
  readonly #custom: Codec | undefined;
  readonly #decoder = new Decoder();
  #scratch = new ByteWriter();
  /** The bytes of which a message was a view last, and their memory. */
  #viewed: Uint8Array | undefined;
  #viewedMemory: ArrayBufferLike = new ArrayBuffer(0);
  /** Holds small messages that are kept. */
  #chunk = new ByteWriter(0);

  constructor(custom?: Codec) {
    this.#custom = custom;
  }

  /** Whether messages go through a codec that the user chose. */
  get isCustom(): boolean {
    return this.#custom !== undefined;
  }

  /** Whether a message is written from where it is, so that it must not change until then. */
  lends(message: unknown): message is Uint8Array {
    return message instanceof Uint8Array && message.length >= ZERO_COPY_MIN_BYTES && this.#custom === undefined;
  }

  /**
   * Writes a message.
   *
   * @returns Bytes that belong behind what was written, to be sent without a copy, or `undefined`.
   * @throws {EncodeError} When the message cannot be encoded.
   */
  write(writer: ByteWriter, message: unknown): Uint8Array | undefined {
    if (this.#custom === undefined && message instanceof Uint8Array) return writeBinary(writer, message);
    if (message instanceof EncodedMessage) {
      if (message.source === undefined) return writeBytes(writer, message.bytes);
      return writeBinary(writer, message.source);
    }
    if (this.#custom !== undefined) this.#writeCustom(this.#custom, writer, message);
    else encodeInto(writer, message);
    return undefined;
  }

  /**
   * Reads a message that fills `buffer[start, end)`.
   *
   * @param owner The reader that would read over `buffer`, if there is one; it is asked to retain it when the message refers to its bytes,
   * which are copied when it does not.
   * @returns The message, or an {@linkcode UndecodableMessage}: the frames around it are none the worse for it.
   */
  read(buffer: Uint8Array, start: number, end: number, owner?: BufferOwner): unknown {
    try {
      if (this.#custom !== undefined) {
        return this.#custom.decode(this.#kept(buffer, start, end, owner));
      }
      const from = this.binaryAt(buffer, start, end);
      if (from >= 0) {
        return this.#kept(buffer, from, end, owner);
      }
      this.#decoder.viewsTaken = false;
      const message = this.#decoder.decode(buffer, start, end);
      if (!this.#decoder.viewsTaken || owner === undefined || owner.retain(end - start)) return message;
      return this.#decoder.decode(buffer.slice(start, end), 0, end - start);
    } catch (error) {
      return new UndecodableMessage(error);
    }
  }

  /**
   * Start of the bytes of a message that fills `buffer[start, end)` and is nothing but bytes, which then end with it.
   *
   * @returns -1 when it is something else, or malformed.
   */
  binaryAt(buffer: Uint8Array, start: number, end: number): number {
    if (this.#custom !== undefined || end - start < 2) return -1;
    switch (buffer[start]) {
      case BIN_8:
        return start + 2 + buffer[start + 1]! === end ? start + 2 : -1;
      case BIN_16:
        return end - start >= 3 && start + 3 + readU16(buffer, start + 1) === end ? start + 3 : -1;
      case BIN_32:
        return end - start >= 5 && start + 5 + readU32(buffer, start + 1) === end ? start + 5 : -1;
      default:
        return -1;
    }
  }

  /**
   * Encodes a message by itself.
   *
   * @returns Its bytes, which have their buffer to themselves.
   * @throws {EncodeError} When it cannot be encoded.
   */
  encode(message: unknown): Uint8Array {
    return this.#scribble(message, (bytes) => bytes.slice());
  }

  /**
   * Encodes a message for later.
   *
   * @param isLent Whether bytes do not change before {@linkcode EncodedMessage.detach}, so that they may be written from where they are.
   * @throws {EncodeError} When it cannot be encoded.
   */
  keep(message: unknown, isLent = false): EncodedMessage {
    // Bytes run no code of the user, so they are encoded where they stay.
    if (this.#custom === undefined && message instanceof Uint8Array && message.length <= SHARED_MAX_BYTES) {
      const chunk = this.#chunkFor(BIN_HEAD_BYTES_MAX + message.length);
      const start = chunk.length;
      writeBinary(chunk, message);
      return new EncodedMessage(chunk.bytes, start, chunk.length, isLent ? message : undefined);
    }
    return this.#scribble(message, (bytes) => {
      if (bytes.length > SHARED_MAX_BYTES) return new EncodedMessage(bytes.slice());
      const chunk = this.#chunkFor(bytes.length);
      const start = chunk.length;
      chunk.raw(bytes);
      return new EncodedMessage(chunk.bytes, start, chunk.length);
    });
  }

  /**
   * Decodes a message that has its bytes to itself.
   *
   * @returns The message, or an {@linkcode UndecodableMessage}.
   */
  decode(bytes: Uint8Array): unknown {
    return this.read(bytes, 0, bytes.length);
  }

  /**
   * Number of bytes that a message will have.
   *
   * @throws {EncodeError} When it cannot be encoded.
   */
  measure(message: unknown): number {
    if (message instanceof EncodedMessage) return message.length;
    if (message instanceof Uint8Array && this.#custom === undefined) return message.length;
    return this.#scribble(message, (bytes) => bytes.length);
  }

  /** Writes a value of ours that is followed by something else. */
  writePrefixed(writer: ByteWriter, value: unknown): void {
    const mark = writer.length;
    writer.u32(0);
    encodeInto(writer, value);
    writer.setU32(mark, writer.length - mark - 4);
  }

  /**
   * Reads a value of ours that is followed by something else.
   *
   * @returns The value and the position behind it.
   */
  readPrefixed(buffer: Uint8Array, start: number, end: number): [value: unknown, next: number] {
    const next = end - start < 4 ? Infinity : start + 4 + readU32(buffer, start);
    if (next > end) throw new ProtocolError("Cannot read a message: it is truncated");
    return [this.readControl(buffer, start + 4, next), next];
  }

  /** Reads a value of ours; its bytes, if any, are copies. */
  readControl(buffer: Uint8Array, start: number, end: number): unknown {
    this.#decoder.viewsTaken = false;
    const value = this.#decoder.decode(buffer, start, end);
    if (!this.#decoder.viewsTaken) return value;
    const bytes = buffer.slice(start, end);
    return new Decoder().decode(bytes, 0, bytes.length);
  }

  /** Encodes a message behind what is on the scratch already: encoding runs code of the user, which may encode another one. */
  #scribble<T>(message: unknown, take: (bytes: Uint8Array) => T): T {
    const scratch = this.#scratch;
    const mark = scratch.length;
    try {
      const tail = this.write(scratch, message);
      if (tail !== undefined) scratch.raw(tail);
      return take(scratch.bytes.subarray(mark, scratch.length));
    } finally {
      scratch.length = mark;
      if (mark === 0 && scratch.bytes.length > SCRATCH_KEPT_BYTES) this.#scratch = new ByteWriter();
    }
  }

  /** The chunk for the next small message that is kept, of `size` bytes at most. */
  #chunkFor(size: number): ByteWriter {
    const hasRoom = this.#chunk.length + size <= this.#chunk.bytes.length;
    return hasRoom ? this.#chunk : this.#chunk = new ByteWriter(SHARED_CHUNK_BYTES);
  }

  /** Bytes that stay valid, where they are if possible. */
  #kept(buffer: Uint8Array, start: number, end: number, owner: BufferOwner | undefined): Uint8Array {
    if (owner !== undefined && !owner.retain(end - start)) return buffer.slice(start, end);
    const memory = buffer === this.#viewed ? this.#viewedMemory : this.#memoryOf(buffer);
    // Faster than `subarray`, which asks what kind of array it is to make.
    return new Uint8Array(memory, buffer.byteOffset + start, end - start);
  }

  /** The memory of bytes. To ask for it takes a quarter of the time of a view, so it is remembered for the next message. */
  #memoryOf(bytes: Uint8Array): ArrayBufferLike {
    const memory = bytes.buffer;
    if (memory.byteLength <= REMEMBERED_BYTES_MAX) {
      this.#viewed = bytes;
      this.#viewedMemory = memory;
    }
    return memory;
  }

  #writeCustom(codec: Codec, writer: ByteWriter, message: unknown): void {
    let bytes: Uint8Array;
    try {
      bytes = codec.encode(message);
    } catch (error) {
      throw new EncodeError(`Cannot encode the message: ${messageOf(error)}`, {
        cause: error,
      });
    }
    writer.raw(bytes);
  }
}

/** Writes a message that is bytes, or only its head, and hands the bytes back when they are to be sent from where they are. */
function writeBinary(writer: ByteWriter, message: Uint8Array): Uint8Array | undefined {
  const size = message.length;
  if (size > BIN_8_BYTES_MAX) {
    writeHead(writer, BIN_8, size);
    return writeBytes(writer, message);
  }
  // Short messages are many: their room is looked for once.
  writer.reserve(2 + size);
  const { bytes, length } = writer;
  bytes[length] = BIN_8;
  bytes[length + 1] = size;
  bytes.set(message, length + 2);
  writer.length = length + 2 + size;
  return undefined;
}

/** Writes bytes, or hands them back when they are to be sent from where they are. */
function writeBytes(writer: ByteWriter, bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length >= ZERO_COPY_MIN_BYTES) return bytes;
  writer.raw(bytes);
  return undefined;
}
