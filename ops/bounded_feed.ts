// Copyright 2026 the Partisan peer-service authors. MIT license.

import { plainJson } from "./plain_json.ts";

/** Bytes that wait for a slow reader: beyond that, events are left out, and their number is told. */
const WAITING_BYTES_MAX = 256 * 1_024;

/** Format in which events are written. */
export interface EventFormat {
  /** First text: a reader knows that from there on it misses nothing. */
  readonly greeting: string;
  /** Says that the server is still there. */
  readonly sign: string;
  /** An event; `data` is JSON. */
  event(number: number, type: string, data: string): string;
}

/** Server-sent events (HTML Living Standard, section 9.2). */
export const serverSent: EventFormat = {
  greeting: ": events from now on\n\n",
  sign: ": still there\n\n",
  event: (number, type, data) => `id: ${number}\nevent: ${type}\ndata: ${data}\n\n`,
};

/** A JSON object a line: `{ "event": …, "number": …, "detail": … }`. Empty lines say that the server is still there. */
export const eventLines: EventFormat = {
  greeting: "\n",
  sign: "\n",
  event: (number, type, data) => `{"event":${JSON.stringify(type)},"number":${number},"detail":${data}}\n`,
};

/** Dependencies of a {@linkcode BoundedFeed}. */
export interface BoundedFeedOptions {
  readonly format: EventFormat;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Something is about to be written. */
  readonly writing?: () => void;
  /** Nothing is written any more. */
  readonly closed: () => void;
}

/** Events for one reader. One that is too slow misses some, and is told how many. */
export class BoundedFeed {
  /** Stream for the reader. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #options: BoundedFeedOptions;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | null = null;
  #omitted = 0;
  #number = 0;

  constructor(options: BoundedFeedOptions) {
    this.#options = options;
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        this.#write(options.format.greeting);
      },
      pull: () => this.#tellOmitted(),
      cancel: () => this.close(),
    }, { highWaterMark: WAITING_BYTES_MAX, size: (chunk) => chunk!.byteLength });
  }

  /** Writes an event, if there is room. `data` is JSON. */
  send(type: string, data: string): void {
    this.#number++;
    this.#tellOmitted();
    if (this.#omitted > 0 || !this.#write(this.#options.format.event(this.#number, type, data))) this.#omitted++;
  }

  /** Says that the server is still there. */
  sign(): void {
    this.#write(this.#options.format.sign);
  }

  /** Ends it. */
  close(): void {
    const controller = this.#controller;
    if (controller === null) return;
    this.#controller = null;
    this.#options.closed();
    try {
      controller.close();
    } catch {
      // The reader has cancelled it.
    }
  }

  /** Once the reader has caught up to some extent: not after each event that it reads. */
  #tellOmitted(): void {
    if (this.#omitted === 0 || (this.#controller?.desiredSize ?? 0) < WAITING_BYTES_MAX / 2) return;
    const { format, now } = this.#options;
    const data = plainJson({ at: now(), count: this.#omitted });
    // Before it is written: that asks for more at once where the reader waits.
    this.#omitted = 0;
    this.#write(format.event(this.#number, "omitted", data));
  }

  /** @returns Whether there was room. */
  #write(text: string): boolean {
    if (this.#controller === null) return false;
    const bytes = this.#encoder.encode(text);
    if ((this.#controller.desiredSize ?? 0) < bytes.length) return false;
    // A reader that is gone cancels as soon as it is handed something, so that nothing may come after that.
    this.#options.writing?.();
    this.#controller.enqueue(bytes);
    return true;
  }
}
