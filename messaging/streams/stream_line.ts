// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { type BufferOwner, EncodedMessage, type PayloadCodec } from "../../wire/payload_codec.ts";
import { MessageTooLargeError, NotConnectedError, OverloadedError } from "../errors.ts";
import { remoteErrorOf } from "../failure.ts";
import { ReceiveWindow, WINDOW_MIN_BYTES, WINDOW_START_BYTES } from "./receive_window.ts";
import { remoteStreamError } from "./stream_error.ts";
import { StreamEnd, type StreamHost } from "./stream_end.ts";
import type { RoomPool } from "./room_pool.ts";
import type { StreamShare } from "./stream_share.ts";
import {
  Halves,
  POSITION_BYTES,
  readAccept,
  readDataPosition,
  readNumber,
  readOpening,
  readPosition,
  readReset,
  SMALL_FRAME_BYTES,
  type StreamForm,
  type StreamOpening,
  type StreamQueue,
  writeReset,
} from "./stream_frames.ts";

/** So many bytes of streams are ahead in the queue, which are two chunks and one write: what is sent besides waits for no more than them. */
const AHEAD_MAX_BYTES = 128 * 1024;
/** Between two looks at how far the queue has come. */
const MARK_BYTES = 64 * 1024;
/** Streams that are told that they are not known here, or not wanted, before the connection has room for the word. */
const STRAYS_MAX = 1_024;
/** Streams that were lost, and of which the other side may not know that. Beyond that the oldest are forgotten. */
const LOST_MAX = 65_536;
/** Numbers of streams are 32 bits; the lowest one says which side opened it. */
const NUMBERS_MAX = 2 ** 32;
/** Errors for the other side of streams that were lost. */
const LOST = {
  name: "NotConnectedError",
  message: "Cannot go on with the stream: the other side has lost the connection",
};

/** Carrier of frames of streams. */
export interface StreamCarrier {
  readonly queue: StreamQueue;
  /** Milliseconds on the local clock at which it opened. */
  readonly openedAt: number;
}

/** Dependencies of a {@linkcode StreamLine}. */
export interface StreamLineOptions {
  readonly codec: PayloadCodec;
  /** Source of room for what was not read yet. */
  readonly rooms: RoomPool;
  /** Milliseconds on the local clock. */
  readonly now: () => number;
  /** Name of the other side. */
  readonly node: string;
  /** Whether the streams that are opened here have even numbers. */
  readonly isEven: boolean;
  /** Carrier of frames at present, if there is one. */
  readonly carrier: () => StreamCarrier | null;
  /** The incarnation of the other side: another one knows nothing of the streams of this one. */
  readonly incarnation: () => number;
  /** Bounds what the streams of the other side hold here, over all its lines. */
  readonly share: StreamShare;
  /** Takes a stream that the other side has opened. */
  readonly opened: (end: StreamEnd, opening: StreamOpening) => void;
}

/** The streams that share one slot among the connections with a node. They take turns, chunk by chunk, and let everything else go between. */
export class StreamLine implements StreamHost {
  readonly codec: PayloadCodec;
  readonly rooms: RoomPool;
  readonly #options: StreamLineOptions;
  /** Streams of which something may still come. */
  readonly #ends = new Map<number, StreamEnd>();
  readonly #small = new Set<StreamEnd>();
  readonly #data = new Set<StreamEnd>();
  /** Numbers that the other side uses, and this one does not know, or does not want. */
  readonly #strays = new Map<number, unknown>();
  /** Numbers of streams that this side has lost, and the other one may not have. */
  readonly #lost = new Set<number>();
  #incarnation: number;
  #nextNumber: number;
  #aheadBytes = 0;
  #unmarkedBytes = 0;
  #isWaiting = false;
  #isPumping = false;

  constructor(options: StreamLineOptions) {
    this.#options = options;
    this.codec = options.codec;
    this.rooms = options.rooms;
    // Another line may have been here before, and the other side may still have something to say about its streams.
    this.#nextNumber = (2 * Math.floor(options.now()) + (options.isEven ? 0 : 1)) % NUMBERS_MAX;
    this.#incarnation = options.incarnation();
  }

  /** Ends of which something may still come. */
  get ends(): Iterable<StreamEnd> {
    return this.#ends.values();
  }

