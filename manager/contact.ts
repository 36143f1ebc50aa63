// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { DialOptions } from "../connections/handshake/connection_opener.ts";
import { HandshakeRefusedError, type RefusalCode } from "../connections/handshake/refusal.ts";
import type { Peer } from "../connections/peer.ts";
import type { Transport } from "../transport/transport.ts";
import { type Address, formatAddress, isSameAddress } from "../wire/address.ts";

/**
 * Reaches the node at an address. Where a name stands for several hosts and the first is this node itself, all of them
 * are tried, as the addresses of one node are: a node's own answer is no node to join.
 *
 * @returns The peer, or `null` when the address is one that this node has told as its own.
 * @throws {HandshakeRefusedError} With the code `self` when all that answer are this node itself, and all of them answer.
 * @throws Whatever the last of the other hosts failed with.
 */
export async function reachContact(
  pool: ConnectionPool,
  transport: Transport,
  address: Address,
  own: readonly Address[],
  options: DialOptions & { readonly signal: AbortSignal },
): Promise<Peer | null> {
  try {
    return await pool.reach(null, [address], options);
  } catch (error) {
    if (!isRefusal(error, "self")) throw error;
  }
  if (own.some((known) => isSameAddress(known, address))) return null;
  const hosts = await transport.resolve?.(address.hostname) ?? [];
  const failures: unknown[] = [];
  try {
    const failed = (error: Error) => failures.push(error);
    return await pool.reach(null, hosts.map((hostname) => ({ ...address, hostname })), { ...options, failed });
  } catch {
    options.signal.throwIfAborted();
  }
  const shown = formatAddress(address);
  throw failures.findLast((error) => !isRefusal(error, "self")) ?? new HandshakeRefusedError({
    code: "self",
    reason: `Cannot join "${shown}": it leads to this node alone, expected the address of another one`,
  });
}

function isRefusal(error: unknown, code: RefusalCode): boolean {
  return error instanceof HandshakeRefusedError && error.refusal.code === code;
}
