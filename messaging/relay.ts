// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { RelayHeader } from "../wire/relay_header.ts";

/** Options of a {@linkcode Relay}. */
export interface RelayOptions {
  /**
   * Most links that a message may go along.
   *
   * @default {5}
   */
  readonly ttl?: number;
  /**
   * Number of messages that are remembered, to let none through twice.
   *
   * @default {8_192}
   */
  readonly memory?: number;
  /**
   * The number of the first message. By chance, so that only a node that sees the messages can name the number of a later one.
   *
   * @default {() => 1}
   */
  readonly first?: () => number;
}

/** Links over which a node can send at the moment. */
export interface RelayLinks {
  /** Names of all connected peers. */
  readonly connected: ReadonlySet<string>;
  /** Names of those that are this node's neighbours in a spanning tree; empty when there is no tree. */
  readonly outLinks: readonly string[];
}

/** Decision about a relayed message. */
export interface RelayStep {
  /**
   * - `"arrived"`: it is for this node, and new: hand it over.
   * - `"forwarded"`: send it to all of `next`.
   * - `"duplicate"`: it was here before, with as far to go; drop it.
   * - `"expired"`: it may go no further; drop it and tell so.
   * - `"stuck"`: there is no node to send it to; drop it and tell so.
   */
  readonly outcome: "arrived" | "forwarded" | "duplicate" | "expired" | "stuck";
  /** The header to send on. */
  readonly header: RelayHeader;
  /** The nodes to send to; empty unless it is forwarded. */
  readonly next: readonly string[];
}

/**
 * The way of messages to members to which there is no direct connection: straight to the destination where there is a connection
 * to it, else along the links of a spanning tree, else to all nodes. A message never goes back to where it was, goes along a
 * limited number of links, and reaches its destination's handler once.
 *
 * On a tree a message goes along each link once at most, but not always the shortest path: a repetition of one that was
 * not acknowledged had better be flooded.
 */
export class Relay {
  #self: { readonly name: string; readonly incarnation: number };
  readonly #ttl: number;
  readonly #memory: number;
  /** By message, oldest first: how far it could still go when it was here. */
  readonly #seen = new Map<string, number>();
  readonly #first: () => number;
  #sequence: number | undefined;

  /** `self` is this node's present incarnation. */
  constructor(
    self: { readonly name: string; readonly incarnation: number },
    { ttl = 5, memory = 8_192, first = () => 1 }: RelayOptions = {},
  ) {
    this.#self = self;
    this.#ttl = ttl;
    this.#memory = memory;
    this.#first = first;
  }

  /** Begins again as another incarnation of this node, which is handed nothing that the former one was. */
  restart(self: { readonly name: string; readonly incarnation: number }): void {
    this.#self = self;
    this.#sequence = undefined;
  }

  /** Number of messages that are remembered now. */
  get size(): number {
    return this.#seen.size;
  }

  /**
   * Begins the way of a message.
   *
   * @param tree The root of the spanning tree that it goes along; `null` when it goes to all nodes.
   */
  send(destination: string, links: RelayLinks, tree: string | null = null): RelayStep {
    this.#sequence = this.#sequence === undefined ? this.#first() : this.#sequence + 1;
    const header = {
      origin: this.#self.name,
      incarnation: this.#self.incarnation,
      sequence: this.#sequence,
      destination,
      ttl: this.#ttl,
      tree,
      path: [],
    };
    this.#remember(header);
    return this.#forward(header, links);
  }

  /** Takes a message from another node. */
  receive(header: RelayHeader, links: RelayLinks): RelayStep {
    const { destination, ttl } = header;
    const end = (outcome: RelayStep["outcome"]) => ({ outcome, header, next: [] });
    const isArrived = destination === this.#self.name;
    const before = this.#seen.get(keyOf(header));
    // One that came by a shorter way than before may reach nodes that were out of its reach.
    if (before !== undefined && (isArrived || before >= ttl)) return end("duplicate");
    this.#remember(header);
    if (isArrived) return end("arrived");
    if (ttl <= 0) return end("expired");
    return this.#forward(header, links);
  }

  #forward(header: RelayHeader, { connected, outLinks }: RelayLinks): RelayStep {
    const { destination } = header;
    const onward = { ...header, ttl: header.ttl - 1, path: [...header.path, this.#self.name] };
    const tree = outLinks.filter((name) => connected.has(name));
    const candidates = connected.has(destination) ? [destination] : tree.length > 0 ? tree : [...connected];
    const next = candidates.filter((name) => name !== this.#self.name && !header.path.includes(name));
    return next.length === 0
      ? { outcome: "stuck", header: onward, next }
      : { outcome: "forwarded", header: onward, next };
  }

  #remember(header: RelayHeader): void {
    const key = keyOf(header);
    this.#seen.delete(key);
    this.#seen.set(key, header.ttl);
    forgetOldest(this.#seen, this.#memory);
  }
}

function keyOf({ origin, incarnation, sequence }: RelayHeader): string {
  return `${incarnation}:${sequence}:${origin}`;
}
