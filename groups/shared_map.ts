// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";
import { EventStream } from "../manager/event_stream.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import type { SnapshotStore } from "../membership/snapshot_store.ts";
import { objectWith } from "../runtime/object_with.ts";
import { checkOptions, FUNCTION, NUMBER, type OptionKinds } from "../runtime/options.ts";
import { decode } from "../wire/message_pack_decode.ts";
import { encode } from "../wire/message_pack_encode.ts";
import { checkRunning } from "./check_running.ts";
import { checkName, endWithNode } from "./membership_attributes.ts";
import { sizeOf } from "./shared_map/map_limits.ts";
import { checkKey, type MapOperation } from "./shared_map/map_message.ts";
import { counting } from "./shared_map/map_replica.ts";
import { MapSync } from "./shared_map/map_sync.ts";

/** Options of {@linkcode SharedMap}. */
export interface SharedMapOptions<V> {
  /**
   * Makes one value of two that were set by nodes which did not know of each other's. The earlier one by hybrid logical clock comes first,
   * on all nodes. It must not change what it is given.
   *
   * @default {the later one}
   */
  readonly merge?: ((earlier: V, later: V, key: string) => V) | undefined;
  /**
   * Keeps the map over a restart of all nodes: `fileStore(path)`, of a file of its own.
   *
   * @default {none}
   */
  readonly store?: SnapshotStore | undefined;
  /**
   * Most keys that have a value, 1 or more.
   *
   * @default {10_000}
   */
  readonly maxEntries?: number | undefined;
  /**
   * About how many bytes all keys and values may take, 1,024 to 33,554,432. Give all nodes the same.
   *
   * @default {8_388_608}
   */
  readonly maxBytes?: number | undefined;
}

const KINDS: OptionKinds<SharedMapOptions<unknown>> = {
  merge: FUNCTION,
  store: objectWith("a store with load() and save(), such as fileStore(path) makes", "load", "save"),
  maxEntries: NUMBER,
  maxBytes: NUMBER,
};

/** A difference in a {@linkcode SharedMap}. */
export interface SharedMapChange<V> {
  /** Whether there is a value now. */
  readonly type: "set" | "delete";
  /** Its key. */
  readonly key: string;
  /** The value; `undefined` when it was deleted. */
  readonly value: V | undefined;
}

/** Least and most bytes that a map may be given. */
const BYTES_LEAST = 1_024;
const BYTES_MOST = 33_554_432;

/**
 * A small map that every node has in full: configuration, feature flags, a table of who is where. Reads are local, writes are told to all nodes
 * in one hop, and what that misses is found and repaired by comparing digests.
 *
 * A write replaces what its node knew of the key. Of writes that did not know of each other the last one wins, by hybrid logical clock, or
 * `merge` makes one value of them. All nodes that can reach each other come to the same values, whatever was cut, frozen or restarted.
 *
 * @example A map that two nodes share
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { SharedMap } from "@partisan/peer-service/groups";
 * import { assertEquals } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * const atA = new SharedMap<number>(a, "config");
 * atA.set("limit", 10);
 * atA.set("burst", 20);
 *
 * await b.syncJoin(a.spec);
 * const atB = new SharedMap<number>(b, "config");
 * await atB.ready; // it has what the others have
 * assertEquals([...atB.entries()], [["burst", 20], ["limit", 10]]);
 *
 * const changes = atA.watch();
 * atB.delete("burst");
 * assertEquals((await changes.next()).value, { type: "delete", key: "burst", value: undefined });
 * assertEquals([atA.has("burst"), atA.get("limit"), atA.size, [...atA.keys()]], [false, 10, 1, ["limit"]]);
 * await atA.flush(); // into the store, if there is one
 * ```
 */
export class SharedMap<V = unknown> {
  /** The name of the map. */
  readonly name: string;
  readonly #node: PeerServiceManager;
  readonly #sync: MapSync;
  readonly #merge: ((earlier: V, later: V, key: string) => V) | undefined;

  /**
   * Costs little: several of one name over one node share what they know, and the store and the limits of the first of them.
   *
   * @param name 1 to 200 characters.
   * @throws {TypeError | RangeError} When the name or an option can be none.
   */
  constructor(node: PeerServiceManager, name: string, options: SharedMapOptions<V> = {}) {
    checkName(name, "name");
    const { merge, store, maxEntries = 10_000, maxBytes = 8_388_608 } = checkOptions<SharedMapOptions<V>>(
      `Cannot use the map "${name}"`,
      options,
      KINDS,
    );
    checkLimit(name, "maxEntries", maxEntries, 1, Number.MAX_SAFE_INTEGER);
    checkLimit(name, "maxBytes", maxBytes, BYTES_LEAST, BYTES_MOST);
    this.name = name;
    this.#node = node;
    this.#merge = merge;
    this.#sync = MapSync.of(node, name, { store, maxEntries, maxBytes });
  }

