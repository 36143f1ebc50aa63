// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../runtime/runtime.ts";
import { type Address, formatAddress } from "../../wire/address.ts";
import type { ByteStream, PeerCertificate } from "../transport.ts";
import type { CheckedCredentials } from "./credentials.ts";
import { certificateError } from "./certificate_error.ts";
import { holdBack } from "./sockets.ts";

/** A read that brings no more than this has brought a short message or two. */
const SHORT_READ_BYTES = 2048;
/** So many decrypted bytes may wait for a reader before the other end has to wait. */
const DECRYPTED_BYTES_MAX = 64 * 1024;
/** So much of a long write is handed over at a time: what a closing stream still has to flush. */
const PIECE_BYTES = 256 * 1024;

/** State that the streams of one transport share. */
export interface TlsStreamContext {
  /** Times the last wait of a closing stream. */
  readonly clock: Clock;
  /** Certificate that is shown now, and authorities that are trusted. */
  credentials: CheckedCredentials;
  /** Maximum time that a closing stream waits for the other end, in milliseconds. */
  readonly closeTimeout: number;
  /** Streams that were closed, but have not yet sent all that was written. */
  readonly closing: Set<Promise<void>>;
  /** Reads that have brought no more than a short message. */
  shortReads: number;
}

/** Result of the handshake of a stream. */
export interface TlsSession {
  /** The decrypted side. */
  readonly socket: TLSSocket;
  /** The encrypted side. */
  readonly raw: Socket;
  /** The other end. */
  readonly remoteAddress: Address;
  /** Certificate that the other end has shown. */
  readonly certificate: PeerCertificate;
  /** The certificate that this end has shown, and the ones that it trusted. */
  readonly credentials: CheckedCredentials;
}

/** Waiter for an event of the socket. */
interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** A write under way. */
interface WaitingWrite extends Waiting<void> {
  readonly bytes: Uint8Array;
  /** Number of bytes that were handed over. */
  written: number;
}

/** A read that found nothing. */
interface WaitingRead extends Waiting<number | null> {
  readonly buffer: Uint8Array;
}

/**
 * A socket of `node:tls` whose handshake is done, as a {@linkcode ByteStream}.
 *
 * Bytes that arrive during a read go into the buffer of the reader at once. Others wait here, and once that is
 * {@linkcode DECRYPTED_BYTES_MAX} the socket reads no more. Closing says "no more from here", and waits until the other end says so too:
 * the kernel would otherwise answer what still arrives with a reset, which discards what the other end was to receive.
 */
export class TlsStream implements ByteStream {
  readonly #session: TlsSession;
  readonly #context: TlsStreamContext;
  readonly #gone = Promise.withResolvers<void>();
  /** Decrypted and not read yet. */
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #held = false;
  #closed = false;
  #ended = false;
  #failure: Error | undefined;
  /** Probable reason of the other end to close, if it closes without a message. */
  #silence: (() => Error) | undefined;
  #read: WaitingRead | undefined;
  #write: WaitingWrite | undefined;

