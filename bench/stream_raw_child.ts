// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Nothing } from "./commands.ts";
import type { Stage } from "./stage.ts";

/** Handlers of a hand-made stream; an echo has the first one. */
const CHUNKS = 1;
const CREDIT = 2;
/** As much may be under way as of a stream of ours, and credit is given as often. */
const WINDOW_BYTES = 384 * 1024;
const GRANT_BYTES = WINDOW_BYTES / 2;

/**
 * Takes a hand-made stream: chunks in one direction, and credit in the other one.
 *
 * @param keep Whether each chunk gets memory of its own, as those of a stream have that are handed to its reader.
 */
export function serveRawStream({ end }: Stage, { keep }: { keep: boolean }): void {
  let ungranted = 0;
  let last: Uint8Array | undefined;
  end.on(CHUNKS, (message) => {
    const chunk = message as Uint8Array;
    if (keep) last = chunk.slice();
    ungranted += chunk.length;
    if (ungranted < GRANT_BYTES || last?.length === 0) return;
    end.send(CREDIT, Uint8Array.of(ungranted / 1024 >>> 8, ungranted / 1024 & 0xff));
    ungranted = 0;
  });
}

/** Begins to write such a stream, as fast as credit comes, until {@linkcode stopRawStream}. */
export function startRawStream(stage: Stage, { size }: { size: number }): void {
  stage.bulk = { seen: 0, running: true };
  const { bulk, end } = stage;
  const chunk = new Uint8Array(size).fill(7);
  let credit = WINDOW_BYTES;
  const { promise, resolve } = Promise.withResolvers<void>();
  const write = () => {
    for (; bulk.running && credit >= size; credit -= size) {
      end.send(CHUNKS, chunk);
      bulk.seen++;
    }
    // What is left of a grant is never given.
    if (!bulk.running && credit > WINDOW_BYTES - GRANT_BYTES) resolve();
  };
  end.on(CREDIT, (message) => {
    const [high, low] = message as Uint8Array;
    credit += 1024 * (high! << 8 | low!);
    write();
  });
  stage.pending = promise;
  write();
}

/** Ends it. @returns Chunks that were written. */
export async function stopRawStream(stage: Stage, _: Nothing): Promise<number> {
  stage.bulk.running = false;
  await stage.pending;
  return stage.bulk.seen;
}
