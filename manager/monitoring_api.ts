// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DEMONITOR_NAME, type HandlerFate, MONITOR_NAME } from "../messaging/monitors.ts";
import { EventStream } from "./event_stream.ts";
import { FaultInjectionApi } from "./fault_injection_api.ts";
import type { ServerRef } from "./forward_options.ts";

/**
 * Why a monitored handler is gone:
 *
 * - `not_registered`: there was none when it was asked for.
 * - `unregistered`: it was taken back.
 * - `down`: its node cannot be reached.
 * - `left`: its node is no member.
 * - `demonitored`: nobody wants to know any more.
 */
export type MonitorReason = HandlerFate | "down" | "left";

/** The end of a monitored handler. */
export interface MonitorDown extends ServerRef {
  /** Why it is gone. */
  readonly reason: MonitorReason;
}

/** A watch over a handler. Disposing it is the same as `demonitor`. */
export interface Monitor extends Disposable {
  /** The handler. */
  readonly ref: ServerRef;
  /** Resolves once, when the handler is gone or the monitor is ended. Never rejects. */
  readonly down: Promise<MonitorDown>;
}

/** A node that came or went. */
export interface NodeStatus {
  /** The node. */
  readonly node: string;
  /** Whether it can be reached now. */
  readonly status: "up" | "down";
}

/** Watches over handlers and nodes. */
export class MonitoringApi extends FaultInjectionApi {
  #monitorCount = 0;

  /**
   * Watches a handler, here or on another node.
   *
   * @returns The watch, whose `down` tells when the handler is gone: at once when it does not exist.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Be told when the node of a handler is down
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("worker", () => {});
   * const monitor = a.monitor({ node: "b", name: "worker" });
   *
   * await b.stop();
   * assertEquals(await monitor.down, { node: "b", name: "worker", reason: "down" });
   * ```
   */
  monitor({ node, name }: ServerRef): Monitor {
    this.node.checkRunning("monitor");
    const id = ++this.#monitorCount;
    const ended = Promise.withResolvers<HandlerFate>();
    const down = Promise.race([this.call(node, MONITOR_NAME, { name, id }), ended.promise]).then(
      (fate) => fate as HandlerFate,
      (): MonitorReason => this.member(node) ? "down" : "left",
    ).then((reason): MonitorDown => {
      this.emit("monitor", { node, name, reason });
      return { node, name, reason };
    });
    const end = () => {
      ended.resolve("demonitored");
      this.forwardMessage(node, DEMONITOR_NAME, { id }).catch(() => {});
    };
    return { ref: { node, name }, down, [Symbol.dispose]: end };
  }

  /**
   * Ends a watch; its `down` resolves with the reason `demonitored`.
   *
   * @example Stop watching
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.register("worker", () => {});
   * const monitor = node.monitor({ node: "a", name: "worker" });
   *
   * node.demonitor(monitor);
   * assertEquals((await monitor.down).reason, "demonitored");
   * ```
   */
  demonitor(monitor: Monitor): void {
    monitor[Symbol.dispose]();
  }

  /**
   * Tells of each node that comes or goes from now on.
   *
   * @param options `signal` ends it; leaving the loop does so too.
   * @returns An iterator. A consumer that falls behind by more than 4,096 changes loses the oldest.
   *
   * @example The first node that comes
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const changes = a.monitorNodes();
   * await a.syncJoin(b.spec);
   *
   * for await (const change of changes) {
   *   assertEquals(change, { node: "b", status: "up" });
   *   break;
   * }
   * ```
   */
  monitorNodes(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<NodeStatus> {
    this.node.checkRunning("monitor");
    const stream = new EventStream<NodeStatus>();
    const up = this.onUp("*", (node) => stream.push({ node, status: "up" }));
    const down = this.onDown("*", (node) => stream.push({ node, status: "down" }));
    const end = () => stream.end();
    stream.ended.then(() => {
      up[Symbol.dispose]();
      down[Symbol.dispose]();
    });
    this.node.untilStopped(options.signal).addEventListener("abort", end, { once: true });
    return stream;
  }
}
