// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { BroadcastId } from "./broadcast_id.ts";
import type { Broadcast, BroadcastMessage } from "./broadcast_message.ts";

/** A message to a neighbour. */
export interface PlumtreeOutgoing<T> {
  /** Name of the neighbour. */
  readonly to: string;
  /** The message. */
  readonly message: BroadcastMessage<T>;
}

/** A broadcast that came for the first time. */
export interface PlumtreeDelivery<T> {
  /** Which one it is, and by whom. */
  readonly id: BroadcastId;
  /** What was broadcast. */
  readonly payload: T;
  /** Milliseconds since it was begun, as far as nodes held it: the time on the wire excepted. */
  readonly age: number;
  /** Whether it came outside the tree: the tree missed it, or this node was not there. */
  readonly repaired: boolean;
}

/** What an event brings about. */
export interface PlumtreeStep<T> {
  /** Messages to send, in order. */
  readonly outgoing: readonly PlumtreeOutgoing<T>[];
  /** Broadcasts to hand over. */
  readonly delivered: readonly PlumtreeDelivery<T>[];
}

/** A {@linkcode PlumtreeStep} in the making. */
export class Step<T> implements PlumtreeStep<T> {
  /** Messages to send. */
  readonly outgoing: PlumtreeOutgoing<T>[] = [];
  /** Broadcasts to hand over. */
  readonly delivered: PlumtreeDelivery<T>[] = [];

  /** Adds a message to send. */
  send(to: string, message: BroadcastMessage<T>): void {
    this.outgoing.push({ to, message });
  }

  /** Adds a broadcast to hand over. */
  deliver({ id, payload, bornAt }: Broadcast<T>, now: number, repaired: boolean): void {
    this.delivered.push({ id, payload, age: now - bornAt, repaired });
  }
}
