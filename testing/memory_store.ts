// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SnapshotStore } from "../membership/snapshot_store.ts";

/**
 * A simulated disk for one node: it outlives the node's crashes, and can be made to fail. See {@linkcode memoryStore}.
 *
 * @example A full disk
 * ```ts
 * import { memoryStore } from "@partisan/peer-service/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const disk = memoryStore();
 * await disk.save(new Uint8Array([1]));
 * disk.fault = "fail";
 *
 * await assertRejects(() => disk.save(new Uint8Array([2])));
 * assertEquals(await disk.load(), new Uint8Array([1]));
 * ```
 *
 * @example What is damaged is put aside
 * ```ts
 * import { memoryStore } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const disk = memoryStore();
 * await disk.save(new Uint8Array([1]));
 * await disk.setAside();
 *
 * assertEquals(await disk.load(), null);
 * assertEquals(disk.aside, [new Uint8Array([1])]);
 * ```
 */
export class MemoryStore implements SnapshotStore {
  /** Contents of the disk; `null` when there is nothing. May be changed, to test a damaged file. */
  bytes: Uint8Array | null = null;
  /**
   * Fault of the disk: `"fail"` refuses it, as a full disk does; `"lose"` accepts it and loses it, as when the power is cut
   * before it is written.
   */
  fault: "none" | "fail" | "lose" = "none";
  /** Contents that were set aside because they were damaged. */
  readonly aside: Uint8Array[] = [];
  #saves = 0;

  /** Number of attempts to save. */
  get saves(): number {
    return this.#saves;
  }

  /** Reads what is on the disk. */
  load(): Promise<Uint8Array | null> {
    return Promise.resolve(this.bytes?.slice() ?? null);
  }

  /** Puts `bytes` on the disk, unless there is a fault. */
  save(bytes: Uint8Array): Promise<void> {
    this.#saves++;
    if (this.fault === "fail") return Promise.reject(new Error("Cannot save: the simulated disk fails"));
    if (this.fault === "none") this.bytes = bytes.slice();
    return Promise.resolve();
  }

  /** Moves what is on the disk to {@linkcode MemoryStore.aside}. */
  setAside(): Promise<string> {
    if (this.bytes !== null) this.aside.push(this.bytes);
    this.bytes = null;
    return Promise.resolve(`aside ${this.aside.length}`);
  }
}

/**
 * A store in memory, for simulated nodes. Give a node the same one in each of its incarnations, and it restarts with its disk; give it another one,
 * and it restarts without.
 *
 * @returns The store, empty.
 *
 * @example A node that crashes, and finds its cluster again without being told where it is
 * ```ts
 * import { memoryStore, SimulatedCluster } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const disks = new Map(["a", "b", "c"].map((name) => [name, memoryStore()]));
 * await using cluster = await SimulatedCluster.start({
 *   nodes: [...disks.keys()],
 *   options: (name) => ({ store: disks.get(name) }),
 * });
 * for (const name of disks.keys()) cluster.crash(name);
 *
 * for (const name of disks.keys()) await cluster.startNode(name, { join: false });
 * await cluster.settled();
 * assertEquals(cluster.node("a").connected(), ["b", "c"]);
 * ```
 */
export function memoryStore(): MemoryStore {
  return new MemoryStore();
}
