// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BoundedFeed, serverSent } from "../ops/bounded_feed.ts";
import { isObservation, type LogEntry } from "./cluster_model.ts";

/** Sends entries of the cluster's log to those who read its page. */
export class EntryFeeds {
  readonly #feeds = new Set<BoundedFeed>();

  /** All entries from now on, until the reader cancels. */
  open(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const feed = new BoundedFeed({
      format: serverSent,
      now: () => Date.now(),
      closed: () => this.#feeds.delete(feed),
    });
    this.#feeds.add(feed);
    return feed.stream;
  }

  /** Tells all readers. */
  tell(entry: LogEntry): void {
    const [kind, data] = shown(entry);
    for (const feed of this.#feeds) feed.send(kind, JSON.stringify(data));
  }

  /** Ends them all. */
  close(): void {
    for (const feed of this.#feeds) feed.close();
  }
}

/** An observation is told with the node that it happened to, and with the one that saw it where that is another one. */
function shown(entry: LogEntry): [kind: string, data: Readonly<Record<string, unknown>>] {
  if (!isObservation(entry)) return [entry.kind, { at: entry.at, node: entry.node }];
  const { at, kind, observer, node, detail } = entry;
  return [kind === "stderr" ? "error" : kind, {
    at,
    node: node ?? observer,
    "seen by": node === undefined || node === observer ? undefined : observer,
    detail: detail === "" ? undefined : detail,
  }];
}
