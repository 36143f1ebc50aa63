// Copyright 2026 the Partisan peer-service authors. MIT license.

import { ClusterModel, type Observation } from "../../cli/cluster_model.ts";
import type { ViewReport } from "../../cli/protocol.ts";
import { present } from "../values.ts";

/** The view of a node that is connected with all of `peers`, in their first runs. */
export function viewOf(name: string, peers: readonly string[], changes: Partial<ViewReport> = {}): ViewReport {
  return {
    type: "view",
    at: 0,
    members: Object.fromEntries([name, ...peers].map((member) => [member, 1])),
    connected: peers,
    fullyConnected: peers,
    connections: 2 * peers.length,
    roundTrips: Object.fromEntries(peers.map((peer) => [peer, 0.5])),
    outgoing: Object.fromEntries(peers.map((peer) => [peer, { run: 1, attempted: 10, accepted: 10 }])),
    incoming: Object.fromEntries(peers.map((peer) => [peer, { run: 1, received: 10, disordered: 0 }])),
    sentPerSecond: 12.4,
    receivedPerSecond: 13.6,
    quiet: false,
    ...changes,
  };
}

/** A cluster of nodes that all agree; each has seen each of the others come up. */
export function clusterOf(...names: string[]): ClusterModel {
  const model = new ClusterModel();
  for (const name of names) model.act({ at: 0, kind: "start", node: name });
  for (const [index, name] of names.entries()) {
    const peers = names.filter((other) => other !== name);
    model.apply(name, { type: "started", at: 0, address: `127.0.0.1:${4_000 + index}` });
    for (const node of peers) model.observe(sighting(name, "up", node));
    model.apply(name, viewOf(name, peers));
  }
  return model;
}

/** A partial overlay with links between these pairs, as both ends see them; each has seen the other come up. */
export function overlayOf(...links: (readonly [string, string])[]): ClusterModel {
  const model = new ClusterModel({ isFullMesh: false });
  const names = [...new Set(links.flat())].sort();
  for (const name of names) model.act({ at: 0, kind: "start", node: name });
  for (const [index, name] of names.entries()) {
    const peers = links.filter((link) => link.includes(name)).map(([a, b]) => a === name ? b : a);
    model.apply(name, { type: "started", at: 0, address: `127.0.0.1:${4_000 + index}` });
    for (const node of peers) model.observe(sighting(name, "up", node));
    model.apply(name, viewOf(name, peers));
  }
  return model;
}

/** `observer` sees what became of `node`. */
export function sighting(observer: string, kind: Observation["kind"], node: string, at = 0): Observation {
  return { observer, kind, node, at };
}

/** The words of a command line, as a shell takes its quotes away. */
export function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => present(quoted ?? plain));
}
