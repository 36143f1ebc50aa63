// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CallError, type RemoteError } from "../messaging/errors.ts";

/** Answers to a request that a node has taken. The numbers are part of the wire protocol: never reuse one. */
const DONE = 0;
const FAILED = 1;

/** The answer of a handler that returned: `null` for nothing, as of any call. */
export function answerOf(result: unknown): readonly unknown[] {
  return [DONE, result ?? null];
}

/** The answer of a handler that failed. */
export function failureOf({ name, message, code }: RemoteError): readonly unknown[] {
  return code === undefined ? [FAILED, name, message] : [FAILED, name, message, code];
}

/** Result of the handler. @throws {CallError} When it failed, or the request was not handled. */
export function resultOf(answer: unknown): unknown {
  const [kind, first, message, code] = Array.isArray(answer) ? answer : [];
  if (kind === DONE) return first;
  const remote = { name: `${first}`, message: `${message}` };
  const isCode = typeof code === "string" || typeof code === "number";
  throw new CallError(remote.message, isCode ? { ...remote, code } : remote);
}
