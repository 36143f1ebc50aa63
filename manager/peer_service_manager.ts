// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { StoppedError } from "../messaging/errors.ts";
import { importSecrets } from "../connections/handshake/shared_secrets.ts";
import type { Listener } from "../transport/transport.ts";
import type { Address } from "../wire/address.ts";
import { MonitoringApi } from "./monitoring_api.ts";
import { Node } from "./node.ts";
import { nodeStats, type PeerServiceStats } from "./peer_service_stats.ts";
import type { Persistence } from "./persistence.ts";
import type { Settings } from "./settings.ts";

/**
 * A running node: Partisan's pluggable peer service manager.
 *
 * It keeps connections with the other nodes of its cluster, knows who is a member and who can be reached, and carries messages between
 * named handlers. Made by {@linkcode startPeerService}.
 *
 * @example What a node says of itself
 * ```ts
 * import { type PeerServiceManager, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * function describe(node: PeerServiceManager): string {
 *   return `${node.name} in ${node.spec.metadata.zone}`;
 * }
 *
 * await using node = await startPeerService({ name: "a", metadata: { zone: "eu-1" } });
 * assertEquals(describe(node), "a in eu-1");
 * ```
 */
export class PeerServiceManager extends MonitoringApi implements AsyncDisposable {
  /** @ignore Listens, and begins to live. For {@linkcode startPeerService}, which says what the options mean. */
  static async start(
    settings: Settings,
    persistence: Persistence | null,
    self: (listening: readonly Address[]) => NodeSpec,
  ): Promise<PeerServiceManager> {
    const started: { node?: Node } = {};
    const { transport } = settings.runtime;
    const secrets = await importSecrets(settings.runtime, settings.secrets);
    const listeners: Listener[] = [];
    try {
      for (const address of settings.listen) {
        listeners.push(
          await transport.listen(
            address,
            (stream) => started.node === undefined ? stream.close() : started.node.accept(stream),
          ),
        );
      }
      const spec = self(listeners.map(({ address }) => address));
      await persistence?.begin(spec);
      const manager = new PeerServiceManager((emit) => new Node(settings, spec, secrets, persistence, emit));
      started.node = manager.node;
      manager.node.start(listeners);
      return manager;
    } catch (error) {
      for (const listener of listeners) listener.close();
      await transport.drained?.();
      throw error;
    }
  }

  /**
   * Whether this manager can do something that not every manager can.
   *
   * @param capability `"monitoring"` is the only one that is known.
   *
   * @example Ask before use
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assert(node.supportsCapability("monitoring"));
   * assertFalse(node.supportsCapability("teleportation"));
   * ```
   */
  supportsCapability(capability: string): boolean {
    return capability === "monitoring";
  }

  /**
   * Keeps a place among this node's connections for a node whose `metadata.tag` is `tag`.
   *
   * @returns Whether there is a place: always so in a full mesh.
   *
   * @example A full mesh has room for everybody
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assert(node.reserve("cache"));
   * ```
   */
  reserve(tag: string): boolean {
    return this.node.overlay.reserve(tag);
  }

  /**
   * Counters, queue depths and round-trip times.
   *
   * @example What has become of messages
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("log", () => {});
   * await a.forwardMessage("b", "log", "hello", { ack: true });
   *
   * assertEquals(a.stats().messages.sent, 1);
   * assertEquals(b.stats().messages.delivered, 1);
   * assertEquals(Object.keys(a.stats().peers), ["b"]);
   * ```
   */
  stats(): PeerServiceStats {
    return nodeStats(this.node);
  }

  /**
   * Stops: sends what is queued, for a second at most, and closes everything. The node stays a member; others will try to reach it again. What
   * still waits rejects with {@linkcode StoppedError}. Stopping twice does nothing more.
   *
   * @example Nothing can be sent afterwards
   * ```ts
   * import { startPeerService, StoppedError } from "@partisan/peer-service";
   * import { assertRejects } from "@std/assert";
   *
   * const node = await startPeerService({ name: "a" });
   * await node.stop();
   *
   * await assertRejects(() => node.forwardMessage("a", "log", "hello"), StoppedError);
   * ```
   */
  stop(): Promise<void> {
    return this.node.stop(new StoppedError(`Cannot go on: "${this.name}" was stopped`));
  }

  /**
   * Stops the node.
   *
   * @example At the end of a block
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * {
   *   await using b = await startPeerService({ name: "b" });
   *   await a.syncJoin(b.spec);
   * }
   * assertEquals(a.members(), ["a", "b"]);
   * ```
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
