// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { reachedNodes } from "./reached_nodes.ts";

/**
 * Finds out what keeps nodes from being one settled cluster: in a full mesh, that all know all and are fully connected with all; elsewhere, that
 * there is a way from each node to each other one, along connections that both ends see. Made to be asked again and again: it looks first at what
 * it found the last time.
 */
export class DisagreementFinder {
  readonly #obstacle: (from: string, to: string) => string | undefined;
  #node = 0;
  #other = 0;

  /** @param obstacle Obstacle between a node and another one, if there is one: then their views of each other will change. */
  constructor(obstacle: (from: string, to: string) => string | undefined) {
    this.#obstacle = obstacle;
  }

  /** Disagreement of the nodes, in half a sentence; `undefined` when there is none. */
  find(nodes: readonly PeerServiceManager[]): string | undefined {
    const [first] = nodes;
    if (first === undefined) return undefined;
    const { isFullMesh, knowsAll } = PeerService.nodeOf(first).settings.strategy;
    if (isFullMesh !== true) return this.#brokenOverlay(nodes, knowsAll === true);
    for (let count = 0; count < nodes.length; count++, this.#node++) {
      this.#node %= nodes.length;
      const node = nodes[this.#node]!;
      const found = differentView(first, node) ?? this.#missingConnection(node, nodes);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #brokenOverlay(nodes: readonly PeerServiceManager[], knowsAll: boolean): string | undefined {
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const [first] = nodes;
    for (const { name } of nodes) {
      const paused = this.#obstacle(name, name);
      if (paused !== undefined) return paused;
    }
    for (const node of nodes) {
      const found = knowsAll ? differentView(first!, node) : undefined;
      if (found !== undefined) return found;
      for (const name of node.connected()) {
        const other = byName.get(name);
        if (other === undefined) return `"${node.name}" is connected with "${name}", which does not run`;
        if (!other.isConnected(node.name)) return `"${node.name}" is connected with "${name}", which does not see it`;
        const between = this.#obstacle(node.name, name);
        if (between !== undefined) return between;
      }
    }
    const reached = reachedNodes(nodes);
    const missing = nodes.find(({ name }) => !reached.has(name));
    return missing && `there is no way along connections from "${first!.name}" to "${missing.name}"`;
  }

  #missingConnection(node: PeerServiceManager, nodes: readonly PeerServiceManager[]): string | undefined {
    for (let count = 0; count < nodes.length; count++, this.#other++) {
      this.#other %= nodes.length;
      const other = nodes[this.#other]!;
      if (!node.member(other.name)) return `"${node.name}" does not have "${other.name}" for a member`;
      if (!node.isFullyConnected(other.name)) return `"${node.name}" is not fully connected with "${other.name}"`;
      const obstacle = this.#obstacle(node.name, other.name);
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  }
}

function differentView(first: PeerServiceManager, node: PeerServiceManager): string | undefined {
  const expected = first.membersForOrchestration();
  const found = node.membersForOrchestration();
  const isSame = expected.length === found.length && expected.every(({ name, incarnation }, index) => {
    const spec = found[index]!;
    return spec.name === name && spec.incarnation === incarnation;
  });
  return isSame
    ? undefined
    : `"${first.name}" knows ${incarnations(expected)}, but "${node.name}" knows ${incarnations(found)}`;
}

function incarnations(specs: readonly { readonly name: string; readonly incarnation: number }[]): string {
  return specs.map(({ name, incarnation }) => `"${name}" (${incarnation})`).join(", ");
}
