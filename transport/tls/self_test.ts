// Copyright 2026 the Partisan peer-service authors. MIT license.

import { duplexPair } from "node:stream";
import { connect, createServer, type TLSSocket } from "node:tls";
import type { Clock } from "../../runtime/runtime.ts";
import type { CheckedCredentials } from "./credentials.ts";
import { peerCertificate } from "./peer_certificate.ts";

/** The first release whose servers of `node:tls` ask for certificates (denoland/deno#33367). */
const DENO_MIN = "2.7.14";
const TIMEOUT_MS = 5_000;

/** Answer of an acceptor to a dialer. */
export interface Answer {
  /** Whether it was let in. */
  readonly isAccepted: boolean;
  /** The fingerprint of the certificate that it has shown; `undefined` for none. */
  readonly fingerprint256: string | undefined;
}

/**
 * Proves that this release of Deno keeps strangers out: an acceptor refuses a dialer without certificate, and sees the certificate of one
 * that has one. Up to 2.7.13 it did neither, and said `authorized` of all. Needs no socket: the streams are in memory.
 *
 * @param ask Answer of an acceptor to a dialer; for tests.
 * @throws {Error} When it does not.
 */
export async function proveClientAuthentication(
  credentials: CheckedCredentials,
  clock: Clock,
  ask: typeof answerTo = answerTo,
): Promise<void> {
  const stranger = await ask(credentials, clock, false);
  const itself = await ask(credentials, clock, true);
  if (!stranger.isAccepted && itself.fingerprint256 === credentials.fingerprint256) return;
  const what = stranger.isAccepted
    ? "lets clients in that show no certificate"
    : "does not see the certificates of clients";
  throw new Error(
    `Cannot start: with "tls", this release of Deno ${what}, expected Deno ${DENO_MIN} or later; update Deno`,
  );
}

/** Dials an acceptor of one's own, with one's own certificate or without. Whether the certificate holds is of no account here: only whether it is asked for. */
async function answerTo(
  { cert, key, ca }: CheckedCredentials,
  clock: Clock,
  withCertificate: boolean,
): Promise<Answer> {
  const [near, far] = duplexPair();
  const tls = { ca: [...ca], minVersion: "TLSv1.3" as const };
  const own = { cert, key };
  const answer = Promise.withResolvers<Answer>();
  const refused = () => answer.resolve({ isAccepted: false, fingerprint256: undefined });
  // One that must show a certificate, and one that takes any, to look at it.
  const options = { ...tls, ...own, requestCert: true, rejectUnauthorized: !withCertificate };
  const server = createServer(options, (socket: TLSSocket) => {
    socket.on("error", refused);
    answer.resolve({ isAccepted: true, fingerprint256: peerCertificate(socket)?.fingerprint256 });
  });
  server.once("tlsClientError", refused);
  far.on("error", refused);
  near.on("error", refused);
  far.once("close", refused);
  server.emit("connection", far);
  const dialer = connect({ ...tls, ...(withCertificate ? own : {}), socket: near, rejectUnauthorized: false });
  dialer.on("error", () => {});
  const timer = clock.schedule(TIMEOUT_MS, refused);
  try {
    return await answer.promise;
  } finally {
    timer.cancel();
    dialer.destroy();
    near.destroy();
    far.destroy();
  }
}
