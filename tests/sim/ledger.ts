// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CausalChecker, type CausalPast } from "./causal_checker.ts";
import type { Process, Run } from "./run.ts";
import { present } from "../values.ts";

/** A message as its sender saw it. */
export interface Sent {
  /** Way in which it was sent. */
  readonly kind: string;
  readonly from: Process;
  readonly to: string;
  /** Messages with the same text here, from one process to another, arrive in order; `undefined` for a message without an order. */
  readonly order: string | undefined;
  /** Changes with every connection between the two that opens or closes, where the order does not outlive that. */
  readonly connections: string;
  /** Whether a newer one may take its place. */
  readonly monotonic?: boolean | undefined;
  /** Whether its sender is told when it was handed over. */
  readonly acked: boolean;
  /** Its place in the causal order, if it has one. */
  readonly causal?: CausalPast;
}

/** Errors that a sender may get when the network, the receiver or it itself is in trouble. */
const EXPECTED_ERRORS = new Set([
  ...["AckTimeoutError", "NotConnectedError", "PartitionedError", "QueueFullError", "StoppedError", "TimeoutError"],
]);

/** Kinds of messages that may be lost with a connection. */
const PLAIN_KINDS = new Set(["cast", "forward"]);

/** Receivers of a broadcast. */
export const EVERY_NODE = "*";

/**
 * Account of every message, from its sender to its receivers: nothing arrives that was not sent, nothing arrives twice, and what has an order keeps it.
 * What was acknowledged was handed over. Messages are numbered in the order in which they were sent.
 */
export class Ledger {
  readonly #run: Run;
  readonly #causal: CausalChecker;
  readonly #sent: Sent[] = [];
  /** Numbers of messages that came anywhere. */
  readonly #arrived = new Set<number>();
  /** Messages that came to the present incarnation of each node. */
  readonly #arrivals = new Map<Process, { readonly incarnation: number; readonly ids: Set<number> }>();
  /** By stream: the number of the message that came last. */
  readonly #last = new Map<string, number>();
  readonly #pending = new Map<number, Process>();
  /** Messages of which the sender got an error. */
  readonly #refused = new Set<number>();
  /** Number of times that each process was told that a message to a node is undeliverable. */
  readonly #undeliverable = new Map<Process, Map<string, number>>();
  /** Number of the first message of which senders are told since this account began. */
  #first = 0;

  constructor(run: Run) {
    this.#run = run;
    this.#causal = new CausalChecker(run);
  }

  /** Number of messages that came. */
  get arrivals(): number {
    return this.#arrived.size;
  }

  /** Number of messages that were sent. */
  get size(): number {
    return this.#sent.length;
  }

