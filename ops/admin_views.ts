// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { Node } from "../manager/node.ts";
import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { formatAdminEndpoint } from "./admin_endpoint.ts";

/** Knowledge of a node about a member, as the admin endpoint tells it. */
export interface MemberView {
  readonly name: string;
  /** Whether it is the node that tells. */
  readonly self: boolean;
  readonly status: string;
  /** Since when, in milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
  /** `host:port` each. */
  readonly addresses: readonly string[];
  /** Milliseconds; `null` where it was not measured. */
  readonly roundTrip: number | null;
  readonly lastError: unknown;
}

/** All that a node knows of a member. */
export interface InfoView extends MemberView {
  readonly incarnation: number;
  readonly connected: boolean;
  readonly fullyConnected: boolean;
  readonly channels: unknown;
  readonly metadata: unknown;
  readonly attributes: unknown;
  readonly connections: readonly ConnectionView[];
}

/** A connection, and on what it stands. */
export interface ConnectionView {
  readonly node: string;
  readonly channel: string;
  readonly index: number;
  /** Side that has dialed it. */
  readonly dialer: "this node" | "the other";
  /** Age of the connection, in milliseconds. */
  readonly age: number;
  readonly queuedBytes: number;
  /** Whether it stands on the present secrets and certificates, or on former ones. */
  readonly keys: "present" | "former";
  /** The certificate that the other side has shown; `null` without TLS. */
  readonly certificate: unknown;
}

/** Figures that `top` shows at one moment. */
export interface TopView {
  /** In milliseconds since the epoch. */
  readonly at: number;
  readonly node: string;
  readonly members: readonly TopRow[];
  readonly messages: unknown;
}

/** A member, and the traffic with it. */
export interface TopRow extends MemberView {
  readonly connections: number;
  readonly queuedBytes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The node asked for is no member. */
export class NoSuchNodeError extends Error {
  /** Always `"NoSuchNodeError"`. */
  override readonly name = "NoSuchNodeError";
}

/** Knowledge of a node about a member. @throws {NoSuchNodeError} When there is none of that name. */
export function memberView(manager: PeerServiceManager, name: string): MemberView {
  const info = manager.memberInfo(name);
  if (info === undefined) {
    throw new NoSuchNodeError(`Cannot tell anything of "${name}": "${manager.name}" knows no such member`);
  }
  const { status, since, reason, addresses, lastError } = info;
  return {
    name,
    self: name === manager.name,
    status,
    since,
    reason,
    addresses: addresses.map(formatAdminEndpoint),
    roundTrip: PeerService.nodeOf(manager).pool.peers.get(name)?.roundTrip ?? null,
    lastError,
  };
}

/** All that a node knows of a member. @throws {NoSuchNodeError} When there is none of that name. */
export function infoView(manager: PeerServiceManager, name: string): InfoView {
  const view = memberView(manager, name);
  const { spec, attributes } = manager.memberInfo(name)!;
  return {
    ...view,
    incarnation: spec.incarnation,
    connected: manager.isConnected(name),
    fullyConnected: manager.isFullyConnected(name),
    channels: spec.channels,
    metadata: spec.metadata,
    attributes,
    connections: connectionViews(manager).filter(({ node }) => node === name),
  };
}

/** The open connections of a node. */
export function connectionViews(manager: PeerServiceManager): ConnectionView[] {
  const node = PeerService.nodeOf(manager);
  return [...node.pool.peers.values()].flatMap((peer) => peer.connections().map((each) => connectionView(node, each)));
}

/** Figures of a node and of the traffic with its members now. */
export function topView(manager: PeerServiceManager): TopView {
  const { peers, messages } = manager.stats();
  const members = manager.members().map((name): TopRow => {
    const { connections = 0, queuedBytes = 0, bytesIn = 0, bytesOut = 0 } = Object.hasOwn(peers, name)
      ? peers[name]!
      : {};
    return { ...memberView(manager, name), connections, queuedBytes, bytesIn, bytesOut };
  });
  return { at: manager.runtime.clock.wallTime(), node: manager.name, members, messages };
}

function connectionView({ pool, context }: Node, connection: Connection): ConnectionView {
  const { peer, channel, index, outbound, openedAt, queue, certificate } = connection;
  return {
    node: peer.name,
    channel,
    index,
    dialer: outbound ? "this node" : "the other",
    age: Math.round(context.runtime.clock.now() - openedAt),
    queuedBytes: queue.queuedBytes,
    keys: pool.renewal.isCurrent(connection) ? "present" : "former",
    certificate: certificate ?? null,
  };
}
