// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SendQueue } from "../connections/send_queue.ts";
import { QueueFullError } from "./errors.ts";

/** Messages that may wait for room in one connection's queue. */
const WAITING_MAX = 16_384;

/** Senders that wait for room in a full queue, first come, first served. */
export class WaitingLine {
  readonly #queue: SendQueue;
  readonly #emptied: () => void;
  #length = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param emptied Called when nobody waits any more. */
  constructor(queue: SendQueue, emptied: () => void) {
    this.#queue = queue;
    this.#emptied = emptied;
  }

  /**
   * Waits for the senders before, and then until `write` succeeds.
   *
   * @param write Tries to queue the message; false when there is no room.
   * @returns A promise that rejects with the reason of `signal`, or with what `write` throws.
   * @throws {QueueFullError} When too many wait already.
   */
  wait(write: () => boolean, signal?: AbortSignal): Promise<void> {
    if (this.#length >= WAITING_MAX) {
      throw new QueueFullError(`Cannot send: the queue is full, and ${WAITING_MAX} messages wait for room already`);
    }
    this.#length++;
    const turn = this.#last.then(() => this.#writeWhenRoom(write, signal));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #writeWhenRoom(write: () => boolean, signal?: AbortSignal): Promise<void> {
    try {
      await this.#queue.drained();
      for (;;) {
        signal?.throwIfAborted();
        if (write()) return;
        // Below its high-water mark, and still no room: the message is so large that it needs the queue for itself.
        await (this.#queue.aboveHighWaterMark ? this.#queue.drained() : this.#queue.flushed());
      }
    } finally {
      if (--this.#length === 0) this.#emptied();
    }
  }
}
