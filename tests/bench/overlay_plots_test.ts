// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Plot, svgOf } from "../../bench/overlay_plots.ts";
import { groupOf, nthOf, takeOf } from "../values.ts";

const PLOT: Plot = {
  title: "Peers of a node against the size of the cluster",
  x: "nodes",
  y: "peers, mean",
  xTicks: [100, 1_000, 10_000],
  yTicks: [0, 50],
  isLogarithmic: { x: true },
  lines: [
    { name: "measured", points: [[100, 10], [1_000, 20], [10_000, 60]] },
    { name: "5 · ln(N)", points: [[100, 23], [10_000, 46]], isLaw: true },
  ],
};

Deno.test("svgOf() says what is shown: a title, both axes with their units and ticks, and what each line is", () => {
  const svg = svgOf(PLOT);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  assertEquals(texts, [
    "Peers of a node against the size of the cluster",
    ...["100", "1,000", "10,000", "0", "50", "nodes", "peers, mean", "measured", "5 · ln(N)"],
  ]);
  assertStringIncludes(svg, "<title>Peers of a node against the size of the cluster</title>");
});

Deno.test("svgOf() puts points where their values are, on a logarithmic axis as well, and none outside of the plot", () => {
  const lines = Array.from(
    svgOf(PLOT).matchAll(/<polyline[^>]* points="([^"]*)"/g),
    (polyline) => nthOf(polyline, 1).split(" "),
  );
  assertEquals(lines[0], ["70.0,288.0", "310.0,226.0", "550.0,40.0"]);
  assertEquals(nthOf(lines, 1).length, 2);
});

Deno.test("svgOf() draws laws dashed and without dots, and each line in a colour of its own", () => {
  const svg = svgOf(PLOT);
  assertEquals(svg.match(/<circle /g)?.length, 3);
  const [measured, law] = takeOf(Array.from(svg.matchAll(/<polyline[^>]*>/g), ([line]) => line), 2);
  assertMatch(law, /stroke-dasharray/);
  assertEquals(measured.includes("stroke-dasharray"), false);
  assertEquals(groupOf(measured, /stroke="(#\w+)"/) === groupOf(law, /stroke="(#\w+)"/), false);
});

Deno.test("svgOf() can be read on a light ground and on a dark one", () => {
  const svg = svgOf(PLOT);
  assertStringIncludes(svg, '<rect class="ground"');
  assertMatch(svg, /prefers-color-scheme: dark\) \{ \.ground \{ fill: #161b22 \} text \{ fill: #d0d7de \}/);
});
