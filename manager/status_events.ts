// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import { ChannelEvents } from "./channel_events.ts";
import type { NodeContext } from "./node_context.ts";
import type { Part } from "./part.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Tells the users of a node which peers can be reached, until the node stops. */
export class StatusEvents implements Part {
  readonly up: Subscriptions;
  readonly down: Subscriptions;
  readonly #context: NodeContext;
  readonly #channels: ChannelEvents;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#channels = new ChannelEvents(context.runtime.clock, context.settings.courtesy, context.emit);
    const failed = (error: unknown) => context.emit("error", { error, during: "calling a listener" });
    this.up = new Subscriptions(failed);
    this.down = new Subscriptions(failed);
  }

  stopping(): void {
    this.#channels.stop();
  }

  peerUp({ name }: Peer): void {
    if (this.#context.stopped) return;
    this.#context.emit("up", { node: name });
    this.up.tell(name);
  }

  peerDown({ name }: Peer): void {
    if (this.#context.stopped) return;
    this.#channels.nodeDown(name);
    this.#context.emit("down", { node: name });
    this.down.tell(name);
  }

  channelUp({ name }: Peer, channel: string): void {
    if (this.#context.stopped) return;
    this.#channels.up(name, channel);
    this.up.tell(name, channel);
  }

  channelDown(peer: Peer, channel: string, withPeer: boolean): void {
    if (this.#context.stopped) return;
    const { name } = peer;
    const isMute = peer.isMute(channel);
    // That it is down for long need not be told where the whole node is down.
    if (!withPeer || isMute) this.#channels.down(name, channel, isMute);
    this.down.tell(name, channel);
  }
}
