// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Below the ports that systems give away by themselves, to listeners and to every outgoing connection. */
const FIRST = 10_000;
const BLOCKS = 350;
const BLOCK_SIZE = 64;

/**
 * Ports that no node takes while their owner closes them and binds them again, or counts on them to be closed.
 *
 * A port that the system gave away (port 0) is no such port: once it is let go, any outgoing connection may get it.
 */
export class ReservedPorts implements Disposable {
  /** On the first port of a block: who holds that, here or in another process, may use the rest. */
  readonly #guard: Deno.TcpListener;
  #isHeld = true;
  #last: number;

  constructor() {
    this.#guard = takeBlock();
    this.#last = this.#guard.addr.port;
  }

  /** A port that was not taken before, and that no node listens on. */
  take(): number {
    const { port: first } = this.#guard.addr;
    while (++this.#last < first + BLOCK_SIZE) {
      const listener = tryToListen(this.#last);
      listener?.close();
      if (listener !== null) return this.#last;
    }
    throw new Error(`Cannot reserve a port: the block from ${first} on is used up`);
  }

  [Symbol.dispose](): void {
    if (this.#isHeld) this.#guard.close();
    this.#isHeld = false;
  }
}

function takeBlock(): Deno.TcpListener {
  // Anywhere, so that those who take blocks at the same time seldom meet.
  const start = Math.floor(Math.random() * BLOCKS);
  for (let index = 0; index < BLOCKS; index++) {
    const guard = tryToListen(FIRST + ((start + index) % BLOCKS) * BLOCK_SIZE);
    if (guard !== null) return guard;
  }
  throw new Error(`Cannot reserve ports: all ${BLOCKS} blocks are taken`);
}

function tryToListen(port: number): Deno.TcpListener | null {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return null;
    throw error;
  }
}