  /** @param silence Error that the first read rejects with when the other end closes without a word. */
  constructor(session: TlsSession, context: TlsStreamContext, silence?: () => Error) {
    this.#session = session;
    this.#context = context;
    this.#silence = silence;
    const { socket, raw } = session;
    socket.on("data", this.#arrived);
    socket.on("end", () => {
      this.#ended = true;
      // Deno lets go of a socket whose other end is done; one that still writes has to hear what comes of it.
      raw.ref();
      this.#settleRead();
    });
    socket.on(
      "error",
      (error: Error) => this.#fail(certificateError(`Cannot talk to "${this.#where()}"`, error) ?? error),
    );
    socket.on("close", () => {
      if (this.#ended) this.#failWrite(this.#broken());
      else this.#fail(this.#broken());
      raw.destroy();
    });
    raw.once("close", () => this.#gone.resolve());
    if (raw.closed) this.#gone.resolve();
  }

  get remoteAddress(): Address {
    return this.#session.remoteAddress;
  }

  get certificate(): PeerCertificate {
    return this.#session.certificate;
  }

  get ownFingerprint256(): string {
    return this.#session.credentials.fingerprint256;
  }

  get outdated(): boolean {
    return this.#session.credentials !== this.#context.credentials;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed) return Promise.reject(this.#closedError("read from"));
    if (this.#read !== undefined) return Promise.reject(new TypeError("Cannot read: another read is waiting"));
    if (buffer.length === 0) return Promise.reject(new RangeError("Cannot read: the buffer is empty"));
    if (this.#waitingBytes > 0) return Promise.resolve(this.#take(buffer));
    return new Promise((resolve, reject) => {
      this.#read = { buffer, resolve, reject };
      this.#settleRead();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closedError("write to"));
    if (this.#write !== undefined) return Promise.reject(new TypeError("Cannot write: another write is waiting"));
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#write = { bytes, written: 0, resolve, reject };
      this.#writeOn();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { clock, closeTimeout, closing } = this.#context;
    const { socket, raw } = this.#session;
    const timer = clock.schedule(closeTimeout, () => this.#release());
    const done = this.#gone.promise.then(() => {
      timer.cancel();
      closing.delete(done);
    });
    closing.add(done);
    this.#read?.reject(this.#closedError("read from"));
    this.#read = undefined;
    this.#failWrite(this.#closedError("write to"));
    this.#chunks.length = this.#waitingBytes = 0;
    this.#hold(false);
    socket.end();
    if (socket.destroyed || raw.destroyed || this.#failure !== undefined) this.#release();
  }

  readonly #arrived = (chunk: Uint8Array): void => {
    this.#silence = undefined;
    if (this.#closed) return;
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#settleRead();
    if (this.#waitingBytes >= DECRYPTED_BYTES_MAX) this.#hold(true);
  };

  /** Gives a waiting read what there is: bytes, the end, or what went wrong. */
  #settleRead(): void {
    const read = this.#read;
    if (read === undefined) return;
    if (this.#waitingBytes > 0) {
      this.#read = undefined;
      read.resolve(this.#take(read.buffer));
    } else if (this.#failure !== undefined || this.#ended) {
      this.#read = undefined;
      if (this.#silence !== undefined) this.#failure ??= this.#silence();
      if (this.#failure !== undefined) read.reject(this.#failure);
      else read.resolve(null);
    }
  }

  /** Moves what has arrived into `buffer`. @returns Number of bytes. */
  #take(buffer: Uint8Array): number {
    let filled = 0;
    while (filled < buffer.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const room = buffer.length - filled;
      if (chunk.length <= room) {
        buffer.set(chunk, filled);
        filled += chunk.length;
        this.#chunks.shift();
      } else {
        buffer.set(chunk.subarray(0, room), filled);
        filled += room;
        this.#chunks[0] = chunk.subarray(room);
      }
    }
    this.#waitingBytes -= filled;
    if (this.#waitingBytes < DECRYPTED_BYTES_MAX) this.#hold(false);
    if (filled <= SHORT_READ_BYTES) this.#context.shortReads++;
    return filled;
  }

  #hold(isHeld: boolean): void {
    if (this.#held === isHeld) return;
    this.#held = isHeld;
    const { socket, raw } = this.#session;
    if (raw.destroyed || holdBack(raw, isHeld)) return;
    if (isHeld) socket.pause();
    else socket.resume();
  }

  /** Hands over the next piece of the waiting write; is called again once that is written. */
  readonly #writeOn = (error?: Error | null): void => {
    const write = this.#write;
    if (write === undefined) return;
    const { bytes, written } = write;
    if (error) return this.#failWrite(this.#failure ?? error);
    if (written >= bytes.length) {
      this.#write = undefined;
      return write.resolve();
    }
    const { socket } = this.#session;
    if (this.#failure !== undefined || socket.destroyed) return this.#failWrite(this.#failure ?? this.#broken());
    const piece = bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(written, written + PIECE_BYTES);
    write.written += piece.length;
    socket.write(piece, this.#writeOn);
  };

  #failWrite(error: Error): void {
    this.#write?.reject(error);
    this.#write = undefined;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#settleRead();
    this.#failWrite(this.#failure);
    if (this.#closed) this.#release();
  }

  #release(): void {
    this.#session.socket.destroy();
    this.#session.raw.destroy();
  }

  #where(): string {
    return formatAddress(this.remoteAddress);
  }

  #broken(): Error {
    return new Error(`Cannot talk to "${this.#where()}": the connection is broken`);
  }

  #closedError(action: string): Error {
    return new Error(`Cannot ${action} "${this.#where()}": the stream is closed`);
  }
}
