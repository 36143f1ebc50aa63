// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Node } from "../../manager/node.ts";
import type { Histogram } from "../../runtime/histogram.ts";

/** Labels that tell one series of an instrument from others. */
export type Labels = Readonly<Record<string, string>>;

/** The values that a label can have; `"channels"` stands for the channels of the node, and `other` for those that only others have; `"node"` for a single one, that of the node. */
export type LabelValues = readonly string[] | "channels" | "node";

/** One value of an instrument. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One distribution of an instrument; the histogram counts milliseconds, which are told as seconds. */
export interface Distribution {
  readonly labels: Labels;
  readonly histogram: Histogram;
}

interface Common {
  /** Its name, in Prometheus and OpenTelemetry alike. */
  readonly name: string;
  /** Meaning of the instrument, in a sentence without a full stop. */
  readonly help: string;
  /** Its unit, as the Unified Code for Units of Measure has it: `s`, `By`, `1`, or what is counted, in braces. */
  readonly unit: string;
  /** Its labels, and the values that each can have. */
  readonly labels: Readonly<Record<string, LabelValues>>;
}

/** Something that only grows, or something that is as it is now. */
export interface ValueInstrument extends Common {
  readonly type: "counter" | "gauge";
  read(node: Node): readonly Sample[];
}

/** Instrument of a distribution. */
export interface HistogramInstrument extends Common {
  readonly type: "histogram";
  read(node: Node): readonly Distribution[];
}

/** Something about a node that can be measured. */
export type Instrument = ValueInstrument | HistogramInstrument;

/** Samples with one label, a value for each entry of a table. */
export function byLabel<Value extends string>(
  label: string,
  values: readonly Value[],
  valueOf: (value: Value) => number | undefined,
): Sample[] {
  return values.map((value) => ({ labels: { [label]: value }, value: valueOf(value) ?? 0 }));
}

/** The one sample of an instrument without labels. */
export function only(value: number): Sample[] {
  return [{ labels: {}, value }];
}
