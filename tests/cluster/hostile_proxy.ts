// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Stands before a node's port, passes everything on, and resets connections when it is told to. */
export class HostileProxy implements Disposable {
  /** Port on which it listens. */
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #open = new Set<readonly [Deno.TcpConn, Deno.TcpConn]>();

  /** @param target Port that it stands before. */
  constructor(target: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#target = target;
    this.#acceptAll();
  }

  /** Breaks the connections that are chosen. @returns Number of broken connections. */
  reset(chosen: () => boolean): number {
    const broken = [...this.#open].filter(chosen);
    for (const pair of broken) this.#close(pair);
    return broken.length;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.reset(() => true);
  }

  async #acceptAll(): Promise<void> {
    try {
      for await (const near of this.#listener) this.#pass(near);
    } catch {
      // It was closed.
    }
  }

  async #pass(near: Deno.TcpConn): Promise<void> {
    let far: Deno.TcpConn;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      return near.close();
    }
    const pair = [near, far] as const;
    this.#open.add(pair);
    const both = [near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)];
    await Promise.race(both).catch(() => {});
    await Promise.allSettled(both.map((one) => one.finally(() => this.#close(pair))));
  }

  #close(pair: readonly [Deno.TcpConn, Deno.TcpConn]): void {
    if (!this.#open.delete(pair)) return;
    for (const connection of pair) {
      try {
        connection.close();
      } catch {
        // The stream closed it.
      }
    }
  }
}
