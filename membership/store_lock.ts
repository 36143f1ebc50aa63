// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A file that one process at a time holds locked. The operating system lets go of it when the process ends, however it ends; the file itself
 * stays, and is empty.
 */
export class StoreLock {
  readonly #path: string | URL;
  #file: Deno.FsFile | null = null;

  constructor(path: string | URL) {
    this.#path = path;
  }

  /**
   * Takes it.
   *
   * @throws {Deno.errors.Busy} When it is held, by this object or another one.
   * @throws {TypeError} When something else than a file is in its place: a link is not followed.
   */
  async take(): Promise<void> {
    if (this.#file !== null) throw this.#busy();
    const { isFile } = await Deno.lstat(this.#path).catch(() => ({ isFile: true }));
    if (!isFile) throw new TypeError(`Cannot lock "${this.#path}": it is no file; remove it`);
    const file = await Deno.open(this.#path, { write: true, create: true, mode: 0o600 });
    if (this.#file === null && await file.tryLock(true)) {
      this.#file = file;
      return;
    }
    file.close();
    throw this.#busy();
  }

  /** Lets go of it, if it is held. */
  release(): void {
    this.#file?.close();
    this.#file = null;
  }

  #busy(): Error {
    const store = `${this.#path}`.replace(/\.lock$/, "");
    return new Deno.errors.Busy(
      `Cannot use the store "${store}": another node uses it; stop that one, or give each node a store of its own`,
    );
  }
}
