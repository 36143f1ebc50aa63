// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Refusal } from "../connections/handshake/refusal.ts";
import type { TlsCredentials } from "../transport/tls/credentials.ts";
import type { ByteStream, PeerCertificate } from "../transport/transport.ts";
import type { NodeSpec } from "../wire/node_spec.ts";

/** Mutual TLS between nodes. Everything is in PEM. */
export interface TlsOptions extends TlsCredentials {
  /**
   * Both ends show a certificate. There is no other way.
   *
   * @default {true}
   */
  readonly clientAuth?: true | undefined;
  /**
   * How a certificate is bound to a node: with `"name"`, the node's name must be one of the certificate's DNS or URI names. A function
   * decides by itself; one that is always true lets every certificate of `ca` be any node.
   *
   * @default {"name"}
   */
  readonly identity?: "name" | ((certificate: PeerCertificate, spec: NodeSpec) => boolean) | undefined;
}

/** Judges whether a certificate is that of the node that a peer claims to be. @returns Why not, or `null`. */
export function identifier({ identity = "name" }: TlsOptions): (stream: ByteStream, spec: NodeSpec) => Refusal | null {
  return ({ certificate }, spec) => {
    const names = [...certificate?.dnsNames ?? [], ...certificate?.uris ?? []];
    const isItself = certificate !== undefined &&
      (identity === "name" ? names.includes(spec.name) : identity(certificate, spec));
    if (isItself) return null;
    const reason = `Cannot trust "${spec.name}": its certificate is for ${names.map((name) => `"${name}"`).join(", ")}`;
    return { code: "certificate", reason };
  };
}
