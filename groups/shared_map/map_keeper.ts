// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../../manager/peer_service_manager.ts";
import type { SnapshotStore } from "../../membership/snapshot_store.ts";
import type { Timer } from "../../runtime/runtime.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { deltaFromValue, deltaToValue, type MapDelta } from "./map_message.ts";

/** The version of what is stored. */
const VERSION = 1;

/** Keeps a map in a store: writes it a heartbeat interval after a change, one write at a time, and once more when the node stops. */
export class MapKeeper {
  readonly #node: PeerServiceManager;
  readonly #name: string;
  readonly #store: SnapshotStore;
  readonly #everything: () => MapDelta;
  #loaded: Promise<void> = Promise.resolve();
  #isWritable = false;
  #isDirty = false;
  #timer: Timer | null = null;
  #writing: Promise<void> | null = null;

  constructor(node: PeerServiceManager, name: string, store: SnapshotStore, everything: () => MapDelta) {
    this.#node = node;
    this.#name = name;
    this.#store = store;
    this.#everything = everything;
    node.stopSignal.addEventListener("abort", () => void this.flush(), { once: true });
  }

  /** Resolves once the store was read. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  /** Reads the store. A damaged store is set aside; a store that cannot be read is not written to. */
  load(merge: (delta: MapDelta) => void): void {
    this.#loaded = this.#load(merge).catch((error) => this.#tell(error, "reading"));
  }

  async #load(merge: (delta: MapDelta) => void): Promise<void> {
    const { runtime } = this.#node;
    const bytes = await runtime.outside(this.#store.load());
    try {
      if (bytes !== null) merge(parse(bytes));
    } catch (error) {
      if (this.#store.setAside !== undefined) await runtime.outside(this.#store.setAside());
      this.#tell(error, "reading");
    }
    this.#isWritable = true;
    this.retry();
  }

  /** Tells that the contents to be kept have changed. */
  changed(): void {
    this.#isDirty = true;
    if (this.#node.stopSignal.aborted) return;
    this.#timer ??= this.#node.runtime.clock.schedule(this.#node.heartbeat.interval, () => {
      this.#timer = null;
      this.#write();
    });
  }

  /** Tries again what has failed. */
  retry(): void {
    if (this.#isDirty) this.changed();
  }

  /** Writes at once what has changed. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#loaded;
    while (this.#writing !== null) await this.#writing;
    await this.#write();
  }

  #write(): Promise<void> {
    if (!this.#isDirty || !this.#isWritable) return Promise.resolve();
    this.#writing ??= this.#save().finally(() => this.#writing = null);
    return this.#writing;
  }

  async #save(): Promise<void> {
    this.#isDirty = false;
    try {
      await this.#node.runtime.outside(this.#store.save(encode([VERSION, deltaToValue(this.#everything())])));
    } catch (error) {
      this.#isDirty = true;
      this.#tell(error, "saving");
    }
  }

  #tell(error: unknown, what: string): void {
    this.#node.dispatchEvent(
      new CustomEvent("error", { detail: { error, during: `${what} the map "${this.#name}"` } }),
    );
  }
}

/** @throws {TypeError | RangeError} When it is no map, or a newer version wrote it. */
function parse(bytes: Uint8Array): MapDelta {
  const value = decode(bytes);
  const [version, delta] = Array.isArray(value) ? value : [];
  if (version !== VERSION) throw new RangeError(`Cannot read a map of version ${version}: expected ${VERSION}`);
  return deltaFromValue(delta);
}
