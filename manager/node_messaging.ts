// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DelayQueue } from "../messaging/delay_queue.ts";
import { Inbound } from "../messaging/inbound.ts";
import { Interpositions } from "../messaging/interposition.ts";
import type { MessageStats, Undeliverable } from "../messaging/message_stats.ts";
import { Outbound, type OutboundMessage } from "../messaging/outbound.ts";
import { PayloadCodec } from "../messaging/payload_codec.ts";
import { Registry } from "../messaging/registry.ts";
import type { ConnectionPool } from "../transport/connection_pool.ts";
import { DEFAULT_CHANNEL } from "../transport/peer.ts";
import type { Emit } from "./node.ts";
import type { Settings } from "./settings.ts";

/** The parts of a node that carry messages, wired together. */
export class NodeMessaging {
  readonly codec: PayloadCodec;
  readonly registry: Registry;
  readonly stats: MessageStats = { sent: 0, delivered: 0, dropped: 0, unhandled: 0 };
  readonly interpositions: Interpositions;
  readonly outbound: Outbound;
  readonly inbound: Inbound;
  readonly #delayed: DelayQueue;
  readonly #self: () => string;
  readonly #defer: (callback: () => void) => void;

  constructor({ codec, runtime }: Settings, pool: ConnectionPool, emit: Emit) {
    const { stats } = this;
    const registry = new Registry((message, { from }) => emit("message", { from, message }), () => {});
    this.registry = registry;
    this.codec = new PayloadCodec(codec);
    this.#self = () => pool.selfName();
    this.#defer = (callback) => runtime.defer(callback);
    this.#delayed = new DelayQueue(runtime.clock);
    this.interpositions = new Interpositions((error, { node, type }) =>
      emit("error", { error, node, during: `running interposition functions for ${type}` })
    );
    const common = {
      self: this.#self,
      codec: this.codec,
      interpositions: this.interpositions,
      delayed: this.#delayed,
      stats,
      undeliverable: (what: Undeliverable) => emit("undeliverable", what),
    };
    this.outbound = new Outbound({ ...common, pool, deliverHere: (message) => this.#deliverHere(message) });
    this.inbound = new Inbound({
      ...common,
      registry,
      handlerFailed: (name, from, error) =>
        emit("error", { error, node: from, during: `handling a message to "${name}"` }),
    });
  }

  /** Drops what still waits. */
  stop(): void {
    this.#delayed.stop();
  }

  /** A message to this node itself arrives in a later turn, like any other. */
  #deliverHere({ name, message, options: { channel = DEFAULT_CHANNEL }, cast }: OutboundMessage): void {
    const context = { from: this.#self(), channel, cast };
    this.stats.sent++;
    this.#defer(() => this.inbound.receive(name, message, context));
  }
}
