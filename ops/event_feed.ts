// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Emit } from "../manager/events.ts";
import type { Node } from "../manager/node.ts";
import type { Timer } from "../runtime/runtime.ts";
import { plainJson } from "./plain_json.ts";

/** Bytes that wait for a slow reader: beyond that, events are left out, and their number is told. */
const WAITING_BYTES_MAX = 256 * 1_024;
/** A comment is sent when nothing else was for so long: a reader that is gone is noticed, and proxies keep the connection. */
const QUIET_MS = 15_000;
/** Most feeds of a node at a time. */
const FEEDS_MAX = 64;

/** How events are written. */
export interface EventFormat {
  /** What comes first: a reader knows that from there on it misses nothing. */
  readonly greeting: string;
  /** Says that the server is still there. */
  readonly sign: string;
  /** An event; `data` is JSON. */
  event(number: number, type: string, data: string): string;
}

/** Server-sent events (HTML Living Standard, section 9.2). */
const serverSent: EventFormat = {
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

/** Sends events of a node to those who ask. */
export class EventFeeds {
  readonly #node: Node;
  readonly #format: EventFormat;
  readonly #feeds = new Set<EventFeed>();

  constructor(node: Node, format: EventFormat = serverSent) {
    this.#node = node;
    this.#format = format;
  }

  /** Whether there is room for one more. */
  get hasRoom(): boolean {
    return this.#feeds.size < FEEDS_MAX;
  }

  /** All events from now on, until the reader cancels or the node has stopped. */
  open(): ReadableStream<Uint8Array> {
    const feed = new EventFeed(this.#node, this.#format, (feed) => this.#feeds.delete(feed));
    // That of a node that was stopped has ended already.
    if (feed.isOpen) this.#feeds.add(feed);
    return feed.stream;
  }

  /** Ends them all. */
  close(): void {
    for (const feed of this.#feeds) feed.close();
  }
}

class EventFeed {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #node: Node;
  readonly #format: EventFormat;
  readonly #ended: (feed: EventFeed) => void;
  readonly #encoder = new TextEncoder();
  readonly #observe: Emit = (type, detail) => this.#send(type, plainJson({ at: this.#wallTime(), ...shown(detail) }));
  readonly #end = () => this.close();
  readonly #stopSignal: AbortSignal;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #timer: Timer | null = null;
  #omitted = 0;
  #number = 0;

  constructor(node: Node, format: EventFormat, ended: (feed: EventFeed) => void) {
    this.#node = node;
    this.#format = format;
    this.#ended = ended;
    this.#stopSignal = node.context.untilStopped(undefined);
    this.stream = new ReadableStream({
      start: (controller) => this.#start(controller),
      pull: () => this.#tellOmitted(),
      cancel: () => this.close(),
    }, { highWaterMark: WAITING_BYTES_MAX, size: (chunk) => chunk!.byteLength });
  }

  /** Whether something may still come. */
  get isOpen(): boolean {
    return this.#controller !== null;
  }

  #start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.#node.context.observers.add(this.#observe);
    this.#write(this.#format.greeting);
    this.#stopSignal.addEventListener("abort", this.#end);
    if (this.#stopSignal.aborted) this.close();
  }

  #send(type: string, data: string): void {
    this.#number++;
    this.#tellOmitted();
    const text = this.#format.event(this.#number, type, data);
    if (this.#omitted > 0 || !this.#write(text)) this.#omitted++;
  }

  /** Once the reader has caught up to some extent: not after each event that it reads. */
  #tellOmitted(): void {
    if (this.#omitted === 0 || (this.#controller?.desiredSize ?? 0) < WAITING_BYTES_MAX / 2) return;
    const text = this.#format.event(this.#number, "omitted", plainJson({ count: this.#omitted }));
    if (this.#write(text)) this.#omitted = 0;
  }

  /** @returns Whether there was room. */
  #write(text: string): boolean {
    if (this.#controller === null) return false;
    const bytes = this.#encoder.encode(text);
    if ((this.#controller.desiredSize ?? 0) < bytes.length) return false;
    this.#controller.enqueue(bytes);
    this.#timer?.cancel();
    this.#timer = this.#node.context.runtime.clock.schedule(QUIET_MS, () => this.#write(this.#format.sign));
    return true;
  }

  /** Ends it. */
  close(): void {
    const controller = this.#controller;
    if (controller === null) return;
    this.#controller = null;
    this.#timer?.cancel();
    this.#node.context.observers.delete(this.#observe);
    this.#stopSignal.removeEventListener("abort", this.#end);
    this.#ended(this);
    try {
      controller.close();
    } catch {
      // The reader has cancelled it.
    }
  }

  #wallTime(): number {
    return this.#node.context.runtime.clock.wallTime();
  }
}

/** What users say to each other is not for those who watch. */
function shown(detail: object): object {
  return "from" in detail && "message" in detail ? { from: detail.from } : detail;
}
