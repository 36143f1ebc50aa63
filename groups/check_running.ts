// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { StoppedError } from "../messaging/errors.ts";

/** @throws {StoppedError} When a node has stopped: what it does now reaches no other node. */
export function checkRunning({ name, stopSignal }: PeerServiceManager, what: string): void {
  if (stopSignal.aborted) throw new StoppedError(`Cannot ${what}: "${name}" was stopped`);
}
