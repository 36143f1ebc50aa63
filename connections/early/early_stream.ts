// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteWriter } from "../../wire/byte_writer.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import type { Address } from "../../wire/address.ts";
import type { ByteStream, PeerCertificate } from "../../transport/transport.ts";
import type { SendQueue } from "../send_queue.ts";
import {
  type EarlyFrame,
  type EarlyName,
  EarlyWord,
  readMark,
  readPosition,
  type SocketMark,
  writeEarlyHead,
  writeMark,
} from "./early_frames.ts";
import { EarlyReceiver } from "./early_receiver.ts";
import { type EarlyPiece, EarlySender } from "./early_sender.ts";

/** Bytes that are read from a socket at a time before its turn has come. */
const PEEK_BYTES = 1024;

/** The membership connection that carries the bytes at present. */
export interface EarlyCarrier {
  readonly queue: Pick<SendQueue, "begin" | "commit" | "written">;
  readonly remoteAddress: Address;
  readonly certificate: PeerCertificate | undefined;
}

/** Dependencies of an {@linkcode EarlyStream}. */
export interface EarlyStreamHost {
  /** The membership connection, as it is now; `null` for none. */
  carrier(): EarlyCarrier | null;
  /** It was closed here. */
  closed(stream: EarlyStream): void;
}

/** A socket, and the bytes of it that were read already. */
interface Socket {
  readonly stream: ByteStream;
  readonly mark: SocketMark;
  rest: Uint8Array;
  /** Whether it was found closed before its turn. */
  hasEnded: boolean;
}

/**
 * A stream whose bytes travel in frames of a membership connection at first, and over a socket of their own from when there is one. The
 * switch may come between any two bytes: each end says to the other that it has moved, and reads the socket once it has read that.
 * What the membership connection carries at a time is bounded, whatever is written. When another membership connection takes its slot, what
 * was not said to have been taken is sent again.
 */
export class EarlyStream implements ByteStream {
  readonly channel: string;
  readonly index: number;
  /** The number of this end. */
  readonly id: number;
  /** The number of the other end; 0 as long as it is not known. */
  theirs: number;
  readonly #host: EarlyStreamHost;
  readonly #sender = new EarlySender();
  readonly #receiver = new EarlyReceiver();
  #socket: Socket | null = null;
  /** Position at which the other end has moved, and its socket. */
  #moved: { readonly position: number; readonly mark: SocketMark } | null = null;
  #isReading = true;
  #isOver = false;
  #closed = false;
  #isPeeking = false;
  #changed: PromiseWithResolvers<void> | null = null;

  /** @param theirs The number of the other end; 0 when it is not known. */
  constructor(channel: string, index: number, id: number, theirs: number, host: EarlyStreamHost) {
    this.channel = channel;
    this.index = index;
    this.id = id;
    this.theirs = theirs;
    this.#host = host;
  }

