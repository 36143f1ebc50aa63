// Copyright 2026 the Partisan peer-service authors. MIT license.

import { HeartbeatWord, type ProbeReport } from "./heartbeat_message.ts";
import type { HeartbeatTurn } from "./heartbeat_turn.ts";
import type { HeartbeatPeer, HeartbeatSettings } from "./heartbeat_types.ts";
import { Suspicion } from "./suspicion.ts";
import type { HeartbeatRecords } from "./heartbeat_records.ts";
import { WatchRing } from "./watch_ring.ts";

/** A node that this one watches. */
interface Watched {
  /** Time at which the watch over its present connection began. */
  since: number;
  /** Time at which it became a suspect; `undefined` while it is none. */
  suspectSince: number | undefined;
  /** The questions about it, while it is silent. */
  suspicion: Suspicion | undefined;
  /** Time at which it was last told that it is considered dead. */
  toldAt: number;
}

/** The watch that this node keeps over some others: asks them for heartbeats, and asks around when none come. */
export class Watch {
  readonly #settings: HeartbeatSettings;
  readonly #records: HeartbeatRecords;
  readonly #watched = new Map<string, Watched>();
  #ring: WatchRing;
  #names: Iterable<string> | undefined;

  constructor(settings: HeartbeatSettings, records: HeartbeatRecords) {
    this.#settings = settings;
    this.#records = records;
    this.#ring = new WatchRing([settings.self.name], settings.watchers);
  }

  /** The names of the watched nodes, connected or not. */
  get names(): string[] {
    return [...this.#watched.keys()];
  }

  /** Whether `name` is watched. */
  has(name: string): boolean {
    return this.#watched.has(name);
  }

  /** Whether `name` is silent here, and was not declared down. */
  isSuspect(name: string): boolean {
    return this.#watched.get(name)?.suspectSince !== undefined;
  }

  /** Other nodes to share the watch with, from the next tick on. */
  setPeers(names: Iterable<string>): void {
    this.#names = names;
  }

  /** Asks `name` for heartbeats, if it is to be watched: its connection has just opened. */
  connected(name: string, turn: HeartbeatTurn): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    this.#watched.set(name, begin(turn));
    turn.send(name, true);
  }

