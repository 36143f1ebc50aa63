// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SnapshotStore } from "./snapshot_store.ts";
import { StoreLock } from "./store_lock.ts";

/**
 * Keeps a node's snapshot in a file, so that after a restart the node finds its cluster by itself.
 *
 * What is written goes to a temporary file in the same folder, `<path>.<random>.new`, which takes the place of the old one once it is safely on the disk:
 * whenever the machine fails, one of the two is there, and whole. One that a failure has left is removed by the next incarnation. Only the user of the process may read or write them (mode 0600; on Windows the
 * folder decides). Needs permission to read and to write the folder, which must exist. Each node needs a
 * file of its own: while a node runs, it holds `<path>.lock`, and another one with that file does not start.
 *
 * @param path Path of the file, or a `file:` URL.
 *
 * @example A node that remembers its cluster
 * ```ts
 * import { fileStore, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * const store = fileStore(`${folder}/a.snapshot`);
 * await using b = await startPeerService({ name: "b" });
 * {
 *   await using a = await startPeerService({ name: "a", store });
 *   await a.syncJoin(b.spec);
 * }
 * {
 *   await using a = await startPeerService({ name: "a", store });
 *   assertEquals(a.members(), ["a", "b"]);
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function fileStore(path: string | URL): SnapshotStore {
  return new FileStore(path);
}

/** A save that has to wait for the one before it. */
interface WaitingSave extends PromiseWithResolvers<void> {
  bytes: Uint8Array;
}

class FileStore implements SnapshotStore {
  readonly #path: string | URL;
  readonly #lock: StoreLock;
  #isWriting = false;
  #isSwept = false;
  #waiting: WaitingSave | null = null;

  constructor(path: string | URL) {
    this.#path = path;
    this.#lock = new StoreLock(beside(path, ".lock"));
  }

  lock(): Promise<void> {
    return this.#lock.take();
  }

  unlock(): void {
    this.#lock.release();
  }

  async load(): Promise<Uint8Array | null> {
    try {
      return await Deno.readFile(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Those that come while one is under way are one: the last. */
  async save(bytes: Uint8Array): Promise<void> {
    if (this.#isWriting) {
      this.#waiting ??= { ...Promise.withResolvers<void>(), bytes };
      this.#waiting.bytes = bytes;
      return this.#waiting.promise;
    }
    this.#isWriting = true;
    try {
      await this.#replace(bytes);
    } finally {
      this.#isWriting = false;
      const next = this.#waiting;
      this.#waiting = null;
      if (next !== null) this.save(next.bytes).then(next.resolve, next.reject);
    }
  }

  async setAside(): Promise<string> {
    for (let number = 1;; number++) {
      const path = beside(this.#path, `.damaged-${number}`);
      if (await exists(path)) continue;
      await Deno.rename(this.#path, path);
      return `${path}`;
    }
  }

  async #replace(bytes: Uint8Array): Promise<void> {
    if (!this.#isSwept) await sweep(this.#path);
    this.#isSwept = true;
    const temporary = beside(this.#path, `.${crypto.randomUUID()}.new`);
    try {
      await write(temporary, bytes);
      await Deno.rename(temporary, this.#path);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
    await syncFolder(this.#path);
  }
}

/** Suffix that is added to the file's name for a temporary file. */
const TEMPORARY = /^\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.new$/;

/** Folder of a file; empty for the working directory. */
function folderOf(path: string): string;
function folderOf(path: string | URL): string | URL;
function folderOf(path: string | URL): string | URL {
  return path instanceof URL ? new URL(".", path) : path.replace(/[^/\\]*$/, "");
}

/** The path with something added to the file's name. */
function beside(path: string | URL, suffix: string): string | URL {
  return path instanceof URL ? new URL(path.href + suffix) : path + suffix;
}

/** Makes a new file, which only its owner may read. Its name was not known before; where something stands there all the same, it is not followed. */
async function write(path: string | URL, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  await file.sync();
}

/** Removes the temporary files of incarnations that ended early. */
async function sweep(path: string | URL): Promise<void> {
  const folder = folderOf(path);
  const name = path instanceof URL
    ? decodeURIComponent(path.pathname.slice(folderOf(path.pathname).length))
    : path.slice(folderOf(path).length);
  for await (const entry of Deno.readDir(folder || ".")) {
    if (entry.isDirectory || !entry.name.startsWith(`${name}.`)) continue;
    if (!TEMPORARY.test(entry.name.slice(name.length))) continue;
    await Deno.remove(beside(path, entry.name.slice(name.length)));
  }
}

/** Makes a renaming survive a loss of power. Not every system can do that; the file itself is whole either way. */
async function syncFolder(path: string | URL): Promise<void> {
  try {
    using folder = await Deno.open(folderOf(path) || ".");
    await folder.sync();
  } catch {
    // Nothing more can be done for it.
  }
}

async function exists(path: string | URL): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
