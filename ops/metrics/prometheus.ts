// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Node } from "../../manager/node.ts";
import { INSTRUMENTS } from "./catalogue.ts";
import type { Distribution, Instrument, Labels } from "./instrument_types.ts";

/** The type of {@linkcode prometheusText}. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * All instruments of a node, with their present values, as Prometheus reads them.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusText(node: Node): string {
  const lines: string[] = [];
  for (const instrument of INSTRUMENTS) {
    const { name, help, type } = instrument;
    lines.push(`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}.`, `# TYPE ${name} ${type}`);
    lines.push(...seriesOf(instrument, node));
  }
  return `${lines.join("\n")}\n`;
}

function seriesOf(instrument: Instrument, node: Node): string[] {
  const { name } = instrument;
  return instrument.type === "histogram"
    ? instrument.read(node).flatMap((distribution) => histogram(name, distribution))
    : instrument.read(node).map(({ labels, value }) => `${name}${text(labels)} ${value}`);
}

function histogram(name: string, { labels, histogram }: Distribution): string[] {
  const { bounds, count, sum } = histogram;
  const below = histogram.cumulative();
  return [
    ...bounds.map((bound, range) => `${name}_bucket${text({ ...labels, le: `${bound / 1_000}` })} ${below[range]}`),
    `${name}_bucket${text({ ...labels, le: "+Inf" })} ${count}`,
    `${name}_sum${text(labels)} ${sum / 1_000}`,
    `${name}_count${text(labels)} ${count}`,
  ];
}

function text(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
