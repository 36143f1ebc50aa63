// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Fault of a certificate. With `refused`, the reason is not known here: the other end did not tell it, or `node:tls` did not,
 * as Deno 2.9.6 does when the certificate of an acceptor has expired.
 */
export type CertificateErrorCode = "expired" | "unknown-ca" | "wrong-name" | "none" | "refused";

/**
 * Two ends of a connection do not accept each other's certificates. To try again is of no use before one of them changes.
 *
 * @example Tell it from other failures
 * ```ts
 * import { CertificateError } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const error: unknown = new CertificateError("expired", "Cannot connect to \"10.0.0.9:9090\": the certificate there has expired");
 * assertEquals(error instanceof CertificateError && error.code, "expired");
 * ```
 */
export class CertificateError extends Error {
  /** Fault of the certificate. */
  readonly code: CertificateErrorCode;

  /**
   * Says what is wrong.
   *
   * @param code For programs.
   * @param message For people.
   */
  constructor(code: CertificateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CertificateError";
    this.code = code;
  }
}

/** Words of `node:tls` and of TLS alerts, in their spellings by OpenSSL and by Rustls. */
const WORDS: readonly (readonly [RegExp, CertificateErrorCode])[] = [
  [/expired/i, "expired"],
  [/unknown.?(ca|issuer)|unable.to.get|self.signed|UnknownIssuer|bad.?signature/i, "unknown-ca"],
  [/certificate.?required|peer.did.not.return|no.certificates?.presented|NoCertificates/i, "none"],
  [
    /unable.to.verify|(bad|unknown|revoked|unsupported|invalid).?certificate|certificate.?(unknown|revoked)/i,
    "refused",
  ],
];

/** Recognizes an error of `node:tls` that is about a certificate. @returns `undefined` for any other error. */
export function certificateError(action: string, error: unknown): CertificateError | undefined {
  const { message = String(error), code = "" } = error as { message?: string; code?: string };
  const found = WORDS.find(([words]) => words.test(`${code} ${message}`));
  return found && new CertificateError(found[1], `${action}: ${message}`, { cause: error });
}
