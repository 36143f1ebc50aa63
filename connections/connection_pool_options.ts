// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "../wire/address.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { BackoffOptions } from "./dialer/backoff.ts";
import type { Connection, ConnectionHandler, ConnectionOptions } from "./connection.ts";
import type { ConnectionOpenerOptions } from "./handshake/connection_opener.ts";
import type { ClusterIdentity } from "./handshake/session.ts";
import type { Refusal } from "./handshake/refusal.ts";
import type { ByteStream } from "../transport/transport.ts";
import type { Peer } from "./peer.ts";
import type { WriterPool } from "./writer_pool.ts";
import type { PeerStatusHandler } from "./peer_status.ts";

/** Receiver of a pool's events and questions, in addition to the events of its peers. */
export interface ConnectionPoolHandler extends PeerStatusHandler {
  /** Takes a frame that carries no message; the body is `buffer[start, end)`. */
  readonly frame: ConnectionHandler<Peer>["frame"];
  /** Takes a frame that carries a message. */
  readonly message: ConnectionHandler<Peer>["message"];
  /** A connection closed, because of `error` when it was not meant to. */
  connectionClosed(connection: Connection<Peer>, error: unknown): void;
  /** A dial of a wanted connection has failed. */
  dialFailed(peer: Peer, error: unknown): void;
  /**
   * Whether this node was connected with another one in a former incarnation.
   *
   * @default {none}
   */
  hasMet?(name: string): boolean;
  /** Some node knows a newer incarnation of this node's name than its own. */
  outlived(known: number): void;
  /** Asks a peer for a sign of life. */
  probe(peer: Peer): Promise<boolean>;
}

/** Settings of a {@linkcode ConnectionPool}. */
export interface ConnectionPoolOptions {
  readonly runtime: Runtime;
  readonly identity: ClusterIdentity;
  /** Whether the other end of a stream is the node that it claims to be, and may be a peer; without it, every claim is believed. */
  readonly identify?: ((stream: ByteStream, spec: NodeSpec) => Promise<Refusal | null>) | undefined;
  /** This node, as it is now. */
  readonly self: () => NodeSpec;
  /** Bounds of a channel's connections with a peer. */
  readonly connectionOptions: (channel: string, peer: NodeSpec) => ConnectionOptions;
  readonly backoff: BackoffOptions;
  /**
   * Whether an address may be dialed.
   *
   * @default {all may}
   */
  readonly mayDial?: (address: Address) => boolean;
  /** Milliseconds that the side which need not dial gives the other one. */
  readonly courtesy: number;
  /** Milliseconds in which a connection must be open, handshake included. */
  readonly handshakeTimeout: number;
  /** Milliseconds of silence that are borne, of a peer or of a connection. */
  readonly silence: number;
  /** Milliseconds between two looks at the connections. */
  readonly interval: number;
  /** Milliseconds for which connections outlive the interest in them. */
  readonly idleGrace: number;
  /** Most accepted streams that may be without a finished handshake at a time. */
  readonly halfOpenMax: number;
  /** Most bytes that are held of the half-read frames of one peer. */
  readonly halfReadMax: number;
  /** Told about each dialer that was refused here. */
  readonly refused?: ConnectionOpenerOptions["refused"];
  /** Told how long handshakes took. */
  readonly handshakes?: ConnectionOpenerOptions["handshakes"];
  /** Local health of this node: how late its timers are. */
  readonly health?: ConnectionOpenerOptions["health"];
  /**
   * Pool of writers that put sealed records together.
   *
   * @default {a pool for each stream}
   */
  readonly writers?: WriterPool | undefined;
  readonly handler: ConnectionPoolHandler;
}