  /** Messages whose senders are alive and still wait for an outcome. */
  get pending(): number[] {
    return [...this.#pending].flatMap(([id, from]) => this.#run.isAlive(from) ? [id] : []);
  }

  /** Writes down a message that is about to be sent. @returns Its number. */
  add(message: Sent): number {
    return this.#sent.push(message) - 1;
  }

  /** Writes down a message with a place in the causal order, to be delivered by an acknowledgement. @returns Its number. */
  addCausal(from: Process, to: string): number {
    const past = this.#causal.send(this.#sent.length, from, to);
    return this.add({ kind: "causal", from, to, order: undefined, connections: "", acked: false, causal: past });
  }

  /** Whether a message came to a node; one to every node, to every node who lives. */
  hasArrived(id: number): boolean {
    if (present(this.#sent[id]).to !== EVERY_NODE) return this.#arrived.has(id);
    return this.#run.processes.every((process) => this.#arrivalsAt(process).has(id));
  }

  /** Whether the sender of a message goes on. One that heard only now that it was removed takes its messages along. */
  isSenderAlive(id: number): boolean {
    return this.#run.isAlive(present(this.#sent[id]).from);
  }

  /** The sender of a message to `to` was told that it is undeliverable. */
  told(process: Process, to: string): void {
    let counts = this.#undeliverable.get(process);
    if (counts === undefined) this.#undeliverable.set(process, counts = new Map());
    counts.set(to, (counts.get(to) ?? 0) + 1);
  }

  /** From now on, only messages that are sent from now on count as vanished, and so does what their senders are told. */
  beginAccount(): void {
    this.#first = this.size;
    this.#undeliverable.clear();
  }

  /** Plain messages, up to the one with the number `last`, that did not arrive, and of which their senders, who live, were told nothing: more than they were told of. */
  vanished(last: number): number[] {
    const missing = new Map<Process, Map<string, number[]>>();
    for (const [id, { kind, from, to, monotonic }] of this.#sent.entries()) {
      if (id < this.#first) continue;
      if (id > last) break;
      if (!PLAIN_KINDS.has(kind) || monotonic || this.#arrived.has(id) || this.#refused.has(id)) continue;
      if (!this.#run.isAlive(from)) continue;
      const byNode = missing.get(from) ?? new Map<string, number[]>();
      missing.set(from, byNode);
      byNode.set(to, [...byNode.get(to) ?? [], id]);
    }
    return [...missing].flatMap(([process, byNode]) =>
      [...byNode].flatMap(([to, ids]) => ids.slice(this.#undeliverable.get(process)?.get(to) ?? 0))
    );
  }

  /** Lists messages. */
  describe(ids: readonly number[]): string {
    return ids.slice(0, 10).map((id) => this.#describe(id)).join(", ");
  }

  /** Watches what the sender of a message is told; `expected` is what comes back when all goes well. */
  async watch(id: number, outcome: Promise<unknown>, expected?: unknown): Promise<void> {
    const { from, acked } = present(this.#sent[id]);
    const what = this.#describe(id);
    this.#pending.set(id, from);
    try {
      const result = await outcome;
      if (result !== expected) this.#run.fail(`The sender of ${what} got ${result}, expected ${expected}`);
      if (acked && !this.#arrived.has(id)) {
        this.#run.fail(`The sender of ${what} was told that it arrived, which it did not`);
      }
    } catch (error) {
      const { name, message } = error as Error;
      this.#causal.givenUp(id);
      this.#refused.add(id);
      if (!EXPECTED_ERRORS.has(name)) this.#run.fail(`The sender of ${what} failed: ${name}: ${message}`);
    }
    this.#pending.delete(id);
  }

  /** A message came to a handler of `at`, over `channel`. */
  receive(at: Process, id: number, from: string, channel: string): void {
    const sent = this.#sent[id];
    if (sent === undefined || (sent.to !== at.name && sent.to !== EVERY_NODE) || sent.from.name !== from) {
      return this.#run.fail(`${at.id} received #${id} from ${from}, which was not sent so`);
    }
    this.#arrived.add(id);
    const arrivals = this.#arrivalsAt(at);
    if (arrivals.has(id)) this.#run.fail(`${at.id} received ${this.#describe(id)} twice`);
    arrivals.add(id);
    if (sent.causal !== undefined) this.#causal.deliver(id, sent.causal, at);
    if (sent.order !== undefined) this.#checkOrder(`${sent.from.id} ${at.id} ${channel} ${sent.order}`, id);
  }

  #arrivalsAt(process: Process): Set<number> {
    const { incarnation } = process.node.spec;
    let arrivals = this.#arrivals.get(process);
    if (arrivals?.incarnation !== incarnation) this.#arrivals.set(process, arrivals = { incarnation, ids: new Set() });
    return arrivals.ids;
  }

  #describe(id: number): string {
    const { kind, from, to } = present(this.#sent[id]);
    return `#${id} (${kind}, ${from.id} → ${to})`;
  }

  #checkOrder(stream: string, id: number): void {
    const last = this.#last.get(stream) ?? -1;
    this.#last.set(stream, id);
    if (last < id || present(this.#sent[last]).connections !== present(this.#sent[id]).connections) return;
    this.#run.fail(`${this.#describe(id)} arrived after ${this.#describe(last)}: ${stream}`);
  }
}
