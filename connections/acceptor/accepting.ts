// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { ByteStream } from "../../transport/transport.ts";
import type { ConnectionOpener, OpenedStream } from "../handshake/connection_opener.ts";
import type { ConnectionRequest } from "../handshake/introduction.ts";
import type { Reception } from "./reception.ts";

/** Part of the pool that an {@linkcode Accepting} uses. */
export interface AcceptingHost {
  /** This node, as it is now; `null` when it takes no connections any more. */
  self(): NodeSpec | null;
  /** Uses a stream whose dialer was admitted. */
  welcome(request: ConnectionRequest, opened: OpenedStream): void;
  /** A dialer has filled its slot, or given up. */
  released(name: string): void;
}

/** Answers the streams that a listener accepts: admits their dialers, or refuses them. */
export class Accepting {
  readonly #host: AcceptingHost;
  readonly #opener: Pick<ConnectionOpener, "accept">;
  readonly #reception: Reception;
  /** Called when no other node is dialing this one any more. */
  undialed: (() => void) | undefined;
  #answering = 0;

  constructor(host: AcceptingHost, opener: Pick<ConnectionOpener, "accept">, reception: Reception) {
    this.#host = host;
    this.#opener = opener;
    this.#reception = reception;
  }

  /** Whether others are dialing this node, and have not finished their handshakes. */
  get isBeingDialed(): boolean {
    return this.#answering > 0;
  }

  /** Answers one stream. */
  async accept(stream: ByteStream): Promise<void> {
    this.#answering++;
    try {
      await this.#answer(stream);
    } finally {
      if (--this.#answering === 0 && this.#host.self() !== null) this.undialed?.();
    }
  }

  async #answer(stream: ByteStream): Promise<void> {
    const self = this.#host.self();
    if (self === null) return stream.close();
    let admitted: ConnectionRequest | undefined;
    const admit = (request: ConnectionRequest) => this.#reception.admit(admitted = request);
    const isOccupied = (request: ConnectionRequest) => this.#reception.isOccupied(request);
    const isWanted = (request: ConnectionRequest) => this.#reception.isWanted(request);
    const opened = await this.#opener.accept(stream, self, admit, isOccupied, isWanted);
    if (opened !== null) {
      let confirmed = this.#reception.confirms(opened.request);
      for (; typeof confirmed !== "boolean"; confirmed = this.#reception.confirms(opened.request)) await confirmed;
      // While it was opened, this node may have stopped, or begun another incarnation.
      if (self !== this.#host.self() || !confirmed) stream.close();
      else this.#host.welcome(opened.request, opened);
    }
    if (admitted !== undefined && this.#reception.release(admitted)) this.#host.released(admitted.spec.name);
  }
}
