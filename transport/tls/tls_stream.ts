// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { TLSSocket } from "node:tls";
import type { Clock } from "../../runtime/runtime.ts";
import type { Address } from "../../wire/address.ts";
import type { ByteStream, PeerCertificate } from "../transport.ts";
import type { CheckedCredentials } from "./credentials.ts";
import { certificateError } from "./certificate_error.ts";
import type { CipherStream } from "./cipher_stream.ts";

/** A read that brings no more than this has brought a short message or two. */
const SHORT_READ_BYTES = 2048;
/** So many decrypted bytes may wait for a reader before the other end has to wait. */
const DECRYPTED_BYTES_MAX = 64 * 1024;
/** So much of a long write is handed over at a time: what a closing stream still has to flush. */
const PIECE_BYTES = 256 * 1024;

/** What the streams of one transport share. */
export interface TlsStreamContext {
  /** Times the last wait of a closing stream. */
  readonly clock: Clock;
  /** What is shown now, and who is trusted. */
  credentials: CheckedCredentials;
  /** How long a closing stream may wait for the other end, in milliseconds. */
  readonly closeTimeout: number;
  /** Streams that were closed, but have not yet sent all that was written. */
  readonly closing: Set<Promise<void>>;
  /** Reads that have brought no more than a short message. */
  shortReads: number;
}

/** What the handshake of a stream came to. */
export interface TlsSession {
  /** The other end. */
  readonly remoteAddress: Address;
  /** What the other end has shown. */
  readonly certificate: PeerCertificate;
  /** What this end has shown, and whom it trusted. */
  readonly credentials: CheckedCredentials;
}

/** A socket of `node:tls` whose handshake is done, as a {@linkcode ByteStream}. Nothing is read from it before somebody asks. */
export class TlsStream implements ByteStream {
  readonly remoteAddress: Address;
  readonly certificate: PeerCertificate;
  readonly #credentials: CheckedCredentials;
  readonly #socket: TLSSocket;
  readonly #cipher: CipherStream;
  readonly #context: TlsStreamContext;
  readonly #gone = Promise.withResolvers<void>();
  #closed = false;
  #ended = false;
  #failure: Error | undefined;
  /** Why the other end has probably closed, should it do so without a word. */
  #silence: (() => Error) | undefined;
  #wakeReader: (() => void) | undefined;
  #reading = false;
  #writing = false;

  /**
   * @param cipher The encrypted side of `socket`.
   * @param silence What the first read rejects with when the other end closes without a word.
   */
  constructor(
    socket: TLSSocket,
    cipher: CipherStream,
    { remoteAddress, certificate, credentials }: TlsSession,
    context: TlsStreamContext,
    silence?: () => Error,
  ) {
    this.#silence = silence;
    this.#cipher = cipher;
    cipher.holdWhile(() => !this.#closed && socket.readableLength >= DECRYPTED_BYTES_MAX);
    this.remoteAddress = remoteAddress;
    this.certificate = certificate;
    this.#credentials = credentials;
    this.#socket = socket;
    this.#context = context;
    socket.on("readable", () => this.#wake());
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on("error", (error: Error) => {
      this.#failure ??= certificateError(`Cannot talk to "${this.#where()}"`, error) ?? error;
      this.#wake();
    });
    socket.on("close", () => {
      if (!this.#ended) this.#failure ??= new Error(`Cannot talk to "${this.#where()}": the connection is broken`);
      this.#wake();
    });
    cipher.on("close", () => {
      socket.destroy();
      this.#gone.resolve();
    });
  }

  get ownFingerprint256(): string {
    return this.#credentials.fingerprint256;
  }

  get outdated(): boolean {
    return this.#credentials !== this.#context.credentials;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed) throw this.#closedError("read from");
    if (this.#reading) throw new TypeError("Cannot read: another read is waiting");
    if (buffer.length === 0) throw new RangeError("Cannot read: the buffer is empty");
    this.#reading = true;
    try {
      for (;;) {
        const count = this.#take(buffer);
        if (count > 0) return count;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#ended && this.#silence !== undefined) throw this.#failure = this.#silence();
        if (this.#ended) return null;
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
          this.#socket.read(0);
        });
        if (this.#closed) throw this.#closedError("read from");
      }
    } finally {
      this.#reading = false;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw this.#closedError("write to");
    if (this.#writing) throw new TypeError("Cannot write: another write is waiting");
    this.#writing = true;
    try {
      for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
        await this.#writePiece(bytes.subarray(start, start + PIECE_BYTES));
        if (this.#closed) throw this.#closedError("write to");
      }
    } catch (error) {
      throw this.#closed ? this.#closedError("write to") : this.#failure ?? error;
    } finally {
      this.#writing = false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    const { clock, closeTimeout, closing } = this.#context;
    const [socket, cipher] = [this.#socket, this.#cipher];
    const release = () => {
      socket.destroy();
      cipher.destroy();
    };
    const timer = clock.schedule(closeTimeout, release);
    const done = this.#gone.promise.then(() => {
      timer.cancel();
      closing.delete(done);
    });
    closing.add(done);
    cipher.once("finish", release);
    socket.removeAllListeners("readable");
    socket.end();
    socket.resume();
    cipher.pull();
    if (this.#failure !== undefined || cipher.destroyed || cipher.writableFinished) release();
    if (cipher.closed) this.#gone.resolve();
  }

  /** Moves what has arrived into `buffer`. @returns How many bytes; 0 for none. */
  #take(buffer: Uint8Array): number {
    const available = Math.min(buffer.length, this.#socket.readableLength);
    const chunk: Uint8Array | null = available === 0 ? null : this.#socket.read(available);
    if (chunk === null) return 0;
    buffer.set(chunk);
    this.#silence = undefined;
    this.#cipher.pull();
    if (chunk.length <= SHORT_READ_BYTES) this.#context.shortReads++;
    return chunk.length;
  }

  #writePiece(piece: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const broken = () => reject(this.#failure ?? new Error(`Cannot write to "${this.#where()}": it is gone`));
      if (this.#socket.destroyed) return broken();
      this.#socket.once("close", broken);
      this.#socket.write(piece, (error) => {
        this.#socket.off("close", broken);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }

  #where(): string {
    return `${this.remoteAddress.hostname}:${this.remoteAddress.port}`;
  }

  #closedError(action: string): Error {
    return new Error(`Cannot ${action} "${this.#where()}": the stream is closed`);
  }
}
