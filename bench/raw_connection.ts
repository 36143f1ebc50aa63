// Copyright 2026 the Partisan peer-service authors. MIT license.

const BATCH_BYTES = 64 * 1024;
/** Larger messages are written from where they are. */
const LARGE_BYTES = 128 * 1024;
const BUFFER_BYTES = BATCH_BYTES + LARGE_BYTES;
/** Full batches and large messages that may wait before the sender should. */
const WAITING_MAX = 2;

/**
 * The outbound half of a hand-made connection, as fast as we know how: messages are copied into a batch that leaves at the end
 * of the turn, the next batch fills while one is being written, and large messages are not copied.
 */
export class RawWriter {
  readonly #conn: Deno.Conn;
  readonly #waiting: Uint8Array[] = [];
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #batch = new Uint8Array(BUFFER_BYTES);
  #length = 0;
  #busy = false;
  #roomy: PromiseWithResolvers<void> | null = null;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Buffer for the next message, of less than {@linkcode LARGE_BYTES}; the caller writes it and says where it ends. */
  get batch(): Uint8Array {
    return this.#batch;
  }

  /** Its start in the batch. */
  get length(): number {
    return this.#length;
  }

  /** Takes what was written into the batch, followed by `large`. @returns Whether more may be sent at once. */
  wrote(length: number, large?: Uint8Array): boolean {
    this.#length = length;
    if (length >= BATCH_BYTES || large !== undefined) this.#complete();
    if (large !== undefined) this.#waiting.push(large);
    if (!this.#busy) {
      this.#busy = true;
      queueMicrotask(() => this.#flush());
    }
    return this.#waiting.length < WAITING_MAX;
  }

  /** Resolves when more may be sent. */
  ready(): Promise<void> {
    if (this.#waiting.length < WAITING_MAX) return Promise.resolve();
    return (this.#roomy ??= Promise.withResolvers()).promise;
  }

  /** Whether a message is to be sent without being copied. */
  static isLarge(bytes: Uint8Array): boolean {
    return bytes.length >= LARGE_BYTES;
  }

  #complete(): void {
    this.#waiting.push(this.#batch.subarray(0, this.#length));
    this.#batch = this.#spare.pop() ?? new Uint8Array(BUFFER_BYTES);
    this.#length = 0;
  }

  async #flush(): Promise<void> {
    for (;;) {
      if (this.#waiting.length === 0 && this.#length > 0) this.#complete();
      const next = this.#waiting.shift();
      if (next === undefined) break;
      await writeAll(this.#conn, next);
      if (next.buffer.byteLength === BUFFER_BYTES) this.#spare.push(new Uint8Array(next.buffer as ArrayBuffer));
      if (this.#roomy !== null && this.#waiting.length < WAITING_MAX) {
        this.#roomy.resolve();
        this.#roomy = null;
      }
    }
    this.#busy = false;
  }
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let written = await conn.write(bytes);
  while (written < bytes.length) written += await conn.write(bytes.subarray(written));
}
