// Copyright 2026 the Partisan peer-service authors. MIT license.

import { dialController } from "./dial_controller.ts";

const HERE = "127.0.0.1";
const RING = new Uint8Array(1);

/** Two sockets of this process, connected with each other. */
interface Pair {
  readonly near: Deno.TcpConn;
  readonly far: Deno.TcpConn;
  /** Look that is under way. Whatever else looks meanwhile waits for the same byte: one that took the byte of another would leave that waiting for good. */
  rung: Promise<void> | null;
}

/**
 * A way to have the system asked at once which sockets are ready. Deno asks it when there is nothing else to do, or after 61 turns of the event
 * loop; a task that waits for a byte which it has sent to itself leaves it nothing to do. That takes 10 to 20 µs, where so many turns take 110.
 *
 * The two sockets for that are opened when they are first wanted, where this process may use the network of its own host.
 */
export class Doorbell {
  #pair: Pair | null = null;
  #opening: Promise<void> | null = null;
  readonly #inbox = new Uint8Array(64);
  #giveUp = dialController();
  /** Whether it cannot be had, or is not to be. */
  #isOut = false;
  #isClosed = false;

  /**
   * Resolves once the system was asked.
   *
   * @returns `undefined` where it is not there, or not yet: it opens meanwhile, unless it is closed.
   */
  look(): Promise<void> | undefined {
    if (this.#pair !== null) return this.#ring(this.#pair);
    if (!this.#isOut && !this.#isClosed) this.#opening ??= this.#open();
    return undefined;
  }

  /** Has it open again when it is wanted. */
  allow(): void {
    this.#isClosed = false;
  }

  /** Closes it until {@linkcode allow} is called. Resolves once its sockets are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#giveUp.abort();
    await this.#opening;
    this.#drop();
  }

  #ring(pair: Pair): Promise<void> {
    if (pair.rung !== null) return pair.rung;
    pair.rung = pair.far.read(this.#inbox).then((count) => {
      pair.rung = null;
      if (count === null) this.#lose(pair);
    }, () => this.#lose(pair));
    pair.near.write(RING).catch(() => this.#lose(pair));
    return pair.rung;
  }

  /** It was closed, or something outside of this process has ended it. */
  #lose(pair: Pair): void {
    if (this.#pair !== pair) return;
    this.#isOut = true;
    this.#drop();
  }

  #drop(): void {
    const pair = this.#pair;
    this.#pair = null;
    pair?.near.close();
    pair?.far.close();
  }

  async #open(): Promise<void> {
    const { signal } = this.#giveUp = dialController();
    const pair = mayOpen() ? await openPair(signal) : null;
    this.#opening = null;
    this.#pair = pair;
    if (this.#isClosed) this.#drop();
    else if (pair === null) this.#isOut = !signal.aborted;
  }
}

/** Whether it can be opened without a question to the user. */
function mayOpen(): boolean {
  return Deno.permissions.querySync({ name: "net", host: HERE }).state === "granted";
}

async function openPair(signal: AbortSignal): Promise<Pair | null> {
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname: HERE, port: 0 });
  } catch {
    return null;
  }
  const accepting = listener.accept().catch(() => null);
  const near = await Deno.connect({ hostname: HERE, port: listener.addr.port, signal }).catch(() => null);
  // What has not connected is not accepted either.
  if (near === null) listener.close();
  const far = await accepting;
  if (near !== null) listener.close();
  // Any program of this host can dial a port while it is listened at.
  if (near !== null && far?.remoteAddr.port === near.localAddr.port) {
    near.setNoDelay(true);
    return { near, far, rung: null };
  }
  near?.close();
  far?.close();
  return null;
}
