// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Attributes of a measurement or a span, as OpenTelemetry has them. */
export type TelemetryAttributes = Readonly<Record<string, string | number | boolean>>;

/** How an instrument is described, as OpenTelemetry has it. */
export interface TelemetryInstrumentOptions {
  /** What it says, in a sentence. */
  readonly description: string;
  /** Its unit, as the Unified Code for Units of Measure has it. */
  readonly unit: string;
  /** What fits the instrument best, for a histogram. */
  readonly advice?: {
    /** Upper ends of its ranges. */
    readonly explicitBucketBoundaries: number[];
  };
}

/** Takes values when somebody collects them, as OpenTelemetry's `ObservableResult` does. */
export interface TelemetryObserver {
  /** Takes a value. */
  observe(value: number, attributes?: TelemetryAttributes): void;
}

/** Tells values when somebody collects them. */
export type TelemetryCallback = (observer: TelemetryObserver) => void;

/** What OpenTelemetry's `Observable` has of use here. */
export interface TelemetryObservable {
  /** Has `callback` called at each collection. */
  addCallback(callback: TelemetryCallback): void;
  /** Ends that. */
  removeCallback(callback: TelemetryCallback): void;
}

/** What OpenTelemetry's `Histogram` has of use here. */
export interface TelemetryHistogram {
  /** Takes a value. */
  record(value: number, attributes?: TelemetryAttributes): void;
}

/** What OpenTelemetry's `Meter` has of use here. Any of its implementations fits. */
export interface TelemetryMeter {
  /** Makes an instrument for something that only grows. */
  createObservableCounter(name: string, options: TelemetryInstrumentOptions): TelemetryObservable;
  /** Makes an instrument for something that is as it is now. */
  createObservableGauge(name: string, options: TelemetryInstrumentOptions): TelemetryObservable;
  /** Makes an instrument for the distribution of something. */
  createHistogram(name: string, options: TelemetryInstrumentOptions): TelemetryHistogram;
}
