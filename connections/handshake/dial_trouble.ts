// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CertificateError } from "../../transport/tls/certificate_error.ts";
import { type Address, formatAddress } from "../../wire/address.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { ClosedEarlyError } from "./handshake_frames.ts";
import { HandshakeRefusedError } from "./refusal.ts";
import { messageOf } from "../../runtime/message_of.ts";

/** Stage of an attempt to open a connection. */
export interface DialStage {
  /** Whether the connection was accepted. */
  readonly isAccepted: boolean;
  /** Milliseconds since it began. */
  readonly elapsed: number;
  /** Whether it was given up because it took too long, or the caller would wait no longer. */
  readonly isGivenUp: boolean;
}

/** Says of an attempt that came to nothing where it was made, and why it failed. */
export function dialTrouble(error: unknown, address: Address, stage: DialStage): Error {
  const where = `"${formatAddress(address)}"`;
  const time = `${Math.round(stage.elapsed)} ms`;
  if (stage.isGivenUp) {
    if (stage.isAccepted) return new SlowHandshakeError(where, time);
    return new DOMException(`Cannot connect to ${where}: timed out, no node answered within ${time}`, "TimeoutError");
  }
  if (error instanceof HandshakeRefusedError || error instanceof CertificateError) return error;
  if (!stage.isAccepted && error instanceof Error) return error;
  const reason = messageOf(error);
  const action = `Cannot open a connection with ${where}`;
  if (!(error instanceof ProtocolError)) return new Error(`${action}: ${reason}`, { cause: error });
  const what = error instanceof ClosedEarlyError
    ? "it was closed there without a word, in the middle of the handshake; is it a node, and is it about to stop?"
    : `what answers there does not speak this protocol: ${reason}`;
  return new ProtocolError(`${action}: ${what}`, { cause: error });
}

/** Whether a failure is one that trying again does not cure: this process may not dial there. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && (error instanceof ForbiddenAddressError || error.name === "NotCapable");
}

/** A connection was accepted, and the handshake took too long: what is there is no node, or has too much to do to say so. */
export class SlowHandshakeError extends DOMException {
  constructor(where: string, time: string) {
    const what = `Cannot open a connection with ${where}`;
    super(`${what}: timed out, it was accepted, and no handshake came within ${time}`, "TimeoutError");
  }
}

/** The option `allow.addresses` holds none of the addresses that are to be dialed. */
export class ForbiddenAddressError extends Error {
  /** Always `"ForbiddenAddressError"`. */
  override readonly name = "ForbiddenAddressError";
}