  /** Begins a stream. */
  open(form: StreamForm): StreamEnd {
    while (this.#ends.has(this.#nextNumber)) this.#advance();
    const end = this.#add(this.#nextNumber, form, true, this.#options.carrier());
    this.#advance();
    return end;
  }

  /**
   * Encodes what the handler of a stream is told.
   *
   * @throws {EncodeError} When it cannot be encoded.
   * @throws {MessageTooLargeError} When it is larger than a frame may be.
   */
  encode(name: string, message: unknown, maxFrameBytes: number): EncodedMessage {
    const bytes = this.codec.encode(message);
    if (bytes.length + SMALL_FRAME_BYTES <= maxFrameBytes) return new EncodedMessage(bytes);
    const size = `the message has ${bytes.length} bytes, the limit is ${maxFrameBytes - SMALL_FRAME_BYTES}`;
    throw new MessageTooLargeError(`Cannot open a stream to "${name}" on "${this.#options.node}": ${size}`);
  }

  /**
   * Everything that was on its way is lost. The other side may have seen less of that, and is told as soon as something passes.
   *
   * @param error Error that the streams end with.
   */
  lose(error: unknown): void {
    this.#strays.clear();
    const isSame = this.#isSameIncarnation();
    for (const end of [...this.#ends.values()]) {
      if (isSame) this.noteLost(end.number);
      end.lose(error);
      this.#remove(end);
    }
  }

  /** A stream of the other side is lost, which has it told as soon as something passes. */
  noteLost(number: number): void {
    if (this.#lost.size >= LOST_MAX) this.#lost.delete(this.#lost.values().next().value!);
    this.#lost.add(number);
  }

  /**
   * One carrier has closed, and another one has taken its slot. Streams go on there, unless something of them may have been lost with it:
   * what this side has put into it, or what the other side may have.
   *
   * @param carrier The one that has closed.
   * @param error Error that those end with; none when everything came, both ways.
   */
  replaced({ queue, openedAt }: StreamCarrier, error: unknown): void {
    for (const end of [...this.#ends.values()]) {
      const isCarried = end.carriers.delete(queue) || openedAt >= end.since;
      if (isCarried && error !== undefined) end.giveUp(Halves.both, error);
    }
    this.pump();
  }

  /** Gives all streams up, and has the other side told. */
  giveUp(error: unknown): void {
    for (const end of [...this.#ends.values()]) end.giveUp(Halves.both, error);
  }

  /**
   * Takes a frame.
   *
   * @param carrier Carrier that it came over.
   * @param owner Reader that retains the buffer where the message of an opening refers to it; without one that is copied.
   */
  take(
    carrier: StreamCarrier,
    kind: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    owner: BufferOwner | undefined,
  ): StreamEnd | undefined {
    const number = readNumber(buffer, start, end);
    const body = start + 4;
    if (kind === FrameKind.streamOpen) {
      return this.#takeOpening(carrier, number, readOpening(this.codec, buffer, body, end, owner));
    }
    const stream = this.#ends.get(number);
    if (stream === undefined) {
      // A reset ends what is not known: it is not answered with another one.
      if (kind !== FrameKind.streamReset) {
        this.#stray(number, new NotConnectedError("Cannot go on: the other side does not know the stream any more"));
      }
      return undefined;
    }
    stream.carriers.add(carrier.queue);
    if (kind === FrameKind.streamAccept) stream.takeAccept(readAccept(buffer, body, end));
    else if (kind === FrameKind.streamCredit) stream.takeCredit(readPosition(buffer, body, end));
    else if (kind === FrameKind.streamEnd) stream.takeEnd(readPosition(buffer, body, end));
    else if (kind === FrameKind.streamData) {
      stream.takeData(...readDataPosition(buffer, body, end), buffer.subarray(body + POSITION_BYTES, end));
    } else {
      const { halves, error } = readReset(this.codec, buffer, body, end);
      stream.takeReset(halves, remoteStreamError(this.#options.node, error));
    }
    return stream;
  }

  /** Sends what is due, as far as there is room. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      const queue = this.#options.carrier()?.queue;
      if (queue !== undefined && !queue.closed && this.#writeSmall(queue)) this.#writeData(queue);
    } finally {
      this.#isPumping = false;
    }
  }

  // What its ends tell, and ask.

  now(): number {
    return this.#options.now();
  }

  small(end: StreamEnd): void {
    if (end.isOver) this.#remove(end);
    else if (end.hasSmall) this.#small.add(end);
    this.pump();
  }

  data(end: StreamEnd): void {
    if (end.hasData) this.#data.add(end);
    this.pump();
  }

  read(window: ReceiveWindow, bytes: number): boolean {
    const { now, share } = this.#options;
    const before = window.bytes;
    const isDue = window.read(bytes, now(), share.room);
    share.grow(window.bytes - before);
    return isDue;
  }

  released(end: StreamEnd): void {
    this.#options.share.remove(end);
  }

  #writeSmall(queue: StreamQueue): boolean {
    if (this.#lost.size > 0 && !this.#isSameIncarnation()) this.#lost.clear();
    for (const number of this.#lost) {
      if (!queue.hasRoomFor(SMALL_FRAME_BYTES)) return this.#wait(queue);
      this.#lost.delete(number);
      writeReset(queue, number, Halves.both, LOST);
    }
    for (const [number, error] of this.#strays) {
      if (!queue.hasRoomFor(SMALL_FRAME_BYTES)) return this.#wait(queue);
      this.#strays.delete(number);
      writeReset(queue, number, Halves.both, remoteErrorOf(error));
    }
    for (const end of this.#small) {
      if (!queue.hasRoomFor(end.smallBytes)) return this.#wait(queue);
      this.#small.delete(end);
      end.writeSmall(queue);
      if (end.isOver) this.#remove(end);
    }
    return true;
  }

  #writeData(queue: StreamQueue): void {
    // What is put back comes last.
    for (const end of this.#data) {
      if (this.#aheadBytes >= AHEAD_MAX_BYTES) return;
      this.#data.delete(end);
      if (!end.hasData) continue;
      if (!queue.hasRoomFor(end.chunkBytes + SMALL_FRAME_BYTES)) {
        this.#data.add(end);
        this.#wait(queue);
        return;
      }
      const bytes = end.writeChunk(queue);
      if (end.hasData) this.#data.add(end);
      this.#aheadBytes += bytes;
      this.#unmarkedBytes += bytes;
      if (this.#unmarkedBytes >= MARK_BYTES) this.#mark(queue);
    }
    // Chunks may have been the last ones of their streams.
    if (this.#small.size > 0) this.#writeSmall(queue);
  }

  /** Goes on once what is in the queue now has left it. */
  #wait(queue: StreamQueue): false {
    if (this.#isWaiting) return false;
    this.#isWaiting = true;
    queue.written().then(() => {
      this.#isWaiting = false;
      this.pump();
    });
    return false;
  }

  #mark(queue: StreamQueue): void {
    const bytes = this.#unmarkedBytes;
    this.#unmarkedBytes = 0;
    queue.written().then(() => {
      this.#aheadBytes -= bytes;
      this.pump();
    });
  }

  #takeOpening(carrier: StreamCarrier, number: number, opening: StreamOpening): StreamEnd | undefined {
    const { isEven, node, share, opened } = this.#options;
    if ((number % 2 === 0) === isEven || this.#ends.has(number)) {
      throw new ProtocolError(`Cannot open stream ${number}: the number is not free for the other side`);
    }
    if (share.isFull) {
      const state = `"${node}" has as many streams open as it may: ${share.streamsMax}`;
      return void this.#stray(number, new OverloadedError(`Cannot open a stream to "${opening.name}": ${state}`));
    }
    this.#lost.delete(number);
    const end = this.#add(number, opening.form, false, carrier);
    end.carriers.add(carrier.queue);
    end.takeCredit(opening.window);
    opened(end, opening);
    return end;
  }

  #stray(number: number, error: unknown): void {
    if (this.#strays.size >= STRAYS_MAX && !this.#strays.has(number)) {
      throw new ProtocolError(
        "Cannot go on: streams are used that are not open, and what is said about them is not read",
      );
    }
    this.#strays.set(number, error);
    this.pump();
  }

  #add(number: number, form: StreamForm, isOpener: boolean, carrier: StreamCarrier | null): StreamEnd {
    const { share } = this.#options;
    if (!this.#isSameIncarnation()) this.#lost.clear();
    const bytes = share.room >= WINDOW_START_BYTES ? WINDOW_START_BYTES : WINDOW_MIN_BYTES;
    const end = new StreamEnd(this, number, form, isOpener, new ReceiveWindow(bytes));
    if (carrier !== null) end.since = carrier.openedAt;
    this.#ends.set(number, end);
    share.add(end);
    return end;
  }

  /** Whether the other side is the one that the streams so far were with. */
  #isSameIncarnation(): boolean {
    const before = this.#incarnation;
    this.#incarnation = this.#options.incarnation();
    return this.#incarnation === before;
  }

  #remove(end: StreamEnd): void {
    if (this.#ends.get(end.number) === end) this.#ends.delete(end.number);
    this.#small.delete(end);
    this.#data.delete(end);
  }

  #advance(): void {
    this.#nextNumber = (this.#nextNumber + 2) % NUMBERS_MAX;
  }
}
