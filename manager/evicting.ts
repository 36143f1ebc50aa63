// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { NodeContext } from "./node_context.ts";
import type { Overlay } from "./overlay.ts";
import type { MembershipChange, Part } from "./part.ts";

/**
 * Whether a node that sees `seen` of `members` members, itself included, may evict others.
 *
 * @param quorum Number of members that it must see; `undefined` for a majority.
 */
export function hasQuorum(seen: number, members: number, quorum: number | undefined): boolean {
  return seen >= (quorum ?? Math.floor(members / 2) + 1);
}

/** Whether members can be evicted: where no node keeps connections with all, a member without one is not down. */
function canEvict({ isFullMesh, evict }: Strategy): boolean {
  return isFullMesh === true && evict !== undefined;
}

/** Removes members that were down for long, where enough others are seen: names that never come back do not stay for good. */
export class Evicting implements Part {
  readonly #context: NodeContext;
  readonly #overlay: Overlay;
  /** Since when each member is down, on the local clock. */
  readonly #downSince = new Map<string, number>();
  #hasWarned = false;

  constructor(context: NodeContext, overlay: Overlay) {
    this.#context = context;
    this.#overlay = overlay;
  }

  start(): void {
    for (const name of this.#context.members.keys()) this.#isDown(name);
  }

  peerUp({ name }: Peer): void {
    this.#downSince.delete(name);
  }

  peerDown({ name }: Peer): void {
    this.#isDown(name);
  }

  membersChanged({ joined, left }: MembershipChange): void {
    for (const { name } of joined) if (this.#context.pool.peers.get(name)?.up !== true) this.#isDown(name);
    for (const { name } of left) this.#downSince.delete(name);
  }

  restart(): void {
    this.#downSince.clear();
    this.start();
  }

  periodic(): void {
    const { settings: { evict, strategy }, members, runtime, emit } = this.#context;
    if (evict === undefined) return;
    if (!canEvict(strategy)) return this.#warn(strategy.name);
    const now = runtime.clock.now();
    const down = [...this.#downSince].filter(([name]) => members.has(name));
    if (!hasQuorum(members.size - down.length, members.size, evict.quorum)) return;
    for (const [name, since] of down) {
      const spec = members.get(name);
      if (spec === undefined || now - since < evict.after) continue;
      this.#downSince.delete(name);
      if (this.#overlay.evict(spec)) emit("evicted", { node: name });
    }
  }

  /** Warns once: the option was given for nothing. */
  #warn(strategy: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const message = `The option "evict" does nothing with the strategy "${strategy}": ` +
      "only where every node keeps connections with all others can it be told which members are down";
    this.#context.emit("warning", { code: "cannot-evict", message });
  }

  #isDown(name: string): void {
    const { self, runtime, settings: { evict, strategy } } = this.#context;
    if (evict === undefined || name === self.name || !canEvict(strategy)) return;
    if (!this.#downSince.has(name)) this.#downSince.set(name, runtime.clock.now());
  }
}
