// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Cable, type LongWay, Window } from "./cable.ts";
import type { Stage } from "./stage.ts";

const CHUNK_BYTES = 64 * 1024;
/** Timers of the system come up to a millisecond late: the rest is waited for in turns of the event loop. */
const TIMER_LATENESS_MS = 1.5;

/** A socket that the relay stands in front of. */
export interface Front {
  /** The port behind it, on loopback. */
  readonly port: number;
}

/**
 * A long way in user space, for machines whose kernel cannot delay packets: connections with a front are carried on to the socket behind it, and
 * all of them share one cable. What goes from the first front's side to its socket has the direction of what the second front's socket answers.
 */
export class LinkRelay implements Disposable {
  readonly #way: LongWay;
  readonly #cables: readonly [Cable, Cable];
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #conns = new Set<Deno.TcpConn>();

  constructor(way: LongWay) {
    this.#way = way;
    // A whole millisecond there and none back is a round trip of one as well, and timers can keep it.
    const there = Math.ceil(way.roundTrip / 2);
    this.#cables = [
      new Cable({ delay: there, rate: way.rate }),
      new Cable({ delay: way.roundTrip - there, rate: way.rate }),
    ];
  }

  /** Listens in front of a socket. @param isFar Whether the socket is at the far end of the cable. @returns The port to dial in its place. */
  listen({ port }: Front, isFar: boolean): number {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#listeners.push(listener);
    this.#accept(listener, port, isFar);
    return (listener.addr as Deno.NetAddr).port;
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener.close();
    for (const conn of this.#conns) this.#end(conn);
  }

  async #accept(listener: Deno.TcpListener, port: number, isFar: boolean): Promise<void> {
    const [there, back] = isFar ? this.#cables : this.#cables.toReversed() as [Cable, Cable];
    try {
      for await (const near of listener) {
        const far = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
        if (far === undefined) {
          near.close();
          continue;
        }
        for (const conn of [near, far]) {
          conn.setNoDelay(true);
          this.#conns.add(conn);
        }
        this.#carry(near, far, there, back.delay);
        this.#carry(far, near, back, there.delay);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    }
  }

  /** Carries bytes in one direction, until one end closes: then both connections are closed. */
  async #carry(from: Deno.TcpConn, to: Deno.TcpConn, cable: Cable, confirmation: number): Promise<void> {
    const window = new Window(this.#way.window);
    let delivered = Promise.resolve();
    let isBroken = false;
    try {
      while (!isBroken) {
        while (window.room(performance.now()) === 0) await until(window.nextAt);
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, window.room(performance.now())));
        const count = await from.read(chunk);
        if (count === null) break;
        const due = cable.send(count, performance.now());
        window.sent(count, due + confirmation);
        delivered = delivered.then(() => deliver(to, chunk.subarray(0, count), due)).catch(() => {
          isBroken = true;
        });
      }
    } catch {
      // One end is gone: the other one learns it by its connection.
    }
    await delivered;
    this.#end(from);
    this.#end(to);
  }

  #end(conn: Deno.TcpConn): void {
    if (!this.#conns.delete(conn)) return;
    try {
      conn.close();
    } catch {
      // It was closed by its other direction.
    }
  }
}

async function deliver(to: Deno.TcpConn, chunk: Uint8Array, due: number): Promise<void> {
  await until(due);
  for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await to.write(rest));
}

/** Resolves at a time of `performance.now()`. */
async function until(time: number): Promise<void> {
  for (;;) {
    const left = time - performance.now();
    if (left <= 0) return;
    await new Promise((resolve) => setTimeout(resolve, left > TIMER_LATENESS_MS ? left - TIMER_LATENESS_MS : 0));
  }
}

/** Puts a long way between two sockets: of the near end and of the far end. @returns The ports to dial in place of theirs. */
export function openRelay(
  stage: Stage,
  { way, near, far }: { way: LongWay; near: Front; far: Front },
): { near: number; far: number } {
  stage.relay = new LinkRelay(way);
  return { near: stage.relay.listen(near, false), far: stage.relay.listen(far, true) };
}