  /** Drops every doubt about `name`: its connection is gone, or its death is certain. */
  rest(name: string, turn: HeartbeatTurn): void {
    if (this.#watched.has(name)) this.#watched.set(name, begin(turn));
  }

  /**
   * Looks at all watched nodes.
   *
   * @returns Those whose death is confirmed.
   */
  tick(turn: HeartbeatTurn): string[] {
    if (this.#names !== undefined) this.#redraw(this.#names, turn);
    const dead: string[] = [];
    for (const [name, watched] of this.#watched) {
      const peer = turn.connectedPeer(name);
      if (peer === undefined) continue;
      if (this.#records.isDown(name)) this.#tell(name, watched, turn);
      else if (this.#look(name, watched, peer, turn)) dead.push(name);
    }
    return dead;
  }

  /**
   * Takes the answer to an indirect probe.
   *
   * @returns Whether it confirms the death of the node that it is about.
   */
  receiveReport(from: string, report: ProbeReport, turn: HeartbeatTurn): boolean {
    const [, name, incarnation, counter, counterAge, silence] = report;
    const watched = this.#watched.get(name);
    const peer = turn.connectedPeer(name);
    if (watched?.suspicion === undefined || peer?.incarnation !== incarnation || this.#records.isDown(name)) {
      return false;
    }
    const limit = this.#limit(turn);
    const record = this.#records.of(name, peer);
    this.#records.learn(record, counter, turn.now - counterAge);
    const heard = silence >= 0 && silence < limit;
    if (heard) record.reportedAt = Math.max(record.reportedAt, turn.now - silence);
    watched.suspicion.answered(from, heard ? "heard" : silence < 0 ? "unable" : "silent");
    if (this.#silence(name, watched, peer, turn) >= limit) return this.#confirm(name, watched.suspicion, peer, turn);
    this.review(name, turn);
    return false;
  }

  /** Ends the suspicion about `name` if others have heard enough from it. */
  review(name: string, turn: HeartbeatTurn): void {
    const watched = this.#watched.get(name);
    const peer = turn.connectedPeer(name);
    if (watched?.suspicion === undefined || peer === undefined) return;
    if (this.#silence(name, watched, peer, turn) >= this.#unease(turn)) return;
    watched.suspicion = undefined;
    if (watched.suspectSince !== undefined) turn.events.push(this.#records.event("silentLink", name, peer));
  }

  /** Whether heartbeats were expected from `name` for as long as silence is borne, so that their absence means something. */
  canTell(name: string, turn: HeartbeatTurn): boolean {
    const watched = this.#watched.get(name);
    return watched !== undefined && turn.now - Math.max(watched.since, turn.resumedAt) >= this.#limit(turn);
  }

  /** Report of this node on `name`. */
  reportOn(name: string, peer: HeartbeatPeer, turn: HeartbeatTurn): ProbeReport {
    const { incarnation, counter, counterAt } = this.#records.of(name, peer);
    const counterAge = counter === 0 ? 0 : Math.round(turn.now - counterAt);
    const silence = Math.floor(turn.now - peer.heardAt);
    const telling = silence < this.#settings.limit || this.canTell(name, turn);
    return [HeartbeatWord.probeReport, name, incarnation, counter, counterAge, telling ? silence : -1];
  }

  /**
   * Judges one node that is not held for dead.
   *
   * @returns Whether its death is confirmed.
   */
  #look(name: string, watched: Watched, peer: HeartbeatPeer, turn: HeartbeatTurn): boolean {
    const { indirectProbes } = this.#settings;
    const [limit, unease] = [this.#limit(turn), this.#unease(turn)];
    const silence = this.#silence(name, watched, peer, turn);
    if (watched.suspectSince !== undefined && peer.heardAt > watched.suspectSince) {
      watched.suspectSince = undefined;
      turn.events.push(this.#records.event("trusted", name, peer));
    }
    if (watched.suspectSince === undefined && turn.now - this.#heardAt(watched, peer, turn) >= limit) {
      watched.suspectSince = turn.now;
      turn.events.push(this.#records.event("suspect", name, peer));
      if (silence < unease) turn.events.push(this.#records.event("silentLink", name, peer));
    }
    if (silence < unease) {
      watched.suspicion = undefined;
      return false;
    }
    if (watched.suspicion === undefined) {
      watched.suspicion = new Suspicion();
      // The request may have been lost, if frames can be; and it is answered by a heartbeat at once.
      turn.send(name, true);
    }
    if (silence >= limit) return this.#confirm(name, watched.suspicion, peer, turn);
    const { now, random } = turn;
    this.#ask(watched.suspicion.listen(this.#otherWatchers(name, turn), indirectProbes, now, random), name, peer, turn);
    // All other watchers may be cut off from the node; anyone can ask it for a sign of life.
    this.#ask(watched.suspicion.listen(this.#anyone(name, turn), indirectProbes, now, random), name, peer, turn);
    return false;
  }

  #confirm(name: string, suspicion: Suspicion, peer: HeartbeatPeer, turn: HeartbeatTurn): boolean {
    const { indirectProbes, interval } = this.#settings;
    const step = suspicion.confirm(
      this.#otherWatchers(name, turn),
      indirectProbes,
      interval * turn.patience,
      turn.now,
      turn.random,
    );
    this.#ask(step.ask, name, peer, turn);
    return step.confirmed;
  }

  #ask(others: readonly string[], name: string, peer: HeartbeatPeer, turn: HeartbeatTurn): void {
    const { incarnation, counter } = this.#records.of(name, peer);
    for (const other of others) turn.send(other, [HeartbeatWord.probeRequest, name, incarnation, counter, 1]);
  }

  /** The other watchers of `name` that can be asked. */
  #otherWatchers(name: string, turn: HeartbeatTurn): string[] {
    return this.#ring.watchersOf(name).filter((watcher) => this.#canAnswer(watcher, turn));
  }

  /** All others that can be asked about `name`. */
  #anyone(name: string, turn: HeartbeatTurn): string[] {
    return [...turn.peers.keys()].filter((other) => other !== name && this.#canAnswer(other, turn));
  }

  #canAnswer(name: string, turn: HeartbeatTurn): boolean {
    return turn.connectedPeer(name) !== undefined && !this.#records.isDown(name) && !this.isSuspect(name);
  }

  /** Milliseconds of silence that are borne now. */
  #limit({ patience }: HeartbeatTurn): number {
    return this.#settings.limit * patience;
  }

  /** Milliseconds of silence after which others are asked quietly. */
  #unease({ patience }: HeartbeatTurn): number {
    return this.#settings.unease * patience;
  }

  /** Milliseconds since the last sign of life of any kind. */
  #silence(name: string, watched: Watched, peer: HeartbeatPeer, turn: HeartbeatTurn): number {
    const record = this.#records.of(name, peer);
    return turn.now - Math.max(this.#heardAt(watched, peer, turn), record.counterAt, record.reportedAt);
  }

  /** Time at which the node itself was last heard, or from which on it could have been. */
  #heardAt(watched: Watched, peer: HeartbeatPeer, turn: HeartbeatTurn): number {
    return Math.max(peer.heardAt, watched.since, turn.resumedAt);
  }

  /** Now and then tells a node that it is held for dead: if it can read that, it will refute it to everyone. */
  #tell(name: string, watched: Watched, turn: HeartbeatTurn): void {
    const mark = this.#records.marks.get(name);
    if (mark === undefined || turn.now - watched.toldAt < this.#settings.limit) return;
    watched.toldAt = turn.now;
    turn.send(name, [HeartbeatWord.dead, name, mark.incarnation, mark.counter]);
  }

  #redraw(names: Iterable<string>, turn: HeartbeatTurn): void {
    const self = this.#settings.self.name;
    this.#names = undefined;
    this.#ring = new WatchRing([self, ...names], this.#settings.watchers, this.#ring);
    const chosen = new Set(this.#ring.watchedBy(self));
    for (const name of this.names) {
      if (chosen.has(name)) continue;
      this.#watched.delete(name);
      turn.send(name, false);
    }
    for (const name of chosen) {
      if (this.#watched.has(name)) continue;
      this.#watched.set(name, begin(turn));
      turn.send(name, true);
    }
  }
}

function begin(turn: HeartbeatTurn): Watched {
  return { since: turn.now, suspectSince: undefined, suspicion: undefined, toldAt: turn.now };
}
