// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";

/**
 * Finds out what keeps nodes of a full mesh from being one settled cluster. Made to be asked again and again: it looks first at what
 * it found the last time.
 */
export class DisagreementFinder {
  readonly #obstacle: (from: string, to: string) => string | undefined;
  #node = 0;
  #other = 0;

  /** @param obstacle Why nothing passes from a node to another one, if so: then what they think of each other will change. */
  constructor(obstacle: (from: string, to: string) => string | undefined) {
    this.#obstacle = obstacle;
  }

  /** What is at odds, in half a sentence; `undefined` when nothing is. */
  find(nodes: readonly PeerServiceManager[]): string | undefined {
    const [first] = nodes;
    for (let count = 0; count < nodes.length; count++, this.#node++) {
      this.#node %= nodes.length;
      const node = nodes[this.#node]!;
      const found = differentView(first!, node) ?? this.#missingConnection(node, nodes);
      if (found !== undefined) return found;
    }
    return undefined;
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
  return isSame ? undefined : `"${first.name}" knows ${lives(expected)}, but "${node.name}" knows ${lives(found)}`;
}

function lives(specs: readonly { readonly name: string; readonly incarnation: number }[]): string {
  return specs.map(({ name, incarnation }) => `"${name}" (${incarnation})`).join(", ");
}
