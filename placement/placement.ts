// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { CallError } from "../messaging/errors.ts";
import type { Timer } from "../runtime/runtime.ts";
import { rendezvous } from "../wire/rendezvous.ts";
import { Candidates, type OwnershipChange, setWeight } from "./candidates.ts";
import { type OneTask, RunOnOne, type RunOnOneOptions } from "./run_on_one.ts";

/** Options of {@linkcode Placement}. */
export interface PlacementOptions {
  /**
   * Only nodes that are in this group of `Groups` own keys, in proportion to the weights of their members.
   *
   * @default {none: all nodes that are up and do not drain}
   */
  readonly group?: string;
  /**
   * How many keys this node wants, against the others, where no group is given: above 0.
   *
   * @default {1}
   */
  readonly weight?: number;
}

/** Options of {@linkcode Placement.callOwner}. */
export interface CallOwnerOptions {
  /**
   * Milliseconds after which to give up waiting.
   *
   * @default {none: until the node goes down}
   */
  readonly timeout?: number;
  /**
   * Gives up waiting.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal;
}

/** Most requests that are held while a key may still be owned by another node. */
const HELD_MAX = 10_000;

/** What the owner answers. The numbers are part of the wire protocol: never reuse one. */
const DONE = 0;
const FAILED = 1;
const REFUSED = 2;

/**
 * Which node owns a key, by weighted rendezvous hashing over the nodes that are up: the same answer on all nodes that see the same nodes. When
 * one of N nodes comes or goes, about 1/N of the keys move.
 *
 * @example The owner of a key handles what concerns it
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { Placement } from "@partisan/peer-service/placement";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a", preset: "local" });
 * const counts = new Map<string, number>();
 * node.register("count", (key: string) => {
 *   counts.set(key, (counts.get(key) ?? 0) + 1);
 *   return counts.get(key);
 * });
 * const placement = new Placement(node);
 * using _change = placement.onOwnershipChange(({ joined }) => console.log(joined));
 *
 * assertEquals(placement.owner("user-1"), "a");
 * assertEquals(placement.owners("user-1", 2), ["a"]);
 * assertEquals(await placement.callOwner("user-1", "count", "user-1"), 1);
 * const began = Promise.withResolvers<number>();
 * using _task = placement.runOnOne("sweep", (_signal, { token }) => Promise.resolve(began.resolve(token)), { stableAfter: 0 });
 * assertEquals(await began.promise > 0, true);
 * ```
 */
export class Placement implements Disposable {
  readonly #node: PeerServiceManager;
  readonly #candidates: Candidates;
  readonly #handler: string;
  readonly #waiting = new Set<Timer>();

