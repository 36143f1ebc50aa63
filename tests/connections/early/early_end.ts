// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  type EarlyFrame,
  EarlyWord,
  readEarly,
  readMark,
  readPosition,
} from "../../../connections/early/early_frames.ts";
import { type EarlyCarrier, EarlyStream } from "../../../connections/early/early_stream.ts";
import { ByteWriter } from "../../../wire/byte_writer.ts";
import { FakeStream } from "../fake_stream.ts";

const NAMES = new Map<number, string>(Object.entries(EarlyWord).map(([name, word]) => [word, name]));

/** The number of the end that is the test. */
export const THEIRS = 7;

/** A frame in words: `bytes 0 hello`, `taken 5`, `moved 5 accepted 3`, `closed`. The mark is as the receiver sees it. */
export function inWords({ word, body }: EarlyFrame): string {
  const name = `${NAMES.get(word)}`;
  if (body.length === 0) return name;
  const said = `${name} ${readPosition(body)}`;
  if (word === EarlyWord.bytes) return `${said} ${text(body.subarray(4))}`;
  if (word !== EarlyWord.moved) return said;
  const { outbound, dial } = readMark(body);
  return `${said} ${outbound ? "dialed" : "accepted"} ${dial}`;
}

/** Bytes as a text. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A text as bytes. */
export function bytesOf(said: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(said);
}

/** Membership connection, as the streams see it that it carries. It keeps the frames that it is given. */
export class FakeCarrier implements EarlyCarrier {
  readonly remoteAddress = { hostname: "10.0.0.1", port: 1 };
  readonly certificate = undefined;
  /** Resolves what waits until all is written. */
  written = Promise.resolve();
  readonly #frames: EarlyFrame[] = [];
  #writer = new ByteWriter();

  readonly queue = {
    begin: () => this.#writer = new ByteWriter(),
    commit: () => void this.#frames.push(readEarly(this.#writer.written(), 0, this.#writer.length)),
    written: () => this.written,
  };

  /** The frames since the last call. */
  frames(): EarlyFrame[] {
    return this.#frames.splice(0);
  }
}

/** One end of a stream whose other end is the test. */
export class EarlyEnd {
  readonly stream: EarlyStream;
  /** The membership connection, as it is now. */
  carrier: FakeCarrier | null = new FakeCarrier();
  /** Whether it was closed here. */
  closed = false;

  constructor() {
    this.stream = new EarlyStream("default", 0, 1, THEIRS, {
      carrier: () => this.carrier,
      closed: () => this.closed = true,
    });
  }

  /** Frames that it has said since the last call, in words. */
  said(): string[] {
    return this.carrier?.frames().map(inWords) ?? [];
  }

  /** The other end says something. */
  hear(word: EarlyWord, write: (writer: ByteWriter) => void = () => {}): void {
    const writer = new ByteWriter();
    write(writer);
    this.stream.take({ channel: "default", index: 0, from: THEIRS, to: this.stream.id, word, body: writer.written() });
  }

  /** The other end says bytes. */
  hearBytes(position: number, said: string): void {
    this.hear(EarlyWord.bytes, (writer) => {
      writer.u32(position);
      writer.raw(bytesOf(said));
    });
  }

  /** The other end says up to where it has read. */
  hearTaken(position: number): void {
    this.hear(EarlyWord.taken, (writer) => writer.u32(position));
  }

  /** The other end says that it goes on over a socket: one that it has dialed, or else this end. */
  hearMoved(position: number, dialedThere: boolean, dial: number): void {
    this.hear(EarlyWord.moved, (writer) => {
      writer.u32(position);
      writer.u8(dialedThere ? 1 : 0);
      writer.u64(BigInt(dial));
    });
  }

  /** Gives it a socket, of which something was read already. */
  attach(dial: number, { outbound = true, rest = "" } = {}): FakeStream {
    const socket = new FakeStream();
    this.stream.attach(socket, bytesOf(rest), { outbound, dial });
    return socket;
  }

  /** Reads once. @returns The text that came; `null` at the end. */
  async read(bytes = 100): Promise<string | null> {
    const buffer = new Uint8Array(bytes);
    const count = await this.stream.read(buffer);
    return count === null ? null : text(buffer.subarray(0, count));
  }

  write(said: string): Promise<void> {
    return this.stream.write(bytesOf(said));
  }
}
