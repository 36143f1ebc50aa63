// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SnapshotStore } from "../membership/snapshot_store.ts";
import type { Log } from "../runtime/log_entry.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { Admit, TlsOptions } from "./identity.ts";
import type { Codec } from "../wire/codec.ts";
import type { Address } from "../wire/address.ts";
import type { Discovery } from "./discovery.ts";
import type { AllowOptions } from "./allowances.ts";
import type { PresetName } from "./presets.ts";

/** The option `evict` of a node. */
export interface EvictOptions {
  /** Milliseconds for which a member must have been down, 1,000 or more. */
  readonly after: number;
  /**
   * Number of members, itself included, that a node must see to evict others. With 1 or less, each part of a cluster that fell
   * apart evicts the others; they merge again when one finds another.
   *
   * @default {a majority of the members}
   */
  readonly quorum?: number | undefined;
}

/** Options of a channel. */
export interface ChannelOptions {
  /**
   * Connections per pair of nodes, 1 to 64, from the first use of the channel on. Where the two differ, the smaller number counts.
   *
   * @default {1}
   */
  readonly parallelism?: number | undefined;
  /**
   * Whether a newer message may take the place of older ones to the same handler while the queue is loaded. The newest always arrives.
   *
   * @default {false}
   */
  readonly monotonic?: boolean | undefined;
  /**
   * Whether batches of 1 KiB and more are deflated: where both nodes ask for it, or the only one of them that has the channel.
   *
   * @default {false}
   */
  readonly compression?: boolean | undefined;
  /**
   * Bytes that may wait on each connection, 64 KiB to 2 GiB. A quarter of it, 256 KiB at most, is the high-water mark.
   *
   * @default {8 MiB}
   */
  readonly maxQueuedBytes?: number | undefined;
}

