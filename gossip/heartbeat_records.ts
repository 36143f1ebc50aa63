// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { HeartbeatTurn } from "./heartbeat_turn.ts";
import type { HeartbeatEvent, HeartbeatPeer } from "./heartbeat_types.ts";

/** Record of one incarnation of a node. Times are on the local clock. */
export interface HeartbeatRecord {
  readonly incarnation: number;
  /** The newest counter; 0 when none is known. */
  counter: number;
  /** Time at which that counter was new, as far as that is known. */
  counterAt: number;
  /** Time at which another watcher last had a frame from the node, as it reported. */
  reportedAt: number;
}

/** That a node is held for dead. */
export interface DownMark {
  readonly incarnation: number;
  /** Proof of life is a counter above this one… */
  counter: number;
  /** …or a frame heard after this time. */
  readonly heardAt: number;
}

/** All that this node knows about whether others are alive. */
export class HeartbeatRecords {
  readonly #records = new Map<string, HeartbeatRecord>();
  readonly #marks = new Map<string, DownMark>();

  /** The nodes that are held for dead. */
  get marks(): ReadonlyMap<string, DownMark> {
    return this.#marks;
  }

  /** Record of the incarnation that `peer` is in; an older one is forgotten. */
  of(name: string, peer: HeartbeatPeer): HeartbeatRecord {
    const known = this.#records.get(name);
    if (known?.incarnation === peer.incarnation) return known;
    const { incarnation } = peer;
    const fresh: HeartbeatRecord = { incarnation, counter: 0, counterAt: -Infinity, reportedAt: -Infinity };
    this.#records.set(name, fresh);
    return fresh;
  }

  /** Takes note of a counter that was new at `counterAt`. */
  learn(record: HeartbeatRecord, counter: number, counterAt: number): void {
    if (counter <= record.counter) return;
    record.counter = counter;
    record.counterAt = counterAt;
  }

  /** Whether `name` is held for dead. */
  isDown(name: string): boolean {
    return this.#marks.has(name);
  }

  /** Holds `name` for dead from now on. */
  markDown(name: string, peer: HeartbeatPeer, counter: number, turn: HeartbeatTurn): void {
    const { incarnation, heardAt } = peer;
    this.#marks.set(name, { incarnation, counter, heardAt });
    turn.events.push({ type: "down", node: name, incarnation, counter });
  }

  /** Holds `name` for alive again. */
  unmark(name: string, peer: HeartbeatPeer, turn: HeartbeatTurn): void {
    if (this.#marks.delete(name)) turn.events.push(this.event("up", name, peer));
  }

  /** The event that says `type` of the incarnation that `peer` is in. */
  event(type: HeartbeatEvent["type"], node: string, peer: HeartbeatPeer): HeartbeatEvent {
    return { type, node, incarnation: peer.incarnation, counter: this.of(node, peer).counter };
  }

  /** Forgets the signs of life of a node whose connection is gone, but not that it was declared down. */
  disconnected(name: string): void {
    this.#records.delete(name);
  }

  /** Forgets all about `name`. */
  forget(name: string): void {
    this.#records.delete(name);
    this.#marks.delete(name);
  }
}
