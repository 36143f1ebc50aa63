// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import { participantKey } from "../wire/causal_stamp.ts";
import type { CausalDelivery, CausalOutcome } from "./causal_delivery.ts";
import type { CausalPatience } from "./causal_options.ts";
import { CausalOrder } from "./causality.ts";
import type { CausalPlace } from "../wire/envelope.ts";

/** Labels that a node keeps an order for when it was not told which ones exist. */
const LABELS_MAX = 256;

/** Labels that others may begin an order for, of those: the rest is for what this node sends itself. */
const FOREIGN_LABELS_MAX = LABELS_MAX / 2;

/** The causal orders of a node, one per label. All of them are told who comes and goes. */
export class CausalOrders<T> {
  readonly #labels: ReadonlySet<string> | undefined;
  readonly #orders = new Map<string, CausalOrder<T>>();
  /** By name: the incarnation that is there, for orders that begin later. */
  readonly #present = new Map<string, number>();
  readonly #patience: CausalPatience;
  #self: NodeIncarnation;

  /** @param labels Every label that there is; `undefined` for any. */
  constructor(labels: readonly string[] | undefined, self: NodeIncarnation, patience: CausalPatience = {}) {
    this.#patience = patience;
    this.#labels = labels === undefined ? undefined : new Set(labels);
    this.#self = self;
  }

  /** Number of messages that wait for others that come before them. */
  get size(): number {
    let size = 0;
    for (const order of this.#orders.values()) size += order.size;
    return size;
  }

  /** Whether messages may be sent under a label. */
  knows(label: string): boolean {
    if (this.#labels !== undefined) return this.#labels.has(label);
    return this.#orders.has(label) || this.#orders.size < LABELS_MAX;
  }

  /** Gives a message to `to`, a member, its place in the order. `undefined` when that incarnation is gone already. */
  place(label: string, to: NodeIncarnation, now: number): CausalPlace | undefined {
    const order = this.#order(label, now);
    const participant = participantKey(to.name, to.incarnation);
    return order.expect(participant, now) ? { label, stamp: order.send(participant), empty: false } : undefined;
  }

  /** A message is about to be repeated under its place. */
  repeat({ label, stamp }: CausalPlace, now: number): void {
    this.#orders.get(label)?.expect(stamp.to, now);
  }

  /** Takes a message that arrived. Under a label that is not shared here it is delivered at once. */
  receive(
    from: NodeIncarnation,
    { label, stamp }: CausalPlace,
    payload: T,
    at: { readonly bytes: number; readonly now: number },
  ): { readonly outcome: CausalOutcome; readonly deliverable: readonly CausalDelivery<T>[] } {
    const sender = participantKey(from.name, from.incarnation);
    if (!this.#knowsFromOthers(label)) return { outcome: "delivered", deliverable: [{ from: sender, payload }] };
    return this.#order(label, at.now).receive(sender, stamp, payload, at);
  }

  /** Takes note of a message that arrived, and was refused before it got its place. */
  see({ name, incarnation }: NodeIncarnation, { label, stamp }: CausalPlace): void {
    this.#orders.get(label)?.see(participantKey(name, incarnation), stamp);
  }

  /** A node is there. */
  up({ name, incarnation }: NodeIncarnation, now: number): CausalDelivery<T>[] {
    this.#present.set(name, incarnation);
    return this.#each((order) => order.up(participantKey(name, incarnation), now));
  }

  /** A node is not there; it may come back. */
  down({ name, incarnation }: NodeIncarnation, now: number): void {
    if (this.#present.get(name) === incarnation) this.#present.delete(name);
    this.#each((order) => (order.down(participantKey(name, incarnation), now), []));
  }

  /** A node has left for good. */
  gone({ name, incarnation }: NodeIncarnation, now: number): CausalDelivery<T>[] {
    this.#present.delete(name);
    return this.#each((order) => order.gone(participantKey(name, incarnation), now));
  }

  /** Ends the patience with those that were down for too long. */
  tick(now: number): CausalDelivery<T>[] {
    return this.#each((order) => order.tick(now));
  }

  /** Begins again as another incarnation of this node. */
  restart(self: NodeIncarnation): void {
    this.#self = self;
    this.#orders.clear();
    this.#present.clear();
  }

  #knowsFromOthers(label: string): boolean {
    return this.#labels?.has(label) ?? (this.#orders.has(label) || this.#orders.size < FOREIGN_LABELS_MAX);
  }

  #order(label: string, now: number): CausalOrder<T> {
    let order = this.#orders.get(label);
    if (order === undefined) {
      order = new CausalOrder(participantKey(this.#self.name, this.#self.incarnation), this.#patience);
      for (const [name, incarnation] of this.#present) order.up(participantKey(name, incarnation), now);
      this.#orders.set(label, order);
    }
    return order;
  }

  #each(act: (order: CausalOrder<T>) => CausalDelivery<T>[]): CausalDelivery<T>[] {
    return [...this.#orders.values()].flatMap(act);
  }
}
