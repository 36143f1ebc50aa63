// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Histogram } from "../runtime/histogram.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Connection } from "../connections/connection.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { ProtocolError } from "../wire/frame_reader.ts";
import type { Peer } from "../connections/peer.ts";

/** Milliseconds that a round trip takes, in ranges. */
const ROUND_TRIP_BOUNDS_MS: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

interface PendingPing {
  readonly peer: Peer;
  readonly sentAt: number;
  readonly settle: (answered: boolean) => void;
}

/** Measures round trips. An answer also proves that all that was sent before on the membership connection has been handled. */
export class Pinger {
  readonly #runtime: Runtime;
  /** Round-trip times of pings, in milliseconds. */
  readonly roundTrips: Histogram = new Histogram(ROUND_TRIP_BOUNDS_MS);
  readonly #pending = new Map<number, PendingPing>();
  #count = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Asks a peer for an answer.
   *
   * @param timeout Milliseconds.
   * @returns Whether it answered in time.
   */
  ping(peer: Peer, timeout: number): Promise<boolean> {
    const queue = peer.membership?.queue;
    if (queue === undefined || peer.partitioned || !queue.hasRoomFor(9)) return Promise.resolve(false);
    const number = this.#count = (this.#count + 1) >>> 0;
    queue.begin(FrameKind.ping).u32(number);
    queue.commit();
    return new Promise((resolve) => {
      const timer = this.#runtime.clock.schedule(timeout, () => this.#settle(number, false));
      const settle = (answered: boolean) => {
        timer.cancel();
        resolve(answered);
      };
      this.#pending.set(number, { peer, sentAt: this.#runtime.clock.now(), settle });
    });
  }

  /** Answers a ping. */
  takePing(connection: Connection<Peer>, buffer: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw new ProtocolError(`Cannot read a ping: it has ${end - start} bytes, expected 4`);
    // One that drains may close before it carries the answer.
    const { queue } = connection.draining ? connection.peer.membership ?? connection : connection;
    if (!queue.hasRoomFor(9)) return;
    queue.begin(FrameKind.pong).raw(buffer.subarray(start, end));
    queue.commit();
  }

  /** Takes the answer to a ping. */
  takePong(connection: Connection<Peer>, buffer: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw new ProtocolError(`Cannot read a pong: it has ${end - start} bytes, expected 4`);
    const number = new DataView(buffer.buffer, buffer.byteOffset + start).getUint32(0);
    const ping = this.#pending.get(number);
    if (ping === undefined || ping.peer !== connection.peer) return;
    const roundTrip = this.#runtime.clock.now() - ping.sentAt;
    connection.peer.roundTrip = roundTrip;
    this.roundTrips.record(roundTrip);
    this.#settle(number, true);
  }

  /** Settles what waits for a peer that went away. */
  peerGone(peer: Peer): void {
    for (const [number, ping] of this.#pending) if (ping.peer === peer) this.#settle(number, false);
  }

  /** Settles all that waits. */
  stop(): void {
    for (const number of [...this.#pending.keys()]) this.#settle(number, false);
  }

  #settle(number: number, answered: boolean): void {
    const ping = this.#pending.get(number);
    this.#pending.delete(number);
    ping?.settle(answered);
  }
}
