// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hasLooked } from "../groups/has_looked.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import type { Timer } from "../runtime/runtime.ts";
import { rendezvous } from "../wire/rendezvous.ts";
import type { Candidates } from "./candidates.ts";

/** What a task that runs on one node is given besides its signal. */
export interface Lease {
  /**
   * Rises with each run, on whatever node: let what the task writes to refuse a lower one than it has seen. A fencing token.
   */
  readonly token: number;
}

/** A task that runs on one node at a time. */
export type OneTask = (signal: AbortSignal, lease: Lease) => Promise<void>;

/** Options of {@linkcode Placement.runOnOne}. */
export interface RunOnOneOptions {
  /**
   * How many nodes, itself included, a node must see to run the task: `"majority"` of the known members, or a number. Without it, each part of
   * a cluster that fell apart runs the task.
   *
   * @default {1}
   */
  readonly quorum?: "majority" | number;
  /**
   * Milliseconds for which nothing may have changed before a node begins.
   *
   * @default {heartbeat.interval × (heartbeat.missed + 1)}
   */
  readonly stableAfter?: number;
}

/** Longest wait before a task that failed is begun again, in milliseconds; the first is a heartbeat interval. */
const RETRY_MAX_MS = 60_000;

/** One task, as this node sees it: runs it while this node is the one, and ends it when it is not. */
export class RunOnOne implements Disposable {
  readonly #node: PeerServiceManager;
  readonly #candidates: Candidates;
  readonly #name: string;
  readonly #run: OneTask;
  readonly #quorum: "majority" | number;
  readonly #stableAfter: number;
  readonly #subscriptions: Disposable[];
  /** Nodes that ask for the task. */
  readonly #asking = new Set<string>();
  /** When these changed last. */
  #askedAt: number;
  #timer: Timer | null = null;
  #running: AbortController | null = null;
  /** Whether a run that was told to end has not ended yet. */
  #isEnding = false;
  #failures = 0;
  #notBefore = 0;
  #highest = 0;
  #isDisposed = false;

  constructor(
    node: PeerServiceManager,
    candidates: Candidates,
    name: string,
    run: OneTask,
    { quorum = 1, stableAfter }: RunOnOneOptions,
  ) {
    const { interval, missed } = node.heartbeat;
    if (quorum !== "majority" && !(Number.isInteger(quorum) && quorum >= 1)) {
      throw new RangeError(`Cannot run "${name}": quorum is ${quorum}, expected "majority" or a whole number from 1`);
    }
    this.#node = node;
    this.#candidates = candidates;
    this.#name = name;
    this.#run = run;
    this.#quorum = quorum;
    this.#stableAfter = stableAfter ?? interval * (missed + 1);
    this.#askedAt = node.runtime.clock.now();
    this.#subscriptions = [
      candidates.listen(() => this.#judge()),
      // Who is seen counts for the quorum, whether it takes work or not.
      node.onUp("*", () => this.#judge()),
      node.onDown("*", () => this.#judge()),
      node.onAttribute(this.#attribute, (name, token) => this.#heard(name, token)),
    ];
    for (const member of node.members()) this.#heard(member, node.attribute(member, this.#attribute));
    node.setAttribute(this.#attribute, 0);
    node.stopSignal.addEventListener("abort", () => this[Symbol.dispose](), { once: true });
    this.#judge();
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#timer?.cancel();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#end("it is not wanted any more");
    if (!this.#node.stopSignal.aborted) this.#node.setAttribute(this.#attribute, undefined);
  }

  /** The attribute that tells the others that this node asks for the task, and the token of its last run. */
  get #attribute(): string {
    return `placement/lease/${this.#name}`;
  }

  #heard(node: string, token: unknown): void {
    const isAsking = typeof token === "number" && Number.isSafeInteger(token);
    if (isAsking) this.#highest = Math.max(this.#highest, token);
    if (isAsking === this.#asking.has(node)) return;
    if (isAsking) this.#asking.add(node);
    else this.#asking.delete(node);
    this.#askedAt = this.#node.runtime.clock.now();
    this.#judge();
  }

  #judge(): void {
    if (this.#isDisposed) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (!this.#isTheOne()) return this.#end("another node runs it now");
    if (this.#running !== null || this.#isEnding) return;
    const { clock } = this.#node.runtime;
    const stableSince = Math.max(this.#candidates.changedAt, this.#askedAt);
    const wait = Math.max(stableSince + this.#stableAfter, this.#notBefore) - clock.now();
    if (wait > 0 || !hasLooked(this.#node)) {
      this.#timer = clock.schedule(Math.max(wait, this.#node.heartbeat.interval), () => this.#judge());
    } else this.#begin();
  }

  #isTheOne(): boolean {
    const { present } = this.#candidates;
    const members = this.#node.members();
    const seen = members.filter((name) => name === this.#node.name || this.#node.isConnected(name)).length;
    const quorum = this.#quorum === "majority" ? Math.floor(members.length / 2) + 1 : this.#quorum;
    const able = [...present.values()].filter(({ name }) => this.#asking.has(name));
    return seen >= quorum && rendezvous(this.#name, able)[0]?.name === this.#node.name;
  }

  async #begin(): Promise<void> {
    const { clock } = this.#node.runtime;
    const token = Math.max(this.#highest + 1, Math.floor(clock.wallTime()));
    this.#highest = token;
    this.#node.setAttribute(this.#attribute, token);
    const running = new AbortController();
    this.#running = running;
    try {
      await this.#run(running.signal, { token });
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      if (!running.signal.aborted) this.#tell(error);
    }
    if (this.#running === running) this.#running = null;
    this.#isEnding = false;
    // A task that returns has done its part for now; one that fails waits longer each time.
    const { interval } = this.#node.heartbeat;
    this.#notBefore = clock.now() + Math.min(RETRY_MAX_MS, interval * 2 ** Math.min(this.#failures, 16));
    this.#judge();
  }

  #end(reason: string): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    this.#isEnding = true;
    running.abort(new DOMException(`Cannot go on with "${this.#name}": ${reason}`, "AbortError"));
  }

  /** A task that fails is told like a handler that does. */
  #tell(error: unknown): void {
    const detail = { error, during: `running "${this.#name}" on one node` };
    this.#node.dispatchEvent(new CustomEvent("error", { detail }));
  }
}
