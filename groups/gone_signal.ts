// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { NotConnectedError } from "../messaging/errors.ts";

/** Signal of {@linkcode goneSignal}, until it is disposed of. */
export interface GoneSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Watches whether another node is gone, for a call that others pass on: that one does not end with the connection to the node.
 *
 * @param what Action that ends then.
 * @param watch Tells when the node is not seen any more.
 * @returns Signal that is aborted with a `NotConnectedError`.
 */
export function goneSignal(
  node: PeerServiceManager,
  other: string,
  what: string,
  watch: (end: () => void) => Disposable,
): GoneSignal {
  const controller = new AbortController();
  const end = () => controller.abort(new NotConnectedError(`${what}: "${other}" is gone`));
  const watching = watch(end);
  // An overlay that gives this node other neighbours takes the connection away as well.
  const down = node.onDown(other, () => {
    if (node.memberInfo(other)?.status !== "up") end();
  });
  const dispose = () => {
    watching[Symbol.dispose]();
    down[Symbol.dispose]();
  };
  return { signal: controller.signal, [Symbol.dispose]: dispose };
}
