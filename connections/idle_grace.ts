// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../runtime/runtime.ts";
import type { Peer } from "./peer.ts";

/** Peers whose connections outlive the interest in them, so that the last word still arrives. */
export class IdleGrace {
  readonly #timers = new Map<Peer, Timer>();
  readonly #clock: Clock;
  readonly #duration: number;
  readonly #over: (peer: Peer) => void;

  /**
   * @param duration In milliseconds.
   * @param over Called when a peer's time is over.
   */
  constructor(clock: Clock, duration: number, over: (peer: Peer) => void) {
    this.#clock = clock;
    this.#duration = duration;
    this.#over = over;
  }

  /** Gives a peer all of its time, whatever it has had. */
  begin(peer: Peer): void {
    this.end(peer);
    const timer = this.#clock.schedule(this.#duration, () => {
      this.#timers.delete(peer);
      this.#over(peer);
    });
    this.#timers.set(peer, timer);
  }

  /** The peer is wanted again, or gone. */
  end(peer: Peer): void {
    this.#timers.get(peer)?.cancel();
    this.#timers.delete(peer);
  }
}
