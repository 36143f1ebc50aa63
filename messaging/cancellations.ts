// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL, type Peer } from "../connections/peer.ts";
import { sendValue } from "../connections/send_value.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { Clock } from "../runtime/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";

/** Words that are remembered, over all nodes, until they are answered. */
const REMEMBERED_MAX = 1_024;
/** Milliseconds after which a word was heard, or its node is known to be gone by other means. */
const REMEMBERED_MS = 60_000;
/** Milliseconds after which a word is said again that was not answered; twice as many after each time. */
const PATIENCE_MS = 1_000;

/** Dependencies of {@linkcode Cancellations}. */
export interface CancellationsOptions {
  readonly pool: ConnectionPool;
  readonly clock: Pick<Clock, "now">;
  /** A node has given up its call with a number. */
  readonly given: (from: string, id: unknown) => void;
  /** Has other nodes pass a word on, or the answer to one. */
  readonly relay: (node: string, value: number | [number]) => void;
}

/** A word that was not answered yet. */
interface Word {
  readonly node: string;
  /** Time at which it was first sent, in milliseconds on the local clock. */
  readonly at: number;
  /** Time of its next repetition. */
  dueAt: number;
  /** Number of repetitions. */
  repeats: number;
  /** Connection that carries it, if any does. */
  over: Connection<Peer> | null;
}

/**
 * Tells handlers that calls were given up. The word of it never waits behind messages. It is the number of the call, and that in an array is
 * the answer. Until that comes, the word is said again: at once where it is known that it may be lost, now and then in any case.
 */
export class Cancellations {
  /** Control frames from the node that has given the call up. */
  readonly controls = [
    [FrameKind.cancel, ({ name }: Peer, value: unknown): void => this.take(name, value, false)],
  ] as const;
  readonly #options: CancellationsOptions;
  /** By the numbers of the calls. */
  readonly #words = new Map<number, Word>();

  constructor(options: CancellationsOptions) {
    this.#options = options;
  }

  /** Words that were not answered yet. */
  get waiting(): number {
    return this.#words.size;
  }

  /** Tells a node. */
  send(node: string, id: number): void {
    const { pool, given, relay, clock } = this.#options;
    if (node === pool.selfName()) return given(node, id);
    const at = clock.now();
    const over = this.#say(node, MEMBERSHIP_CHANNEL, id);
    if (over === null) relay(node, id);
    this.#words.set(id, { node, at, dueAt: at + PATIENCE_MS, repeats: 0, over });
    forgetOldest(this.#words, REMEMBERED_MAX);
  }

  /**
   * Takes a word, or the answer to one.
   *
   * @param isRelayed Whether other nodes have passed it on.
   * @throws {TypeError} When it is neither.
   */
  take(from: string, value: unknown, isRelayed: boolean): void {
    if (Array.isArray(value)) {
      const id = value[0] as number;
      if (this.#words.get(id)?.node === from) this.#words.delete(id);
      return;
    }
    const { given, relay } = this.#options;
    given(from, value);
    const answer: [number] = [value as number];
    if (isRelayed) relay(from, answer);
    else this.#say(from, MEMBERSHIP_CHANNEL, answer);
  }

  /** A connection closed, and with it words may be lost. */
  connectionClosed(connection: Connection<Peer>): void {
    for (const word of this.#words.values()) if (word.over === connection) word.over = null;
    this.channelUp(connection.peer, MEMBERSHIP_CHANNEL);
  }

  /** A node can be told again what it may have missed. */
  channelUp(peer: Peer, channel: string): void {
    if (channel !== MEMBERSHIP_CHANNEL) return;
    for (const [id, word] of this.#words) {
      if (word.node === peer.name && word.over === null) word.over = this.#say(peer.name, channel, id);
    }
  }

  /** Partitions came or went: what was said across one did not come. */
  partitionsChanged(): void {
    for (const word of this.#words.values()) word.over = null;
    for (const peer of this.#options.pool.peers.values()) this.channelUp(peer, MEMBERSHIP_CHANNEL);
  }

  /**
   * Says again what was not answered for long. A partition at the other side keeps words back without a sign here, and a connection that carries
   * nothing any more looks open for a while: repetitions take a connection of messages, and the membership connection, in turns.
   */
  periodic(): void {
    const now = this.#options.clock.now();
    for (const [id, word] of this.#words) {
      if (now >= word.at + REMEMBERED_MS) this.#words.delete(id);
      else if (now >= word.dueAt) this.#repeat(id, word);
    }
  }

  #repeat(id: number, word: Word): void {
    const { clock, relay } = this.#options;
    word.dueAt = clock.now() + PATIENCE_MS * 2 ** ++word.repeats;
    word.over = this.#say(word.node, word.repeats % 2 === 1 ? DEFAULT_CHANNEL : MEMBERSHIP_CHANNEL, id);
    if (word.over === null) relay(word.node, id);
  }

  /** Forgets the calls of a former incarnation. */
  restart(): void {
    this.#words.clear();
  }

  #say(node: string, channel: string, value: number | [number]): Connection<Peer> | null {
    const peer = this.#options.pool.peers.get(node);
    const connection = peer?.partitioned ? null : peer?.pick(channel, undefined, false) ?? null;
    return connection !== null && sendValue(connection, FrameKind.cancel, value) ? connection : null;
  }
}
