// Copyright 2026 the Partisan peer-service authors. MIT license.

import { sample } from "../runtime/sample.ts";
import type { HeartbeatMessage } from "./heartbeat_message.ts";
import type {
  HeartbeatEnv,
  HeartbeatEvent,
  HeartbeatOutgoing,
  HeartbeatOutput,
  HeartbeatPeer,
} from "./heartbeat_types.ts";

/** One call into the failure detector: the world as it is, and what is to be done about it. */
export class HeartbeatTurn implements HeartbeatOutput {
  readonly outgoing: HeartbeatOutgoing[] = [];
  readonly events: HeartbeatEvent[] = [];
  readonly now: number;
  readonly random: () => number;
  readonly peers: ReadonlyMap<string, HeartbeatPeer>;
  /** Time at which this node last woke up after a stall: silence before that proves nothing. */
  readonly resumedAt: number;
  /** So many times as long this node bears silence. */
  readonly patience: number;

  constructor(env: HeartbeatEnv, resumedAt: number) {
    this.now = env.now;
    this.random = env.random;
    this.peers = env.peers;
    this.resumedAt = resumedAt;
    this.patience = env.patience ?? 1;
  }

  /** The peer, while it is connected. */
  connectedPeer(name: string): HeartbeatPeer | undefined {
    const peer = this.peers.get(name);
    return peer?.connected ? peer : undefined;
  }

  send(to: string, message: HeartbeatMessage): void {
    if (this.peers.get(to)?.connected) this.outgoing.push({ to, message });
  }

  sendAll(message: HeartbeatMessage): void {
    for (const [to, peer] of this.peers) {
      if (peer.connected) this.outgoing.push({ to, message });
    }
  }

  /** Sends to `count` random connected peers of those that `choose` likes. */
  sendSome(message: HeartbeatMessage, count: number, choose: (name: string) => boolean): void {
    const names: string[] = [];
    for (const [name, peer] of this.peers) {
      if (peer.connected && choose(name)) names.push(name);
    }
    for (const to of sample(names, count, this.random)) this.outgoing.push({ to, message });
  }
}
