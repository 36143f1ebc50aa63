// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Refusal } from "../connections/handshake/refusal.ts";
import { systemClock } from "../runtime/system.ts";
import { TlsTransport, type TlsTransportOptions } from "../transport/tls/tls_transport.ts";
import type { ByteStream } from "../transport/transport.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { checkTls, identifier, type TlsOptions } from "./identity.ts";

/** The TLS of one node: the certificate that it shows, the ones that it trusts, and the nodes that it takes their holders for. All of it can be replaced. */
export class NodeTls {
  /** Speaks it. */
  readonly transport: TlsTransport;
  /** Told about each dialer that was refused before it could say who it is, with the reason and where it is. */
  refused: TlsTransportOptions["refused"];
  #identify: (stream: ByteStream, spec: NodeSpec) => Refusal | null;

  /** @throws {TypeError} When an option can be none, or certificate, key and authorities cannot be used. */
  constructor(tls: TlsOptions) {
    checkTls('Cannot start: "tls"', tls);
    this.transport = new TlsTransport({ clock: systemClock, tls, refused: (...refusal) => this.refused?.(...refusal) });
    this.#identify = identifier(tls);
  }

  /** Judges whether the other end of a stream is the node that it claims to be. @returns Reason why not, or `null`. */
  identify(stream: ByteStream, spec: NodeSpec): Refusal | null {
    return this.#identify(stream, spec);
  }

  /**
   * Shows and trusts something else from now on.
   *
   * @throws {TypeError} When an option can be none, or certificate, key and authorities cannot be used; then nothing changes.
   */
  update(tls: TlsOptions): void {
    checkTls("Cannot update the certificates", tls);
    this.transport.update(tls);
    this.#identify = identifier(tls);
  }
}
