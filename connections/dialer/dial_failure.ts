// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SealError } from "../noise/cipher_state.ts";
import { CertificateError } from "../../transport/tls/certificate_error.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";

/**
 * Reason of a dial that led to no connection although it was not refused: no answer in time; given up here; no process listens
 * there, or there is no way; one side does not trust the certificate of the other; what came is not how nodes speak, or the
 * connection broke; anything else.
 */
export type DialFailure = "timeout" | "aborted" | "unreachable" | "certificate" | "protocol" | "other";

/** All of them. */
export const DIAL_FAILURES: readonly DialFailure[] = [
  "timeout",
  "aborted",
  "unreachable",
  "certificate",
  "protocol",
  "other",
];

/** Names of errors of a transport: no process listens there, or there is no way. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  "ConnectionRefused",
  "NotFound",
  "HostUnreachable",
  "NetworkUnreachable",
  "AddrNotAvailable",
]);
/** Names of errors of a transport: the connection broke. */
const BROKEN: ReadonlySet<string> = new Set(["ConnectionReset", "ConnectionAborted", "BrokenPipe", "UnexpectedEof"]);

/** The reason why a dial failed that was not refused. */
export function dialFailure(error: unknown): DialFailure {
  if (error instanceof CertificateError) return "certificate";
  if (error instanceof ProtocolError || error instanceof SealError) return "protocol";
  if (!(error instanceof Error)) return "other";
  // A transport says in words what happened, and by the cause what the system said.
  const { name } = error.cause instanceof Error ? error.cause : error;
  if (name === "TimeoutError" || name === "TimedOut") return "timeout";
  if (name === "AbortError") return "aborted";
  if (UNREACHABLE.has(name)) return "unreachable";
  return BROKEN.has(name) ? "protocol" : "other";
}
