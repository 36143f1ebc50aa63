// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../transport.ts";

/**
 * Certificate that the other end of a socket has shown. Releases of Deno up to 2.7.12 said `authorized` of clients that showed
 * nothing: only the fingerprint tells.
 *
 * @returns `undefined` when it has shown no certificate.
 */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const shown = socket.getPeerCertificate() as Partial<ReturnType<TLSSocket["getPeerCertificate"]>> | null;
  if (!shown?.fingerprint256) return undefined;
  const names = (shown.subjectaltname ?? "").split(", ");
  const ofKind = (kind: string) => names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
  return {
    subject: { ...shown.subject } as Record<string, string>,
    dnsNames: ofKind("DNS:"),
    uris: ofKind("URI:"),
    validTo: shown.valid_to ?? "",
    fingerprint256: shown.fingerprint256,
  };
}
