// Copyright 2026 the Partisan peer-service authors. MIT license.

import { EncodeError } from "../wire/encode_error.ts";
import { CallError, MessageTooLargeError, PartitionedError, type RemoteError } from "./errors.ts";

/** UTF-16 code units of a name or a code, and of a message, that are told to another node. */
const NAME_LENGTH_MAX = 100;
const MESSAGE_LENGTH_MAX = 1_000;

/** Error of a handler in the form that is told to the sender. The place in the code is left out: it is of no use there. */
export function remoteErrorOf(error: unknown): RemoteError {
  if (!(error instanceof Error)) return { name: "Error", message: textOf(error).slice(0, MESSAGE_LENGTH_MAX) };
  const { code } = error as { readonly code?: unknown };
  const remote = {
    name: textOf(error.name).slice(0, NAME_LENGTH_MAX),
    message: textOf(error.message).slice(0, MESSAGE_LENGTH_MAX),
  };
  if (typeof code === "string") return { ...remote, code: code.slice(0, NAME_LENGTH_MAX) };
  return typeof code === "number" ? { ...remote, code } : remote;
}

/** The form in which it travels. */
export function remoteErrorToValue({ name, message, code }: RemoteError): unknown[] {
  return code === undefined ? [name, message] : [name, message, code];
}

/**
 * Reads what another node says that its handler threw.
 *
 * @throws {TypeError} When it is malformed.
 */
export function remoteErrorFromValue(value: unknown): RemoteError {
  const [name, message, code] = Array.isArray(value) ? value : [];
  const isFit = typeof name === "string" && typeof message === "string" &&
    (code === undefined || typeof code === "string" || typeof code === "number");
  if (!isFit) throw new TypeError("Cannot read a remote error: it is malformed");
  return code === undefined ? { name, message } : { name, message, code };
}

/** Error that the sender rejects with. */
export function callErrorOf(remote: RemoteError): CallError {
  return new CallError(remote.message, remote);
}

/** Anything may be thrown, also what cannot be made a string. */
function textOf(value: unknown): string {
  try {
    return `${value}`;
  } catch {
    return typeof value;
  }
}

/** Whether a message that failed so was not sent, and never can be as it is. */
export function wasNeverSent(error: unknown): boolean {
  return error instanceof PartitionedError || error instanceof EncodeError || error instanceof MessageTooLargeError;
}
