// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { MembershipApi } from "./membership_api.ts";
import { nameOf } from "./node_name.ts";
import type { StatusListener, StatusOptions } from "./subscriptions.ts";

/** Who can be reached. */
export class ConnectionApi extends MembershipApi {
  /**
   * Calls `listener` each time `node` can be reached, or with `channel`, each time the channel has all its connections.
   *
   * @param node A name, or `"*"` for every node.
   * @returns Ends the subscription when disposed.
   *
   * @example Greet whoever comes
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const seen = Promise.withResolvers<string>();
   * using _subscription = a.onUp("*", (node) => seen.resolve(node));
   *
   * await a.join(b.spec);
   * assertEquals(await seen.promise, "b");
   * ```
   */
  onUp(node: string, listener: StatusListener, options?: StatusOptions): Disposable {
    return this.node.upListeners.add(node, listener, options);
  }

  /**
   * Calls `listener` each time `node` cannot be reached any more, or with `channel`, each time the channel has lost all its connections.
   *
   * @param node A name, or `"*"` for every node.
   * @returns Ends the subscription when disposed.
   *
   * @example Notice that a node has stopped
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const gone = Promise.withResolvers<string>();
   * using _subscription = a.onDown("b", (node) => gone.resolve(node));
   *
   * await b.stop();
   * assertEquals(await gone.promise, "b");
   * assertEquals(a.members(), ["a", "b"]);
   * ```
   */
  onDown(node: string, listener: StatusListener, options?: StatusOptions): Disposable {
    return this.node.downListeners.add(node, listener, options);
  }

  /**
   * Whether a node can be reached now; with a channel, whether it has at least one connection. Always true for this node.
   *
   * @example By node, and by channel
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assert(a.isConnected("b"));
   * assert(a.isConnected("b", "membership"));
   * assertFalse(a.isConnected("c"));
   * ```
   */
  isConnected(node: string | NodeSpec, channel?: string): boolean {
    if (nameOf(node) === this.name) return true;
    const peer = this.node.pool.peers.get(nameOf(node));
    return peer !== undefined && peer.up && (channel === undefined || peer.openOn(channel) > 0);
  }

  /**
   * Whether every connection with a node is open, and none about to be replaced because nothing comes through. Always true for this node.
   *
   * @example After syncJoin()
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assert(a.isFullyConnected("b"));
   * assertFalse(a.isFullyConnected("c"));
   * ```
   */
  isFullyConnected(node: string | NodeSpec): boolean {
    if (nameOf(node) === this.name) return true;
    const peer = this.node.pool.peers.get(nameOf(node));
    return peer !== undefined && peer.fullyConnected && !peer.doubtful;
  }

  /**
   * Names of the nodes that can be reached now, without this one, sorted.
   *
   * @example Whom a node can reach
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   *
   * assertEquals(a.connected(), []);
   * await a.syncJoin(b.spec);
   * assertEquals(a.connected(), ["b"]);
   * ```
   */
  connected(): string[] {
    return [...this.node.pool.peers.values()].filter(({ up }) => up).map(({ name }) => name).sort();
  }
}
