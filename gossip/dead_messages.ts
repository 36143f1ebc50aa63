// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import { type DeadMessage, HeartbeatWord } from "./heartbeat_message.ts";
import type { HeartbeatTurn } from "./heartbeat_turn.ts";
import type { HeartbeatPeer, HeartbeatSettings } from "./heartbeat_types.ts";
import type { HeartbeatRecords } from "./heartbeat_records.ts";

/** A dead message that this node does not believe yet, or no longer believes. */
interface Doubt {
  readonly incarnation: number;
  readonly counter: number;
  /** Node that brought it, and is to be told of its refutation. */
  readonly from: string | undefined;
  readonly since: number;
}

/** Dead messages remembered so that none is passed on twice. */
const SEEN_MAX = 1024;

/** Spreads, believes, doubts and takes back dead messages. */
export class DeadMessages {
  readonly #settings: HeartbeatSettings;
  readonly #records: HeartbeatRecords;
  readonly #doubts = new Map<string, Doubt>();
  readonly #seen = new Map<string, { readonly incarnation: number; readonly counter: number }>();

  constructor(settings: HeartbeatSettings, records: HeartbeatRecords) {
    this.#settings = settings;
    this.#records = records;
  }

  /** Declares `name` down, to everyone, that node included. */
  declare(name: string, peer: HeartbeatPeer, turn: HeartbeatTurn): void {
    const { counter } = this.#records.of(name, peer);
    const message: DeadMessage = [HeartbeatWord.dead, name, peer.incarnation, counter];
    this.#isNews(message);
    this.#records.markDown(name, peer, counter, turn);
    turn.sendAll(message);
  }