  /**
   * Resolves once this node has all that the nodes have that are up when it is asked for, and what is in the store. A node that is alone, after
   * its `discovery` has looked for others, is ready at once. Over a partial view the nodes count that this one is connected with, and those that it
   * knows to have the map. Rejects when the node stops.
   */
  get ready(): Promise<void> {
    return this.#sync.ready();
  }

  /** Number of keys that have a value. */
  get size(): number {
    return this.#sync.replica.size;
  }

  /** The value of a key: a copy, which may be changed. */
  get(key: string): V | undefined {
    return this.#resolve(key, this.#sync.replica.values(key));
  }

  /** Whether a key has a value. */
  has(key: string): boolean {
    return this.#sync.replica.values(key).length > 0;
  }

  /**
   * Gives a key a value. It may be changed afterwards.
   *
   * @param key At most 1,024 characters.
   * @param value Any value that a message may have.
   * @throws {TypeError} When the key can be none.
   * @throws {RangeError} When there would be more than `maxEntries` or `maxBytes`.
   * @throws {EncodeError} When the value cannot be encoded.
   * @throws {StoppedError} When the node has stopped.
   */
  set(key: string, value: V): this {
    checkRunning(this.#node, `set "${key}"`);
    checkKey(key);
    if (value === undefined) throw new TypeError(`Cannot set "${key}": the value is undefined; delete the key instead`);
    const encoded = encode(value);
    const { replica, limits: { maxEntries, maxBytes } } = this.#sync;
    const entries = replica.size + (this.has(key) ? 0 : 1);
    const bytes = replica.bytes + sizeOf({ key, value: encoded }) - replica.bytesOf(key);
    const what = `Cannot set "${key}" in the map "${this.name}"`;
    if (entries > maxEntries) throw new RangeError(`${what}: it would have ${entries} entries, at most ${maxEntries}`);
    if (bytes > maxBytes) throw new RangeError(`${what}: it would take ${bytes} bytes, at most ${maxBytes}`);
    this.#sync.write(key, encoded);
    return this;
  }

  /**
   * Takes a key's value away.
   *
   * @returns Whether it had one.
   * @throws {StoppedError} When the node has stopped.
   */
  delete(key: string): boolean {
    checkRunning(this.#node, `delete "${key}"`);
    if (!this.has(key)) return false;
    this.#sync.write(key, null);
    return true;
  }

  /** The keys that have a value, sorted: the same on all nodes. */
  keys(): IterableIterator<string> {
    return [...this.#sync.replica.keys()].sort().values();
  }

  /** Keys and values, sorted by key. */
  *entries(): IterableIterator<[string, V]> {
    for (const key of this.keys()) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  /**
   * Changes from now on, of this node or others. Ends with `return()`, that is with the loop over it, and when the node stops.
   */
  watch(): AsyncIterableIterator<SharedMapChange<V>> {
    const stream = new EventStream<SharedMapChange<V>>();
    const listening = this.#sync.listen(({ key, before, after }) => {
      const [former, now] = [before, after].map((operations) => this.#resolve(key, counting(operations)));
      if (isSame(former, now)) return;
      stream.push({ type: now === undefined ? "delete" : "set", key, value: now });
    });
    stream.ended.then(() => listening[Symbol.dispose]());
    endWithNode(this.#node, stream);
    return stream;
  }

  /** Resolves once all that was set so far is in the store; at once where there is none. Without it, that takes a heartbeat interval. */
  async flush(): Promise<void> {
    await this.#sync.flush();
  }

  #resolve(key: string, operations: readonly MapOperation[]): V | undefined {
    const values = operations.flatMap(({ value }) => value === null ? [] : [value]);
    const merge = this.#merge;
    if (merge === undefined) return decodeLast(values);
    const decoded = values.map((value) => decode(value) as V);
    return decoded.length === 0 ? undefined : decoded.reduce((earlier, later) => merge(earlier, later, key));
  }
}

function decodeLast<V>(values: readonly Uint8Array[]): V | undefined {
  const last = values.at(-1);
  return last === undefined ? undefined : decode(last) as V;
}

/** Whether two values are encoded in the same way. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return one === other;
  const [a, b] = [encode(one), encode(other)];
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function checkLimit(name: string, what: string, value: number, least: number, most: number): void {
  if (isIntegerIn(value, least, most)) return;
  throw new RangeError(
    `Cannot use the map "${name}": ${what} is ${value}, expected an integer from ${least} to ${most}`,
  );
}
