// Copyright 2026 the Partisan peer-service authors. MIT license.

import { copyToLargeBuffer } from "../../runtime/large_buffer.ts";
import type { StreamEnd } from "./stream_end.ts";
import { Halves } from "./stream_frames.ts";

/** So many bytes may wait in a writable before its writer is asked to wait. */
const WRITABLE_BYTES = 64 * 1024;

/** The two halves of a stream, as web streams. */
export interface StreamHalves {
  /** Bytes that the other side writes. A reader with `mode: "byob"` has memory of its own filled, and no other is taken. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes for the other side to read. */
  readonly writable: WritableStream<Uint8Array>;
}

/** A stream to another node. */
export interface ByteStreamPair extends StreamHalves {
  /** Resolves once both sides have written and read everything; rejects with what ended the stream early. */
  readonly closed: Promise<void>;
}

/** Makes web streams of an end. */
export function byteStreams(end: StreamEnd): ByteStreamPair {
  const reading = new ReadingHalf(end);
  let writable: WritableStreamDefaultController | undefined;
  const pair = {
    readable: new ReadableStream(reading),
    writable: new WritableStream<Uint8Array>({
      start: (controller) => void (writable = controller),
      write: (chunk) => write(end, chunk),
      close: () => end.end(),
      abort: (reason) => end.giveUp(Halves.writing, reason ?? cancelled()),
    }, { highWaterMark: WRITABLE_BYTES, size: (chunk) => chunk?.byteLength ?? 1 }),
    closed: end.closed,
  };
  end.attach({
    writingFailed: (error) => writable!.error(error),
    offered: (bytes) => reading.offered(bytes),
    readingEnded: () => reading.ended(),
    readingFailed: (error) => reading.failed(error),
  });
  return pair;
}

/**
 * The half that is read, as the source of a readable. A reader that waits is handed the bytes as they come, with one copy: into memory of
 * its own, or into fresh memory. What comes while none waits is held by the end of the stream.
 */
class ReadingHalf implements UnderlyingByteSource {
  readonly type = "bytes";
  readonly #end: StreamEnd;
  #controller!: ReadableByteStreamController;
  #isAwaited = false;

  constructor(end: StreamEnd) {
    this.#end = end;
  }

  start(controller: ReadableByteStreamController): void {
    this.#controller = controller;
  }

  /** A reader waits, and is handed what is held. */
  pull(): void {
    const end = this.#end;
    if (end.heldBytes === 0) this.#isAwaited = true;
    else {
      const { byobRequest } = this.#controller;
      if (byobRequest?.view) byobRequest.respond(end.takeInto(byobRequest.view as Uint8Array));
      else this.#controller.enqueue(end.take()!);
    }
    end.tellReading();
  }

  cancel(reason: unknown): void {
    this.#end.giveUp(Halves.reading, reason ?? cancelled());
  }

  /** Bytes have come, and none are held. @returns The number of them that a reader has waited for. */
  offered(bytes: Uint8Array): number {
    if (!this.#isAwaited) return 0;
    // The next reader may ask before this one is answered.
    this.#isAwaited = false;
    const { byobRequest } = this.#controller;
    if (!byobRequest?.view) {
      this.#controller.enqueue(copyToLargeBuffer(bytes));
      return bytes.length;
    }
    const view = byobRequest.view as Uint8Array;
    const part = bytes.length > view.length ? bytes.subarray(0, view.length) : bytes;
    view.set(part);
    byobRequest.respond(part.length);
    return part.length;
  }

  /** A reader that brought memory of its own waits until that is handed back to it. */
  ended(): void {
    try {
      this.#controller.close();
    } catch {
      // What came last makes no whole element of the reader's view: it was told so.
      return;
    }
    this.#controller.byobRequest?.respond(0);
  }

  failed(error: unknown): void {
    this.#controller.error(error);
  }
}

function write(end: StreamEnd, chunk: unknown): Promise<void> | undefined {
  if (chunk instanceof Uint8Array) return end.write(chunk);
  const error = new TypeError(`Cannot write to a stream: the chunk is ${typeof chunk}, expected a Uint8Array`);
  end.giveUp(Halves.writing, error);
  throw error;
}

function cancelled(): DOMException {
  return new DOMException("The stream was given up", "AbortError");
}
