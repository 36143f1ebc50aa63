// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ByteStream, Listener, Transport } from "../../transport/transport.ts";
import type { Address } from "../../wire/address.ts";
import { FRAME_HEADER_BYTES } from "../../wire/frame_reader.ts";

/** Is told what a node does with its streams. */
export interface Tap {
  dialed(host: string): void;
  sent(host: string, kind: number, body: Uint8Array): void;
  closed(host: string): void;
}

/** A transport that tells which frames go out. */
export class TappedTransport implements Transport {
  readonly #transport: Transport;
  readonly #tap: Tap;

  constructor(transport: Transport, tap: Tap) {
    this.#transport = transport;
    this.#tap = tap;
  }

  listen(address: Address, accept: (stream: ByteStream) => void): Promise<Listener> {
    return this.#transport.listen(address, (stream) => accept(new TappedStream(stream, this.#tap)));
  }

  async connect(address: Address, options?: { readonly signal?: AbortSignal }): Promise<ByteStream> {
    this.#tap.dialed(address.hostname);
    return new TappedStream(await this.#transport.connect(address, options), this.#tap);
  }

  async drained(): Promise<void> {
    await this.#transport.drained?.();
  }
}

class TappedStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #tap: Tap;
  #rest = new Uint8Array();
  #isClosed = false;

  constructor(stream: ByteStream, tap: Tap) {
    this.#stream = stream;
    this.#tap = tap;
  }

  get remoteAddress(): Address {
    return this.#stream.remoteAddress;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  write(bytes: Uint8Array): Promise<void> {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const view = new DataView(all.buffer);
    let at = 0;
    while (all.length - at >= FRAME_HEADER_BYTES && all.length - at >= 4 + view.getUint32(at)) {
      const frame = all.subarray(at, at += 4 + view.getUint32(at));
      const [kind = 0] = frame.subarray(FRAME_HEADER_BYTES - 1);
      this.#tap.sent(this.remoteAddress.hostname, kind, frame.slice(FRAME_HEADER_BYTES));
    }
    this.#rest = all.slice(at);
    return this.#stream.write(bytes);
  }

  close(): void {
    if (!this.#isClosed) this.#tap.closed(this.remoteAddress.hostname);
    this.#isClosed = true;
    this.#stream.close();
  }
}
