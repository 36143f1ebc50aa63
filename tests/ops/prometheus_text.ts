// Copyright 2026 the Partisan peer-service authors. MIT license.

import { present } from "../values.ts";
/** One series of a metric, with its value. */
export interface Series {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** A metric with all its series. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly series: Series[];
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

/**
 * Reads the text format of Prometheus, version 0.0.4, as strictly as its description goes.
 *
 * @throws {SyntaxError} At the first line that does not belong.
 */
export function readPrometheus(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new SyntaxError("The last line has no end");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: [name: string, help: string] | null = null;
  let family: Family | null = null;
  for (const line of text.slice(0, -1).split("\n")) {
    const wrong = (why: string) => new SyntaxError(`${why}: ${line}`);
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      help = [name, rest];
    } else if (keyword === "TYPE") {
      if (help?.[0] !== name) throw wrong("A type without help before it");
      if (families.has(name)) throw wrong("A metric that was there already");
      if (!Object.hasOwn(SUFFIXES, rest)) throw wrong("An unknown type");
      families.set(name, family = { name, help: help[1], type: rest, series: [] });
    } else {
      if (family === null) throw wrong("A series without a type");
      const series = readSeries(line);
      const of: Family = family;
      if (!present(SUFFIXES[of.type]).some((suffix) => series.name === of.name + suffix)) {
        throw wrong("A series of another metric");
      }
      const key = JSON.stringify([series.name, ...[...series.labels].sort()]);
      if (seen.has(key)) throw wrong("A series that was there already");
      seen.add(key);
      of.series.push(series);
    }
  }
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return families;
}

function readSeries(line: string): Series {
  const [whole, name, labels = "", value] =
    /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line) ??
      [];
  if (whole === undefined) throw new SyntaxError(`No series: ${line}`);
  const number = value === "+Inf" ? Infinity : Number(value);
  if (Number.isNaN(number)) throw new SyntaxError(`No number: ${line}`);
  const pairs = Array.from(labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g), ([, label, text]) => {
    const unescaped = present(text).replace(/\\(.)/g, (_, character) => character === "n" ? "\n" : character);
    return [present(label), unescaped] as const;
  });
  return { name: present(name), labels: new Map(pairs), value: number };
}

/** Buckets are cumulative, end with `+Inf`, and agree with the count. */
function checkHistogram({ name, series }: Family): void {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const labels = [...one.labels].filter(([label]) => label !== "le").map((pair) => pair.join("=")).sort().join();
    groups.set(labels, [...groups.get(labels) ?? [], one]);
  }
  for (const [labels, group] of groups) {
    const buckets = group.filter((one) => one.name.endsWith("_bucket"));
    const bounds = buckets.map((one) => one.labels.get("le") === "+Inf" ? Infinity : Number(one.labels.get("le")));
    const ascends = (values: readonly number[]) =>
      values.every((value, at) => at === 0 || present(values[at - 1]) <= value);
    const count = group.find((one) => one.name.endsWith("_count"))?.value;
    const isWhole = ascends(bounds) && ascends(buckets.map(({ value }) => value)) && bounds.at(-1) === Infinity &&
      buckets.at(-1)?.value === count && group.some((one) => one.name.endsWith("_sum"));
    if (!isWhole) throw new SyntaxError(`Not a histogram: ${name}{${labels}}`);
  }
}
