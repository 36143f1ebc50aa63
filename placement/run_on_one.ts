// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hasLooked } from "../groups/has_looked.ts";
import { PeerService } from "../manager/peer_service.ts";
import { incarnationMax } from "../manager/refutation.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { checkMilliseconds } from "../runtime/deadline.ts";
import { checkOptions, NUMBER, type OptionKind, type OptionKinds } from "../runtime/options.ts";
import type { Timer } from "../runtime/runtime.ts";
import { rendezvous } from "../wire/rendezvous.ts";
import type { Candidates } from "./candidates.ts";

/** Lease of a task that runs on one node, given with its signal. */
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
   * Number of votes, its own included, that a node needs to run the task: `"majority"` of the known members, or a number. A
   * node is for the one that it takes for the owner itself; those are counted that this one is connected with. One that does not
   * ask for the task is for each node that sees it: have every member ask for it where single links may fail. Without a quorum,
   * each part of a cluster that fell apart runs the task.
   *
   * @default {1}
   */
  readonly quorum?: "majority" | number | undefined;
  /**
   * Milliseconds for which nothing may have changed before a node begins.
   *
   * @default {heartbeat.interval × (heartbeat.missed + 1)}
   */
  readonly stableAfter?: number | undefined;
}

const QUORUM: OptionKind = ['"majority" or a number', (value) => value === "majority" || typeof value === "number"];
const KINDS: OptionKinds<RunOnOneOptions> = { quorum: QUORUM, stableAfter: NUMBER };

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
  /** Nodes that ask for the task, and the node that each of them takes for the one; `null` when it sees none. */
  readonly #votes = new Map<string, string | null>();
  /** Time of their last change. */
  #votedAt: number;
  /** The token of the last run of this node. */
  #token = 0;
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
    options: RunOnOneOptions,
  ) {
    const { interval, missed } = node.heartbeat;
    const { quorum = 1, stableAfter = interval * (missed + 1) } = checkOptions(`Cannot run "${name}"`, options, KINDS);
    if (quorum !== "majority" && !(Number.isInteger(quorum) && quorum >= 1)) {
      throw new RangeError(`Cannot run "${name}": quorum is ${quorum}, expected "majority" or a whole number from 1`);
    }
    checkMilliseconds("stableAfter", stableAfter, `Cannot run "${name}"`);
    this.#node = node;
    this.#candidates = candidates;
    this.#name = name;
    this.#run = run;
    this.#quorum = quorum;
    this.#stableAfter = stableAfter;
    this.#votedAt = node.runtime.clock.now();
    this.#subscriptions = [
      candidates.listen(() => this.#judge()),
      // Each node that is seen counts for the quorum, whether it takes work or not.
      node.onUp("*", () => this.#judge()),
      node.onDown("*", () => this.#judge()),
      node.onAttribute(this.#attribute, (name, lease) => this.#heard(name, lease)),
    ];
    for (const owner of PeerService.nodeOf(node).attributes.owners) {
      this.#heard(owner, node.attribute(owner, this.#attribute));
    }
    this.#vote(null);
    node.stopSignal.addEventListener("abort", () => this[Symbol.dispose](), { once: true });
    this.#judge();
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#timer?.cancel();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#end(this.#node.stopSignal.aborted ? "this node has stopped" : "it is not wanted any more");
    if (!this.#node.stopSignal.aborted) this.#node.setAttribute(this.#attribute, undefined);
  }

  /** The attribute that tells the others that this node asks for the task: the token of its last run, and the node that it is for. */
  get #attribute(): string {
    return `placement/lease/${this.#name}`;
  }

  #vote(one: string | null): void {
    this.#node.setAttribute(this.#attribute, [this.#token, one]);
  }

  #heard(node: string, lease: unknown): void {
    const [token, one] = Array.isArray(lease) ? lease : [];
    const vote = Number.isSafeInteger(token) ? typeof one === "string" ? one : null : undefined;
    // A lie about tokens, which are times as incarnations are, uses none up.
    const most = incarnationMax(PeerService.nodeOf(this.#node).context);
    if (vote !== undefined && token <= most) this.#highest = Math.max(this.#highest, token);
    if (vote === this.#votes.get(node)) return;
    if (vote === undefined) this.#votes.delete(node);
    else this.#votes.set(node, vote);
    this.#votedAt = this.#node.runtime.clock.now();
    this.#judge();
  }

  #judge(): void {
    if (this.#isDisposed || this.#node.stopSignal.aborted) return;
    this.#timer?.cancel();
    this.#timer = null;
    const one = this.#choose();
    if (one !== this.#votes.get(this.#node.name)) return this.#vote(one);
    if (one !== this.#node.name) return this.#end("another node runs it now");
    if (!this.#hasQuorum()) return this.#end("too few nodes are for this one");
    if (this.#running !== null || this.#isEnding) return;
    const { clock } = this.#node.runtime;
    const stableSince = Math.max(this.#candidates.changedAt, this.#votedAt);
    const wait = Math.max(stableSince + this.#stableAfter, this.#notBefore) - clock.now();
    if (wait > 0 || !hasLooked(this.#node)) {
      this.#timer = clock.schedule(Math.max(wait, this.#node.heartbeat.interval), () => this.#judge());
    } else this.#begin();
  }

  /** The node that runs it, as this one sees it. */
  #choose(): string | null {
    const able = [...this.#candidates.present.values()].filter(({ name }) => this.#votes.has(name));
    return rendezvous(this.#name, able)[0]?.name ?? null;
  }

  /** Whether enough nodes are for this one. It is not enough to see them: two nodes that do not see each other may both see the same others. */
  #hasQuorum(): boolean {
    const members = this.#node.members();
    const isFor = (name: string) =>
      this.#node.isConnected(name) && (!this.#votes.has(name) || this.#votes.get(name) === this.#node.name);
    const supporters = members.filter((name) => name === this.#node.name || isFor(name)).length;
    return supporters >= (this.#quorum === "majority" ? Math.floor(members.length / 2) + 1 : this.#quorum);
  }

  async #begin(): Promise<void> {
    const { clock } = this.#node.runtime;
    const token = Math.max(this.#highest + 1, Math.floor(clock.wallTime()));
    this.#highest = this.#token = token;
    const running = new AbortController();
    this.#running = running;
    this.#vote(this.#node.name);
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
