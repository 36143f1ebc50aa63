// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Timer } from "../../runtime/runtime.ts";
import { release, TcpStream, type TcpStreamContext, tune } from "./tcp_stream.ts";
import type { ByteStream, Listener } from "../transport.ts";
import type { Address } from "../../wire/address.ts";

const BACKOFF_MIN_MS = 5;
const BACKOFF_MAX_MS = 1000;

/** Source of the streams of a listener. */
export interface StreamSource {
  /** Address that is listened on. */
  readonly address: Address;
  /** Makes a stream of a connection that was accepted. */
  readonly open: (conn: Deno.Conn) => TcpStream;
}

/** Accepts connections until it is closed, whatever passing failure it meets. */
export class TcpListener implements Listener {
  readonly #listener: Deno.Listener;
  readonly #context: TcpStreamContext;
  readonly #stats: { accepted: number; acceptErrors: number };
  readonly #accept: (stream: ByteStream) => void;
  readonly #failed: (error: unknown) => void;
  readonly #source: StreamSource;
  /** The kernel frees the address when the last call of `accept` has returned. */
  readonly #accepting: Promise<void>;
  #closed = false;
  #backoff: { readonly timer: Timer; readonly wake: () => void } | undefined;

  /** @param source TCP, unless something else is said. */
  constructor(
    listener: Deno.Listener,
    context: TcpStreamContext,
    stats: { accepted: number; acceptErrors: number },
    accept: (stream: ByteStream) => void,
    failed: (error: unknown) => void = () => {},
    source: StreamSource = overTcp(listener, context),
  ) {
    this.#listener = listener;
    this.#context = context;
    this.#stats = stats;
    this.#accept = accept;
    this.#failed = failed;
    this.#source = source;
    this.#accepting = this.#acceptAll();
  }

  get address(): Address {
    return this.#source.address;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    this.#backoff?.timer.cancel();
    this.#backoff?.wake();
    const { unbinding } = this.#context;
    unbinding.add(this.#accepting);
    this.#accepting.finally(() => unbinding.delete(this.#accepting));
  }

  /** Runs until closed, and never rejects. */
  async #acceptAll(): Promise<void> {
    let backoff = BACKOFF_MIN_MS;
    while (!this.#closed) {
      const stream = await this.#acceptOne();
      if (stream !== undefined) {
        backoff = BACKOFF_MIN_MS;
        this.#stats.accepted++;
        this.#hand(stream);
      } else if (!this.#closed) {
        this.#stats.acceptErrors++;
        await this.#wait(backoff);
        backoff = Math.min(backoff * 2, BACKOFF_MAX_MS);
      }
    }
  }

  /**
   * Hands a stream to the callback. An error of the callback is reported as if an event handler had thrown it; the next stream
   * is accepted all the same.
   */
  #hand(stream: ByteStream): void {
    try {
      this.#accept(stream);
    } catch (error) {
      reportError(error);
    }
  }

  async #acceptOne(): Promise<TcpStream | undefined> {
    let conn: Deno.Conn | undefined;
    try {
      conn = await this.#listener.accept();
      if (!this.#closed) return this.#source.open(conn);
    } catch (error) {
      // Too many open files, a connection that was reset before we took it, or this listener was closed.
      if (!this.#closed) this.#failed(error);
    }
    if (conn !== undefined) release(conn);
    return undefined;
  }

  /** Waits before the next attempt: a process without file descriptors would spin otherwise. */
  async #wait(delay: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#backoff = { timer: this.#context.clock.schedule(delay, resolve), wake: resolve };
    });
    this.#backoff = undefined;
  }
}

function overTcp(listener: Deno.Listener, context: TcpStreamContext): StreamSource {
  const { hostname, port } = listener.addr as Deno.NetAddr;
  const open = (conn: Deno.Conn) => {
    tune(conn as Deno.TcpConn);
    return new TcpStream(conn, context);
  };
  return { address: { hostname, port }, open };
}
