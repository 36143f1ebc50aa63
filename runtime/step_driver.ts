// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "./runtime.ts";
import type { Step } from "./step.ts";

/** Dependencies of a {@linkcode StepDriver}. */
export interface StepDriverOptions<Message, Event> {
  readonly clock: Clock;
  /** Sends a message to a peer, if there is a way. */
  readonly send: (to: string, message: Message) => void;
  /** Acts on what became known. */
  readonly tell: (event: Event) => void;
  /** Has the protocol do what is due at `now`. Needed where its steps have a `nextAt`. */
  readonly tick?: (now: number) => Step<Message, Event>;
}

/** Acts on the steps of one protocol: sends, tells, and wakes it when it has something to do. */
export class StepDriver<Message, Event> {
  readonly #options: StepDriverOptions<Message, Event>;
  #timer: Timer | null = null;
  #at = Infinity;
  #isStopped = false;

  constructor(options: StepDriverOptions<Message, Event>) {
    this.#options = options;
  }

  /** Acts on a step. An event may lead to another step, which is acted on at once: hence the timer first. */
  do({ outgoing, events, nextAt = Infinity }: Step<Message, Event>): void {
    const { send, tell } = this.#options;
    this.#wakeAt(nextAt);
    for (const { to, message } of outgoing) send(to, message);
    for (const event of events) tell(event);
  }

  /** Forgets when the protocol wanted to be woken: another one takes its place. */
  reset(): void {
    this.#wakeAt(Infinity);
  }

  /** Wakes it no more. Steps are still acted on. */
  stop(): void {
    this.reset();
    this.#isStopped = true;
  }

  #wakeAt(at: number): void {
    if (at === this.#at) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#at = Infinity;
    const { clock, tick } = this.#options;
    if (at === Infinity || tick === undefined || this.#isStopped) return;
    this.#at = at;
    this.#timer = clock.schedule(Math.max(0, at - clock.now()), () => {
      this.#at = Infinity;
      this.do(tick(clock.now()));
    });
  }
}
