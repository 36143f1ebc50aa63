// Copyright 2026 the Partisan peer-service authors. MIT license.

import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "../../runtime/runtime.ts";
import type { Address } from "../../wire/address.ts";
import type { Listener } from "../transport.ts";

/** Sends small writes at once, lets the kernel notice peers that vanished, and goes on writing when the other end is done. */
const TUNED = { noDelay: true, keepAlive: true, allowHalfOpen: true } as const;
const BACKLOG = 511;
/**
 * Interval at which a listener is told to listen, in milliseconds. `node:net` in Deno 2.9.6 accepts nothing more once the
 * process had no file descriptor left, and does not tell. To listen again on the same handle does no harm and wakes it.
 */
const LISTEN_AGAIN_MS = 2_000;

/** Used part of a handle that {@linkcode Socket} and {@linkcode Server} keep to themselves, as far as it is there. */
interface Handle {
  readonly listen?: (backlog: number) => number;
  readonly readStart?: () => number;
  readonly readStop?: () => number;
}

function handleOf(owner: Server | Socket): Handle | null {
  // Node.js and Deno both name it so; neither promises it.
  return (owner as unknown as { readonly _handle?: Handle | null })._handle ?? null;
}

/**
 * Lets the kernel hold back what the other end sends, and thereby the other end. TLS in Deno 2.9.6 goes on reading from a socket
 * whose decrypted side is paused, without end: so the socket below it is paused, by a handle that is not public.
 *
 * @returns Whether there was such a handle.
 */
export function holdBack(raw: Socket, isHeld: boolean): boolean {
  const handle = handleOf(raw);
  const change = isHeld ? handle?.readStop : handle?.readStart;
  if (change === undefined) return false;
  change.call(handle);
  return true;
}

/**
 * Opens a socket.
 *
 * @throws When nothing answers, or with the reason of `signal` once that is aborted.
 */
export function dial({ hostname, port }: Address, signal: AbortSignal | undefined): Promise<Socket> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({ ...TUNED, host: hostname, port });
    const settle = () => {
      socket.off("connect", connected);
      signal?.removeEventListener("abort", abort);
    };
    const connected = () => {
      settle();
      resolve(socket);
    };
    const fail = (error: unknown) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = () => fail(signal?.reason);
    socket.once("connect", connected);
    // Stays for as long as the socket: after "connect" others are told what breaks, but an error without a listener ends the process.
    socket.on("error", fail);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Accepts sockets until it is closed. */
export class SocketListener implements Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  private constructor(server: Server, clock: Clock) {
    const { address, port } = server.address() as { address: string; port: number };
    this.address = { hostname: address, port };
    this.#server = server;
    this.#clock = clock;
    this.#listenAgain();
  }

  /**
   * Listens on `address`.
   *
   * @throws When the address cannot be bound.
   */
  static open({ hostname, port }: Address, clock: Clock, accept: (socket: Socket) => void): Promise<SocketListener> {
    return new Promise((resolve, reject) => {
      const server = createServer(TUNED, (socket) => {
        socket.on("error", () => {});
        accept(socket);
      });
      // One connection that cannot be accepted says nothing about the next.
      server.on("error", reject);
      server.listen({ host: hostname, port, backlog: BACKLOG }, () => resolve(new SocketListener(server, clock)));
    });
  }

  close(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#server.close();
  }

  #listenAgain(): void {
    this.#timer = this.#clock.schedule(LISTEN_AGAIN_MS, () => {
      handleOf(this.#server)?.listen?.(BACKLOG);
      this.#listenAgain();
    });
  }
}
