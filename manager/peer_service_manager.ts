// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../membership/node_spec.ts";
import { StoppedError } from "../messaging/errors.ts";
import { importSecrets } from "../transport/shared_secrets.ts";
import type { Address, Listener } from "../transport/transport.ts";
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
 */
export class PeerServiceManager extends MonitoringApi implements AsyncDisposable {
  /** Listens, and begins to live. For {@linkcode startPeerService}, which says what the options mean. */
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
   */
  supportsCapability(capability: string): boolean {
    return capability === "monitoring";
  }

  /**
   * Keeps a place among this node's connections for a node whose `metadata.tag` is `tag`.
   *
   * @returns Whether there is a place: always so in a full mesh.
   */
  reserve(tag: string): boolean {
    return this.node.overlay.reserve(tag);
  }

  /** Counters, queue depths and round-trip times. */
  stats(): PeerServiceStats {
    return nodeStats(this.node);
  }

  /**
   * Stops: sends what is queued, for a second at most, and closes everything. The node stays a member; others will try to reach it again. What
   * still waits rejects with {@linkcode StoppedError}. Stopping twice does nothing more.
   */
  stop(): Promise<void> {
    return this.node.stop(new StoppedError(`Cannot go on: "${this.name}" was stopped`));
  }

  /** Stops the node. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
