// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { LocalRuntime } from "../runtime/runtime.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { Peer } from "./peer.ts";
import { agreedSlots } from "./slots.ts";
import type { Refusal } from "./handshake/refusal.ts";

/** Milliseconds after which it is tried whether there are more file descriptors by now. */
const PATIENCE = 60_000;

/** Whether the system had no file descriptor left for a connection. */
export function isLackOfDescriptors(error: unknown): boolean {
  return /too many open files|EMFILE|ENFILE/i.test(messageOf(error));
}

/** Part of the pool that a {@linkcode Shortage} uses. */
export interface ShortageHost {
  readonly runtime: LocalRuntime;
  /** All nodes with which there are, or should be, connections. */
  readonly peers: ReadonlyMap<string, Peer>;
  /** Closes all connections with a peer. */
  disconnect(peer: Peer): void;
}

/**
 * Makes do with too few file descriptors. A node with half of the connections of each peer is of use to none; so it completes those with
 * some peers, and leaves the others to relays.
 */
export class Shortage {
  readonly #host: ShortageHost;
  readonly #self: () => NodeSpec;
  readonly #underWay: { readonly size: number };
  #error: unknown;
  #limit = Infinity;
  #until = -Infinity;

  /** @param underWay Streams of which it is not known yet what becomes of them. */
  constructor(host: ShortageHost, self: () => NodeSpec, underWay: { readonly size: number }) {
    this.#host = host;
    this.#self = self;
    this.#underWay = underWay;
  }

  /** The system refused a file descriptor: peers make way, the latest first, so that the connections with the earlier ones can be completed. */
  noticed(error: unknown): void {
    if (error === this.#error) return;
    this.#error = error;
    const now = this.#host.runtime.clock.now();
    let open = this.#open();
    // One is for telling others that there is no room. Streams that are being closed take some as well, for a moment: the limit is what it was.
    this.#limit = Math.max(now < this.#until ? this.#limit : 0, open + this.#underWay.size - 1);
    this.#until = now + PATIENCE;
    const begun = [...this.#host.peers.values()].filter(isBegun);
    let missing = begun.reduce((sum, peer) => sum + peer.gaps().length, 0);
    for (const peer of begun.reverse()) {
      if (open + missing <= this.#limit) break;
      // To close a connection that carries messages does not help.
      if (peer.up) continue;
      open -= socketsOf(peer);
      missing -= peer.gaps().length;
      this.#host.disconnect(peer);
    }
  }

  /**
   * Makes sure that connections with a peer can be begun, or have been.
   *
   * @throws What the system said last.
   */
  check(peer: Peer): void {
    if (!isBegun(peer) && !this.hasRoomFor(peer.spec)) throw this.#error;
  }

  /**
   * Whether connections with another node can be begun.
   *
   * @param pending Connections that are about to open.
   */
  hasRoomFor(spec: NodeSpec, pending = 0): boolean {
    const { peers, runtime } = this.#host;
    if (runtime.clock.now() >= this.#until) return true;
    const missing = [...peers.values()].reduce((sum, peer) => sum + (isBegun(peer) ? peer.gaps().length : 0), 0);
    const slots = [...agreedSlots(this.#self(), spec).values()].reduce((sum, count) => sum + count, 0);
    return this.#open() + missing + pending + slots <= this.#limit;
  }

  #open(): number {
    let open = 0;
    for (const peer of this.#host.peers.values()) open += socketsOf(peer);
    return open;
  }
}

/** Refusal of a dialer for which there are no file descriptors. */
export function tooFewDescriptors(name: string): Refusal {
  const reason = `Cannot accept "${name}": this node has too few file descriptors for connections with all nodes`;
  return { code: "no-room", reason };
}

function isBegun(peer: Peer): boolean {
  return peer.hasConnections;
}

function socketsOf(peer: Peer): number {
  return peer.connections().filter(({ early }) => early === null).length;
}
