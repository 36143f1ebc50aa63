// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { FrameKind } from "../wire/frame_kind.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Connection } from "../connections/connection.ts";
import type { Peer } from "../connections/peer.ts";
import type { StoppedError } from "../messaging/errors.ts";
import type { FrameHandler } from "./frame_router.ts";

/** Change of the membership, as far as this node knows it. */
export interface MembershipChange {
  /** Nodes that were not members before. */
  readonly joined: readonly NodeSpec[];
  /** Nodes that are not members any more, as far as this node knows. */
  readonly lost: readonly NodeSpec[];
  /** Those of them that left the cluster; not those that are merely forgotten here. */
  readonly left: readonly NodeSpec[];
  /** Members of which a newer incarnation became known. */
  readonly renewed: readonly NodeSpec[];
  /** Whether this node itself is no longer a member. */
  readonly removed: boolean;
}

/** Takes a value that came over a connection, the membership connection as a rule, of a peer. An error that it throws closes the connection. */
export type ControlHandler = (peer: Peer, value: unknown, connection: Connection<Peer>) => void;

/**
 * A part of a running node. It implements what concerns it, and nothing else. The node calls the parts one after the other, always in
 * the order of its list.
 */
export interface Part {
  /** The node begins to live. */
  start?(): void;
  /** Control messages reach a peer. */
  peerLinked?(peer: Peer): void;
  /** The last connection with a peer has closed, or the peer is held for dead. */
  peerUnlinked?(peer: Peer): void;
  /** Messages reach a peer. */
  peerUp?(peer: Peer): void;
  /** Messages do not reach a peer, for now at least. */
  peerDown?(peer: Peer): void;
  /** Partitions were injected, or resolved. */
  partitionsChanged?(): void;
  /** A connection has closed. Another one may have its slot by now. */
  connectionClosed?(connection: Connection<Peer>): void;
  /** A dial of a peer that is to be connected has failed: it is tried again. */
  dialFailed?(peer: Peer, error: unknown): void;
  /** A channel has all its connections with a peer. */
  channelUp?(peer: Peer, channel: string): void;
  /** A channel has no connection left with a peer; `withPeer`: the peer is down as a whole, which is told next. */
  channelDown?(peer: Peer, channel: string, withPeer: boolean): void;
  /** The membership has changed, as far as it is known here. */
  membersChanged?(change: MembershipChange): void;
  /** A node has left the cluster. Called after `membersChanged`, once for each. */
  memberLeft?(node: NodeSpec): void;
  /** The node begins another incarnation: what belongs to the former one is forgotten. */
  restart?(self: NodeSpec): void;
  /** Called once in every gossip interval. */
  periodic?(): void;
  /** The node is about to stop: nothing is begun any more. Frames that are queued for the peers are still written. */
  stopping?(): void;
  /** The node has stopped: what still waits ends with `reason`. The next part stops when the promise is settled. */
  stop?(reason: StoppedError): Promise<void> | void;
  /** The kinds of frames that the part takes as they are. */
  readonly frames?: Iterable<readonly [FrameKind, FrameHandler]>;
  /** The kinds of frames whose value the part takes. */
  readonly controls?: Iterable<readonly [FrameKind, ControlHandler]>;
}
