// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SendQueue } from "../connections/send_queue.ts";
import { QueueFullError } from "./errors.ts";

/** Messages that may wait for room in one connection's queue. */
const WAITING_MAX = 16_384;
/** Bytes that may wait there. A single larger message waits when it is alone. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** Part of a send queue that a line waits for. */
type Room = Pick<SendQueue, "aboveHighWaterMark" | "drained" | "flushed">;

/** A message that waits. Lets go of it when the wait has ended. */
interface Turn {
  write: (() => Room | null) | undefined;
  readonly bytes: number;
}

/** Senders that wait for room in a full queue, first come, first served. */
export class WaitingLine {
  readonly #queue: Room;
  readonly #emptied: () => void;
  readonly #turns = new Set<Turn>();
  #bytes = 0;
  #ended: Error | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param emptied Called when no wait is left. */
  constructor(queue: Room, emptied: () => void) {
    this.#queue = queue;
    this.#emptied = emptied;
  }

  /**
   * Waits for the senders before, and then until `write` succeeds.
   *
   * @param write Tries to queue the message. Returns the queue that has no room for it, which may be another one by now; `null` when it is done.
   * @param bytes Bytes that the message counts for.
   * @returns A promise that rejects with the reason of `signal`, or with what `write` throws.
   * @throws {QueueFullError} When too many wait already.
   */
  wait(write: () => Room | null, signal?: AbortSignal, bytes = 0): Promise<void> {
    const { size } = this.#turns;
    if (size >= WAITING_MAX || (size > 0 && this.#bytes + bytes > WAITING_BYTES_MAX)) {
      throw new QueueFullError(
        `Cannot send: the queue is full, and ${size} messages of ${this.#bytes} bytes wait for room already; at most ${WAITING_MAX} of ${WAITING_BYTES_MAX} bytes may`,
      );
    }
    const turn: Turn = { write, bytes };
    this.#turns.add(turn);
    this.#bytes += bytes;
    const written = this.#last.then(() => this.#writeWhenRoom(turn, signal));
    this.#last = written.catch(() => {});
    return written;
  }

  /** Ends all waits for good, and lets go of the messages. Who waits still hears of it only when the queue moves, or closes. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const turn of this.#turns) turn.write = undefined;
    this.#emptied();
  }

  async #writeWhenRoom(turn: Turn, signal?: AbortSignal): Promise<void> {
    try {
      await this.#queue.drained();
      for (;;) {
        signal?.throwIfAborted();
        if (turn.write === undefined) throw this.#ended!;
        const queue = turn.write();
        if (queue === null) return;
        // Below its high-water mark, and still no room: the message is so large that it needs the queue for itself.
        await (queue.aboveHighWaterMark ? queue.drained() : queue.flushed());
      }
    } finally {
      this.#turns.delete(turn);
      this.#bytes -= turn.bytes;
      if (this.#turns.size === 0 && this.#ended === undefined) this.#emptied();
    }
  }
}
