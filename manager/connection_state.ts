// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DEFAULT_CHANNEL } from "../connections/peer.ts";
import { checkKind, STRING } from "../runtime/options.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { nameOf } from "./arguments.ts";
import type { Node } from "./node.ts";

/** Names of the nodes that can be reached now, sorted. */
export function connected({ pool }: Node): string[] {
  return [...pool.peers.values()].filter(({ up }) => up).map(({ name }) => name).sort();
}

/** Whether a node can be reached now; with a channel, whether that carries messages. */
export function isConnected({ pool, self }: Node, node: string | NodeSpec, channel: string | undefined): boolean {
  const action = "Cannot look up a connection";
  const name = nameOf(action, node);
  if (channel !== undefined) checkKind(action, "the channel", channel, STRING);
  if (name === self.name) return true;
  const peer = pool.peers.get(name);
  return peer !== undefined && peer.up && (channel === undefined || peer.carries(channel));
}

/** Whether every connection with a node is open, and none is in doubt. */
export function isFullyConnected({ pool, self }: Node, node: string | NodeSpec): boolean {
  const name = nameOf("Cannot look up a connection", node);
  if (name === self.name) return true;
  const peer = pool.peers.get(name);
  return peer !== undefined && peer.fullyConnected && !peer.doubtful;
}

/** Resolves once messages to a node can be cast again. */
export function ready(from: Node, node: string | NodeSpec, channel: string = DEFAULT_CHANNEL): Promise<void> {
  try {
    checkKind("Cannot wait", "the channel", channel, STRING);
    return from.messaging.outbound.ready(nameOf("Cannot wait", node), channel);
  } catch (error) {
    return Promise.reject(error);
  }
}
