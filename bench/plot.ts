// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Series } from "./report.ts";

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 50;
const COLOURS = ["#888888", "#0b6bcb"];

/** An axis: where values lie between 0 and 1, and which ones are labelled. */
interface Axis {
  readonly title: string;
  position(value: number): number;
  readonly ticks: readonly (readonly [value: number, label: string])[];
}

/** Throughput, in MB/s, against the size of the payload, in bytes. */
export function throughputPlot(lines: ReadonlyMap<string, readonly (readonly [x: number, y: number])[]>): string {
  const series = [...lines].map(([name, points]): Series => ({ name, points }));
  const sizes = [...new Set(series.flatMap(({ points }) => points.map(([size]) => size)))].sort((a, b) => a - b);
  const rates = series.flatMap(({ points }) => points.map(([, rate]) => rate));
  const x = logarithmic("payload", sizes[0]!, sizes.at(-1)!, sizes.map((size) => [size, bytes(size)]));
  const y = logarithmic(
    "MB/s",
    10 ** Math.floor(Math.log10(Math.min(...rates))),
    10 ** Math.ceil(Math.log10(Math.max(...rates))),
  );
  return plot("One way, castMessage to handler: throughput against payload", x, y, series);
}

/** Round trips, in microseconds: which share of them took at most so long. */
export function distributionPlot(series: readonly Series[]): string {
  const shown = series.map(({ name, points }) => ({
    name,
    points: points.slice(1, -1).map(([p, us]) => [us, p] as const),
  }));
  const times = shown.flatMap(({ points }) => points.map(([us]) => us));
  const x = logarithmic(
    "µs",
    Math.min(...times),
    Math.max(...times),
    [10, 20, 50, 100, 200, 500, 1000, 2000, 5000].map((us) => [us, `${us}`]),
  );
  const y: Axis = {
    title: "% of round trips",
    position: (value) => value / 100,
    ticks: [0, 25, 50, 75, 90, 99].map((value) => [value, `${value}`]),
  };
  return plot("Echo of 64 B: distribution of round trips", x, y, shown);
}

function logarithmic(
  title: string,
  least: number,
  most: number,
  ticks: readonly (readonly [value: number, label: string])[] = powersOfTen(least, most),
): Axis {
  const span = Math.log(most / least);
  return {
    title,
    position: (value) => Math.log(value / least) / span,
    ticks: ticks.filter(([value]) => value >= least && value <= most),
  };
}

function powersOfTen(least: number, most: number): [value: number, label: string][] {
  const ticks: [number, string][] = [];
  for (let value = least; value <= most * 1.001; value *= 10) ticks.push([value, value.toLocaleString("en")]);
  return ticks;
}

function bytes(size: number): string {
  return size < 1024 ? `${size} B` : `${size / 1024} KiB`;
}

function plot(title: string, x: Axis, y: Axis, series: readonly Series[]): string {
  const atX = (value: number) => (LEFT + x.position(value) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const atY = (value: number) => (HEIGHT - BOTTOM - y.position(value) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const bottom = HEIGHT - BOTTOM;
  const parts = [
    `<text x="${LEFT}" y="22" font-size="15">${title}</text>`,
    ...x.ticks.flatMap(([value, label]) => [
      `<line x1="${atX(value)}" y1="${TOP}" x2="${atX(value)}" y2="${bottom}" stroke="#dddddd"/>`,
      `<text x="${atX(value)}" y="${bottom + 18}" text-anchor="middle">${label}</text>`,
    ]),
    ...y.ticks.flatMap(([value, label]) => [
      `<line x1="${LEFT}" y1="${atY(value)}" x2="${WIDTH - RIGHT}" y2="${atY(value)}" stroke="#dddddd"/>`,
      `<text x="${LEFT - 8}" y="${atY(value)}" dy="0.35em" text-anchor="end">${label}</text>`,
    ]),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${x.title}</text>`,
    `<text transform="translate(16 ${(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">${y.title}</text>`,
    ...series.flatMap(({ name, points }, index) => [
      `<polyline fill="none" stroke="${COLOURS[index]}" stroke-width="2" points="${
        points.map(([a, b]) => `${atX(a)},${atY(b)}`).join(" ")
      }"/>`,
      `<line x1="${LEFT + 15}" y1="${TOP + 18 + 20 * index}" x2="${LEFT + 45}" y2="${TOP + 18 + 20 * index}" stroke="${
        COLOURS[index]
      }" stroke-width="2"/>`,
      `<text x="${LEFT + 52}" y="${TOP + 18 + 20 * index}" dy="0.35em">${name}</text>`,
    ]),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#333333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}