  get remoteAddress(): Address {
    return (this.#socket?.stream ?? this.#host.carrier())?.remoteAddress ?? { hostname: "", port: 0 };
  }

  /** The certificate of the other end. */
  get certificate(): PeerCertificate | undefined {
    return (this.#socket?.stream ?? this.#host.carrier())?.certificate;
  }

  /** Whether it goes on over a socket. */
  get hasSocket(): boolean {
    return this.#socket !== null;
  }

  /** Whether it cannot go on without a membership connection: it has no socket, or one that has closed before its turn. */
  get isBound(): boolean {
    return this.#socket === null || this.#hasLostSocket;
  }

  /** Whether a membership connection still carries a part of it. */
  get isCarried(): boolean {
    return this.#socket === null || !this.#hasOtherMoved || !this.#sender.hasTaken(this.#sender.position);
  }

  /** Whether it has gone on over a socket that the other end has dialed, and has given up since for a later dial. */
  isLeftBehindBy(dial: number): boolean {
    return this.#socket !== null && this.#moved === null && !this.#socket.mark.outbound &&
      this.#socket.mark.dial < dial;
  }

  /**
   * Goes on over a socket.
   *
   * @param rest Bytes that were read of it already.
   */
  attach(stream: ByteStream, rest: Uint8Array, mark: SocketMark): void {
    const socket = this.#socket = { stream, mark, rest, hasEnded: false };
    this.#sender.end();
    this.#sayMoved(socket);
    this.#peek(socket);
    this.#look();
  }

  /**
   * Takes a frame from the other end.
   *
   * @throws {ProtocolError} When it is malformed, or comes although it must not.
   */
  take({ word, body }: EarlyFrame): void {
    if (word === EarlyWord.bytes) {
      if (!this.#receiver.add(readPosition(body), body.subarray(4))) {
        throw this.#breach("more came than may be on their way");
      }
      this.#takeMoved();
    } else if (word === EarlyWord.taken) {
      if (!this.#sender.take(readPosition(body))) throw this.#breach("more was taken than was sent");
    } else if (word === EarlyWord.moved) {
      const position = readPosition(body, 13);
      this.#moved = { position, mark: readMark(body) };
      // Said again, it was not known to have been read.
      if (!this.#takeMoved() && this.#hasOtherMoved) this.#sayTaken();
    } else if (word === EarlyWord.lost) {
      if (this.#socket === null) this.#isOver = true;
    } else if (word === EarlyWord.closed) this.#isOver = true;
    this.#look();
  }

  /** Has the other end know of it. */
  announce(): void {
    this.#sayTaken();
  }

  /** Goes on over another membership connection: says again what may not have come over the former one. */
  resume(): void {
    if (!this.isCarried) return;
    for (const piece of this.#sender.pieces) this.#sayBytes(piece);
    this.#sayTaken();
    if (this.#socket !== null) this.#sayMoved(this.#socket);
    if (this.#hasLostSocket) this.#say(EarlyWord.lost);
    this.#look();
  }

  /** There is no membership connection any more: what the other end has not got is lost. */
  abandon(): void {
    this.#isOver = true;
    this.#look();
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#isReading ? this.#readEarly(buffer) : this.#socket!.stream.read(buffer);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#socket === null ? this.#writeEarly(bytes) : this.#socket.stream.write(bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket?.stream.close();
    if (this.#socket === null || !this.#hasOtherMoved) this.#say(EarlyWord.closed);
    this.#look();
    this.#host.closed(this);
  }

  /** Whether all that the other end sent before it moved is here, and its word that it has. */
  get #hasOtherMoved(): boolean {
    return this.#moved !== null && ((this.#receiver.received - this.#moved.position) | 0) > 0;
  }

  /** Whether its socket has closed before the other end has gone on there. */
  get #hasLostSocket(): boolean {
    return this.#socket?.hasEnded === true && !this.#hasOtherMoved;
  }

  /** Takes the other end's word that it has moved, when its turn has come. */
  #takeMoved(): boolean {
    if (this.#moved?.position !== this.#receiver.received) return false;
    this.#receiver.takeMoved();
    if (!this.#receiver.hasBytes) this.#sayTaken();
    return true;
  }

  async #readEarly(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#closed) throw closedHere();
      if (this.#receiver.hasBytes) return this.#readCarried(buffer);
      const socket = this.#socket;
      if (socket !== null && this.#hasOtherMoved) {
        const { outbound, dial } = this.#moved!.mark;
        if (outbound !== socket.mark.outbound || dial !== socket.mark.dial) {
          throw new Error(`Cannot read channel "${this.channel}": the ends have taken different sockets for it`);
        }
        if (socket.rest.length > 0) return readRest(socket, buffer);
        if (!this.#isPeeking) {
          this.#isReading = false;
          return socket.stream.read(buffer);
        }
      } else if (this.#isOver) return null;
      await this.#change();
    }
  }

  #readCarried(buffer: Uint8Array): number {
    const count = this.#receiver.read(buffer);
    const isLast = this.#hasOtherMoved && !this.#receiver.hasBytes;
    if (isLast || this.#receiver.hasNews) this.#sayTaken();
    return count;
  }

  /** Reads a socket ahead until its turn has come: it may close before, because the other end has no use for it. */
  async #peek(socket: Socket): Promise<void> {
    this.#isPeeking = true;
    try {
      const buffer = new Uint8Array(PEEK_BYTES);
      const count = await socket.stream.read(buffer);
      socket.hasEnded = count === null;
      const rest = new Uint8Array(socket.rest.length + (count ?? 0));
      rest.set(socket.rest);
      rest.set(buffer.subarray(0, count ?? 0), socket.rest.length);
      socket.rest = rest;
    } catch {
      socket.hasEnded = true;
    }
    this.#isPeeking = false;
    if (this.#hasLostSocket && !this.#closed) {
      this.#say(EarlyWord.lost);
      // Nothing that could still come has a way.
      if (this.#host.carrier() === null) this.#isOver = true;
    }
    this.#look();
  }

  async #writeEarly(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#closed) throw closedHere();
      if (this.#socket !== null) return await this.#socket.stream.write(at === 0 ? bytes : bytes.subarray(at));
      if (this.#isOver) throw new Error(`Cannot write to channel "${this.channel}": what carries it has closed`);
      const count = Math.min(this.#sender.room, bytes.length - at);
      if (count === 0) await this.#change();
      else this.#sayBytes(this.#sender.add(bytes.subarray(at, at + count)));
      at += count;
    }
    await this.#host.carrier()?.queue.written();
  }

  #sayBytes({ position, bytes }: EarlyPiece): void {
    this.#say(EarlyWord.bytes, (writer) => {
      writer.u32(position);
      writer.raw(bytes);
    });
  }

  #sayTaken(): void {
    this.#receiver.told();
    this.#say(EarlyWord.taken, (writer) => writer.u32(this.#receiver.taken));
  }

  #sayMoved({ mark }: Socket): void {
    this.#say(EarlyWord.moved, (writer) => {
      writer.u32(this.#sender.position);
      writeMark(writer, mark);
    });
  }

  #say(word: EarlyWord, write?: (writer: ByteWriter) => void): void {
    const carrier = this.#host.carrier();
    if (carrier !== null) sayEarly(carrier, word, this.#name, write);
  }

  get #name(): EarlyName {
    return { channel: this.channel, index: this.index, from: this.id, to: this.theirs };
  }

  #breach(what: string): ProtocolError {
    return new ProtocolError(`Cannot take bytes of channel "${this.channel}": ${what}`);
  }

  #change(): Promise<void> {
    return (this.#changed ??= Promise.withResolvers()).promise;
  }

  #look(): void {
    this.#changed?.resolve();
    this.#changed = null;
  }
}

/** Puts a frame of kind `early` into a membership connection. */
export function sayEarly(
  { queue }: EarlyCarrier,
  word: EarlyWord,
  name: EarlyName,
  write?: (writer: ByteWriter) => void,
): void {
  const writer = queue.begin(FrameKind.early);
  writeEarlyHead(writer, word, name);
  write?.(writer);
  queue.commit();
}

function readRest(socket: Socket, buffer: Uint8Array): number {
  const count = Math.min(socket.rest.length, buffer.length);
  buffer.set(socket.rest.subarray(0, count));
  socket.rest = socket.rest.subarray(count);
  return count;
}

function closedHere(): Error {
  return new Error("Cannot use a stream: it was closed");
}
