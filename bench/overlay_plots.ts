// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A line of a plot. */
export interface PlotLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Whether it is what a paper says, as opposed to what was measured. */
  readonly isLaw?: boolean;
}

/** Contents of a plot. */
export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Labelled values, the least and the greatest of which end the axis. */
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly isLogarithmic?: { readonly x?: boolean; readonly y?: boolean };
  readonly lines: readonly PlotLine[];
}

const [WIDTH, HEIGHT] = [720, 400];
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 170, 40, 50];
/** Each of them is seen on a light ground and on a dark one. */
const COLOURS = ["#2f81f7", "#e0672f", "#2da44e", "#a371f7", "#8b949e", "#e5534b"];
const STYLE = [
  ".ground { fill: #ffffff } text { fill: #24292f } .grid { stroke: #d8dee4 }",
  "@media (prefers-color-scheme: dark) { .ground { fill: #161b22 } text { fill: #d0d7de } .grid { stroke: #3d444d } }",
].join(" ");

/** A plot as SVG. */
export function svgOf({ title, x, y, xTicks, yTicks, isLogarithmic, lines }: Plot): string {
  const atX = scale(xTicks, LEFT, WIDTH - RIGHT, isLogarithmic?.x ?? false);
  const atY = scale(yTicks, HEIGHT - BOTTOM, TOP, isLogarithmic?.y ?? false);
  const bottom = HEIGHT - BOTTOM;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text x="${LEFT}" y="22" font-size="15">${title}</text>`,
    ...xTicks.flatMap((tick) => [
      `<line x1="${atX(tick)}" y1="${TOP}" x2="${atX(tick)}" y2="${bottom}" class="grid"/>`,
      `<text x="${atX(tick)}" y="${bottom + 18}" text-anchor="middle">${tick.toLocaleString("en")}</text>`,
    ]),
    ...yTicks.flatMap((tick) => [
      `<line x1="${LEFT}" y1="${atY(tick)}" x2="${WIDTH - RIGHT}" y2="${atY(tick)}" class="grid"/>`,
      `<text x="${LEFT - 8}" y="${atY(tick)}" dy="0.35em" text-anchor="end">${tick.toLocaleString("en")}</text>`,
    ]),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${x}</text>`,
    `<text transform="translate(16 ${(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">${y}</text>`,
    ...lines.flatMap((line, index) => lineOf(line, index, atX, atY)),
    "</svg>\n",
  ].join("\n");
}

function lineOf(
  { name, points, isLaw = false }: PlotLine,
  index: number,
  atX: (value: number) => string,
  atY: (value: number) => string,
): string[] {
  const colour = COLOURS[index % COLOURS.length];
  const dash = isLaw ? ' stroke-dasharray="4 4"' : "";
  const legend = TOP + 10 + 20 * index;
  const path = points.map(([a, b]) => `${atX(a)},${atY(b)}`).join(" ");
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2"${dash} points="${path}"/>`,
    ...(isLaw ? [] : points.map(([a, b]) => `<circle cx="${atX(a)}" cy="${atY(b)}" r="3" fill="${colour}"/>`)),
    `<line x1="${WIDTH - RIGHT + 12}" y1="${legend}" x2="${
      WIDTH - RIGHT + 36
    }" y2="${legend}" stroke="${colour}" stroke-width="2"${dash}/>`,
    `<text x="${WIDTH - RIGHT + 42}" y="${legend}" dy="0.35em">${name}</text>`,
  ];
}

function scale(
  ticks: readonly number[],
  start: number,
  end: number,
  isLogarithmic: boolean,
): (value: number) => string {
  const on = (value: number) => isLogarithmic ? Math.log(value) : value;
  const [least, most] = [on(ticks[0]!), on(ticks.at(-1)!)];
  return (value) => {
    const share = Math.min(1, Math.max(0, (on(value) - least) / (most - least)));
    return (start + share * (end - start)).toFixed(1);
  };
}
