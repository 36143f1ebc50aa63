// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Warning } from "../runtime/log_entry.ts";
import type { MonitorDown } from "./monitor.ts";
import type { Undeliverable } from "../messaging/message_stats.ts";

/** Detail of `up` and `down`. */
export interface StatusDetail {
  /** The node that came or went. */
  readonly node: string;
  /** The channel of it, where only that is meant. */
  readonly channel?: string;
}

/** Detail of `removed`. */
export interface RemovedDetail {
  /** This node. */
  readonly node: string;
  /** Reason, in a sentence. */
  readonly reason: string;
}

/** Detail of `join`, `leave` and `suspect`. */
export interface NodeDetail {
  /** The node that it is about. */
  readonly node: string;
}

/** Detail of `partition`. */
export interface PartitionDetail {
  /** The members that can be reached, this node included, sorted. */
  readonly seen: string[];
  /** All members, sorted. */
  readonly known: string[];
  /** Whether those that can be reached are more than half of all. */
  readonly majority: boolean;
}

/** Detail of `message`. */
export interface ManagerMessageDetail {
  /** The node that sent it. */
  readonly from: string;
  /** Message that it sent. */
  readonly message: unknown;
}

/** Detail of `error`. */
export interface ErrorDetail {
  /** Error that was thrown. */
  readonly error: unknown;
  /** Action during which it was thrown, in a sentence. */
  readonly during: string;
  /** The node that it has to do with, if any. */
  readonly node?: string;
}

/** Detail of `trust`. */
export interface TrustDetail {
  /** Treatment of the other side: it was refused, or it has to wait because too much came from its address. */
  readonly kind: "refused" | "rate-limited";
  /** Reason, in a sentence. */
  readonly reason: string;
  /** Address of the other side, `host:port`, as far as that is known. */
  readonly address?: string | undefined;
  /** The node that the other side claims to be, as far as it said so. */
  readonly node?: string | undefined;
}

/** Detail of `attribute`. */
export interface AttributeDetail {
  /** The node whose attribute it is. */
  readonly node: string;
  /** The attribute. */
  readonly key: string;
  /** Its value; `undefined` when it was withdrawn, or its node cannot be seen any more. */
  readonly value: unknown;
}

/** The events of a peer service manager. */
export interface PeerServiceEventMap {
  /** A node can be reached: at its first connection, or after it was down. With `channel`: the channel has all its connections. */
  up: CustomEvent<StatusDetail>;
  /**
   * A node cannot be reached: its last connection closed, or it missed its heartbeats. It stays a member. With `channel`: that has been
   * without a connection for as long as it takes to open another one, although the node is up.
   * Over an overlay that exchanges neighbours, `memberInfo(node).status` is `"up"` where that is all that happened.
   */
  down: CustomEvent<StatusDetail>;
  /** A node became a member; with a strategy that knows some of the cluster only: it became known here. */
  join: CustomEvent<NodeDetail>;
  /** A node has left the cluster. */
  leave: CustomEvent<NodeDetail>;
  /** This node was removed from the cluster by another one, or another node has its name; it stops. */
  removed: CustomEvent<RemovedDetail>;
  /** Nothing was heard of a node for too long; others are being asked. */
  suspect: CustomEvent<NodeDetail>;
  /**
   * Members have been out of reach for `heartbeat.interval × missed`, or that has changed; at the end `seen` is `known` again. Both sides of a
   * split are told, each of its own. Only where the strategy keeps a full mesh: elsewhere a node cannot see which nodes the others reach.
   */
  partition: CustomEvent<PartitionDetail>;
  /** A message that came here, or was cast from here, did not reach its handler. */
  undeliverable: CustomEvent<Undeliverable>;
  /** Another manager sent a message to this one, with `sendMessage`. */
  message: CustomEvent<ManagerMessageDetail>;
  /** A monitored handler is gone, or the monitor was ended. */
  monitor: CustomEvent<MonitorDown>;
  /** A member was down for so long that this node removed it: the option `evict`. */
  evicted: CustomEvent<NodeDetail>;
  /** A node, this one included, changed an attribute. */
  attribute: CustomEvent<AttributeDetail>;
  /** A handler or listener threw, or something went wrong in the background. */
  error: CustomEvent<ErrorDetail>;
  /** The node goes on, but an operator should look at something: how it was set up, or what other nodes do. */
  warning: CustomEvent<Warning>;
  /** A node that wanted to connect was refused or made to wait. */
  trust: CustomEvent<TrustDetail>;
}

/** Tells the users of a node about an event. */
export type Emit = <Type extends keyof PeerServiceEventMap>(
  type: Type,
  detail: PeerServiceEventMap[Type]["detail"],
) => void;

/**
 * Listener for the events of a type.
 *
 * @typeParam Type The type.
 */
export type PeerServiceListener<Type extends keyof PeerServiceEventMap> =
  | ((event: PeerServiceEventMap[Type]) => void)
  | { handleEvent(event: PeerServiceEventMap[Type]): void };

/** An event target that knows the events of a peer service manager. */
export interface PeerServiceEvents extends EventTarget {
  /**
   * Has `listener` called at each event of a type.
   *
   * What it throws, or a promise that it returns rejects with, ends the process, as with every `EventTarget`: catch what is expected. What a handler of
   * messages throws or rejects with becomes an `error` event, and so does what the listeners of `onUp`, `onDown` and `onAttribute` throw.
   *
   * @example A handler that fails
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.register("faulty", () => {
   *   throw new Error("No such luck");
   * });
   * const failed = Promise.withResolvers<unknown>();
   * node.addEventListener("error", ({ detail }) => failed.resolve(detail.error));
   *
   * node.castMessage("a", "faulty", null);
   * assertEquals(`${await failed.promise}`, "Error: No such luck");
   * ```
   */
  addEventListener<Type extends keyof PeerServiceEventMap>(
    type: Type,
    listener: PeerServiceListener<Type> | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  /**
   * Removes a listener that `addEventListener` added.
   *
   * @example Listen no longer
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * let joins = 0;
   * const count = () => joins++;
   * a.addEventListener("join", count);
   * a.removeEventListener("join", count);
   *
   * await a.syncJoin(b.spec);
   * assertEquals(joins, 0);
   * ```
   */
  removeEventListener<Type extends keyof PeerServiceEventMap>(
    type: Type,
    listener: PeerServiceListener<Type> | null,
    options?: EventListenerOptions | boolean,
  ): void;
}
