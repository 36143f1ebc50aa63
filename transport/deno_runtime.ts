// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { LogEntry } from "../runtime/log_entry.ts";
import { objectWith, RANDOM } from "../runtime/object_with.ts";
import { checkOptions, type OptionKinds } from "../runtime/options.ts";
import type { Clock, CommonLoad, Random } from "../runtime/runtime.ts";
import { systemClock, systemRandom } from "../runtime/system.ts";
import type { Runtime } from "./runtime.ts";
import { TcpTransport } from "./tcp/tcp_transport.ts";
import type { Transport } from "./transport.ts";

/** No task should hold the event loop for longer while others may be due. */
const TURN_MS = 4;
/** Nor for longer than this while others are: about half of what one large message takes. */
const SHARED_TURN_MS = 0.0625;
/** Conversation goes on for so long after a short message: while the other side of it has its turn, none comes. */
const CONVERSATION_MS = 10;
/** The event loop looks at sockets and timers when it has nothing to do, or after 61 turns that had (Tokio's `event_interval`). */
const TURNS = 64;

/** That of this process. */
const LOAD: CommonLoad = { dials: 0 };

/** Options of {@linkcode denoRuntime}. */
export interface DenoRuntimeOptions {
  /**
   * Transport to other nodes.
   *
   * @default {new TcpTransport({ clock })}
   */
  readonly transport?: Transport | undefined;
  /**
   * Source of randomness, for runs that are to be alike.
   *
   * @default {Math.random and crypto.getRandomValues}
   */
  readonly random?: Random | undefined;
}

const KINDS: OptionKinds<DenoRuntimeOptions> = {
  transport: objectWith("a transport", "listen", "connect"),
  random: RANDOM,
};

/**
 * The real world: the system's clock, its randomness and, unless told otherwise, TCP.
 *
 * @throws {TypeError} When an option can be none.
 *
 * @example A node that does not wait long for connections to close
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { denoRuntime, systemClock, TcpTransport } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const transport = new TcpTransport({ clock: systemClock, closeTimeout: 200 });
 * await using node = await startPeerService({ name: "a", runtime: denoRuntime({ transport }) });
 * assertEquals(node.spec.addresses.length, 1);
 * ```
 */
export function denoRuntime(options: DenoRuntimeOptions = {}): Runtime {
  const { transport = new TcpTransport({ clock: systemClock }), random = systemRandom } = checkOptions(
    "Cannot make a runtime",
    options,
    KINDS,
  );
  const breaks = new Breaks(transport, systemClock);
  return {
    clock: systemClock,
    random,
    transport,
    defer: (callback) => queueMicrotask(callback),
    nextTurn: (callback) => void setImmediate(callback),
    giveWay: () => breaks.giveWay(),
    outside: (operation) => operation,
    load: LOAD,
    report: writeToConsole,
  };
}

/** Writes a log entry. It may quote text of other nodes, which must not steer the terminal, nor look like lines of its own. */
function writeToConsole({ level, kind, message }: LogEntry): void {
  const line = `[peer-service] ${kind}: ${message}`.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\ufffd");
  const { error, warn } = console;
  (level === "error" ? error : warn)(line);
}

/**
 * Breaks in which others get the event loop. Reads and writes that find their socket ready are done at once, up to 128 in a row, so
 * that tasks of a flood hold it for a tenth of a second otherwise. A break costs a tenth of a millisecond, or a fifth of that where the transport
 * can {@linkcode Transport.look}: breaks are rare as long as there is no use for them, and frequent while there is conversation on other
 * streams that is read in breaks only.
 */
export class Breaks {
  readonly #transport: Pick<Transport, "shortReads" | "look">;
  readonly #clock: Pick<Clock, "now">;
  #turnMs = TURN_MS;
  #lastEnd = 0;
  #sharedUntil = 0;
  /** Short reads until the end of the last break. */
  #shortReads: number | undefined;
  #present: Promise<void> | undefined;

  /** @param transport Tells by its `shortReads` whether others had use for a break. */
  constructor(transport: Pick<Transport, "shortReads" | "look">, clock: Pick<Clock, "now">) {
    this.#transport = transport;
    this.#clock = clock;
    this.#shortReads = transport.shortReads;
  }

  /** @returns The break at hand, a new one when it is due, or `undefined`. */
  giveWay(): Promise<void> | undefined {
    if (this.#present !== undefined || this.#clock.now() - this.#lastEnd < this.#turnMs) return this.#present;
    const { shortReads } = this.#transport;
    // Where short messages come between two breaks as well, the event loop has time for them.
    const isServed = shortReads !== this.#shortReads;
    return this.#present = new Promise((resolve) => {
      const looked = this.#turnMs < TURN_MS ? this.#transport.look?.() : undefined;
      let turns = looked === undefined ? TURNS : 1;
      const turn = () => {
        if (--turns > 0) return setImmediate(turn);
        this.#lastEnd = this.#clock.now();
        // Those that flood have all been waiting here, or will be soon: what was read meanwhile was for others.
        if (isServed) this.#sharedUntil = 0;
        else if (this.#transport.shortReads !== shortReads) this.#sharedUntil = this.#lastEnd + CONVERSATION_MS;
        this.#shortReads = this.#transport.shortReads;
        const isShared = this.#lastEnd < this.#sharedUntil;
        this.#turnMs = isShared ? SHARED_TURN_MS : Math.min(TURN_MS, 2 * this.#turnMs);
        this.#present = undefined;
        resolve();
      };
      if (looked === undefined) setImmediate(turn);
      else looked.then(turn, turn);
    });
  }
}
