// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { MEMBERSHIP_CHANNEL, type Peer } from "../connections/peer.ts";
import { sendValue } from "../connections/send_value.ts";
import type { Clock } from "../runtime/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";

/** Words that are remembered, over all nodes: each may have been lost with the connection that carried it. */
const REMEMBERED_MAX = 1_024;
/** Milliseconds after which a word has come, or its connection will be found to be dead by other means. */
const REMEMBERED_MS = 60_000;

/** What {@linkcode Cancellations} needs from its surroundings. */
export interface CancellationsOptions {
  readonly pool: ConnectionPool;
  readonly clock: Pick<Clock, "now">;
  /** Tells this node itself. */
  readonly here: (id: number) => void;
  /** Has other nodes pass the word on. */
  readonly relay: (node: string, id: number) => void;
}

/** A word, and the connection that carries it, if any does. */
interface Word {
  readonly node: string;
  readonly id: number;
  readonly at: number;
  readonly over: Connection | null;
}

/** Tells handlers that calls were given up. The word of it never waits behind messages, and is said again where it may have been lost. */
export class Cancellations {
  readonly #options: CancellationsOptions;
  #words: Word[] = [];

  constructor(options: CancellationsOptions) {
    this.#options = options;
  }

  /** Tells a node. */
  send(node: string, id: number): void {
    const { pool, here, relay, clock } = this.#options;
    if (node === pool.selfName()) return here(id);
    const peer = pool.peers.get(node);
    const over = this.#say(peer, id);
    if (over === null) relay(node, id);
    if (peer !== undefined) this.#remember({ node, id, at: clock.now(), over });
  }

  /** A connection closed, and with it words may be lost. */
  connectionClosed(connection: Connection): void {
    if (connection.channel !== MEMBERSHIP_CHANNEL) return;
    const isCarried = ({ over }: Word) => over === connection;
    if (connection.handedOver) this.#words = this.#words.filter((word) => !isCarried(word));
    else this.#words = this.#words.map((word) => isCarried(word) ? { ...word, over: null } : word);
    this.channelUp(connection.peer, connection.channel);
  }

  /** A node can be told again what it may have missed. */
  channelUp(peer: Peer, channel: string): void {
    if (channel !== MEMBERSHIP_CHANNEL) return;
    const since = this.#options.clock.now() - REMEMBERED_MS;
    this.#words = this.#words.filter(({ at }) => at >= since).map((word) => {
      if (word.node !== peer.name || word.over !== null) return word;
      return { ...word, over: this.#say(peer, word.id) };
    });
  }

  /** Partitions came or went: what was said across one did not come. */
  partitionsChanged(): void {
    this.#words = this.#words.map((word) => ({ ...word, over: null }));
    for (const peer of this.#options.pool.peers.values()) this.channelUp(peer, MEMBERSHIP_CHANNEL);
  }

  /** What was called in a former life is of no interest. */
  reset(): void {
    this.#words = [];
  }

  #say(peer: Peer | undefined, id: number): Connection | null {
    const connection = peer?.partitioned ? null : peer?.pick(MEMBERSHIP_CHANNEL, undefined, false) ?? null;
    return connection !== null && sendValue(connection, FrameKind.cancel, id) ? connection : null;
  }

  #remember(word: Word): void {
    this.#words.push(word);
    if (this.#words.length > REMEMBERED_MAX) this.#words.shift();
  }
}
