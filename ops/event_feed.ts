// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Emit } from "../manager/events.ts";
import type { Node } from "../manager/node.ts";
import type { Timer } from "../runtime/runtime.ts";
import { BoundedFeed, type EventFormat, serverSent } from "./bounded_feed.ts";
import { plainJson } from "./plain_json.ts";

/** A comment is sent when nothing else was for so long: a reader that is gone is noticed, and proxies keep the connection. */
const QUIET_MS = 15_000;
/** Most feeds of a node at a time. */
const FEEDS_MAX = 64;

/** Sends events of a node to those who ask. */
export class EventFeeds {
  readonly #node: Node;
  readonly #format: EventFormat;
  readonly #feeds = new Set<BoundedFeed>();

  constructor(node: Node, format: EventFormat = serverSent) {
    this.#node = node;
    this.#format = format;
  }

  /** Whether there is room for one more. */
  get hasRoom(): boolean {
    return this.#feeds.size < FEEDS_MAX;
  }

  /** All events from now on, until the reader cancels or the node has stopped. */
  open(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { observers, runtime: { clock } } = this.#node.context;
    const stopSignal = this.#node.context.untilStopped(undefined);
    let timer: Timer | undefined;
    const feed = new BoundedFeed({
      format: this.#format,
      now: () => clock.wallTime(),
      writing: () => {
        timer?.cancel();
        timer = clock.schedule(QUIET_MS, () => feed.sign());
      },
      closed: () => {
        timer?.cancel();
        observers.delete(observe);
        stopSignal.removeEventListener("abort", end);
        this.#feeds.delete(feed);
      },
    });
    const observe: Emit = (type, detail) => feed.send(type, plainJson({ at: clock.wallTime(), ...shown(detail) }));
    const end = () => feed.close();
    this.#feeds.add(feed);
    observers.add(observe);
    stopSignal.addEventListener("abort", end);
    // A node that was stopped tells nothing any more.
    if (stopSignal.aborted) feed.close();
    return feed.stream;
  }

  /** Ends them all. */
  close(): void {
    for (const feed of this.#feeds) feed.close();
  }
}

/** Messages of users to each other are not for observers. */
function shown(detail: object): object {
  return "from" in detail && "message" in detail ? { from: detail.from } : detail;
}
