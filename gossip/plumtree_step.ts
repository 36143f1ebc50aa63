// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Step } from "../runtime/step.ts";
import type { BroadcastId } from "./broadcast_id.ts";
import type { Broadcast, BroadcastMessage } from "./broadcast_message.ts";

/** A broadcast that came for the first time. */
export interface PlumtreeDelivery<T> {
  /** Identity of the broadcast, with the node that made it. */
  readonly id: BroadcastId;
  /** Payload of the broadcast. */
  readonly payload: T;
  /** Milliseconds since it was begun, as far as nodes held it: the time on the wire excepted. */
  readonly age: number;
  /** Whether it came outside the tree: the tree missed it, or this node was not there. */
  readonly repaired: boolean;
}

/** Answer to an event: its events are broadcasts to hand over. */
export interface PlumtreeStep<T> extends Step<BroadcastMessage<T>, PlumtreeDelivery<T>> {
  /** Time at which the next tick has something to do; `Infinity` for not before another event. */
  readonly nextAt: number;
}

/** A {@linkcode PlumtreeStep} in the making. */
export class PlumtreeTurn<T> {
  /** Messages to send. */
  readonly outgoing: { readonly to: string; readonly message: BroadcastMessage<T> }[] = [];
  /** Broadcasts to hand over. */
  readonly events: PlumtreeDelivery<T>[] = [];

  /** Adds a message to send. */
  send(to: string, message: BroadcastMessage<T>): void {
    this.outgoing.push({ to, message });
  }

  /** Adds a broadcast to hand over. */
  deliver({ id, payload, bornAt }: Broadcast<T>, now: number, repaired: boolean): void {
    this.events.push({ id, payload, age: now - bornAt, repaired });
  }
}
