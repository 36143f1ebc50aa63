// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { NotConnectedError } from "../messaging/errors.ts";
import { keepsFullMesh } from "./keeps_full_mesh.ts";

/** Call of a handler on another node. */
export interface CallWhileSeen {
  /** Name of that node. */
  readonly to: string;
  /** Name of the handler. */
  readonly name: string;
  readonly message: unknown;
  /** Gives the call up. */
  readonly signal: AbortSignal;
  /** Action that ends when that node is gone. */
  readonly what: string;
  /** Tells when that node is not seen any more. */
  readonly watch: (end: () => void) => Disposable;
}

/**
 * Calls a handler on another node. Where a node does not keep connections with all others, some of them pass the call on; such a call does not end
 * with the connection to the other node, so it is watched whether that is gone.
 *
 * @throws {NotConnectedError} When it is.
 */
export async function callWhileSeen(
  node: PeerServiceManager,
  { to, name, message, signal, what, watch }: CallWhileSeen,
): Promise<unknown> {
  if (keepsFullMesh(node)) return await node.call(to, name, message, { signal });
  const gone = new AbortController();
  const end = () => gone.abort(new NotConnectedError(`${what}: "${to}" is gone`));
  using _watching = watch(end);
  // An overlay that gives this node other neighbours takes the connection away as well.
  using _down = node.onDown(to, () => {
    if (node.memberInfo(to)?.status !== "up") end();
  });
  return await node.call(to, name, message, {
    signal: AbortSignal.any([signal, gone.signal]),
    transitive: true,
  });
}
