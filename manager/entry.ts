// Copyright 2026 the Partisan peer-service authors. MIT license.

/** How a node came to be in the cluster that it is in: what it was told to join, and what came of it. */
export class Entry {
  #pending = 0;
  #failure: { readonly error: unknown } | null = null;
  #hasLeft = false;

  /** How many attempts to join are under way. */
  get pending(): number {
    return this.#pending;
  }

  /** Why the last attempt to join failed; `null` when it did not, or there was none. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /** Whether the node has left a cluster, and was not told to join one since. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** The node was told to join. */
  async during<T>(join: () => Promise<T>): Promise<T> {
    this.#pending++;
    this.#hasLeft = false;
    try {
      const joined = await join();
      this.#failure = null;
      return joined;
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      this.#pending--;
    }
  }

  /** The node leaves. */
  left(): void {
    this.#hasLeft = true;
    this.#failure = null;
  }
}
