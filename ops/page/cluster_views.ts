// Copyright 2026 the Partisan peer-service authors. MIT license.

import { callAll } from "../../manager/calling_all.ts";
import { membershipIn } from "../../groups/group_entry.ts";
import { memberInfo } from "../../manager/member_info.ts";
import type { Node } from "../../manager/node.ts";
import { nodeStats } from "../../manager/peer_service_stats.ts";
import { type ClusterDocument, type NodeRow, type NodeView, nodeViewFrom, type Sight } from "./cluster_document.ts";
import { formatAddress } from "../../wire/address.ts";

/** By it the nodes ask each other. No user can register it. */
const HANDLER = "\0ops view";
/** Milliseconds that a node may take to say what it sees. The page is not held up by one that is stuck. */
const PATIENCE = 1_000;
/** Milliseconds for which an answer is given again: however many look at the page, the nodes are asked once. */
const FRESH = 500;

/** Views of all nodes of the cluster that have a handler of this module, gathered by one of them. */
export class ClusterViews {
  readonly #node: Node;
  #gathering: { readonly since: number; readonly document: Promise<ClusterDocument> } | undefined;

  /** From now on the node says what it sees when another one asks. */
  constructor(node: Node) {
    this.#node = node;
    node.messaging.registry.reserve(HANDLER, () => nodeView(node));
  }

  /** All that is known of the cluster now, or was half a second ago. */
  document(): Promise<ClusterDocument> {
    const now = this.#node.context.runtime.clock.now();
    if (this.#gathering === undefined || now - this.#gathering.since > FRESH) {
      this.#gathering = { since: now, document: this.#gather() };
    }
    return this.#gathering.document;
  }

  async #gather(): Promise<ClusterDocument> {
    const node = this.#node;
    const { context: { settings, runtime, stopped, self: { name: self } }, statuses, overlay } = node;
    const names = [...overlay.members.keys()].sort();
    const reachable = names.filter((name) => name !== self && statuses.of(name)?.status !== "down");
    const answers = stopped
      ? new Map<string, PromiseSettledResult<unknown>>()
      : await callAll(node, HANDLER, null, { nodes: reachable, timeout: PATIENCE });
    const rows = names.flatMap((name): NodeRow[] => {
      const answer = answers.get(name);
      const view = name === self ? nodeView(node) : answer?.status === "fulfilled" ? nodeViewFrom(answer.value) : null;
      return rowOf(node, name, view);
    });
    return {
      at: runtime.clock.wallTime(),
      title: settings.cluster,
      self,
      isFullMesh: settings.strategy.isFullMesh === true,
      nodes: rows,
      actions: [],
    };
  }
}

function rowOf(node: Node, name: string, view: NodeView | null): NodeRow[] {
  const info = memberInfo(node, name);
  if (info === undefined) return [];
  const { status, since, reason, addresses, attributes } = info;
  const state = attributes.get("draining") === true ? "draining" : status;
  const actions = name === node.self.name ? ["drain"] : [];
  return [{
    name,
    status,
    state,
    since,
    reason,
    addresses: addresses.map(formatAddress),
    attributes: Object.fromEntries([...attributes].filter(([key, value]) => membershipIn(key, value) === null)),
    groups: groupsIn(attributes),
    actions,
    view,
  }];
}

function groupsIn(attributes: ReadonlyMap<string, unknown>): string[] {
  const found = [...attributes].map(([key, value]) => membershipIn(key, value)).filter((one) => one !== null);
  return [...new Set(found.map(({ scope, group }) => scope === "default" ? group : `${group} (${scope})`))].sort();
}

/** View of a node, in a form that can be sent. */
export function nodeView(node: Node): NodeView {
  const { peers, messages, bytes } = nodeStats(node);
  const measured = Object.entries(peers).filter(([, { roundTrip }]) => roundTrip !== undefined);
  return {
    sees: sightsOf(node),
    roundTrips: Object.fromEntries(measured.map(([name, { roundTrip }]) => [name, Math.round(roundTrip! * 100) / 100])),
    queuedBytes: Object.values(peers).reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
    sent: messages.sent,
    delivered: messages.delivered,
    bytesIn: bytes.in,
    bytesOut: bytes.out,
    handlers: node.messaging.registry.names,
  };
}

function sightsOf(node: Node): Record<string, Sight> {
  const { pool, settings: { strategy } } = node;
  const sights = new Map<string, Sight>();
  for (const peer of pool.peers.values()) {
    if (peer.up && !peer.partitioned) sights.set(peer.name, peer.doubtful ? "s" : "u");
    else if (peer.wanted) sights.set(peer.name, "d");
  }
  if (strategy.isFullMesh === true) {
    for (const name of node.overlay.members.keys()) {
      if (name !== node.self.name && !sights.has(name)) sights.set(name, "d");
    }
  }
  return Object.fromEntries(sights);
}
