// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageContext } from "./registry.ts";

/** Operation that sends a message. */
export type SendOperation = "send" | "call" | "broadcast" | "open";

/** A message that is about to be sent. */
export interface SentMessage {
  readonly operation: SendOperation;
  /** The node that it is for; `undefined` for all. */
  readonly node: string | undefined;
  /** The handler that it is for. */
  readonly name: string;
  readonly channel: string | undefined;
}

/** The sending of a message, as a part of a trace. */
export interface SentSpan {
  /** Trace context for its receiver; `undefined` for nothing. */
  readonly trace: Uint8Array | undefined;
  /** It has ended; with what was thrown, if anything was. */
  end(failure?: { readonly error: unknown }): void;
}

/** Follows messages from node to node. */
export interface MessageTracer {
  /** A message is about to be sent. */
  send(message: SentMessage): SentSpan;
  /**
   * A message is about to be handled.
   *
   * @param trace Trace context that came with it; `undefined` when none did.
   * @param run Hands it to the handler. To be called once, at once.
   * @returns Result of `run`.
   */
  process(name: string, context: MessageContext, trace: Uint8Array | undefined, run: () => unknown): unknown;
}

/** Holder of the tracer, if there is one. */
export class Tracing {
  /** Follows the messages of the node; `null` for none. */
  tracer: MessageTracer | null = null;

  /** Does something that takes a message to others, as a part of a trace where messages are traced, and the message is for a handler of the user. */
  follow<T>(message: SentMessage, run: (trace?: Uint8Array) => Promise<T>): Promise<T> {
    return this.tracer === null || !isTraced(message.name) ? run() : ended(this.tracer.send(message), run);
  }

  /** The same, for what is done at once. */
  followAtOnce<T>(message: SentMessage, run: (trace?: Uint8Array) => T): T {
    if (this.tracer === null || !isTraced(message.name)) return run();
    const span = this.tracer.send(message);
    try {
      const result = run(span.trace);
      span.end();
      return result;
    } catch (error) {
      span.end({ error });
      throw error;
    }
  }
}

async function ended<T>(span: SentSpan, run: (trace?: Uint8Array) => Promise<T>): Promise<T> {
  try {
    const result = await run(span.trace);
    span.end();
    return result;
  } catch (error) {
    span.end({ error });
    throw error;
  }
}

/** Handlers of the manager itself are not shown. */
export function isTraced(name: string): boolean {
  return name !== "" && !name.startsWith("\0");
}
