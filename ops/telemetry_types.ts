// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Attributes of a measurement or a span, as OpenTelemetry has them. */
export type TelemetryAttributes = Readonly<Record<string, string | number | boolean>>;

/** Description of an instrument, as OpenTelemetry has it. */
export interface TelemetryInstrumentOptions {
  /** Meaning of the instrument, in a sentence. */
  readonly description: string;
  /** Its unit, as the Unified Code for Units of Measure has it. */
  readonly unit: string;
  /** Settings that fit the instrument best, for a histogram. */
  readonly advice?: {
    /** Upper ends of its ranges. */
    readonly explicitBucketBoundaries: number[];
  };
}

/** Takes values when they are collected, as OpenTelemetry's `ObservableResult` does. */
export interface TelemetryObserver {
  /** Takes a value. */
  observe(value: number, attributes?: TelemetryAttributes): void;
}

/** Tells values when they are collected. */
export type TelemetryCallback = (observer: TelemetryObserver) => void;

/** Part of OpenTelemetry's `Observable` that is used here. */
export interface TelemetryObservable {
  /** Has `callback` called at each collection. */
  addCallback(callback: TelemetryCallback): void;
  /** Ends that. */
  removeCallback(callback: TelemetryCallback): void;
}

/** Part of OpenTelemetry's `Histogram` that is used here. */
export interface TelemetryHistogram {
  /** Takes a value. */
  record(value: number, attributes?: TelemetryAttributes): void;
}

/** Part of OpenTelemetry's `Meter` that is used here. Any of its implementations fits. */
export interface TelemetryMeter {
  /** Makes an instrument for something that only grows. */
  createObservableCounter(name: string, options: TelemetryInstrumentOptions): TelemetryObservable;
  /** Makes an instrument for something that is as it is now. */
  createObservableGauge(name: string, options: TelemetryInstrumentOptions): TelemetryObservable;
  /** Makes an instrument for the distribution of something. */
  createHistogram(name: string, options: TelemetryInstrumentOptions): TelemetryHistogram;
}

/** Options of a span, as OpenTelemetry has them. */
export interface TelemetrySpanOptions {
  /** The part that it plays: 2 for a client, 3 for a producer, 4 for a consumer. */
  readonly kind: 2 | 3 | 4;
  /** Attributes of it. */
  readonly attributes: Record<string, string>;
}

/** Part of OpenTelemetry's `Span` that is used here. */
export interface TelemetrySpan {
  /** Position of the span in its trace. */
  spanContext(): TelemetrySpanContext;
  /** Says one thing more about it. */
  setAttribute(key: string, value: string): unknown;
  /** Says what came of it: `code` 2 is a failure. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Ends it. */
  end(): void;
}

/** Position of a span in its trace, as OpenTelemetry has it. */
export interface TelemetrySpanContext {
  /** The trace: 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span: 16 hexadecimal digits. */
  readonly spanId: string;
  /** 1 when it is recorded. */
  readonly traceFlags: number;
}

/** Part of OpenTelemetry's `Context` that is used here: values that are handed on implicitly. */
export interface TelemetryContext {
  /** The value under a key. */
  getValue(key: symbol): unknown;
  /** Another context, with a value under a key. */
  setValue(key: symbol, value: unknown): TelemetryContext;
  /** Another context, without a value under a key. */
  deleteValue(key: symbol): TelemetryContext;
}

/** Part of OpenTelemetry's `Tracer` that is used here. Any of its implementations fits. */
export interface TelemetryTracer {
  /** Begins a span below the active one. */
  startSpan(name: string, options: TelemetrySpanOptions): TelemetrySpan;
  /** Begins a span below that of a context, and has it active while `run` runs, and what that begins. */
  startActiveSpan<Result>(
    name: string,
    options: TelemetrySpanOptions,
    context: TelemetryContext,
    run: (span: TelemetrySpan) => Result,
  ): Result;
}
