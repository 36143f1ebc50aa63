// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DEMONITOR_NAME, type HandlerFate, MONITOR_NAME } from "../messaging/monitors.ts";
import { EventStream } from "./event_stream.ts";
import type { ServerRef } from "./forward_options.ts";
import type { Monitor, MonitorDown, MonitorReason, NodeStatus } from "./monitor.ts";
import type { Node } from "./node.ts";
import { call, forward } from "./sending.ts";

/** Watches a handler: asks its node to answer when it is gone. */
export function monitor(by: Node, { node, name }: ServerRef): Monitor {
  by.context.checkRunning("monitor");
  const id = by.messaging.monitors.nextId();
  const ended = Promise.withResolvers<HandlerFate>();
  const answer = call(by, { node, name: MONITOR_NAME, message: { name, id } }, {});
  const down = Promise.race([answer, ended.promise]).then(
    (fate) => fate as HandlerFate,
    (): MonitorReason => by.overlay.members.has(node) ? "down" : "left",
  ).then((reason): MonitorDown => {
    by.context.emit("monitor", { node, name, reason });
    return { node, name, reason };
  });
  // To a node that is gone there is nothing to say: that throws at once.
  const takeBack = async () =>
    await forward(by, { node, name: DEMONITOR_NAME, message: { id }, options: {}, cast: false });
  const end = () => {
    ended.resolve("demonitored");
    if (!by.context.stopped) takeBack().catch(() => {});
  };
  return { ref: { node, name }, down, [Symbol.dispose]: end };
}

/** The nodes that come and go from now on. */
export function monitorNodes(by: Node, signal: AbortSignal | undefined): AsyncIterableIterator<NodeStatus> {
  by.context.checkRunning("monitor");
  const stream = new EventStream<NodeStatus>();
  const push = (node: string, status: NodeStatus["status"]) =>
    stream.push({ node, status, reason: by.statuses.of(node)?.reason ?? "it is no member" });
  const up = by.status.up.add("*", (node) => push(node, "up"));
  const down = by.status.down.add("*", (node) => push(node, "down"));
  const signals = [by.context.untilStopped(undefined), ...(signal === undefined ? [] : [signal])];
  const end = () => stream.end();
  stream.ended.then(() => {
    up[Symbol.dispose]();
    down[Symbol.dispose]();
    // The signals outlive the stream.
    for (const each of signals) each.removeEventListener("abort", end);
  });
  for (const each of signals) {
    each.addEventListener("abort", end);
    if (each.aborted) end();
  }
  return stream;
}
