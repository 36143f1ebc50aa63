// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import { type Address, formatAddress } from "../wire/address.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { NodeContext } from "./node_context.ts";
import type { Part } from "./part.ts";
import { isLoopback } from "./posture.ts";

/** Nodes that are warned of, until the node stops. */
const NODES_MAX = 1_024;

/** Warns where a node tells peers on other hosts nothing but loopback addresses: these lead each host to itself. */
export class LoopbackWarnings implements Part {
  readonly #context: NodeContext;
  readonly #told = new Set<string>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  peerLinked({ spec, membership }: Peer): void {
    const remote = membership?.remoteAddress;
    if (remote === undefined || isLoopback(remote)) return;
    this.#check(spec, () => `the other end of the connection is at "${remote.hostname}"`);
    this.#check(this.#context.self, () => `"${spec.name}" is at "${remote.hostname}"`);
  }

  #check({ name, addresses }: NodeSpec, where: () => string): void {
    if (addresses.length === 0 || !addresses.every(isLoopback)) return;
    if (this.#told.has(name) || this.#told.size >= NODES_MAX) return;
    this.#told.add(name);
    const told = addresses.map(textOf).join(", ");
    const message = `"${name}" tells others to dial ${told}, which leads each host to itself, and ${where()}: ` +
      'give it an address that the others can dial, by the option "advertise" or "listen"';
    this.#context.emit("warning", { code: "loopback-address", message, node: name });
  }
}

function textOf(address: Address): string {
  return `"${formatAddress(address)}"`;
}
