// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The pictures of the page: the mesh, and round trips as a heat map. A part of its script. */
export const pageDrawing = `
/** More nodes than this are small, and only those are named that are chosen or not well. */
const CROWD = 40;
/** The rows of a heat map with more nodes than this have no names: they would be too small. */
const NAMED_ROWS = 16;
const GUTTER = { left: 76, top: 18 };

/** A canvas as sharp as the screen, and its size in CSS pixels. */
function prepared(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const context = canvas.getContext("2d");
  context.scale(devicePixelRatio, devicePixelRatio);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  return { context, width, height };
}

const placeOf = (index, count, width) => {
  const angle = 2 * Math.PI * index / count - Math.PI / 2;
  const radius = width / 2 - (count > CROWD ? 14 : 34);
  return [width / 2 + radius * Math.cos(angle), width / 2 + radius * Math.sin(angle)];
};

const shortened = (name) => name.length > 14 ? name.slice(0, 13) + "…" : name;

/** Position of the name of a node: outside of the circle, inside where nodes are many, and never beyond the edge. */
function labelBox(context, node, [x, y], width) {
  const text = shortened(node.name);
  const wide = context.measureText(text).width + 6;
  const from = width / 2;
  const crowded = state.nodes.length > CROWD;
  const distance = Math.hypot(x - from, y - from) || 1;
  const reach = crowded ? -(12 + wide / 2 * Math.abs(x - from) / distance) : 24;
  const aimed = x + (x - from) / distance * reach;
  const middle = Math.min(Math.max(aimed, wide / 2), width - wide / 2);
  // One that has to stay inside stands above or below its node, not on it.
  const outward = y + (y - from) / distance * reach;
  const top = Math.abs(middle - aimed) < 1 ? outward : y + (y > from + 1 ? 18 : -18);
  return { text, x: middle, y: top, left: middle - wide / 2, right: middle + wide / 2 };
}

/** Names, the more important ones first; one that would cover another one is left out. */
function drawLabels(context, places, width) {
  const weight = ({ name, status }) => name === selected ? 0 : status === "down" ? 1 : status === "suspect" ? 2 : 3;
  const wanted = state.nodes.filter((node) => state.nodes.length <= CROWD || weight(node) < 3);
  const drawn = [];
  const [panel, ink] = [colour("--panel"), colour("--text")];
  for (const node of wanted.sort((a, b) => weight(a) - weight(b))) {
    const box = labelBox(context, node, places.get(node.name), width);
    const covers = (other) => box.left < other.right && other.left < box.right && Math.abs(box.y - other.y) < 14;
    if (drawn.some(covers)) continue;
    drawn.push(box);
    context.globalAlpha = 0.85;
    context.fillStyle = panel;
    context.fillRect(box.left, box.y - 8, box.right - box.left, 16);
    context.globalAlpha = 1;
    context.fillStyle = ink;
    context.textAlign = "center";
    context.fillText(box.text, box.x, box.y);
  }
  const canvas = byId("mesh");
  canvas.dataset.labels = JSON.stringify(drawn.map(({ text, left, right, y }) => [text, left, right, y]));
}

function drawMesh() {
  const canvas = byId("mesh");
  const { context, width } = prepared(canvas);
  const count = state.nodes.length;
  const places = new Map(state.nodes.map(({ name }, index) => [name, placeOf(index, count, width)]));
  const all = links();
  // What is well lies below, what is not above it.
  for (const kind of ["u", "s", "d"]) {
    const some = all.filter(([, , link]) => link === kind);
    context.strokeStyle = colour(COLOURS[kind]);
    context.setLineDash(kind === "u" ? [] : kind === "s" ? [6, 3] : [2, 3]);
    // The more there are, the paler each: thousands still show where they are dense.
    const alpha = Math.min(kind === "u" ? 0.5 : 0.6, Math.max(kind === "u" ? 0.025 : 0.06, 6 / Math.sqrt(some.length)));
    for (const [a, b] of some) {
      const isChosen = selected === a.name || selected === b.name;
      context.globalAlpha = isChosen ? (count > CROWD ? 0.5 : 1) : alpha;
      context.lineWidth = isChosen && count <= CROWD ? 1.8 : 1;
      context.beginPath();
      context.moveTo(...places.get(a.name));
      context.lineTo(...places.get(b.name));
      context.stroke();
    }
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
  const colours = { u: colour("--up"), s: colour("--suspect"), d: colour("--down") };
  for (const node of state.nodes) {
    const radius = count > CROWD ? 3 : 7;
    context.fillStyle = colours[node.status[0]];
    context.beginPath();
    context.arc(...places.get(node.name), node.name === selected ? radius + 3 : radius, 0, 2 * Math.PI);
    context.fill();
  }
  drawLabels(context, places, width);
  const counts = { u: 0, s: 0, d: 0 };
  for (const [, , link] of all) counts[link]++;
  canvas.dataset.links = JSON.stringify(counts);
  canvas.setAttribute("aria-label", count + " nodes; links: " + counts.u + " up, " + counts.s + " in doubt, " + counts.d + " down");
}

/** The node under the pointer; null where there is none. */
function nearest({ offsetX, offsetY, target }) {
  if (state === null) return null;
  const { width } = target.getBoundingClientRect();
  const near = state.nodes.map(({ name }, index) => {
    const [x, y] = placeOf(index, state.nodes.length, width);
    return [Math.hypot(x - offsetX, y - offsetY), name];
  }).sort(([a], [b]) => a - b)[0];
  return near !== undefined && near[0] < 20 ? near[1] : null;
}

function meshHint(event) {
  const node = state?.nodes.find(({ name }) => name === nearest(event));
  return node === undefined ? "" : node.name + ": " + node.state + ", " + node.reason;
}

/** Positions of the cells of the heat map. */
function heatGrid({ width, height }) {
  const count = state.nodes.length;
  const { left, top } = count > NAMED_ROWS ? { left: 0, top: 0 } : GUTTER;
  return { count, left, top, w: (width - left) / count, h: (height - top) / count };
}

/** Round trips from row to column, pale for short ones: by rank, as one slow link would make all others look alike. */
function drawHeat() {
  const { context, width, height } = prepared(byId("heat"));
  const { left, top, w, h } = heatGrid({ width, height });
  const names = state.nodes.map(({ name }) => name);
  const times = state.nodes.map(({ view }) => names.map((name) => own(view?.roundTrips, name)));
  const sorted = times.flat().filter((time) => time !== undefined).sort((a, b) => a - b);
  const ranks = new Map(sorted.map((time, index) => [time, index / Math.max(1, sorted.length - 1)]));
  const [line, focus] = [colour("--line"), colour("--focus")];
  if (left > 0) drawHeatNames(context, names, { left, top, w, h });
  for (const [row, cells] of times.entries()) {
    for (const [column, time] of cells.entries()) {
      const [x, y] = [left + column * w, top + row * h];
      if (row === column) {
        context.globalAlpha = 0.5;
        context.fillStyle = line;
      } else if (time === undefined) continue;
      else {
        context.globalAlpha = 0.12 + 0.88 * ranks.get(time);
        context.fillStyle = focus;
      }
      context.fillRect(x, y, Math.max(1, w - (w > 6 ? 1 : 0)), Math.max(1, h - (h > 6 ? 1 : 0)));
    }
  }
  const median = sorted[sorted.length >> 1];
  byId("heat-scale").textContent = sorted.length === 0 ? "nothing is measured yet"
    : "shortest " + sorted[0] + " ms, median " + median + " ms, longest " + sorted.at(-1) + " ms";
}

/** Names at the left and at the top, as much of the end of each as there is room for: that is in which they differ. */
function drawHeatNames(context, names, { left, top, w, h }) {
  const fitting = (name, room) => {
    let text = name;
    while (text.length > 1 && context.measureText(text).width > room) text = "…" + text.slice(2);
    return text;
  };
  context.fillStyle = colour("--faint");
  for (const [index, name] of names.entries()) {
    context.textAlign = "right";
    context.fillText(fitting(name, left - 8), left - 6, top + (index + 0.5) * h);
    context.textAlign = "center";
    if (w > 24) context.fillText(fitting(name, w - 4), left + (index + 0.5) * w, top / 2);
  }
}

function heatHint({ offsetX, offsetY, target }) {
  if (state === null) return "";
  const { left, top, w, h } = heatGrid(target.getBoundingClientRect());
  const [from, to] = [state.nodes[Math.floor((offsetY - top) / h)], state.nodes[Math.floor((offsetX - left) / w)]];
  if (from === undefined || to === undefined || from === to) return "";
  const time = own(from.view?.roundTrips, to.name);
  return from.name + " to " + to.name + ": " + (time === undefined ? "not measured" : time + " ms");
}
`;
