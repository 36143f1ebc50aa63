// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageHandler, Registry } from "./registry.ts";

/** The name under which managers ask each other to watch a handler. */
export const MONITOR_NAME = "\0monitor";

/** The name under which managers tell each other that they need not watch any longer. */
export const DEMONITOR_NAME = "\0demonitor";

/** Handlers that others may watch here at a time. */
const WATCHED_MAX = 65_536;

/** Event of a monitored handler. */
export type HandlerFate = "unregistered" | "not_registered" | "demonitored" | "down";

interface Watch {
  readonly name: string;
  readonly settle: (fate: HandlerFate) => void;
}

/** Monitors of the handlers of this node, on other nodes and on this one: they are told when a handler is gone. */
export class Monitors {
  readonly #registry: Registry;
  readonly #flush: (node: string, channel: string) => Promise<void>;
  readonly #watches = new Map<string, Watch>();
  #lastId = 0;

  /**
   * @param registry The handlers of this node.
   * @param flush Resolves once a node has taken what was sent to it on a channel.
   */
  constructor(registry: Registry, flush: (node: string, channel: string) => Promise<void>) {
    this.#registry = registry;
    this.#flush = flush;
    registry.reserve(MONITOR_NAME, this.#monitor);
    registry.reserve(DEMONITOR_NAME, this.#demonitor);
  }

  /** A number for a watch that this node asks for. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** A name has lost its handler. */
  unregistered(name: string): void {
    for (const [key, watch] of this.#watches) if (watch.name === name) this.#end(key, "unregistered");
  }

  /** Replies when the handler is gone, and with a channel when what was sent on that before has come. */
  readonly #monitor: MessageHandler = async ({ name, id, channel }, { from, signal }): Promise<HandlerFate> => {
    const fate = await this.#fateOf(name, `${from}\0${id}`, signal);
    const isGone = fate === "unregistered" || fate === "not_registered";
    if (typeof channel === "string" && isGone) await this.#flush(from, channel);
    return fate;
  };

  /** @param signal Says that the node that wants to know is gone, as far as is known here. It may have noticed nothing. */
  #fateOf(name: string, key: string, signal: AbortSignal): HandlerFate | Promise<HandlerFate> {
    if (this.#registry.whereis(name) === undefined) return "not_registered";
    if (this.#watches.size >= WATCHED_MAX) throw new RangeError(`Cannot monitor "${name}": too many monitors`);
    signal.addEventListener("abort", () => this.#end(key, "down"));
    return new Promise((settle) => this.#watches.set(key, { name, settle }));
  }

  readonly #demonitor: MessageHandler = ({ id }, { from }): void => this.#end(`${from}\0${id}`, "demonitored");

  #end(key: string, fate: HandlerFate): void {
    const watch = this.#watches.get(key);
    this.#watches.delete(key);
    watch?.settle(fate);
  }
}
