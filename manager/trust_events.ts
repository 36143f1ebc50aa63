// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { RefusalCode } from "../connections/handshake/refusal.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { Emit } from "./events.ts";
import { type Address, formatAddress } from "../wire/address.ts";

/** Refusals that have to do with trust; others are a matter of time, or of who comes first. */
const SUSPICIOUS: ReadonlySet<RefusalCode> = new Set([
  "version",
  "cluster",
  "strategy",
  "secret",
  "self",
  "name-in-use",
  "certificate",
  "not-admitted",
  "protocol",
  "overloaded",
]);

/** One event is told for each host and reason in so many milliseconds, and so many events at most. */
const WINDOW_MS = 10_000;
const EVENTS_MAX = 100;

/** Tells the users of a node which dialers were refused, so that an attack can be seen, and no flood of attempts becomes one of events. */
export class TrustEvents {
  readonly #clock: Pick<Clock, "now">;
  readonly #emit: Emit;
  #told = new Set<string>();
  #since = -Infinity;

  constructor(clock: Pick<Clock, "now">, emit: Emit) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** A dialer was refused. */
  refused(code: RefusalCode, reason: string, at: Address, node?: string): void {
    if (!SUSPICIOUS.has(code)) return;
    const now = this.#clock.now();
    if (now - this.#since >= WINDOW_MS) {
      this.#since = now;
      this.#told.clear();
    }
    const topic = `${code} ${at.hostname}`;
    if (this.#told.has(topic) || this.#told.size >= EVENTS_MAX) return;
    this.#told.add(topic);
    // One that has to make room for others is not refused for what it is.
    const kind = code === "overloaded" ? "rate-limited" : "refused";
    this.#emit("trust", { kind, reason, address: formatAddress(at), ...node === undefined ? {} : { node } });
  }
}
