// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Node } from "../../manager/node.ts";
import type { TelemetryCallback, TelemetryInstrumentOptions, TelemetryMeter } from "../telemetry_types.ts";
import { INSTRUMENTS } from "./catalogue.ts";
import type { HistogramInstrument, ValueInstrument } from "./instrument_types.ts";

/** The attribute that says which node a measurement is of: a process may run several. */
const NODE_ATTRIBUTE = "partisan.node";

/** Hands the instruments of a node to a meter, until it is disposed. */
export class MeteredNode implements Disposable {
  readonly #node: Node;
  readonly #meter: TelemetryMeter;
  readonly #undo: (() => void)[] = [];

  constructor(node: Node, meter: TelemetryMeter) {
    this.#node = node;
    this.#meter = meter;
    for (const instrument of INSTRUMENTS) {
      if (instrument.type === "histogram") this.#record(instrument);
      else this.#observe(instrument);
    }
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #observe(instrument: ValueInstrument): void {
    const { name, type } = instrument;
    const options = described(instrument);
    const observable = type === "counter"
      ? this.#meter.createObservableCounter(name, options)
      : this.#meter.createObservableGauge(name, options);
    const callback: TelemetryCallback = (observer) => {
      for (const { labels, value } of instrument.read(this.#node)) observer.observe(value, this.#attributes(labels));
    };
    observable.addCallback(callback);
    this.#undo.push(() => observable.removeCallback(callback));
  }

  #record(instrument: HistogramInstrument): void {
    const distributions = instrument.read(this.#node);
    const bounds = distributions[0]!.histogram.bounds.map((bound) => bound / 1_000);
    const advice = { explicitBucketBoundaries: bounds };
    const recorder = this.#meter.createHistogram(instrument.name, { ...described(instrument), advice });
    for (const { labels, histogram } of distributions) {
      const attributes = this.#attributes(labels);
      const tap = (milliseconds: number) => recorder.record(milliseconds / 1_000, attributes);
      histogram.taps.add(tap);
      this.#undo.push(() => histogram.taps.delete(tap));
    }
  }

  #attributes(labels: Readonly<Record<string, string>>): Record<string, string> {
    return { ...labels, [NODE_ATTRIBUTE]: this.#node.self.name };
  }
}

function described({ help, unit }: ValueInstrument | HistogramInstrument): TelemetryInstrumentOptions {
  return { description: `${help}.`, unit };
}
