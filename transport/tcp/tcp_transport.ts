// Copyright 2026 the Partisan peer-service authors. MIT license.

import { lookup } from "node:dns/promises";
import type { Clock } from "../../runtime/runtime.ts";
import { checkMilliseconds } from "../../runtime/deadline.ts";
import { CLOCK } from "../../runtime/object_with.ts";
import { checkRequired, NUMBER, type OptionKinds } from "../../runtime/options.ts";
import { TcpListener } from "./tcp_listener.ts";
import { release, TcpStream, type TcpStreamContext, tune } from "./tcp_stream.ts";
import { dialController } from "./dial_controller.ts";
import { Doorbell } from "./doorbell.ts";
import type { ByteStream, Listener, Transport } from "../transport.ts";
import { type Address, formatAddress } from "../../wire/address.ts";
import { messageOf } from "../../runtime/message_of.ts";

/** Options of {@linkcode TcpTransport}. */
export interface TcpTransportOptions {
  /** Times back-off and the end of closing streams. */
  readonly clock: Clock;
  /**
   * Maximum time that a closed stream waits for the other end to close too, in milliseconds. After that its socket is given up,
   * and bytes that the other end has not yet taken may be lost.
   *
   * @default {1000}
   */
  readonly closeTimeout?: number | undefined;
}

const ACTION = "Cannot make a transport";
const KINDS: OptionKinds<TcpTransportOptions> = { clock: CLOCK, closeTimeout: NUMBER };

/** Counters of a {@linkcode TcpTransport}. */
export interface TcpTransportStats {
  /** Connections accepted. */
  readonly accepted: number;
  /** Times that accepting failed and was tried again, as with too many open files. */
  readonly acceptErrors: number;
}

/**
 * {@linkcode Transport} over TCP.
 *
 * @example Bytes from here to there
 * ```ts
 * import { systemClock, TcpTransport } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * await using transport = new TcpTransport({ clock: systemClock });
 * const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 }, async (stream) => {
 *   await stream.write(new TextEncoder().encode("hello"));
 *   stream.close();
 * });
 * const stream = await transport.connect(listener.address);
 * const buffer = new Uint8Array(16);
 * await transport.look();
 * assertEquals(await stream.read(buffer), 5);
 * stream.close();
 * listener.close();
 * assertEquals(await transport.resolve("127.0.0.1"), ["127.0.0.1"]);
 * await transport.drained();
 * ```
 */
export class TcpTransport implements Transport, AsyncDisposable {
  readonly #context: TcpStreamContext;
  readonly #stats = { accepted: 0, acceptErrors: 0 };
  readonly #doorbell = new Doorbell();

  /**
   * Opens nothing yet.
   *
   * @throws {TypeError | RangeError} When an option can be none.
   */
  constructor(options: TcpTransportOptions) {
    const { clock, closeTimeout = 1000 } = checkRequired(ACTION, options, KINDS, "clock");
    checkMilliseconds("closeTimeout", closeTimeout, ACTION);
    this.#context = {
      clock,
      closeTimeout,
      sink: new Uint8Array(16 * 1024),
      closing: new Set(),
      unbinding: new Set(),
      shortReads: 0,
    };
  }

  /** Counters since the transport was made. */
  get stats(): TcpTransportStats {
    return { ...this.#stats };
  }

  get shortReads(): number {
    return this.#context.shortReads;
  }

  look(): Promise<void> | undefined {
    return this.#doorbell.look();
  }

  async listen(
    address: Address,
    accept: (stream: ByteStream) => void,
    failed?: (error: unknown) => void,
  ): Promise<Listener> {
    const { hostname, port } = address;
    this.#doorbell.allow();
    await Promise.all(this.#context.unbinding);
    let listener: Deno.TcpListener;
    try {
      listener = Deno.listen({ hostname, port });
    } catch (error) {
      throw failure(`Cannot listen on "${formatAddress(address)}"`, error);
    }
    return new TcpListener(listener, this.#context, this.#stats, accept, failed);
  }

  async connect(address: Address, options?: { readonly signal?: AbortSignal }): Promise<ByteStream> {
    const signal = options?.signal;
    signal?.throwIfAborted();
    this.#doorbell.allow();
    try {
      return new TcpStream(await this.#dial(address, signal), this.#context);
    } catch (error) {
      signal?.throwIfAborted();
      throw failure(`Cannot connect to "${formatAddress(address)}"`, error);
    }
  }

  /** All addresses of a host name, as the system knows them. */
  async resolve(hostname: string): Promise<readonly string[]> {
    return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);
  }

  /** Resolves once all that was closed has given up its sockets and addresses: within `closeTimeout`. */
  async drained(): Promise<void> {
    const { closing, unbinding } = this.#context;
    while (closing.size + unbinding.size > 0) await Promise.all([...closing, ...unbinding]);
    await this.#doorbell.close();
  }

  /** The same as {@linkcode drained}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drained();
  }

  /** Connects, and gives up when `signal` says so: what has opened by then is closed. */
  #connect(address: Address, signal: AbortSignal | undefined): Promise<Deno.TcpConn> {
    if (signal === undefined) return Deno.connect(address);
    const stop = dialController();
    const connecting = Deno.connect({ ...address, signal: stop.signal });
    return new Promise((resolve, reject) => {
      const { closing } = this.#context;
      const giveUp = () => {
        reject(signal.reason);
        stop.abort();
        const ended: Promise<void> = connecting.then(release, () => {}).then(() => void closing.delete(ended));
        closing.add(ended);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      const settled = () => signal.removeEventListener("abort", giveUp);
      connecting.then((conn) => {
        settled();
        resolve(conn);
      }, (error) => {
        settled();
        reject(error);
      });
    });
  }

  async #dial(address: Address, signal: AbortSignal | undefined): Promise<Deno.TcpConn> {
    const { hostname, port } = address;
    const conn = await this.#connect({ hostname, port }, signal);
    try {
      tune(conn);
      return conn;
    } catch (error) {
      release(conn);
      throw error;
    }
  }
}

function failure(action: string, cause: unknown): Error {
  const detail = messageOf(cause);
  // A permission that this process lacks stays missing: another start can cure it, and trying again cannot.
  if (cause instanceof Deno.errors.NotCapable) return new Deno.errors.NotCapable(`${action}: ${detail}`, { cause });
  return new Error(`${action}: ${detail}`, { cause });
}
