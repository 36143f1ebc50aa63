// Copyright 2026 the Partisan peer-service authors. MIT license.

import { HandshakeRefusedError } from "../connections/handshake/refusal.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { NodeContext } from "./node_context.ts";

/** Incarnations are times. Clocks may differ by so much, in milliseconds. */
const AHEAD_MS_MAX = 86_400_000;

/**
 * Minimum time, in milliseconds, between new incarnations that claims of others force on a node: each costs all its
 * connections.
 */
const REFUTED_MS_MIN = 2_000;

/** Addresses at which another node of the same name is looked for. */
const ADDRESSES_MAX = 3;

/** The greatest incarnation that is believed of any node. */
export function incarnationMax({ runtime: { clock } }: NodeContext): number {
  return Math.floor(clock.wallTime()) + AHEAD_MS_MAX;
}

/** Part of the node that a {@linkcode Refutation} uses. */
export interface RefutationHost {
  /** Begins another incarnation, above `known`. */
  reincarnate(known: number): void;
  /** Stops, because another living node has the name, and is newer. */
  superseded(other: NodeSpec): void;
}

/**
 * Answers hearsay of this node's own end. A node that lives does not stop because another one says so: it takes an incarnation above the one that it
 * was told of, which all others believe. Only where another living node really has its name, and is newer, it gives way.
 */
export class Refutation {
  readonly #context: NodeContext;
  readonly #host: RefutationHost;
  #refutedAt = -Infinity;
  #isLooking = false;
  #ignored = 0;

  constructor(context: NodeContext, host: RefutationHost) {
    this.#context = context;
    this.#host = host;
  }

  /** Words that were not believed. */
  get ignored(): number {
    return this.#ignored;
  }

  /** Counts words that others judged to be worth nothing. */
  ignore(count: number): void {
    this.#ignored += count;
  }

  /** Takes the word that an incarnation of this node's name is known, or over. */
  refute(known: number): void {
    const now = this.#context.runtime.clock.now();
    if (known < this.#context.self.incarnation) return;
    if (known > incarnationMax(this.#context) || now - this.#refutedAt < REFUTED_MS_MIN) {
      this.#ignored++;
      return;
    }
    this.#refutedAt = now;
    this.#host.reincarnate(known);
  }

  /** Takes the word that another node has this name, as a newer incarnation: looks whether it is there. */
  async superseded(other: NodeSpec): Promise<void> {
    if (this.#isLooking) return;
    if (other.incarnation > incarnationMax(this.#context)) {
      this.#ignored++;
      return;
    }
    this.#isLooking = true;
    const { incarnation } = this.#context.self;
    const isThere = await this.#isThere(other);
    this.#isLooking = false;
    // Meanwhile it may have stopped, or taken another incarnation anyway.
    if (this.#context.stopped || this.#context.self.incarnation !== incarnation) return;
    if (isThere) this.#host.superseded(other);
    else this.refute(other.incarnation);
  }

  /** Whether a node of this name answers at the addresses of another one. */
  async #isThere({ name, addresses }: NodeSpec): Promise<boolean> {
    const own = new Set(this.#context.self.addresses.map(({ hostname, port }) => `${hostname} ${port}`));
    const others = addresses.filter(({ hostname, port }) => !own.has(`${hostname} ${port}`)).slice(0, ADDRESSES_MAX);
    if (others.length === 0) return false;
    try {
      await this.#context.pool.reach(name, others);
      return false;
    } catch (error) {
      return error instanceof HandshakeRefusedError && error.refusal.code === "name-in-use";
    }
  }
}
