// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "../../runtime/runtime.ts";
import { CLOCK } from "../../runtime/object_with.ts";
import { checkRequired, NUMBER, type OptionKinds, STRING } from "../../runtime/options.ts";
import type { Address } from "../../wire/address.ts";
import { TcpListener } from "../tcp/tcp_listener.ts";
import { TcpStream, type TcpStreamContext } from "../tcp/tcp_stream.ts";
import { TcpTransport } from "../tcp/tcp_transport.ts";
import type { ByteStream, Listener, Transport } from "../transport.ts";
import { SocketDirectory } from "./socket_directory.ts";

/** Address of streams that come over a Unix socket, which has no port of its own. */
const HERE: Address = { hostname: "127.0.0.1", port: 0 };

/** Options of {@linkcode UnixTransport}. */
export interface UnixTransportOptions {
  /** Times back-off and the end of closing streams. */
  readonly clock: Clock;
  /**
   * Directory where the nodes of this host find each other's sockets. It is made if it is not there, for its owner alone; one
   * that others may enter is not used.
   */
  readonly directory: string;
  /**
   * Maximum time that a closed stream waits for the other end to close too, in milliseconds.
   *
   * @default {1000}
   */
  readonly closeTimeout?: number | undefined;
}

const ACTION = "Cannot make a transport";
const KINDS: OptionKinds<UnixTransportOptions> = { clock: CLOCK, directory: STRING, closeTimeout: NUMBER };

/** Counters of a {@linkcode UnixTransport}. */
export interface UnixTransportStats {
  /** Connections accepted over TCP. */
  readonly accepted: number;
  /** Connections accepted over Unix sockets. */
  readonly acceptedHere: number;
  /** Times that accepting failed and was tried again, as with too many open files. */
  readonly acceptErrors: number;
}

/**
 * {@linkcode Transport} over TCP that takes a Unix socket where both ends are on one host, which is faster. Nodes need not know of each other:
 * each listens in a directory as well, under the address that it listens on, and looks there before it dials an address of this host.
 *
 * Whatever is in the way (no such directory, no permission to read or write it, another network namespace) leaves plain TCP. It needs
 * `--allow-read` and `--allow-write` for the directory, `--allow-read=/proc/self/ns/net` on Linux, and `--allow-sys=networkInterfaces` to
 * recognize other addresses of this host than loopback.
 *
 * @example Two ends on one host
 * ```ts
 * import { systemClock, UnixTransport } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await using transport = new UnixTransport({ clock: systemClock, directory });
 * const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 }, async (stream) => {
 *   await stream.write(new TextEncoder().encode("hello"));
 *   stream.close();
 * });
 * const stream = await transport.connect(listener.address);
 * await transport.look();
 * assertEquals(await stream.read(new Uint8Array(16)), 5);
 * assertEquals(transport.stats, { accepted: 0, acceptedHere: 1, acceptErrors: 0 });
 * stream.close();
 * listener.close();
 * assertEquals(await transport.resolve("127.0.0.1"), ["127.0.0.1"]);
 * await transport.drained();
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class UnixTransport implements Transport, AsyncDisposable {
  readonly #tcp: TcpTransport;
  readonly #directory: SocketDirectory;
  readonly #context: TcpStreamContext;
  readonly #stats = { accepted: 0, acceptErrors: 0 };

  /**
   * Opens nothing yet.
   *
   * @throws {TypeError | RangeError} When an option can be none.
   */
  constructor(options: UnixTransportOptions) {
    const { clock, directory, closeTimeout = 1000 } = checkRequired(ACTION, options, KINDS, "directory");
    this.#tcp = new TcpTransport({ clock, closeTimeout });
    this.#directory = new SocketDirectory(directory);
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
  get stats(): UnixTransportStats {
    const { accepted, acceptErrors } = this.#tcp.stats;
    return { accepted, acceptedHere: this.#stats.accepted, acceptErrors: acceptErrors + this.#stats.acceptErrors };
  }

  get shortReads(): number {
    return this.#tcp.shortReads + this.#context.shortReads;
  }

  look(): Promise<void> | undefined {
    return this.#tcp.look();
  }

  async listen(
    address: Address,
    accept: (stream: ByteStream) => void,
    failed?: (error: unknown) => void,
  ): Promise<Listener> {
    const listener = await this.#tcp.listen(address, accept, failed);
    const beside = this.#listenBeside(
      await this.#directory.pathFor(listener.address),
      listener.address,
      accept,
      failed,
    );
    return {
      address: listener.address,
      close: () => {
        beside?.close();
        listener.close();
      },
    };
  }

  async connect(address: Address, options?: { readonly signal?: AbortSignal }): Promise<ByteStream> {
    options?.signal?.throwIfAborted();
    const paths = await this.#directory.pathsTo(address);
    options?.signal?.throwIfAborted();
    const conn = await dialAny(paths);
    if (conn === null) return await this.#tcp.connect(address, options);
    const stream = new TcpStream(conn, this.#context, address);
    if (!options?.signal?.aborted) return stream;
    stream.close();
    throw options.signal.reason;
  }

  /** All addresses of a host name, as the system knows them. */
  resolve(hostname: string): Promise<readonly string[]> {
    return this.#tcp.resolve(hostname);
  }

  /** Resolves once all that was closed has given up its sockets and addresses: within `closeTimeout`. */
  async drained(): Promise<void> {
    const { closing, unbinding } = this.#context;
    while (closing.size + unbinding.size > 0) await Promise.all([...closing, ...unbinding]);
    await this.#tcp.drained();
  }

  /** The same as {@linkcode drained}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drained();
  }

  /** Listens on a Unix socket, if that is possible; what stands in its place was left over by a process that is gone. */
  #listenBeside(
    path: string | null,
    address: Address,
    accept: (stream: ByteStream) => void,
    failed?: (error: unknown) => void,
  ): Listener | undefined {
    if (path === null) return undefined;
    try {
      removeSocket(path);
      const listener = Deno.listen({ transport: "unix", path });
      const open = (conn: Deno.Conn) => new TcpStream(conn, this.#context, HERE);
      const beside = new TcpListener(listener, this.#context, this.#stats, accept, failed, { address, open });
      return {
        address,
        close: () => {
          removeSocket(path);
          beside.close();
        },
      };
    } catch {
      return undefined;
    }
  }
}

/** Dials the first of some Unix sockets that answers. */
async function dialAny(paths: readonly string[]): Promise<Deno.Conn | null> {
  for (const path of paths) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch {
      // Nothing is there, or no process that listens.
    }
  }
  return null;
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Nothing was there.
  }
}
