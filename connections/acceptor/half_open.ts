// Copyright 2026 the Partisan peer-service authors. MIT license.

import { networkOf } from "../../wire/address_ranges.ts";

/** A slot that an accepted stream has while its handshake is not finished. */
interface Slot {
  readonly network: string;
  /** Time at which it was taken. */
  readonly at: number;
  readonly giveUp: () => void;
}

/** Of all slots, one in so many is kept for hosts of members. */
const KEPT_SHARE = 8;

/** Limits of {@linkcode HalfOpen}. */
export interface HalfOpenOptions {
  /** Most slots. */
  readonly max: number;
  /** Milliseconds for which a stream keeps its slot against others of its own host. */
  readonly patience: number;
  /** Whether members are known to be at a host. */
  isMemberHost(hostname: string): boolean;
  /** Milliseconds on the local clock. */
  now(): number;
}

/**
 * The streams that have not finished their handshake, by the host that they come from: of IPv6 addresses, those with the same first half are one. When there is no room, the host that has most of them
 * gives up its oldest one: a stranger that opens thousands gets in its own way, and in no other host's. Some slots are kept for hosts of members.
 */
export class HalfOpen {
  readonly #options: HalfOpenOptions;
  /** The slots of each host, the oldest first. */
  readonly #hosts = new Map<string, Set<Slot>>();
  #size = 0;

  constructor(options: HalfOpenOptions) {
    this.#options = options;
  }

  /** Number of slots that are taken. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes a slot for a stream.
   *
   * @param giveUp Called when it has to make room for another one.
   * @returns Gives the slot back; `null` when there is none.
   */
  enter(hostname: string, giveUp: () => void): Disposable | null {
    const { max, isMemberHost, now } = this.#options;
    const network = networkOf(hostname);
    const isFull = this.#size >= max - Math.floor(max / KEPT_SHARE);
    const hasKeptSlot = isFull && this.#size < max && isMemberHost(hostname);
    if (isFull && !hasKeptSlot && !this.#makeRoomFor(network)) return null;
    const slot: Slot = { network, at: now(), giveUp };
    const slots = this.#hosts.get(network) ?? new Set();
    this.#hosts.set(network, slots.add(slot));
    this.#size++;
    return { [Symbol.dispose]: () => this.#leave(slot) };
  }

  /** Has the host with most slots give up its oldest one, unless that would be no fairer. */
  #makeRoomFor(network: string): boolean {
    let greediest: Set<Slot> | undefined;
    for (const slots of this.#hosts.values()) if (slots.size > (greediest?.size ?? 0)) greediest = slots;
    const own = this.#hosts.get(network);
    if (own !== undefined && own.size === greediest?.size) greediest = own;
    const [oldest] = greediest ?? [];
    if (oldest === undefined) return false;
    const { patience, now } = this.#options;
    // Of its own host it takes the slot of one that is silent, not of one that is just about to be done.
    const isFairer = greediest === own ? now() - oldest.at >= patience : (greediest?.size ?? 0) > (own?.size ?? 0) + 1;
    if (!isFairer) return false;
    this.#leave(oldest);
    oldest.giveUp();
    return true;
  }

  #leave(slot: Slot): void {
    const slots = this.#hosts.get(slot.network);
    if (slots === undefined || !slots.delete(slot)) return;
    if (slots.size === 0) this.#hosts.delete(slot.network);
    this.#size--;
  }
}
