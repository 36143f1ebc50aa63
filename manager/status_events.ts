// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import type { NodeContext } from "./node_context.ts";
import type { Part } from "./part.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Tells the users of a node who can be reached, until the node stops. */
export class StatusEvents implements Part {
  readonly up: Subscriptions;
  readonly down: Subscriptions;
  readonly #context: NodeContext;

  constructor(context: NodeContext) {
    this.#context = context;
    const failed = (error: unknown) => context.emit("error", { error, during: "calling a listener" });
    this.up = new Subscriptions(failed);
    this.down = new Subscriptions(failed);
  }

  peerUp({ name }: Peer): void {
    if (this.#context.stopped) return;
    this.#context.emit("up", { node: name });
    this.up.tell(name);
  }

  peerDown({ name }: Peer): void {
    if (this.#context.stopped) return;
    this.#context.emit("down", { node: name });
    this.down.tell(name);
  }

  channelUp({ name }: Peer, channel: string): void {
    if (this.#context.stopped) return;
    this.#context.emit("up", { node: name, channel });
    this.up.tell(name, channel);
  }

  channelDown({ name }: Peer, channel: string): void {
    if (this.#context.stopped) return;
    this.#context.emit("down", { node: name, channel });
    this.down.tell(name, channel);
  }
}
