// Copyright 2026 the Partisan peer-service authors. MIT license.

import type {
  TelemetryContext,
  TelemetrySpan,
  TelemetrySpanContext,
  TelemetrySpanOptions,
  TelemetryTracer,
} from "../../ops/mod.ts";

const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/** A span that remembers what it was told. */
export class KeptSpan implements TelemetrySpan {
  readonly attributes: Record<string, string>;
  readonly kind: number;
  status = 0;
  ended = 0;

  constructor(
    readonly name: string,
    { attributes, kind }: TelemetrySpanOptions,
    readonly parent: TelemetrySpanContext | undefined,
    readonly context: TelemetrySpanContext,
  ) {
    this.attributes = { ...attributes };
    this.kind = kind;
  }

  spanContext(): TelemetrySpanContext {
    return this.context;
  }

  setAttribute(key: string, value: string): void {
    this.attributes[key] = value;
  }

  setStatus({ code }: { code: number }): void {
    this.status = code;
  }

  end(): void {
    this.ended++;
  }
}

/** Keeps spans, in the order in which they began. While code runs at once below an active span, what it begins is below that. */
export class KeptTracer implements TelemetryTracer {
  readonly spans: KeptSpan[] = [];
  #active: KeptSpan | undefined;
  #count = 0;

  startSpan(name: string, options: TelemetrySpanOptions): KeptSpan {
    return this.#begin(name, options, this.#active?.context);
  }

  startActiveSpan<Result>(
    name: string,
    options: TelemetrySpanOptions,
    context: TelemetryContext,
    run: (span: TelemetrySpan) => Result,
  ): Result {
    const above = context.getValue(SPAN_KEY) as TelemetrySpan | undefined;
    const span = this.#begin(name, options, above?.spanContext());
    const former = this.#active;
    this.#active = span;
    try {
      return run(span);
    } finally {
      this.#active = former;
    }
  }

  /** The spans with a name. */
  named(name: string): KeptSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  #begin(name: string, options: TelemetrySpanOptions, parent: TelemetrySpanContext | undefined): KeptSpan {
    const number = (++this.#count).toString(16);
    const traceId = parent?.traceId ?? number.padStart(32, "a");
    const span = new KeptSpan(name, options, parent, { traceId, spanId: number.padStart(16, "b"), traceFlags: 1 });
    this.spans.push(span);
    return span;
  }
}
