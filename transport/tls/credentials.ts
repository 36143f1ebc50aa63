// Copyright 2026 the Partisan peer-service authors. MIT license.

import { createPrivateKey, X509Certificate } from "node:crypto";

/** The certificate that a node shows, and the ones that it trusts; all in PEM. */
export interface TlsCredentials {
  /** The certificate of this node, with the chain up to `ca` if there is one between. */
  readonly cert: string;
  /** The private key of `cert`. */
  readonly key: string;
  /** The authorities whose certificates are accepted; no others are. */
  readonly ca: string | readonly string[];
}

/** {@linkcode TlsCredentials} that can be used, and what their certificate says. */
export interface CheckedCredentials extends TlsCredentials {
  readonly ca: readonly string[];
  /** SHA-256 of the certificate. */
  readonly fingerprint256: string;
  /** End of the certificate's validity. */
  readonly validTo: string;
}

/**
 * Makes sure that they can be used. `node:tls` itself takes a key that is not that of the certificate, and names nothing that is wrong.
 *
 * @throws {TypeError} When they cannot be used; it says which, and why.
 */
export function checkCredentials({ cert, key, ca }: TlsCredentials): CheckedCredentials {
  const fail = (what: string, cause?: unknown) =>
    new TypeError(`Cannot use the credentials of TLS: ${what}`, { cause });
  const certificate = (pem: string, what: string) => {
    try {
      return new X509Certificate(pem);
    } catch (cause) {
      throw fail(`${what} is no certificate in PEM`, cause);
    }
  };
  const own = certificate(cert, '"cert"');
  const authorities = typeof ca === "string" ? [ca] : ca;
  if (authorities.length === 0) throw fail('"ca" is empty, expected the authorities whose certificates are accepted');
  for (const authority of authorities) certificate(authority, '"ca"');
  let isOwn: boolean;
  try {
    isOwn = own.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw fail('"key" is no private key in PEM', cause);
  }
  if (!isOwn) throw fail('"key" is not that of "cert"');
  return { cert, key, ca: authorities, fingerprint256: own.fingerprint256, validTo: own.validTo };
}

/** Under what common name a certificate in PEM was issued. @returns `undefined` when its subject is not a common name alone. */
export function commonNameOf(cert: string): string | undefined {
  return /^CN=(.+)$/.exec(new X509Certificate(cert).subject)?.[1];
}
