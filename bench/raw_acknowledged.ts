// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Link } from "./contestant.ts";
import { RawSocket } from "./raw_socket.ts";

/** Handler of the acknowledgements: how many messages were handled so far. */
const ACKNOWLEDGED = 1;
/** Maximum of messages that are not acknowledged: a power of two. */
const OPEN_MAX = 4096;
const CHUNK_BYTES = 16 * 1024;

/** Message whose acknowledgement has not come. */
interface Open {
  readonly kept: Uint8Array;
  readonly resolve: () => void;
}

/**
 * Acknowledged messages as one would write them by hand: a copy that is kept, a promise, and one acknowledgement of all that a turn has
 * handled. It repeats nothing, so that it shows what acknowledgements cost at least.
 */
export class RawAcknowledged extends RawSocket {
  readonly #open = new Array<Open | undefined>(OPEN_MAX).fill(undefined);
  #chunk = new Uint8Array(CHUNK_BYTES);
  #used = 0;
  #sent = 0;
  #settled = 0;
  #handled = 0;
  #isDue = false;

  constructor(link: Link) {
    super(link);
    super.on(ACKNOWLEDGED, (count) => this.#settle(new DataView(count.buffer, count.byteOffset).getUint32(0)));
  }

  override on(index: number, take: (message: Uint8Array) => void): void {
    super.on(index, (message) => {
      take(message);
      this.#handled++;
      if (this.#isDue) return;
      this.#isDue = true;
      queueMicrotask(() => this.#acknowledge());
    });
  }

  /** Sends a message. @returns Promise that resolves when it was handled. */
  forwardAcknowledged(index: number, message: Uint8Array): Promise<void> {
    if (this.#used + message.length > CHUNK_BYTES) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#used = 0;
    }
    const kept = this.#chunk.subarray(this.#used, this.#used += message.length);
    kept.set(message);
    this.send(index, kept);
    return new Promise((resolve) => this.#open[this.#sent++ & (OPEN_MAX - 1)] = { kept, resolve });
  }

  #acknowledge(): void {
    this.#isDue = false;
    const count = new Uint8Array(4);
    new DataView(count.buffer).setUint32(0, this.#handled);
    this.send(ACKNOWLEDGED, count);
  }

  #settle(count: number): void {
    while (this.#settled < count) {
      const place = this.#settled++ & (OPEN_MAX - 1);
      const { resolve } = this.#open[place]!;
      this.#open[place] = undefined;
      resolve();
    }
  }
}
