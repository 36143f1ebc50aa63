// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageContext } from "./registry.ts";

/** Signals that say that a sender of plain messages is gone. None is made before it is asked for. */
export class SenderSignals {
  readonly #controllers = new Map<string, AbortController>();
  #ended: Error | undefined;

  /** The signal for what a node has sent. */
  of(node: string): AbortSignal {
    if (this.#ended !== undefined) return AbortSignal.abort(this.#ended);
    let controller = this.#controllers.get(node);
    if (controller === undefined) this.#controllers.set(node, controller = new AbortController());
    return controller.signal;
  }

  /** Whether there is a signal for what a node has sent. */
  has(node: string): boolean {
    return this.#controllers.has(node);
  }

  /** A node went down. Messages that it sends when it is back have another signal. */
  abort(node: string, reason: Error): void {
    const controller = this.#controllers.get(node);
    this.#controllers.delete(node);
    controller?.abort(reason);
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
  readonly #signals: SenderSignals;

  constructor(from: string, channel: string, cast: boolean, signals: SenderSignals) {
    this.from = from;
    this.channel = channel;
    this.cast = cast;
    this.#signals = signals;
    if (new.target === SharedContext) Object.freeze(this);
  }

  /** Aborted when the sender goes down. */
  get signal(): AbortSignal {
    return this.#signals.of(this.from);
  }
}

/** The context of a plain message that belongs to a trace: it has one of its own. */
export class TracedContext extends SharedContext {
  /** Trace context of the message. */
  readonly trace: Uint8Array;

  constructor(from: string, channel: string, cast: boolean, signals: SenderSignals, trace: Uint8Array) {
    super(from, channel, cast, signals);
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
    age: number,
    repaired: boolean,
    trace: Uint8Array | undefined,
  ) {
    super(from, channel, true, signals);
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
    context: Pick<MessageContext, "from" | "channel" | "cast"> & { readonly trace?: Uint8Array | undefined },
    incarnation = 0,
  ) {
    this.from = context.from;
    this.channel = context.channel;
    this.cast = context.cast;
    this.trace = context.trace;
    this.incarnation = incarnation;
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
