// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Peer } from "../connections/peer.ts";
import { withDeadline } from "../runtime/deadline.ts";
import type { Pinger } from "./pinger.ts";

/** Longest that a stopping node waits for its queues to empty, in milliseconds. */
const FLUSH_TIMEOUT_MS = 1_000;

/** Longest that a stopping node waits for transports that do not heed that a dial was given up, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Open connections, those that others have replaced included: what is in them counts as any other. */
function connectionsOf({ peers, draining }: ConnectionPool): Connection<Peer>[] {
  return [...[...peers.values()].flatMap((peer) => peer.connections()), ...draining];
}

/** Waits until all that is queued for peers that live is written, for a second at most. */
export async function flushed(pool: ConnectionPool, clock: Clock): Promise<void> {
  const connections = connectionsOf(pool).filter(({ peer }) => !peer.silent);
  const written = Promise.all(connections.map(({ queue }) => queue.flushed())).then(() => {});
  await withDeadline(clock, { timeout: FLUSH_TIMEOUT_MS }, "Cannot flush", () => written).catch(() => {});
}

/** Tells all peers what was read of what they sent, so that they need not take it for lost once the connections close. */
function tellRead(pool: ConnectionPool): void {
  for (const connection of connectionsOf(pool)) connection.tellRead();
}

/** The same, and waits until it is written; for a second at most. */
export async function toldRead(pool: ConnectionPool, clock: Clock): Promise<void> {
  tellRead(pool);
  await flushed(pool, clock);
}

/** Waits until peers that live have read what was sent to them, and so know that this node has read what they sent; for a second at most. */
export async function reached(pool: ConnectionPool, clock: Clock): Promise<void> {
  tellRead(pool);
  const connections = connectionsOf(pool).filter(({ peer }) => !peer.unreachable);
  const read = Promise.all(connections.map((connection) => connection.reached())).then(() => {});
  await withDeadline(clock, { timeout: FLUSH_TIMEOUT_MS }, "Cannot flush", () => read).catch(() => {});
}

/** Closes all connections, those under way as well, and waits until their sockets are gone. */
export async function closed(pool: ConnectionPool, { clock, transport }: Runtime): Promise<void> {
  await withDeadline(clock, { timeout: CLOSE_TIMEOUT_MS }, "Cannot close", () => pool.stop()).catch(() => {});
  await transport.drained?.();
}

/**
 * Waits until every peer that can be reached has handled what was sent to it before.
 *
 * @param timeout Milliseconds after which a peer that does not answer is not waited for.
 */
export async function handledByAll(pool: ConnectionPool, pinger: Pinger, timeout: number): Promise<void> {
  const linked = [...pool.peers.values()].filter(({ linked }) => linked);
  await Promise.all(linked.map((peer) => pinger.ping(peer, timeout)));
}
