// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import { HeartbeatSender } from "./heartbeat_sender.ts";
import {
  type AliveMessage,
  checkHeartbeatMessage,
  type DeadMessage,
  HeartbeatWord,
  type ProbeReport,
  type ProbeRequest,
} from "./heartbeat_message.ts";
import { HeartbeatTurn } from "./heartbeat_turn.ts";
import {
  type HeartbeatEnv,
  type HeartbeatOptions,
  type HeartbeatOutput,
  type HeartbeatSettings,
  heartbeatSettings,
} from "./heartbeat_types.ts";
import { HeartbeatRecords } from "./heartbeat_records.ts";
import { IndirectProbes } from "./indirect_probes.ts";
import { DeadMessages } from "./dead_messages.ts";
import { Watch } from "./watch.ts";

/**
 * A node's failure detector: it sends heartbeats to those that watch it, watches some others, and agrees with the rest on who is dead.
 * `docs/failure_detection.md` explains the algorithm.
 *
 * It does no input or output. Call {@linkcode tick} about four times per interval (with a random phase, so that nodes do
 * not send in step), hand each incoming message to {@linkcode receive}, report connections, and send what comes back. A call changes the
 * detector, but depends on nothing else than its arguments.
 *
 * @example A node falls silent, and no other node can tell more
 * ```ts
 * import { Heartbeat } from "@partisan/peer-service/gossip";
 * import { assert, assertFalse } from "@std/assert";
 *
 * const detector = new Heartbeat({ self: { name: "a", incarnation: 1 }, interval: 1_000, missed: 5 }, 0);
 * const peers = new Map([["b", { incarnation: 1, connected: true, heardAt: 0 }]]);
 * detector.setPeers(peers.keys());
 * detector.peerConnected("b", { now: 0, random: () => 0.5, peers });
 *
 * for (let now = 250; now <= 4_500; now += 250) detector.tick({ now, random: () => 0.5, peers });
 * assertFalse(detector.isSuspect("b"));
 * for (let now = 4_750; now <= 10_000; now += 250) detector.tick({ now, random: () => 0.5, peers });
 * assert(detector.isDown("b"));
 * ```
 *
 * @example A sign of life in time
 * ```ts
 * import { Heartbeat } from "@partisan/peer-service/gossip";
 * import { assertEquals, assertFalse } from "@std/assert";
 *
 * const peers = new Map([["b", { incarnation: 1, connected: true, heardAt: 0 }]]);
 * const env = (now: number) => ({ now, random: () => 0.5, peers });
 * const detector = new Heartbeat({ self: { name: "a", incarnation: 1 }, interval: 1_000, missed: 5 }, 0);
 * detector.setPeers(peers.keys());
 * detector.peerConnected("b", env(0));
 *
 * peers.set("b", { incarnation: 1, connected: true, heardAt: 4_000 });
 * detector.heard("b", env(4_000));
 * detector.receive({ name: "b", incarnation: 1 }, 1, env(4_000));
 * for (let now = 250; now <= 6_000; now += 250) assertEquals(detector.tick(env(now)).events, []);
 *
 * assertFalse(detector.isSuspect("b"));
 * detector.peerGone("b", env(6_000));
 * detector.forget("b");
 * ```
 */
export class Heartbeat {
  readonly #settings: HeartbeatSettings;
  readonly #records = new HeartbeatRecords();
  readonly #sender: HeartbeatSender;
  readonly #watch: Watch;
  readonly #deadMessages: DeadMessages;
  readonly #indirectProbes: IndirectProbes;
  #tickedAt: number;
  #resumedAt: number;

  /**
   * Begins with no node to watch.
   *
   * @param now Milliseconds on the local monotonic clock.
   * @throws {RangeError} When an option is out of range.
   */
  constructor(options: HeartbeatOptions, now: number) {
    this.#settings = heartbeatSettings(options);
    this.#sender = new HeartbeatSender(this.#settings, now);
    this.#watch = new Watch(this.#settings, this.#records);
    this.#deadMessages = new DeadMessages(this.#settings, this.#records);
    this.#indirectProbes = new IndirectProbes(this.#settings);
    this.#tickedAt = now;
    this.#resumedAt = now;
  }

  /** The names of the nodes that this one watches, connected or not. */
  get watched(): string[] {
    return this.#watch.names;
  }

  /** Whether `name` is declared down, and there was no proof of life since. */
  isDown(name: string): boolean {
    return this.#records.isDown(name);
  }

  /** Whether this node watches `name`, hears nothing from it, and it is not declared down. */
  isSuspect(name: string): boolean {
    return this.#watch.isSuspect(name);
  }

  /**
   * Sets the nodes that share the watch: those that the strategy wants connections with, connected or not. Takes
   * effect at the next tick.
   *
   * @param names Without this node's own; must not change afterwards.
   */
  setPeers(names: Iterable<string>): void {
    this.#watch.setPeers(names);
  }

