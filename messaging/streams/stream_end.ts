// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import type { EncodedMessage, PayloadCodec } from "../../wire/payload_codec.ts";
import { NotConnectedError } from "../errors.ts";
import { remoteErrorOf } from "../failure.ts";
import { ReceiveBuffer } from "./receive_buffer.ts";
import type { ReceiveWindow } from "./receive_window.ts";
import type { RoomPool } from "./room_pool.ts";
import { SendCredit } from "./send_credit.ts";
import {
  Halves,
  SMALL_FRAME_BYTES,
  type StreamForm,
  type StreamQueue,
  writeAccept,
  writeData,
  writeOpening,
  writePosition,
  writeReset,
} from "./stream_frames.ts";
import type { StreamSink } from "./stream_sink.ts";

/** Part of the carrier that an end of a stream uses. */
export interface StreamHost {
  readonly codec: PayloadCodec;
  /** Source of room for what was not read yet. */
  readonly rooms: RoomPool;
  /** Milliseconds on the local clock. */
  now(): number;
  /** A frame other than data is due, or the end is over. */
  small(end: StreamEnd): void;
  /** Data is due. */
  data(end: StreamEnd): void;
  /** Bytes were read. @returns Whether the other end is to be told of the room for more. */
  read(window: ReceiveWindow, bytes: number): boolean;
  /** Both halves are over, and what came was read. Called once or more. */
  released(end: StreamEnd): void;
}

/** State of a half: it goes on, its last byte is known, or it was given up. */
type HalfState = "open" | "ended" | { readonly error: unknown };

/** Reset of a half that is due. */
interface DueReset {
  halves: Halves;
  readonly error: unknown;
}

/** A write that has not been sent as a whole. */
interface PendingWrite {
  readonly bytes: Uint8Array;
  /** Their number, as long as they are not transferred. */
  readonly length: number;
  at: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * One end of a stream: the half that is written here, and the half that is read here. It says what is due, and its host has it write that when
 * the connection has room.
 */
export class StreamEnd {
  /** Its number among those of its host. */
  readonly number: number;
  /** Form: bytes or values. */
  readonly form: StreamForm;
  /** Whether it was opened here. */
  readonly isOpener: boolean;
  /**
   * Opening time of the connection that it began with, in milliseconds on the local clock. Connections that carry later frames
   * opened since.
   */
  since = -Infinity;
  /** Queues of the connections that frames of it went over, as long as it is not known that all of them came. */
  readonly carriers: Set<StreamQueue> = new Set();
  /** Resolves once both halves are over; rejects with what ended one of them early. */
  readonly closed: Promise<void>;
  readonly #closed = Promise.withResolvers<void>();
  readonly #host: StreamHost;
  readonly #window: ReceiveWindow;
  readonly #credit = new SendCredit();
  readonly #buffer: ReceiveBuffer;
  readonly #opened = Promise.withResolvers<void>();
  #sink: StreamSink | null = null;
  #isReadingTold = false;
  #writing: HalfState = "open";
  #reading: HalfState = "open";
  #pending: PendingWrite | null = null;
  #reader: PromiseWithResolvers<void> | null = null;
  #opening: { readonly name: string; readonly message: EncodedMessage; readonly trace: Uint8Array | undefined } | null =
    null;
  #isAcceptDue = false;
  #isCreditDue = false;
  #isEndDue = false;
  #reset: DueReset | null = null;
  #firstError: { readonly error: unknown } | null = null;

  constructor(host: StreamHost, number: number, form: StreamForm, isOpener: boolean, window: ReceiveWindow) {
    this.#host = host;
    this.number = number;
    this.form = form;
    this.isOpener = isOpener;
    this.#window = window;
    this.#buffer = new ReceiveBuffer(host.rooms);
    this.closed = this.#closed.promise;
    // Interested code listens; for the rest the readable and the writable tell.
    this.closed.catch(() => {});
    this.#opened.promise.catch(() => {});
    // Values go one way: from the handler to the opener.
    if (form === "values") this[isOpener ? "endWriting" : "endReading"]();
  }

  /** Bytes that were received and not read. */
  get heldBytes(): number {
    return this.#buffer.bytes;
  }

  /** Bytes of memory that the other end may fill. */
  get windowBytes(): number {
    return this.#window.bytes;
  }

  /** Whether both halves are over, and nothing is left to say about them. */
  get isOver(): boolean {
    return this.#writing !== "open" && this.#reading !== "open" && !this.hasSmall;
  }

