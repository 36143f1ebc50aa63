// Copyright 2026 the Partisan peer-service authors. MIT license.

import { resultOf } from "../groups/answer.ts";
import { checkName } from "../groups/membership_attributes.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { StoppedError } from "../messaging/errors.ts";
import { CHECKED_ELSEWHERE, checkOptions, NUMBER, type OptionKinds, SIGNAL, STRING } from "../runtime/options.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { rendezvous } from "../wire/rendezvous.ts";
import { type OwnershipChange, setWeight } from "./candidates.ts";
import { isRefusal, KeyServer } from "./key_server.ts";
import { type OneTask, RunOnOne, type RunOnOneOptions } from "./run_on_one.ts";

/** Options of {@linkcode Placement}. */
export interface PlacementOptions {
  /**
   * Only nodes that are in this group of `Groups` own keys, in proportion to the weights of their members.
   *
   * @default {none: all nodes that are up and do not drain}
   */
  readonly group?: string | undefined;
  /**
   * Weight: the share of keys that this node wants in proportion to the others, where no group is given. Above 0.
   *
   * @default {1}
   */
  readonly weight?: number | undefined;
}

/** Options of {@linkcode Placement.callOwner}. */
export interface CallOwnerOptions {
  /**
   * Milliseconds after which to give up waiting.
   *
   * @default {none: until the node goes down}
   */
  readonly timeout?: number | undefined;
  /**
   * Gives up waiting.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<PlacementOptions> = { group: STRING, weight: NUMBER };
const CALL_KINDS: OptionKinds<CallOwnerOptions> = { timeout: CHECKED_ELSEWHERE, signal: SIGNAL };

/**
 * Finds the node that owns a key, by weighted rendezvous hashing over the nodes that are up: the same answer on all nodes that
 * see the same nodes. When one of N nodes comes or goes, about 1/N of the keys move.
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
  readonly #server: KeyServer;
  readonly #owned = new Set<Disposable>();
  #isDisposed = false;

  /**
   * Begins to watch the nodes. Costs little: several over one node and one group share what they know.
   *
   * @throws {TypeError | RangeError} When an option can be none.
   */
  constructor(node: PeerServiceManager, options: PlacementOptions = {}) {
    const { group, weight } = checkOptions("Cannot place work", options, KINDS);
    if (group !== undefined) checkName(group, "group");
    this.#node = node;
    if (weight !== undefined) setWeight(node, weight);
    this.#server = KeyServer.of(node, group);
  }

  /**
   * Name of the node that owns a key, as this node sees it.
   *
   * @throws {RangeError} When no node takes work.
   * @throws {StoppedError} When this node has stopped.
   */
  owner(key: string): string {
    const [owner] = this.owners(key, 1);
    if (this.#node.stopSignal.aborted) {
      throw new StoppedError(`Cannot place "${key}": "${this.#node.name}" has stopped`);
    }
    if (owner === undefined) throw new RangeError(`Cannot place "${key}": no node takes work`);
    return owner;
  }

  /** Names of the first `count` nodes for a key, the owner first: where copies belong. Fewer, when there are fewer. */
  owners(key: string, count: number): string[] {
    return rendezvous(key, this.#server.candidates.present.values(), count).map(({ name }) => name);
  }

  /** Has a listener told when nodes begin or cease to own keys. */
  onOwnershipChange(listener: (change: OwnershipChange) => void): Disposable {
    return this.#own(this.#server.candidates.listen(listener));
  }

  /**
   * Has the handler `name` of the key's owner handle a message. Every node that may own keys has to have made a placement, and registered the
   * handler. The owner takes the request only when it sees itself as the owner, so that two nodes that see different things do not both serve
   * a key; where the key has moved, the new owner is asked, once. A node to which the key has just come holds the request until the former
   * owner must know as well, and one that has just started until it has looked for others.
   *
   * @returns The handler's reply.
   * @throws {CallError} When the handler fails; with `remote.name` `"NotOwnerError"` when the nodes do not agree on the owner yet, and
   * `"OwnershipMovingError"` when too many requests are held, or one was held for too long: neither was handled, and both may be asked again.
   * @throws {TypeError | RangeError} When an option can be none.
   * @throws {RangeError} When no node takes work.
   * @throws {StoppedError} When this node has stopped.
   * @throws {DOMException} A `TimeoutError` when the time is up.
   * @throws The reason of the signal, once that is aborted.
   */
  async callOwner(key: string, name: string, message: unknown, options: CallOwnerOptions = {}): Promise<unknown> {
    const { clock } = this.#node.runtime;
    const what = `Cannot call "${name}" on the owner of "${key}"`;
    const deadline = checkOptions(what, options, CALL_KINDS);
    return await withDeadline(clock, deadline, what, async (until) => {
      const request = [key, name, message];
      const first = this.owner(key);
      let answer: unknown;
      try {
        answer = await this.#server.ask(first, request, until);
      } catch (error) {
        // It was never sent: the key moves with its owner's connection.
        const isUnsent = error instanceof Error && ["NotConnectedError", "PartitionedError"].includes(error.name);
        if (!isUnsent || this.owner(key) === first) throw error;
      }
      if (answer === undefined || isRefusal(answer)) answer = await this.#server.ask(this.owner(key), request, until);
      return resultOf(answer);
    });
  }

  /**
   * Runs a task on one of the nodes that ask for it by this name: on the owner of the name. It begins there once nothing has changed for a
   * while, and is told by its signal when it has to end. One that returns or fails is begun again, later each time it fails.
   *
   * With `quorum: "majority"`, two never run at once for longer than `heartbeat.interval × (heartbeat.missed + 3)` after the network changed,
   * if the task ends when its signal says so. Without, each part of a cluster that fell apart runs one.
   *
   * @returns Takes it back.
   * @throws {TypeError | RangeError} When an option can be none.
   */
  runOnOne(name: string, run: OneTask, options: RunOnOneOptions = {}): Disposable {
    return this.#own(new RunOnOne(this.#node, this.#server.candidates, name, run, options));
  }

  /** Watches the nodes no more, tells its listeners nothing more, and ends its tasks. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const owned of this.#owned) owned[Symbol.dispose]();
    this.#server[Symbol.dispose]();
  }

  /** Keeps an object that ends with this placement, if it does not end before. */
  #own(disposable: Disposable): Disposable {
    this.#owned.add(disposable);
    return {
      [Symbol.dispose]: () => {
        if (this.#owned.delete(disposable)) disposable[Symbol.dispose]();
      },
    };
  }
}