  /**
   * Takes a dead message about another node.
   *
   * @param watching Whether this node's own silence means something. If not, it gives that node one interval to object.
   * @returns Whether that node is held for dead because of it.
   */
  receive(from: string, message: DeadMessage, watching: boolean, turn: HeartbeatTurn): boolean {
    const [, name, incarnation, counter] = message;
    const peer = turn.peers.get(name);
    if (peer !== undefined && incarnation < peer.incarnation) return false;
    const mark = this.#records.marks.get(name);
    if (peer === undefined || !peer.connected || incarnation > peer.incarnation || mark !== undefined) {
      // Known already, or no business of this node, but perhaps news for its neighbours in a sparse overlay.
      if (mark?.incarnation === incarnation) mark.counter = Math.max(mark.counter, counter);
      if (this.#isNews(message)) this.#passOn(message, from, turn);
      return false;
    }
    if (!watching || this.#knowsBetter(counter, name, peer, turn)) {
      this.#object(from, message, peer, turn);
      return false;
    }
    this.#believe(name, peer, counter, from, turn);
    return true;
  }

  /** Takes a counter of `name` that is newer than what was known: it may refute a dead message. */
  refute(name: string, peer: HeartbeatPeer, counter: number, turn: HeartbeatTurn): void {
    const mark = this.#records.marks.get(name);
    const alive = [HeartbeatWord.alive, name, peer.incarnation, counter] as const;
    if (mark !== undefined && counter > mark.counter) {
      this.#records.unmark(name, peer, turn);
      turn.sendSome(alive, this.#settings.fanout, (other) => other !== name && !this.#records.isDown(other));
    }
    const doubt = this.#doubts.get(name);
    if (doubt === undefined || counter <= doubt.counter) return;
    this.#doubts.delete(name);
    if (doubt.from !== undefined) turn.send(doubt.from, alive);
  }

  /**
   * Takes note that `name` itself was heard. It is up again here; so that it is everywhere, it is told what was
   * said about it. That frame may have been on its way for long, so the dead message is not forgotten until it is refuted.
   */
  heard(name: string, peer: HeartbeatPeer, turn: HeartbeatTurn): void {
    const mark = this.#records.marks.get(name);
    if (mark === undefined) return;
    this.#records.unmark(name, peer, turn);
    if (mark.incarnation !== peer.incarnation) return;
    const { incarnation, counter } = mark;
    this.#doubts.set(name, { incarnation, counter, from: undefined, since: turn.now });
    turn.send(name, [HeartbeatWord.dead, name, incarnation, counter]);
  }

  /**
   * Looks for frames from those that are held for dead, and for silence of those whose death was doubted.
   *
   * @returns Those that are held for dead now.
   */
  tick(turn: HeartbeatTurn): string[] {
    for (const [name, mark] of this.#records.marks) {
      const peer = turn.connectedPeer(name);
      if (peer !== undefined && peer.heardAt > mark.heardAt) this.heard(name, peer, turn);
    }
    const { interval, limit } = this.#settings;
    const dead: string[] = [];
    for (const [name, doubt] of this.#doubts) {
      const peer = turn.connectedPeer(name);
      if (peer?.incarnation !== doubt.incarnation || turn.now - doubt.since >= 2 * limit) {
        this.#doubts.delete(name);
      } else if (turn.now - doubt.since >= interval && !this.#knowsBetter(doubt.counter, name, peer, turn)) {
        this.#believe(name, peer, doubt.counter, doubt.from, turn);
        dead.push(name);
      }
    }
    return dead;
  }

  /** Forgets what is being verified about `name`. */
  disconnected(name: string): void {
    this.#doubts.delete(name);
  }

  /** Forgets all about `name`. */
  forget(name: string): void {
    this.#doubts.delete(name);
    this.#seen.delete(name);
  }

  /** Whether there was a sign of life that the dead message does not know of, or this node was asleep and cannot tell. */
  #knowsBetter(counter: number, name: string, peer: HeartbeatPeer, turn: HeartbeatTurn): boolean {
    const record = this.#records.of(name, peer);
    const counterAt = record.counter > counter ? record.counterAt : -Infinity;
    return turn.now - Math.max(peer.heardAt, turn.resumedAt, counterAt) < this.#settings.limit;
  }

  #believe(name: string, peer: HeartbeatPeer, counter: number, from: string | undefined, turn: HeartbeatTurn): void {
    const newest = Math.max(counter, this.#records.of(name, peer).counter);
    this.#doubts.delete(name);
    this.#records.markDown(name, peer, newest, turn);
    const message: DeadMessage = [HeartbeatWord.dead, name, peer.incarnation, newest];
    if (this.#isNews(message)) this.#passOn(message, from, turn);
  }

  /** Answers a dead message with what is known here, and asks the node that it is about for a refutation. */
  #object(from: string, message: DeadMessage, peer: HeartbeatPeer, turn: HeartbeatTurn): void {
    const [, name, incarnation, counter] = message;
    const record = this.#records.of(name, peer);
    if (record.counter > counter && this.#knowsBetter(counter, name, peer, turn)) {
      turn.send(from, [HeartbeatWord.alive, name, incarnation, record.counter]);
    }
    const doubt = this.#doubts.get(name);
    if (doubt !== undefined && doubt.counter >= counter) return;
    this.#doubts.set(name, { incarnation, counter, from, since: turn.now });
    turn.send(name, message);
  }

  #passOn(message: DeadMessage, from: string | undefined, turn: HeartbeatTurn): void {
    turn.sendSome(
      message,
      this.#settings.fanout,
      (name) => name !== from && name !== message[1] && !this.#records.isDown(name),
    );
  }

  /** Whether no dead message as new was seen before; remembers it. */
  #isNews([, name, incarnation, counter]: DeadMessage): boolean {
    const seen = this.#seen.get(name);
    if (
      seen !== undefined &&
      (incarnation < seen.incarnation || (incarnation === seen.incarnation && counter <= seen.counter))
    ) return false;
    this.#seen.delete(name);
    this.#seen.set(name, { incarnation, counter });
    forgetOldest(this.#seen, SEEN_MAX);
    return true;
  }
}
