// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Entry of a node into its cluster: the nodes that it was told to join, and the outcome. */
export class Entry {
  #pending = 0;
  #failure: { readonly error: unknown } | null = null;
  #hasLeft = false;

  /** Number of attempts to join under way. */
  get pending(): number {
    return this.#pending;
  }

  /** Error of the last attempt to join; `null` when it did not fail, or there was none. */
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
