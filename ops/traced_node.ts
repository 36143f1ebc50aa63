// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Node } from "../manager/node.ts";
import type { MessageContext } from "../messaging/registry.ts";
import type { MessageTracer, SendOperation, SentMessage, SentSpan } from "../messaging/tracing.ts";
import { traceFromBytes, traceToBytes } from "../wire/trace_context.ts";
import { contextBelow } from "./span_context.ts";
import type { TelemetrySpan, TelemetrySpanOptions, TelemetryTracer } from "./telemetry_types.ts";

/** Kinds of spans, as OpenTelemetry numbers them. */
const CLIENT = 2;
const PRODUCER = 3;
const CONSUMER = 4;
/** The status of a span of something that failed. */
const FAILED = 2;

/**
 * Follows the messages of a node with spans, named and described by OpenTelemetry's conventions for messaging.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export class TracedNode implements MessageTracer, Disposable {
  readonly #node: Node;
  readonly #tracer: TelemetryTracer;
  readonly #former: MessageTracer | null;

  constructor(node: Node, tracer: TelemetryTracer) {
    this.#node = node;
    this.#tracer = tracer;
    this.#former = node.messaging.tracing.tracer;
    node.messaging.tracing.tracer = this;
  }

  send({ operation, node, name, channel }: SentMessage): SentSpan {
    const span = this.#tracer.startSpan(`${operation} ${name}`, {
      kind: operation === "call" || operation === "open" ? CLIENT : PRODUCER,
      attributes: this.#attributes(operation, name, node, channel),
    });
    return {
      trace: traceToBytes(span.spanContext()),
      end: (failure) => {
        if (failure !== undefined) fail(span, failure.error);
        span.end();
      },
    };
  }

  process(name: string, context: MessageContext, trace: Uint8Array | undefined, run: () => unknown): unknown {
    const attributes = this.#attributes("process", name, context.from, context.channel);
    const options: TelemetrySpanOptions = { kind: CONSUMER, attributes };
    const above = contextBelow(trace && traceFromBytes(trace));
    return this.#tracer.startActiveSpan(`process ${name}`, options, above, (span) => follow(span, run));
  }

  [Symbol.dispose](): void {
    const { tracing } = this.#node.messaging;
    if (tracing.tracer === this) tracing.tracer = this.#former;
  }

  #attributes(
    operation: SendOperation | "process",
    name: string,
    peer: string | undefined,
    channel: string | undefined,
  ): Record<string, string> {
    return {
      "messaging.system": "partisan",
      "messaging.operation.name": operation,
      "messaging.operation.type": operation === "process" ? "process" : "send",
      "messaging.destination.name": name,
      "messaging.client.id": this.#node.self.name,
      ...(peer !== undefined && { "partisan.peer": peer }),
      ...(channel !== undefined && { "partisan.channel": channel }),
    };
  }
}

/** Ends a span with what it is about, at once or when a promise has settled. */
function follow(span: TelemetrySpan, run: () => unknown): unknown {
  try {
    const result = run();
    if (!(result instanceof Promise)) span.end();
    else {
      result.then(() => span.end(), (error) => {
        fail(span, error);
        span.end();
      });
    }
    return result;
  } catch (error) {
    fail(span, error);
    span.end();
    throw error;
  }
}

function fail(span: TelemetrySpan, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: "_OTHER", message: String(error) };
  span.setAttribute("error.type", name);
  span.setStatus({ code: FAILED, message });
}
