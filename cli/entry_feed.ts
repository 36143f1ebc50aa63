// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isObservation, type LogEntry } from "./cluster_model.ts";

/** Bytes that wait for a slow reader: beyond that, entries are left out, and their number is told. */
const WAITING_BYTES_MAX = 256 * 1_024;

/** Sends entries of the cluster's log to those who read its page, as server-sent events (HTML Living Standard, section 9.2). */
export class EntryFeeds {
  readonly #feeds = new Set<EntryFeed>();

  /** All entries from now on, until the reader cancels. */
  open(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const feed = new EntryFeed(() => this.#feeds.delete(feed));
    this.#feeds.add(feed);
    return feed.stream;
  }

  /** Tells all readers. */
  tell(entry: LogEntry): void {
    for (const feed of this.#feeds) feed.tell(entry);
  }

  /** Ends them all. */
  close(): void {
    for (const feed of this.#feeds) feed.close();
  }
}

class EntryFeed {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #encoder = new TextEncoder();
  readonly #ended: () => void;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #omitted = 0;

  constructor(ended: () => void) {
    this.#ended = ended;
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        this.#write(": entries from now on\n\n");
      },
      cancel: ended,
    }, { highWaterMark: WAITING_BYTES_MAX, size: (chunk) => chunk!.byteLength });
  }

  tell(entry: LogEntry): void {
    if (this.#omitted > 0 && this.#write(eventText("omitted", { at: entry.at, count: this.#omitted }))) {
      this.#omitted = 0;
    }
    if (this.#omitted > 0 || !this.#write(entryText(entry))) this.#omitted++;
  }

  close(): void {
    this.#ended();
    this.#controller.close();
  }

  /** @returns Whether there was room. */
  #write(text: string): boolean {
    const bytes = this.#encoder.encode(text);
    if ((this.#controller.desiredSize ?? 0) < bytes.length) return false;
    this.#controller.enqueue(bytes);
    return true;
  }
}

/** An observation is told with the node that it happened to, and with the one that saw it where that is another one. */
function entryText(entry: LogEntry): string {
  if (!isObservation(entry)) return eventText(entry.kind, { at: entry.at, node: entry.node });
  const { at, kind, observer, node, detail } = entry;
  const seenBy = node === undefined || node === observer ? undefined : observer;
  return eventText(kind === "stderr" ? "error" : kind, {
    at,
    node: node ?? observer,
    "seen by": seenBy,
    detail: detail === "" ? undefined : detail,
  });
}

function eventText(kind: string, data: Readonly<Record<string, unknown>>): string {
  return `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