/** Options of {@linkcode startPeerService}. Everything has a default. All times in milliseconds. */
export interface PeerServiceOptions {
  /**
   * Name of the node, unique in the cluster; 1 to 255 characters, none of them a control character or a line break.
   *
   * @default {a random one}
   */
  readonly name?: string | undefined;
  /**
   * Addresses to listen on: `"host:port"` or an object, or several of them. Port 0 takes any free port.
   *
   * @default {"127.0.0.1:0"}
   */
  readonly listen?: string | Address | readonly (string | Address)[] | undefined;
  /**
   * Addresses told to others, when they differ from those listened on (address translation, containers, `0.0.0.0`).
   *
   * @default {the addresses listened on}
   */
  readonly advertise?: string | Address | readonly (string | Address)[] | undefined;
  /**
   * Further channels. `"default"` and `"membership"` always exist and may be configured here.
   *
   * @default {{}}
   */
  readonly channels?: Readonly<Record<string, ChannelOptions>> | undefined;
  /**
   * Strategy that decides which nodes are in the cluster, and which of them are connected.
   *
   * @default {fullMesh(), with the fan-out of the option `gossip`}
   */
  // deno-lint-ignore no-explicit-any -- the state is the strategy's own affair
  readonly strategy?: Strategy<any> | undefined;
  /**
   * Name of the cluster. Nodes of different clusters refuse each other.
   *
   * @default {"default"}
   */
  readonly cluster?: string | undefined;
  /**
   * Secret that every node of the cluster knows and no outsider does. Of several, all are accepted, so that they can be
   * rotated; at most 8.
   *
   * @default {none: anyone who reaches the port may join}
   */
  readonly secret?: string | readonly string[] | undefined;
  /**
   * Mutual TLS 1.3 with every other node. With a `secret` besides, that is proven as well. Not together with `runtime`.
   *
   * @default {none: plain TCP}
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * The last decision about a new peer, for both ends of each new connection, once everything else is in order. With `tls` it is given the
   * certificate that the node has shown. An error that it throws counts as no.
   *
   * @default {every node that has the secret, or a certificate}
   */
  readonly admit?: Admit | undefined;
  /**
   * Permissions of other nodes at this one.
   *
   * @default {{}: the default of each field}
   */
  readonly allow?: AllowOptions | undefined;
  /**
   * Metadata of this node for the others, at most 16,384 bytes: 8 for each value, and 2 for each UTF-16 code unit of its texts
   * and keys. With name, addresses and channels it may take 56 KiB of MessagePack.
   *
   * @default {{}}
   */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Defaults for everything that depends on how far nodes are from each other.
   *
   * @default {"lan"}
   */
  readonly preset?: PresetName | undefined;
  /**
   * Failure detection: a silent node is suspected after `interval × missed`. `interval` is in milliseconds, up to an hour; `missed` a count
   * from 2 to 1,000.
   *
   * @default {that of the preset: 200 ms and 5 with `local`, 1 s and 5 with `lan`, 2 s and 8 with `wan`}
   */
  readonly heartbeat?: { readonly interval?: number | undefined; readonly missed?: number | undefined } | undefined;
  /**
   * Spreading of membership and attributes: every `interval` milliseconds, up to an hour, with `fanout` others, 1 to 100. The fan-out is that of the
   * default strategy and of attributes. A strategy that is given as an option brings its own, as `fullMesh({ fanout })` does, or has none, as HyParView
   * and SCAMP.
   *
   * @default {that of the preset: 200 ms and 2 with `local`, 1 s and 2 with `lan`, 2 s and 3 with `wan`}
   */
  readonly gossip?: { readonly interval?: number | undefined; readonly fanout?: number | undefined } | undefined;
  /**
   * Encoding of messages: any pair of functions, such as those of `@std/msgpack` or `@std/cbor`. All nodes must agree on it.
   *
   * @default {MessagePack, byte-compatible with `@std/msgpack` and faster}
   */
  readonly codec?: Codec | undefined;
  /**
   * Largest frame, in bytes: 1 KiB to 1 GiB. Others learn it when they connect, and reject larger messages for this node at once. What nodes say
   * to each other on their own account, over the channel `membership`, may have 1 MiB all the same.
   *
   * @default {64 MiB}
   */
  readonly maxFrameBytes?: number | undefined;
  /**
   * Every label under which messages may be sent in causal order. At a node that does not know a label, its messages come in any order.
   *
   * @default {any label}
   */
  readonly causalLabels?: readonly string[] | undefined;
  /**
   * Maximum of pending promises of handlers, 1 to 10 million. Beyond it a call rejects with `OverloadedError`, an acknowledged
   * message is repeated later, and any other message waits: the connection that it came over is not read until there is room. A
   * handler may have a bound of its own, the option `concurrency` of `register()`.
   *
   * @default {10_000}
   */
  readonly maxInflight?: number | undefined;
  /**
   * Maximum of calls of this node that wait for their replies, 1 to 10 million. Beyond it a call rejects with
   * `OverloadedError`.
   *
   * @default {10_000}
   */
  readonly maxPendingCalls?: number | undefined;
  /**
   * Maximum of streams that one peer may have open on this node, those of `callStream()` included: 1 to 1 million. A further
   * one is refused with `OverloadedError`.
   *
   * @default {1_000}
   */
  readonly maxStreams?: number | undefined;
  /**
   * Maximum of bytes of the attributes of one node, memberships of groups, presence and names included: 1,024 to 4 MiB. A node
   * takes no more from others than its own bound, so give all nodes the same. Whatever the bytes, a node has at most 4,096
   * attributes, of which none takes more than 960 KiB.
   *
   * @default {65_536}
   */
  readonly maxAttributeBytes?: number | undefined;
  /**
   * Most links that a `transitive` message may go along, 1 to 255. A path along the broadcast tree, which an acknowledged message takes at
   * first, is not always the shortest.
   *
   * @default {5 in a full mesh, 32 with any other strategy}
   */
  readonly relayTtl?: number | undefined;
  /**
   * Milliseconds, 10 to an hour, after which each node compares recent broadcasts with a random neighbour again, which repairs what the broadcast
   * tree missed.
   *
   * @default {10_000}
   */
  readonly treeRefreshInterval?: number | undefined;
  /**
   * Milliseconds, up to an hour, for which `syncJoin` goes on without progress when it was given no signal. Progress is a peer that
   * answers, be it that it has too much to do, another member that becomes known, and another connection that opens. Where a connection is
   * accepted and nothing is said, the first three such handshakes count as well, for as long as each lasts, and so do the first twelve answers that
   * a connected peer does not give in time: a node with too much to do looks like that. Time in which this process did not run does not count, and
   * time passes more slowly for a node whose timers are late.
   *
   * @default {10_000}
   */
  readonly joinTimeout?: number | undefined;
  /**
   * Store in which the node keeps its name, its incarnation and the membership, so that it finds its cluster by itself after a
   * restart: `fileStore(path)`, or any other. Each node needs one of its own.
   *
   * @default {none: after a restart the node has to join again, or to be found by the others at its former address}
   */
  readonly store?: SnapshotStore | undefined;
  /**
   * Sources by which this node finds others, one or several: `list`, `file`, `dns` and `kubernetes` of
   * `@partisan/peer-service/discovery`, or one of your own. Nodes that are found are joined, for as long as this node lives.
   *
   * @default {none}
   */
  readonly discovery?: Discovery | readonly Discovery[] | undefined;
  /**
   * Removes members that were down for long. One that comes back all the same joins again by itself, as a new incarnation. Only where every
   * node keeps connections with all others: with another strategy it does nothing, of which a `warning` event with the code `cannot-evict` tells.
   *
   * @default {none: only `leave` removes}
   */
  readonly evict?: EvictOptions | undefined;
  /**
   * Version of the program, at most 255 characters: the attribute `appVersion` of this node from its start.
   *
   * @default {none}
   */
  readonly appVersion?: string | undefined;
  /**
   * Takes every `error`, `undeliverable` and `warning` event of a type that has no listener; `false` drops them.
   *
   * @default {writes them to the console, each kind once a minute; in a simulation nothing is written}
   */
  readonly log?: false | Log | undefined;
  /**
   * Clock, randomness and transport; for tests and simulations.
   *
   * @default {the real ones: Deno's clock and TCP}
   */
  readonly runtime?: Runtime | undefined;
}
