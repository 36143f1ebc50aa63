// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DEFAULT_CHANNEL } from "../connections/peer.ts";
import { DEMONITOR_NAME, type HandlerFate, MONITOR_NAME } from "../messaging/monitors.ts";
import { checkOptions, type OptionKinds, SIGNAL, STRING } from "../runtime/options.ts";
import { shown, typeName } from "../runtime/type_name.ts";
import { checkHandlerName } from "./arguments.ts";
import { EventStream } from "./event_stream.ts";
import type { ServerRef } from "./forward_options.ts";
import type { Monitor, MonitorDown, MonitorOptions, MonitorReason, NodeStatus } from "./monitor.ts";
import type { Node } from "./node.ts";
import { forward, request } from "./sending.ts";

const MONITOR_OPTIONS: OptionKinds<MonitorOptions> = { channel: STRING };
const NODES_OPTIONS: OptionKinds<MonitorNodesOptions> = { signal: SIGNAL };

/** Options of `monitorNodes`. */
interface MonitorNodesOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Watches a handler: asks its node to answer when it is gone. */
export function monitor(by: Node, ref: ServerRef, options: MonitorOptions | undefined): Monitor {
  by.context.checkRunning("monitor");
  const action = "Cannot monitor a handler";
  if (typeof ref?.node !== "string") throw new TypeError(`${action}: it is ${shown(ref)}, expected { node, name }`);
  const { node, name } = ref;
  checkHandlerName(action, name);
  const { channel } = checkOptions(action, options, MONITOR_OPTIONS);
  if (channel !== undefined) checkChannel(by, node, channel);
  const id = by.messaging.monitors.nextId();
  const ended = Promise.withResolvers<HandlerFate>();
  const answer = request(by, {
    node,
    name: MONITOR_NAME,
    message: channel === undefined ? { name, id } : { name, id, channel },
  }, {});
  const down = Promise.race([answer, ended.promise]).then(
    (fate) => fate as HandlerFate,
    async (): Promise<MonitorReason> => {
      if (by.overlay.members.has(node)) return "down";
      if (channel !== undefined) await Promise.race([untilClosed(by, node, channel), ended.promise]);
      return "left";
    },
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

/** A channel that neither side knows has no messages to come behind. */
function checkChannel(by: Node, node: string, channel: string): void {
  if (Object.hasOwn(by.settings.channels, channel) || by.pool.peers.get(node)?.hasChannel(channel)) return;
  throw new RangeError(`Cannot monitor a handler on "${node}": channel "${channel}" is unknown; name it in "channels"`);
}

/** A node that leaves still sends what it had queued, and closes then: resolves when no connection of the channel with it is left. */
function untilClosed(by: Node, node: string, channel: string): Promise<void> {
  const closed = Promise.withResolvers<void>();
  const stopped = by.context.untilStopped(undefined);
  const check = () => {
    const peer = by.pool.peers.get(node);
    const isOpen = peer !== undefined && (peer.carries(channel) || peer.carries(DEFAULT_CHANNEL));
    if (!isOpen || stopped.aborted) closed.resolve();
  };
  const subscriptions = [channel, DEFAULT_CHANNEL].map((each) => by.status.down.add(node, check, { channel: each }));
  stopped.addEventListener("abort", check);
  check();
  return closed.promise.finally(() => {
    for (const each of subscriptions) each[Symbol.dispose]();
    stopped.removeEventListener("abort", check);
  });
}

/** Ends a watch. */
export function demonitor(monitor: Monitor): void {
  if (typeof monitor?.[Symbol.dispose] === "function") return monitor[Symbol.dispose]();
  throw new TypeError(`Cannot end a watch: it is ${typeName(monitor)}, expected what monitor() returned`);
}

/** The nodes that come and go from now on. */
export function monitorNodes(
  by: Node,
  options: MonitorNodesOptions | undefined,
): AsyncIterableIterator<NodeStatus> {
  by.context.checkRunning("monitor");
  const { signal } = checkOptions("Cannot monitor nodes", options, NODES_OPTIONS);
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
