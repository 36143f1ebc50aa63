// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../../wire/frame_kind.ts";
import type { ByteStream, Listener, Transport } from "../../transport/transport.ts";
import type { Address } from "../../wire/address.ts";

/** Decides whether a frame goes out once more. */
export type Replay = (kind: number) => boolean;

/** A transport whose streams can be broken, and on which frames may go out twice. */
export class FaultyTransport implements Transport {
  /** Decides about each frame with a message, once it is set. */
  replay: Replay | undefined;
  /** Changes what goes out, once it is set. */
  tamper: ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array) | undefined;
  /** Streams that were dialed, or tried to be. */
  dials = 0;
  /** Frames that went out twice. */
  replayed = 0;
  /** Addresses that host names stand for, where a test says so. */
  readonly names = new Map<string, readonly string[]>();
  readonly #transport: Transport;
  readonly #streams = new Set<ByteStream>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Streams that are open. */
  get open(): number {
    return this.#streams.size;
  }

  listen(address: Address, accept: (stream: ByteStream) => void): Promise<Listener> {
    return this.#transport.listen(address, (stream) => accept(this.#keep(stream)));
  }

  async connect(address: Address, options?: { readonly signal?: AbortSignal }): Promise<ByteStream> {
    this.dials++;
    const hostname = this.names.get(address.hostname)?.[0] ?? address.hostname;
    return this.#keep(await this.#transport.connect({ ...address, hostname }, options));
  }

  async resolve(hostname: string): Promise<readonly string[]> {
    return await Promise.resolve(this.names.get(hostname) ?? [hostname]);
  }

  async drained(): Promise<void> {
    await this.#transport.drained?.();
  }

  /** Breaks the open streams that are chosen. */
  breakStreams(chosen: (stream: ByteStream) => boolean): void {
    for (const stream of [...this.#streams]) if (chosen(stream)) stream.close();
  }

  #keep(stream: ByteStream): ByteStream {
    const kept = new FaultyStream(stream, this, () => this.#streams.delete(kept));
    this.#streams.add(kept);
    return kept;
  }
}

/** Cuts what is written into frames again, and writes some of them twice. */
class FaultyStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #transport: FaultyTransport;
  readonly #closed: () => void;
  #rest = new Uint8Array();

  constructor(stream: ByteStream, transport: FaultyTransport, closed: () => void) {
    this.#stream = stream;
    this.#transport = transport;
    this.#closed = closed;
  }

  get remoteAddress(): Address {
    return this.#stream.remoteAddress;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  write(bytes: Uint8Array): Promise<void> {
    const { replay, tamper } = this.#transport;
    if (tamper !== undefined) return this.#stream.write(tamper(bytes.slice()));
    if (replay === undefined && this.#rest.length === 0) return this.#stream.write(bytes);
    return this.#stream.write(this.#twice(bytes, replay ?? (() => false)));
  }

  close(): void {
    this.#closed();
    this.#stream.close();
  }

  #twice(bytes: Uint8Array, replay: Replay): Uint8Array {
    const all = concat([this.#rest, bytes]);
    const view = new DataView(all.buffer);
    const out: Uint8Array[] = [];
    let at = 0;
    while (all.length - at >= 5 && all.length - at >= 4 + view.getUint32(at)) {
      const frame = all.subarray(at, at += 4 + view.getUint32(at));
      out.push(frame);
      if (frame[4] !== FrameKind.envelope || !replay(frame[4])) continue;
      out.push(frame);
      this.#transport.replayed++;
    }
    this.#rest = all.slice(at);
    return concat(out);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
