// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PayloadCodec } from "../../wire/payload_codec.ts";
import type { StreamEnd } from "./stream_end.ts";
import { Halves } from "./stream_frames.ts";
import { RecordReader, RecordWriter } from "./value_records.ts";

/** Whether something can be read by `for await`. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/**
 * Writes the values of an iterable into a stream, no faster than they are read there. When the reader has enough, the iterable is ended.
 *
 * @throws What the iterable throws, and what its values cannot be encoded for: the reader is to be told.
 */
export async function sendValues(
  end: StreamEnd,
  values: AsyncIterable<unknown>,
  codec: PayloadCodec,
  maxBytes: number,
): Promise<void> {
  const records = new RecordWriter(codec, maxBytes);
  const iterator = values[Symbol.asyncIterator]();
  let isOver = false;
  const stop = () => {
    if (isOver) return;
    isOver = true;
    // There is no reader any more to be told what goes wrong in the end.
    Promise.resolve(iterator.return?.()).catch(() => {});
  };
  end.attach({ writingFailed: stop, offered: () => 0, readingEnded: () => {}, readingFailed: () => {} });
  try {
    while (!isOver) {
      const { done, value } = await iterator.next();
      if (done || isOver) break;
      const written = end.write(records.record(value));
      if (written !== undefined) await written;
    }
    isOver = true;
    end.end();
  } catch (error) {
    // A stream that the other side gave up is no fault.
    if (isOver) return;
    stop();
    throw error;
  }
}

/** Reads the values of a stream. To read no further gives it up. */
export async function* readValues(end: StreamEnd, codec: PayloadCodec, maxBytes: number): AsyncGenerator<unknown> {
  const records = new RecordReader(codec, maxBytes);
  try {
    for (;;) {
      for (let next = records.next(); next !== undefined; next = records.next()) yield next[0];
      const readable = end.readable();
      if (readable !== undefined) await readable;
      const chunk = end.take();
      if (chunk !== undefined) records.put(chunk);
      else if (end.isReadOut) return;
    }
  } catch (error) {
    end.giveUp(Halves.reading, error);
    throw error;
  } finally {
    end.giveUp(Halves.reading, new DOMException("The reader has enough", "AbortError"));
  }
}
