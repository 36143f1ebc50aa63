// Copyright 2026 the Partisan peer-service authors. MIT license.

import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { MessageContext } from "./registry.ts";

/** Nodes that have a signal. Others can name any number of senders, of which nothing is ever told. */
const NODES_MAX = 16_384;
/** Incarnations of one of them that have a signal. */
const INCARNATIONS_MAX = 8;

/** Signals that say that a sender of plain messages is gone. None is made before it is asked for. */
export class SenderSignals {
  /** By the names of the nodes, and by their incarnations. */
  readonly #controllers = new Map<string, Map<number, AbortController>>();
  #ended: Error | undefined;

  /** The signal for what an incarnation of a node has sent. */
  of(node: string, incarnation: number): AbortSignal {
    if (this.#ended !== undefined) return AbortSignal.abort(this.#ended);
    const controllers = this.#controllers.get(node) ?? new Map<number, AbortController>();
    const known = controllers.get(incarnation);
    if (known !== undefined) return known.signal;
    const controller = new AbortController();
    forgetOldest(controllers.set(incarnation, controller), INCARNATIONS_MAX);
    forgetOldest(this.#controllers.set(node, controllers), NODES_MAX);
    return controller.signal;
  }

  /** Number of signals that are kept. */
  get size(): number {
    let size = 0;
    for (const { size: incarnations } of this.#controllers.values()) size += incarnations;
    return size;
  }

  /** Whether there is a signal for what a node has sent. */
  has(node: string): boolean {
    return this.#controllers.has(node);
  }

  /**
   * A node went down, or those incarnations of it that are lower than `before` are over. Messages that it sends when it is back have another
   * signal.
   */
  abort(node: string, reason: Error, before = Infinity): void {
    const controllers = this.#controllers.get(node);
    if (controllers === undefined) return;
    const ended = [...controllers].filter(([incarnation]) => incarnation < before);
    for (const [incarnation] of ended) controllers.delete(incarnation);
    if (controllers.size === 0) this.#controllers.delete(node);
    for (const [, controller] of ended) controller.abort(reason);
  }

  /** Nothing that is handled here is of use any more, nor will be. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const node of [...this.#controllers.keys()]) this.abort(node, reason);
  }
}

/** The context of plain messages: many share one. */
export class SharedContext implements MessageContext {
  readonly from: string;
  readonly channel: string;
  readonly cast: boolean;
  /** Incarnation of the sender; 0 where that does not count. */
  readonly incarnation: number;
  readonly #signals: SenderSignals;

  constructor(from: string, channel: string, cast: boolean, signals: SenderSignals, incarnation = 0) {
    this.from = from;
    this.channel = channel;
    this.cast = cast;
    this.incarnation = incarnation;
    this.#signals = signals;
    if (new.target === SharedContext) Object.freeze(this);
  }

  /** Aborted when the sender goes down. */
  get signal(): AbortSignal {
    return this.#signals.of(this.from, this.incarnation);
  }
}

/** The context of a plain message that belongs to a trace: it has one of its own. */
export class TracedContext extends SharedContext {
  /** Trace context of the message. */
  readonly trace: Uint8Array;

  constructor(
    from: string,
    channel: string,
    cast: boolean,
    signals: SenderSignals,
    incarnation: number,
    trace: Uint8Array,
  ) {
    super(from, channel, cast, signals, incarnation);
    this.trace = trace;
  }
}

/** Trace context of a message, if it has one. */
export function traceOf(context: MessageContext & { readonly trace?: Uint8Array | undefined }): Uint8Array | undefined {
  return context.trace;
}

/** The context of a broadcast. */
export class BroadcastContext extends SharedContext {
  readonly age: number;
  readonly repaired: boolean;
  readonly trace: Uint8Array | undefined;

  constructor(
    from: string,
    channel: string,
    signals: SenderSignals,
    incarnation: number,
    age: number,
    repaired: boolean,
    trace: Uint8Array | undefined,
  ) {
    super(from, channel, true, signals, incarnation);
    this.age = age;
    this.repaired = repaired;
    this.trace = trace;
  }
}

/** The context of one request. It costs no signal unless its handler asks for that. */
export class RequestContext implements MessageContext {
  readonly from: string;
  readonly channel: string;
  readonly cast: boolean;
  readonly trace: Uint8Array | undefined;
  /** Incarnation of its caller; 0 where that does not count. */
  readonly incarnation: number;
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #isAwaited = true;

  constructor(
    context: Pick<MessageContext, "from" | "channel" | "cast"> & {
      readonly trace?: Uint8Array | undefined;
      readonly incarnation?: number;
    },
  ) {
    this.from = context.from;
    this.channel = context.channel;
    this.cast = context.cast;
    this.trace = context.trace;
    this.incarnation = context.incarnation ?? 0;
  }

  /** Whether the reply is not awaited any more, as far as is known here. */
  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** Whether the caller may still await the reply: it has not given the call up, nor come to its end. */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  /** Aborted when the caller gives the call up, or goes down. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The reply is not awaited any more. */
  abort(reason: Error): void {
    this.#isAwaited = false;
    this.leave(reason);
  }

  /** The caller is gone, and may come back. */
  leave(reason: Error): void {
    if (this.aborted) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
