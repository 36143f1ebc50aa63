// Copyright 2026 the Partisan peer-service authors. MIT license.

import { memberSince, type NodeSpec } from "../wire/node_spec.ts";
import { decodeSnapshot, encodeSnapshot, type Snapshot } from "../membership/snapshot_format.ts";
import type { SnapshotStore } from "../membership/snapshot_store.ts";
import type { Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import { withDeadline } from "../runtime/deadline.ts";
import type { Peer } from "../connections/peer.ts";
import { Acquaintances } from "./acquaintances.ts";
import type { Emit, ErrorDetail } from "./events.ts";
import type { Overlay } from "./overlay.ts";
import type { Part } from "./part.ts";
import type { Settings } from "./settings.ts";

/** Longest that a node which leaves or stops waits for its store, in milliseconds. */
const STORE_TIMEOUT_MS = 5_000;

/** Bytes of a private key. */
const IDENTITY_BYTES = 32;

/** The node that is to be remembered. */
export interface PersistenceHost {
  /** Specification of the node now. */
  readonly self: NodeSpec;
  /** Knows whether it is a member, and what its strategy wants to be given in its next incarnation. */
  readonly overlay: Pick<Overlay, "members" | "snapshot">;
}

/** Keeps in a store what the node has to know in its next incarnation: writes it after each change, one write at a time. */
export class Persistence implements Part {
  /** Snapshot that the last incarnation left behind. */
  readonly former: Snapshot | null;
  /** The private key that this incarnation has; `null` in an open cluster, unless an earlier incarnation had one. */
  readonly identity: Uint8Array | null;
  readonly #store: SnapshotStore;
  readonly #strategy: string;
  readonly #runtime: Runtime;
  readonly #untold: ErrorDetail[] = [];
  #acquaintances = new Acquaintances();
  #host: PersistenceHost | null = null;
  #emit: Emit | null = null;
  #telling: Timer | null = null;
  #isHeard = false;
  #kept: Uint8Array | null = null;
  #isDirty = false;
  #isFailing = false;
  #writing: Promise<void> | null = null;

  private constructor(store: SnapshotStore, { strategy, runtime, secrets }: Settings, former: Snapshot | null) {
    this.former = former;
    this.identity = former?.identity ?? (secrets.count > 0 ? runtime.random.bytes(IDENTITY_BYTES) : null);
    this.#store = store;
    this.#strategy = strategy.name;
    this.#runtime = runtime;
  }

  /**
   * Reads what the last incarnation left behind. A damaged store is set aside.
   *
   * @returns `null` when there is no store.
   * @throws {RangeError} When a newer version wrote it.
   * @throws {TypeError} When it is of another node or strategy.
   * @throws When the store cannot be read, or another node uses it.
   */
  static async open(settings: Settings): Promise<Persistence | null> {
    const { store } = settings;
    if (store === undefined) return null;
    // Before anything is read: two nodes with one store would be two nodes with one name and one key.
    // In a simulation the process outlives its nodes, and would hold what a crashed one has locked.
    if (!settings.isEmbedded) await store.lock?.();
    try {
      return await Persistence.#read(store, settings);
    } catch (error) {
      store.unlock?.();
      throw error;
    }
  }

  static async #read(store: SnapshotStore, settings: Settings): Promise<Persistence> {
    const { runtime } = settings;
    const bytes = await runtime.outside(store.load());
    if (bytes === null) return new Persistence(store, settings, null);
    try {
      const former = decodeSnapshot(bytes);
      checkOwner(former, settings);
      return new Persistence(store, settings, former);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const place = store.setAside === undefined ? undefined : await runtime.outside(store.setAside());
      const persistence = new Persistence(store, settings, null);
      const kept = place === undefined ? "" : `; it was set aside as "${place}"`;
      const told = new SyntaxError(`${error.message}${kept}, and the node begins anew`, { cause: error });
      persistence.#untold.push({ error: told, during: "reading the store" });
      return persistence;
    }
  }

  /** State that the strategy was given back from the last incarnation, if there was any. */
  get members(): unknown {
    return this.former?.members ?? undefined;
  }

  /** Says that a new incarnation begins, so that no later one takes its number, whatever the clock may say then. */
  async begin(self: NodeSpec): Promise<void> {
    this.#writing = this.#save(() => this.#pack(self, true, this.former?.members ?? null)).then(() => {
      this.#writing = null;
    });
    await this.settled();
  }

  /**
   * From now on keeps what there is to know of `host`, and tells what goes wrong.
   *
   * @param former The members that the last incarnation has kept.
   */
  attach(host: PersistenceHost, emit: Emit, former: readonly NodeSpec[] = []): void {
    this.#host = host;
    this.#acquaintances = new Acquaintances(former.map(({ name }) => name));
    this.#emit = emit;
    // The program that started the node can listen to it only a little later.
    this.#telling = this.#runtime.clock.schedule(0, () => {
      this.#isHeard = true;
      this.#tell();
    });
  }

  peerLinked({ name }: Peer): void {
    if (this.#acquaintances.linked(name) && this.#host?.overlay.members.has(name)) this.changed();
  }

  peerUnlinked(peer: Peer): void {
    if (!peer.connected) this.#acquaintances.unlinked(peer.name);
  }

  membersChanged(): void {
    this.changed();
  }

  restart(): void {
    this.changed();
  }

  /** Tells that the state to be kept may have changed. */
  changed(): void {
    this.#isDirty = true;
    this.#writing ??= this.#write();
  }

  /** Tries again what has failed. */
  periodic(): void {
    if (this.#isDirty) this.changed();
  }

  /** Waits until all changes so far are kept, or could not be. */
  async settled(): Promise<void> {
    const timeout = STORE_TIMEOUT_MS;
    const writing = this.#writing ?? Promise.resolve();
    await withDeadline(this.#runtime.clock, { timeout }, "Cannot save", () => writing).catch((error) =>
      this.#failed(error)
    );
  }

  /** Keeps what there is to know for the last time. */
  async stop(): Promise<void> {
    this.#telling?.cancel();
    this.#isHeard = true;
    this.#tell();
    this.changed();
    await this.settled();
    this.release();
  }

  /** Leaves the store to other nodes. */
  release(): void {
    this.#store.unlock?.();
  }

  async #write(): Promise<void> {
    // Changes of one turn are written at once.
    await new Promise<void>((resolve) => this.#runtime.defer(resolve));
    while (this.#isDirty) {
      this.#isDirty = false;
      if (!await this.#save(() => this.#present())) {
        this.#isDirty = true;
        break;
      }
    }
    this.#writing = null;
  }

  #present(): Uint8Array {
    const { self, overlay } = this.#host!;
    const known = overlay.members.get(self.name)?.incarnation;
    // Another node may have taken the name, with a newer incarnation: no later incarnation may be older than that.
    const newest = { ...self, incarnation: Math.max(self.incarnation, known ?? 0) };
    const acquaintances = this.#acquaintances;
    acquaintances.update(overlay.members.keys());
    return this.#pack(newest, known === self.incarnation, overlay.snapshot(({ name }) => acquaintances.has(name)));
  }

  #pack(self: NodeSpec, isMember: boolean, members: unknown): Uint8Array {
    const { name, incarnation } = self;
    const since = isMember ? memberSince(self) : null;
    return encodeSnapshot({ name, incarnation, since, identity: this.identity, strategy: this.#strategy, members });
  }

  /** @returns Whether what `pack` returns is in the store now. */
  async #save(pack: () => Uint8Array): Promise<boolean> {
    try {
      const bytes = pack();
      if (this.#kept !== null && areEqual(bytes, this.#kept)) return true;
      this.#kept = null;
      await this.#runtime.outside(this.#store.save(bytes));
      this.#kept = bytes;
      this.#isFailing = false;
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** Tells the first of several failures in a row. */
  #failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#untold.push({ error, during: "writing to the store" });
    if (this.#isHeard) this.#tell();
  }

  #tell(): void {
    for (const detail of this.#untold.splice(0)) this.#emit!("error", detail);
  }
}

function checkOwner(former: Snapshot, { name, strategy }: Settings): void {
  if (name !== undefined && former.name !== name) {
    throw new TypeError(`Cannot start "${name}": the store belongs to "${former.name}"`);
  }
  if (former.strategy !== strategy.name) {
    throw new TypeError(
      `Cannot start "${former.name}": the store is of strategy "${former.strategy}", expected "${strategy.name}"`,
    );
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
