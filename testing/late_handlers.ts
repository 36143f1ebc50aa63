// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/** Names of errors that say that something took too long. */
const LATE: ReadonlySet<string> = new Set(["AckTimeoutError", "TimeoutError", "WaitLimitError"]);

/**
 * Adds to an error which says that something took too long where handlers have not finished: the usual reason is that they wait for a timer of the
 * system, which does not pass in virtual time.
 */
export function explained(error: unknown, nodes: readonly PeerServiceManager[]): unknown {
  if (!(error instanceof Error) || !LATE.has(error.name)) return error;
  const late = nodes
    .map((node) => ({ name: node.name, count: PeerService.nodeOf(node).messaging.registry.workload.pending }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `"${name}" (${count})`);
  if (late.length === 0) return error;
  const message =
    `${error.message}. Handlers have not finished at ${late.join(", ")}: where they wait for setTimeout() or ` +
    'AbortSignal.timeout(), that does not pass in virtual time; give them the clock of the runtime that "setup" is called with';
  return error instanceof DOMException ? new DOMException(message, error.name) : replaced(error, message);
}

/** The same error, with another message. */
function replaced(error: Error, message: string): Error {
  Object.defineProperty(error, "message", { value: message, configurable: true, writable: true });
  return error;
}
