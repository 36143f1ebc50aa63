// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { Address } from "../wire/address.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { backoffDelay } from "../connections/dialer/backoff.ts";
import type { Peer } from "../connections/peer.ts";
import type { NodeContext } from "./node_context.ts";
import type { MembershipChange, Part } from "./part.ts";

/** Most milliseconds between two look-ups, while all of them are in vain. */
const PAUSE_MAX = 60_000;

/** Most addresses that are remembered. */
const ADDRESSES_MAX = 4_096;

/**
 * Asks the nodes that are now where members used to be: nodes that restart may change addresses among each other, as containers do. A dial that
 * names the member that it means is refused there (`wrong-node`); this one means any node that answers, and so finds a member of the cluster.
 *
 * A node without connections asks in every round. Otherwise it asks as long as there is a member that it cannot reach, ever more rarely: one
 * address at a time, at most one in a round.
 */
export class Seeking implements Part {
  readonly #context: NodeContext;
  #asking = false;
  #fruitless = 0;
  #next = Infinity;
  /**
   * Addresses of members, or their last ones while they are missing: a node that moves may have gone to the former address of
   * another one.
   */
  readonly #formerAddresses = new Map<string, Address>();

  /** @param former Nodes, this one among them, as they were in an earlier incarnation of this one. */
  constructor(context: NodeContext, former: readonly NodeSpec[]) {
    this.#context = context;
    this.#remember(former);
    this.#remember(context.members.values());
  }

  /** A node was found. */
  peerLinked(_: Peer): void {
    this.#encourage();
  }

  /** A node is lost. */
  peerUnlinked(_: Peer): void {
    this.#encourage();
  }

  membersChanged({ joined, renewed }: MembershipChange): void {
    this.#remember(joined);
    this.#remember(renewed);
    this.#encourage();
  }

  restart(_: NodeSpec): void {
    this.#encourage();
  }

  /** Asks at one address, if it is time. */
  periodic(): void {
    if (this.#asking) return;
    const peers = [...this.#context.pool.peers.values()];
    const isAlone = !peers.some(({ linked }) => linked);
    if (!isAlone && !peers.some(isMissing)) return this.#rest();
    const now = this.#context.runtime.clock.now();
    if (this.#next === Infinity) this.#schedule(now);
    if (!isAlone && now < this.#next) return;
    this.#fruitless++;
    this.#schedule(now);
    this.#ask();
  }

  /** No member is missing: then none runs at a former address. */
  #rest(): void {
    this.#encourage();
    if (this.#formerAddresses.size <= this.#context.members.size) return;
    this.#formerAddresses.clear();
    this.#remember(this.#context.members.values());
  }

  #encourage(): void {
    this.#fruitless = 0;
    this.#next = Infinity;
  }

  #schedule(now: number): void {
    const { runtime: { random }, settings: { gossip: { interval } } } = this.#context;
    const options = { initial: 2 * interval, cap: PAUSE_MAX };
    this.#next = now + backoffDelay(this.#fruitless + 1, random.next(), options);
  }

  #remember(nodes: Iterable<NodeSpec>): void {
    for (const { addresses } of nodes) {
      for (const address of addresses) this.#formerAddresses.set(textOf(address), address);
    }
    forgetOldest(this.#formerAddresses, ADDRESSES_MAX);
  }

  async #ask(): Promise<void> {
    const { pool, runtime, self } = this.#context;
    // Who lives there is known already, and linked, or not to be reached.
    const known = [
      self,
      ...[...pool.peers.values()].filter(({ linked, partitioned }) => linked || partitioned).map(({ spec }) => spec),
    ];
    const taken = new Set(known.flatMap((spec) => spec.addresses.map(textOf)));
    const free = [...this.#formerAddresses].filter(([text]) => !taken.has(text)).map(([, address]) => address);
    // One of those that were asked longest ago, by chance, so that not all nodes go the same round.
    const address = free[Math.floor(runtime.random.next() * free.length / 2)];
    if (address === undefined) return;
    this.#formerAddresses.delete(textOf(address));
    this.#formerAddresses.set(textOf(address), address);
    this.#asking = true;
    try {
      await pool.reach(null, [address]);
    } catch {
      // Counted by the pool as a failed dial.
    }
    this.#asking = false;
  }
}

function isMissing({ wanted, linked, partitioned }: Peer): boolean {
  return wanted && !linked && !partitioned;
}

function textOf({ hostname, port }: Address): string {
  return `${hostname} ${port}`;
}