  /**
   * Sends heartbeats and judges. To be called about every quarter of the interval; when it is called later than two intervals after the
   * last time, this node was asleep, and blames no other node for that. Read what waits in the sockets before.
   */
  tick(env: HeartbeatEnv): HeartbeatOutput {
    const turn = this.#turn(env);
    this.#tickedAt = env.now;
    this.#sender.tick(turn);
    for (const name of this.#deadMessages.tick(turn)) this.#watch.rest(name, turn);
    for (const name of this.#watch.tick(turn)) this.#declareDown(name, turn);
    return turn;
  }

  /**
   * Takes a decoded message.
   *
   * @param from Sender. One that is not that incarnation of a peer in `env.peers` is ignored.
   * @throws {TypeError} When the message is malformed. Nothing is changed then.
   */
  receive(from: NodeIncarnation, message: unknown, env: HeartbeatEnv): HeartbeatOutput {
    const checked = checkHeartbeatMessage(message);
    const turn = this.#turn(env);
    if (turn.connectedPeer(from.name)?.incarnation !== from.incarnation) return turn;
    this.#heard(from.name, turn);
    if (typeof checked === "number") this.#heartbeat(from, checked, turn);
    else if (typeof checked === "boolean") this.#sender.subscribe(from.name, checked, turn);
    else if (checked[0] === HeartbeatWord.probeRequest) this.#asked(from.name, checked, turn);
    else if (checked[0] === HeartbeatWord.dead) this.#deadMessage(from.name, checked, turn);
    else if (checked[0] === HeartbeatWord.alive) this.#alive(checked, turn);
    else this.#probeReport(from.name, checked, turn);
    return turn;
  }

  /**
   * The membership connection to `name` opened, for the first time or again. The handshake proves that it is alive.
   * `env.peers` already shows it as connected.
   */
  peerConnected(name: string, env: HeartbeatEnv): HeartbeatOutput {
    const turn = this.#turn(env);
    this.#heard(name, turn);
    this.#watch.connected(name, turn);
    return turn;
  }

  /**
   * The membership connection to `name` closed. It is not watched until the next one opens; that it was declared
   * down is remembered.
   */
  peerGone(name: string, env: HeartbeatEnv): HeartbeatOutput {
    const turn = this.#turn(env);
    this.#sender.unsubscribe(name);
    this.#watch.rest(name, turn);
    this.#deadMessages.disconnected(name);
    this.#indirectProbes.forget(name);
    this.#records.disconnected(name);
    return turn;
  }

  /**
   * A frame of any kind came from `name`. Only to be called, if at all, for one that {@linkcode isDown}, to learn at once that it is
   * up; for others, and without this call, `heardAt` tells all at the next tick.
   */
  heard(name: string, env: HeartbeatEnv): HeartbeatOutput {
    const turn = this.#turn(env);
    this.#heard(name, turn);
    return turn;
  }

  /** Forgets all about `name`, which is no longer in the cluster. */
  forget(name: string): void {
    this.#deadMessages.forget(name);
    this.#records.forget(name);
  }

  #turn(env: HeartbeatEnv): HeartbeatTurn {
    if (env.now - this.#tickedAt > 2 * this.#settings.interval) this.#resumedAt = env.now;
    return new HeartbeatTurn(env, this.#resumedAt);
  }

  #heard(name: string, turn: HeartbeatTurn): void {
    const peer = turn.connectedPeer(name);
    if (peer !== undefined) this.#deadMessages.heard(name, peer, turn);
  }

  #declareDown(name: string, turn: HeartbeatTurn): void {
    const peer = turn.connectedPeer(name);
    if (peer === undefined) return;
    this.#watch.rest(name, turn);
    this.#deadMessages.declare(name, peer, turn);
  }

  #heartbeat(from: NodeIncarnation, counter: number, turn: HeartbeatTurn): void {
    this.#learn(from.name, from.incarnation, counter, turn);
    // Asked for in the past, and the word that it no longer is got lost.
    if (!this.#watch.has(from.name)) turn.send(from.name, false);
  }

  #alive([, name, incarnation, counter]: AliveMessage, turn: HeartbeatTurn): void {
    this.#learn(name, incarnation, counter, turn);
    // Hearsay may end a suspicion at once, as the answer to an indirect probe does.
    this.#watch.review(name, turn);
  }

  #learn(name: string, incarnation: number, counter: number, turn: HeartbeatTurn): void {
    const peer = turn.connectedPeer(name);
    if (peer?.incarnation !== incarnation) return;
    this.#records.learn(this.#records.of(name, peer), counter, turn.now);
    this.#deadMessages.refute(name, peer, counter, turn);
    this.#indirectProbes.answer(name, incarnation, counter, turn);
  }

  #probeReport(from: string, report: ProbeReport, turn: HeartbeatTurn): void {
    const [, name, incarnation, counter, counterAge] = report;
    if (this.#watch.receiveReport(from, report, turn)) this.#declareDown(name, turn);
    // What is passed on counts as news of the moment, so it must not be much older than that.
    else if (counterAge <= 2 * this.#settings.interval) this.#indirectProbes.answer(name, incarnation, counter, turn);
  }

  #deadMessage(from: string, message: DeadMessage, turn: HeartbeatTurn): void {
    const [, name, incarnation, counter] = message;
    const { self } = this.#settings;
    if (name !== self.name) {
      const believed = this.#deadMessages.receive(from, message, this.#watch.canTell(name, turn), turn);
      if (believed) this.#watch.rest(name, turn);
    } else if (incarnation === self.incarnation) {
      turn.events.push({ type: "accused", node: name, incarnation, counter });
      this.#sender.refute(counter, from, turn);
    }
  }

  #asked(from: string, [, name, incarnation, , hops]: ProbeRequest, turn: HeartbeatTurn): void {
    const { self } = this.#settings;
    if (name === self.name) {
      if (incarnation === self.incarnation) this.#sender.answer(from, turn);
      return;
    }
    const peer = turn.connectedPeer(name);
    const mark = this.#records.marks.get(name);
    if (peer?.incarnation !== incarnation) {
      turn.send(from, [HeartbeatWord.probeReport, name, incarnation, 0, 0, -1]);
    } else if (mark !== undefined) {
      turn.send(from, [HeartbeatWord.dead, name, mark.incarnation, mark.counter]);
    } else {
      const report = this.#watch.reportOn(name, peer, turn);
      turn.send(from, report);
      // Even if that was a good answer: a fresh sign of life is a better one.
      this.#indirectProbes.add(from, [HeartbeatWord.probeRequest, name, incarnation, report[3], hops], turn);
    }
  }
}