  /** Whether a frame other than data is due. */
  get hasSmall(): boolean {
    return this.#opening !== null || this.#isAcceptDue || this.#isCreditDue || this.#reset !== null ||
      (this.#isEndDue && this.#pending === null);
  }

  /** Bytes that the frames other than data take which are due. */
  get smallBytes(): number {
    return 4 * SMALL_FRAME_BYTES + (this.#opening?.message.bytes.length ?? 0);
  }

  /** Whether data is due, and there is credit for it. */
  get hasData(): boolean {
    return this.#pending !== null && this.#credit.available > 0;
  }

  /** Is told when the halves are over. */
  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.tellReading();
    if (typeof this.#writing === "object") sink.writingFailed(this.#writing.error);
  }

  // What users do.

  /** Asks for the stream. Resolves once the other side has accepted it. */
  open(name: string, message: EncodedMessage, trace?: Uint8Array): Promise<void> {
    this.#opening = { name, message, trace };
    this.#host.small(this);
    return this.#opened.promise;
  }

  /** Says that the stream is open. */
  accept(): void {
    this.#isAcceptDue = true;
    this.#host.small(this);
  }

  /**
   * Writes bytes; one write at a time.
   *
   * @returns `undefined` when they are on their way; else what to wait for before they may be changed, and before the next write.
   * @throws What ended the half.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (typeof this.#writing === "object") throw this.#writing.error;
    if (this.#pending !== null || this.#isEndDue) throw new TypeError("Cannot write: another write is under way");
    if (bytes.length === 0) return undefined;
    const pending = { bytes, length: bytes.length, at: 0, done: Promise.withResolvers<void>() };
    this.#pending = pending;
    this.#credit.want();
    this.#host.data(this);
    return this.#pending === null ? undefined : pending.done.promise;
  }

  /** Nothing more is written. */
  end(): void {
    if (this.#writing !== "open" || this.#isEndDue) return;
    this.#isEndDue = true;
    if (this.#pending === null) this.#host.small(this);
  }

  /** Takes the oldest bytes that were received, in memory of their own; `undefined` when there are none. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const chunk = this.#buffer.take();
    if (chunk !== undefined) this.#took(chunk.length);
    return chunk;
  }

  /** Copies the oldest bytes that were received into `view`. @returns Number of these bytes; 0 when there are none. */
  takeInto(view: Uint8Array): number {
    const bytes = this.#buffer.takeInto(view);
    if (bytes > 0) this.#took(bytes);
    return bytes;
  }

  /**
   * Waits until there is something to take.
   *
   * @returns `undefined` when there is, or never will be; else what to wait for.
   * @throws What ended the half, once everything before was taken.
   */
  readable(): Promise<void> | undefined {
    if (this.#buffer.bytes > 0 || this.#reading === "ended") return undefined;
    if (this.#reading !== "open") throw this.#reading.error;
    return (this.#reader ??= Promise.withResolvers()).promise;
  }

  /** Whether it is with this that one of the halves ended. */
  endedBy(error: unknown): boolean {
    return [this.#writing, this.#reading].some((half) => typeof half === "object" && half.error === error);
  }

  /** Whether everything was read. */
  get isReadOut(): boolean {
    return this.#reading === "ended" && this.#buffer.bytes === 0;
  }

  /** Gives up one half or both, and tells the other end why. */
  giveUp(halves: Halves, error: unknown): void {
    const open = (halves & Halves.writing && this.#writing === "open" ? Halves.writing : 0) |
      (halves & Halves.reading && this.#reading === "open" ? Halves.reading : 0);
    if (halves & Halves.reading) this.#drop();
    if (open === 0) return;
    this.#fail(open as Halves, error);
    // The other side has not heard of it.
    if (this.#opening !== null) this.#opening = null;
    else if (this.#reset === null) this.#reset = { halves: open as Halves, error };
    else this.#reset.halves = (this.#reset.halves | open) as Halves;
    this.#host.small(this);
  }

  /** The connection is lost: nothing can be told, and nothing of what came is worth reading. */
  lose(error: unknown): void {
    this.#drop();
    this.#opening = this.#reset = null;
    this.#isAcceptDue = this.#isCreditDue = this.#isEndDue = false;
    this.#fail(Halves.both, error);
  }

  // What the other end says.

  /** The stream is open there. */
  takeAccept(window: number): void {
    this.#credit.grant(window);
    this.#opened.resolve();
    if (this.hasData) this.#host.data(this);
  }

  /** There is room up to a position. */
  takeCredit(limit: number): void {
    this.#credit.grant(limit);
    if (this.hasData) this.#host.data(this);
  }

  /**
   * Bytes have come.
   *
   * @throws {ProtocolError} When they are more than was granted.
   */
  takeData(position: number, wasHeld: boolean, bytes: Uint8Array): void {
    if (this.#reading !== "open" || !this.#follows(position)) return;
    if (!this.#window.allows(bytes.length)) {
      throw new ProtocolError(`Cannot read a stream: ${bytes.length} bytes came beyond what was granted`);
    }
    this.#window.receive(bytes.length, this.#host.now(), wasHeld);
    const read = this.#buffer.put(bytes, this.#sink);
    if (read > 0) this.#took(read);
    this.#wake();
  }

  /** Nothing more comes. */
  takeEnd(position: number): void {
    if (this.#reading !== "open" || !this.#follows(position)) return;
    this.endReading();
  }

  /** The other end has given halves up. Earlier bytes remain to be read. */
  takeReset(halves: Halves, error: unknown): void {
    const mine = (halves & Halves.writing ? Halves.reading : 0) | (halves & Halves.reading ? Halves.writing : 0);
    this.#fail(mine as Halves, error);
  }

  // What the host does.

  /** Writes the frames other than data which are due. */
  writeSmall(queue: StreamQueue): void {
    const { number, form } = this;
    this.carriers.add(queue);
    if (this.#opening !== null) {
      const { name, message, trace } = this.#opening;
      this.#opening = null;
      const opening = { form, window: this.#window.limit, name, message, trace };
      writeOpening(queue, this.#host.codec, number, opening, message);
    }
    if (this.#isAcceptDue) writeAccept(queue, number, this.#window.limit);
    else if (this.#isCreditDue) writePosition(queue, FrameKind.streamCredit, number, this.#window.limit);
    this.#isAcceptDue = this.#isCreditDue = false;
    if (this.#isEndDue && this.#pending === null) {
      this.#isEndDue = false;
      writePosition(queue, FrameKind.streamEnd, number, this.#credit.sent);
      this.endWriting();
    }
    if (this.#reset !== null) writeReset(queue, number, this.#reset.halves, remoteErrorOf(this.#reset.error));
    this.#reset = null;
  }

  /** Writes the next chunk. @returns Its bytes. */
  writeChunk(queue: StreamQueue): number {
    this.carriers.add(queue);
    const pending = this.#pending!;
    const { bytes, length, at } = pending;
    if (bytes.length !== length) {
      this.giveUp(Halves.writing, new TypeError("Cannot write: the memory of the chunk was transferred meanwhile"));
      return 0;
    }
    const size = this.#credit.chunkOf(length - at);
    const { sent } = this.#credit;
    writeData(queue, this.number, sent, this.#credit.send(size), bytes.subarray(at, at + size));
    pending.at += size;
    if (pending.at < length) {
      this.#credit.want();
      return size;
    }
    this.#pending = null;
    pending.done.resolve();
    if (this.#isEndDue) this.#host.small(this);
    return size;
  }

  /** Bytes of the next chunk. */
  get chunkBytes(): number {
    return this.#pending === null ? 0 : this.#credit.chunkOf(this.#pending.length - this.#pending.at);
  }

  /** The half that is written here has come to its end. */
  endWriting(): void {
    if (this.#writing === "open") this.#writing = "ended";
    this.#settle();
  }

  /** The half that is read here has come to its end. */
  endReading(): void {
    this.#reading = "ended";
    this.#isCreditDue = false;
    this.#wake();
    this.#settle();
  }

  /**
   * Whether a frame follows the last one. Missing frames were lost on the way: a partition kept them back, or they took another
   * connection.
   */
  #follows(position: number): boolean {
    if (position === this.#window.received) return true;
    this.giveUp(Halves.both, new NotConnectedError("Cannot go on with the stream: a part of it was lost"));
    return false;
  }

  #took(bytes: number): void {
    if (this.#reading === "open") {
      this.#isCreditDue ||= this.#host.read(this.#window, bytes);
      if (this.#isCreditDue) this.#host.small(this);
    } else if (this.#buffer.bytes === 0) this.#host.released(this);
  }

  #drop(): void {
    if (this.#buffer.clear() > 0 && this.#reading !== "open") this.#host.released(this);
  }

  #fail(halves: Halves, error: unknown): void {
    const failed = { error };
    if (halves & Halves.writing && this.#writing === "open") {
      this.#writing = failed;
      this.#firstError ??= failed;
      this.#isEndDue = false;
      this.#opened.reject(error);
      this.#pending?.done.promise.catch(() => {});
      this.#pending?.done.reject(error);
      this.#pending = null;
      this.#sink?.writingFailed(error);
    }
    if (halves & Halves.reading && this.#reading === "open") {
      this.#reading = failed;
      this.#firstError ??= failed;
      this.#opened.reject(error);
      this.#isCreditDue = false;
      this.#wake();
    }
    this.#settle();
  }

  #wake(): void {
    this.#reader?.resolve();
    this.#reader = null;
    this.tellReading();
  }

  /** Tells the sink when there is nothing more to take. */
  tellReading(): void {
    if (this.#sink === null || this.#isReadingTold || this.#reading === "open" || this.#buffer.bytes > 0) return;
    this.#isReadingTold = true;
    if (this.#reading === "ended") this.#sink.readingEnded();
    else this.#sink.readingFailed(this.#reading.error);
  }

  #settle(): void {
    if (this.#writing === "open" || this.#reading === "open") return;
    if (this.#firstError === null) this.#closed.resolve();
    else this.#closed.reject(this.#firstError.error);
    if (this.#buffer.bytes === 0) this.#host.released(this);
    this.#host.small(this);
  }
}
