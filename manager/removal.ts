// Copyright 2026 the Partisan peer-service authors. MIT license.

import { StoppedError } from "../messaging/errors.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { NodeContext } from "./node_context.ts";
import { formatAddress } from "../wire/address.ts";

/**
 * Tells users that this node is no member any more.
 *
 * @param newer The node that has its name now, if that is why.
 * @returns Reason of the stop.
 */
export function tellRemoval({ self: { name }, emit }: NodeContext, newer: NodeSpec | undefined): StoppedError {
  let reason = "another node removed it from the cluster";
  if (newer !== undefined) {
    const where = newer.addresses.map((address) => `"${formatAddress(address)}"`).join(", ");
    reason = `another node has the name "${name}", lives at ${where}, and is newer (incarnation ${newer.incarnation})`;
    const message = `"${name}" stops: ${reason}; give each node a name of its own`;
    emit("warning", { code: "name-taken", message, node: name });
  }
  emit("removed", { node: name, reason });
  return new StoppedError(`Cannot go on: "${name}" was removed from the cluster: ${reason}`);
}
