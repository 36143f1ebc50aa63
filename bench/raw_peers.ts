// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Link } from "./contestant.ts";
import { RawWriter } from "./raw_connection.ts";

/** One end of a hand-made pair, whatever it speaks. Of its `n` connections number `i` carries the handlers `i`, `i + n`, … */
export abstract class RawPeers {
  readonly #link: Link;
  readonly #conns: Deno.TcpConn[] = [];
  readonly #writers: RawWriter[] = [];
  #listener: Deno.TcpListener | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Takes all that comes over a connection. */
  protected abstract read(conn: Deno.Conn): Promise<void>;

  /** The writer of a handler's connection. */
  protected writerOf(index: number): RawWriter {
    return this.#writers[index % this.#writers.length]!;
  }

  listen(): Promise<string> {
    const { hostname = "127.0.0.1", port = 0, front } = this.#link;
    this.#listener = Deno.listen({ hostname, port });
    this.#accept(this.#listener);
    return Promise.resolve(JSON.stringify({ ...this.#listener.addr, ...(front !== undefined && { port: front }) }));
  }

  async connect(address: string): Promise<void> {
    const { hostname, port }: Deno.NetAddr = JSON.parse(address);
    for (let index = 0; index < (this.#link.parallelism ?? 1); index++) {
      const conn = await Deno.connect({ hostname, port });
      // Waits for the answer, so that both sides number their connections alike.
      await conn.write(new Uint8Array(1));
      await conn.read(new Uint8Array(1));
      this.#take(conn);
    }
  }

  ready(index: number): Promise<void> {
    return this.writerOf(index).ready();
  }

  close(): Promise<void> {
    this.#listener?.close();
    for (const conn of this.#conns) conn.close();
    return Promise.resolve();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const conn of listener) {
        await conn.read(new Uint8Array(1));
        this.#take(conn);
        await conn.write(new Uint8Array(1));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    }
  }

  #take(conn: Deno.TcpConn): void {
    conn.setNoDelay(true);
    this.#conns.push(conn);
    this.#writers.push(new RawWriter(conn));
    this.read(conn).catch((error) => {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    });
  }
}