  /**
   * Begins to watch the nodes.
   *
   * @throws {RangeError} When the weight is none, or there is a placement over this group on this node already.
   */
  constructor(node: PeerServiceManager, options: PlacementOptions = {}) {
    const { group, weight } = options;
    this.#node = node;
    this.#handler = `placement/${group ?? ""}`;
    node.register(this.#handler, (request: unknown) => this.#take(request));
    if (weight !== undefined) setWeight(node, weight);
    this.#candidates = new Candidates(node, group);
  }

  /**
   * Name of the node that owns a key, as this node sees it.
   *
   * @throws {RangeError} When no node takes work.
   */
  owner(key: string): string {
    const [owner] = this.owners(key, 1);
    if (owner === undefined) throw new RangeError(`Cannot place "${key}": no node takes work`);
    return owner;
  }

  /** Names of the first `count` nodes for a key, the owner first: where copies belong. Fewer, when there are fewer. */
  owners(key: string, count: number): string[] {
    return rendezvous(key, this.#candidates.present.values(), count).map(({ name }) => name);
  }

  /** Has a listener told when nodes begin or cease to own keys. */
  onOwnershipChange(listener: (change: OwnershipChange) => void): Disposable {
    return this.#candidates.listen(listener);
  }

  /**
   * Has the handler `name` of the key's owner handle a message. The owner takes it only when it sees itself as the owner, so that two nodes
   * that see different things do not both serve a key; where the key has moved, the new owner is asked, once. An owner to which the key has just
   * come holds the request until the former one must know as well.
   *
   * @returns The handler's reply.
   * @throws {CallError} When the handler fails; with `remote.name` `"NotOwnerError"` when the nodes do not agree on the owner yet, and
   * `"OwnershipMovingError"` when too many requests are held.
   */
  async callOwner(key: string, name: string, message: unknown, options: CallOwnerOptions = {}): Promise<unknown> {
    const first = this.owner(key);
    const ask = async (owner: string) => await this.#node.call(owner, this.#handler, [key, name, message], options);
    let answer: unknown;
    try {
      answer = await ask(first);
    } catch (error) {
      // It was never sent: the key moves with its owner's connection.
      const isUnsent = error instanceof Error && ["NotConnectedError", "PartitionedError"].includes(error.name);
      if (!isUnsent || this.owner(key) === first) throw error;
    }
    if (answer === undefined || isRefusal(answer)) answer = await ask(this.owner(key));
    return resultOf(answer);
  }

  /**
   * Runs a task on one of the nodes that ask for it by this name: on the owner of the name. It begins there once nothing has changed for a
   * while, and is told by its signal when it has to end. One that returns or fails is begun again, later each time it fails.
   *
   * With `quorum: "majority"`, two never run at once for longer than `heartbeat.interval × (heartbeat.missed + 3)` after the network changed,
   * if the task ends when its signal says so. Without, each part of a cluster that fell apart runs one.
   *
   * @returns Takes it back.
   * @throws {RangeError} When the quorum is none.
   */
  runOnOne(name: string, run: OneTask, options: RunOnOneOptions = {}): Disposable {
    return new RunOnOne(this.#node, this.#candidates, name, run, options);
  }

  /** Watches the nodes no more. */
  [Symbol.dispose](): void {
    this.#candidates[Symbol.dispose]();
    this.#node.unregister(this.#handler);
    for (const timer of this.#waiting) timer.cancel();
  }

  async #take(request: unknown): Promise<unknown> {
    const [key, name, message] = Array.isArray(request) ? request : [];
    if (typeof key !== "string" || typeof name !== "string") {
      throw new TypeError("Cannot read a request for the owner of a key");
    }
    if (this.owners(key, 1)[0] !== this.#node.name) return this.#refusal(key);
    const wait = this.#arrivesIn(key);
    if (wait > 0) {
      if (this.#waiting.size >= HELD_MAX) return [REFUSED, "OwnershipMovingError", `${HELD_MAX} requests wait already`];
      await this.#hold(wait);
      if (this.owners(key, 1)[0] !== this.#node.name) return this.#refusal(key);
    }
    try {
      return [DONE, await this.#node.call(this.#node.name, name, message)];
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const { remote } = error;
      return [FAILED, remote.name, remote.message, remote.code];
    }
  }

  #refusal(key: string): unknown[] {
    const [owner = "nobody"] = this.owners(key, 1);
    return [REFUSED, "NotOwnerError", `Cannot serve "${key}" on "${this.#node.name}": the owner is "${owner}"`];
  }

  /** Milliseconds until a key that has just come here must have been given up by its former owner, if that is still there. */
  #arrivesIn(key: string): number {
    const { interval } = this.#node.heartbeat;
    const now = this.#node.runtime.clock.now();
    const arrivals = this.#candidates.formerSince(now - interval).filter(({ former }) => {
      const owner = rendezvous(key, former)[0]?.name;
      return owner !== undefined && owner !== this.#node.name && this.#candidates.present.has(owner);
    });
    return Math.max(0, ...arrivals.map(({ at }) => at + interval - now));
  }

  #hold(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#node.runtime.clock.schedule(milliseconds, () => {
        this.#waiting.delete(timer);
        resolve();
      });
      this.#waiting.add(timer);
    });
  }
}

function isRefusal(answer: unknown): boolean {
  return Array.isArray(answer) && answer[0] === REFUSED;
}

/** What the handler returned. @throws {CallError} When it failed, or the request was refused. */
function resultOf(answer: unknown): unknown {
  const [kind, first, message, code] = Array.isArray(answer) ? answer : [];
  if (kind === DONE) return first;
  const remote = { name: `${first}`, message: `${message}`, ...(code !== undefined && { code }) };
  throw new CallError(remote.message, remote);
}
