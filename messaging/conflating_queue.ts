// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SendQueue } from "../connections/send_queue.ts";

/** The queue of a monotonic channel is loaded while more bytes than this wait in it. */
const LOADED_BYTES = 64 * 1024;

/** Handlers for which a message may be held back at a time. */
const HELD_MAX = 4_096;

/**
 * A monotonic connection's messages in a busy time: of those to one handler only the newest is kept, and sent as soon as the queue is no
 * longer loaded. While it is not loaded, nothing is held back.
 *
 * @typeParam Message A message.
 */
export class ConflatingQueue<Message extends { readonly name: string }> {
  readonly #queue: SendQueue;
  readonly #write: (message: Message) => void;
  readonly #held = new Map<string, Message>();

  /**
   * Begins with nothing held back.
   *
   * @param write Queues a message, whatever the load.
   */
  constructor(queue: SendQueue, write: (message: Message) => void) {
    this.#queue = queue;
    this.#write = write;
  }

  /** Whether messages have to be held back now. */
  get loaded(): boolean {
    return this.#held.size > 0 || this.#queue.queuedBytes > LOADED_BYTES;
  }

  /**
   * Holds a message back, in the place of an older one to the same handler.
   *
   * @returns `"held"`, `"superseding"` when an older one was dropped for it, or `"full"` when there is no room.
   */
  hold(message: Message): "held" | "superseding" | "full" {
    const superseding = this.#held.delete(message.name);
    if (this.#held.size >= HELD_MAX) return "full";
    if (this.#held.size === 0 && !superseding) this.#queue.drained(LOADED_BYTES).then(() => this.#release());
    this.#held.set(message.name, message);
    return superseding ? "superseding" : "held";
  }

  #release(): void {
    const messages = [...this.#held.values()];
    this.#held.clear();
    for (const message of messages) this.#write(message);
  }
}
