// Copyright 2026 the Partisan peer-service authors. MIT license.

import { pageDrawing } from "./page_drawing.ts";

/**
 * Script of the page: asks for the document (`page/cluster`) again and again, and reads the events (`events`). The data from
 * there are only ever shown as text. It draws without measuring time: nothing moves unless something changed.
 */
export const pageScript = `
${pageDrawing}
const byId = (id) => document.getElementById(id);
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
const EVENTS_MAX = 2000;
const COLOURS = { u: "--up", s: "--suspect", d: "--down" };
let state = null;      // the latest document
let before = null;     // the one before it, for rates
let selected = null;   // name of a node

const element = (name, text = "", data = {}) => {
  const made = Object.assign(document.createElement(name), { textContent: text, title: text });
  Object.assign(made.dataset, data);
  return made;
};
/** A colour of the style sheet, as a canvas takes it: what suits light and dark is resolved. */
function colour(name) {
  const probe = byId("mesh");
  probe.style.color = "var(" + name + ")";
  return getComputedStyle(probe).color;
}
const shown = (value) => typeof value === "string" ? value : JSON.stringify(value);
const size = (bytes) => bytes < 1000 ? bytes + " B" : bytes < 1e6 ? (bytes / 1000).toFixed(1) + " kB" : (bytes / 1e6).toFixed(1) + " MB";
const clock = (at) => new Date(at).toLocaleTimeString([], { hour12: false });

/** Own property of a node's name: the node may be called "constructor". */
const own = (byName, name) => byName !== undefined && Object.hasOwn(byName, name) ? byName[name] : undefined;

/** Sight of two nodes of each other: "u", "s", "d", "-" or "?" for each. */
function sight(from, to) {
  if (from.view === null) return "?";
  return own(from.view.sees, to.name) ?? (state.isFullMesh ? "d" : "-");
}

function linkOf(a, b) {
  const ways = [sight(a, b), sight(b, a)].filter((way) => way !== "?");
  if (ways.length === 0 || ways.every((way) => way === "-")) return null;
  if (ways.includes("d")) return ways.includes("u") || ways.includes("s") ? "s" : "d";
  return ways.includes("s") ? "s" : "u";
}

function links() {
  const found = [];
  for (const [index, a] of state.nodes.entries()) {
    for (const b of state.nodes.slice(index + 1)) {
      const link = linkOf(a, b);
      if (link !== null) found.push([a, b, link]);
    }
  }
  return found;
}

/** Growth of a counter of a node in a second. */
function rate(node, counter) {
  const former = before?.nodes.find(({ name }) => name === node.name);
  if (!node.view || !former?.view || state.at <= before.at) return null;
  return Math.max(0, (node.view[counter] - former.view[counter]) * 1000 / (state.at - before.at));
}

function fillRow(row, node) {
  const rates = [rate(node, "sent"), rate(node, "delivered")];
  const times = Object.values(node.view?.roundTrips ?? {});
  const texts = [
    node.name + (node.name === state.self ? " (this one)" : ""),
    node.state,
    clock(node.since),
    node.reason,
    rates[0] === null ? "" : Math.round(rates[0]) + "/s",
    rates[1] === null ? "" : Math.round(rates[1]) + "/s",
    node.view === null ? "" : size(node.view.queuedBytes),
    times.length === 0 ? "" : (times.reduce((sum, time) => sum + time, 0) / times.length).toFixed(1) + " ms",
  ];
  row.dataset.status = node.status;
  row.setAttribute("aria-selected", String(node.name === selected));
  row.tabIndex = node.name === (selected ?? state.nodes[0].name) ? 0 : -1;
  for (const [index, text] of texts.entries()) {
    const cell = row.cells[index] ?? row.insertCell();
    if (index === 1) cell.className = "status";
    if (cell.textContent !== text) { cell.textContent = text; cell.title = text; }
  }
}

/** Rows stay where they are, and with them what has the focus. */
function drawTable() {
  const body = byId("members");
  const rows = new Map([...body.rows].map((row) => [row.dataset.node, row]));
  for (const [index, node] of state.nodes.entries()) {
    let row = rows.get(node.name);
    rows.delete(node.name);
    if (row === undefined) {
      row = element("tr", "", { node: node.name });
      row.setAttribute("role", "row");
    }
    fillRow(row, node);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  }
  for (const row of rows.values()) row.remove();
}

/** The longest round trips of a node: a slow link stands out. */
function slowest(node) {
  const times = Object.entries(node.view?.roundTrips ?? {}).sort(([, a], [, b]) => b - a);
  const named = times.slice(0, 6).map(([name, time]) => name + " " + time + " ms");
  return named.join(", ") + (times.length > 6 ? ", and " + (times.length - 6) + " shorter ones" : "");
}

function drawDetail() {
  const node = state.nodes.find(({ name }) => name === selected);
  byId("detail-title").textContent = node === undefined ? "Choose a node" : node.name;
  const facts = node === undefined ? [] : [
    ["status", node.state + " since " + new Date(node.since).toLocaleString()],
    ["why", node.reason],
    ["addresses", node.addresses.join(", ")],
    ["bytes", node.view === null ? "it does not answer" : size(node.view.bytesIn) + " in, " + size(node.view.bytesOut) + " out"],
    ["round trips", slowest(node)],
    ["groups", node.groups.join(", ")],
    ["handlers", node.view?.handlers.join(", ") ?? ""],
    ...Object.entries(node.attributes).map(([key, value]) => [key, shown(value)]),
  ];
  byId("facts").replaceChildren(...facts.filter(([, text]) => text !== "").flatMap(([term, text]) => [element("dt", term), element("dd", text)]));
  const offered = token === "" ? [] : [...state.actions.map((action) => [action]), ...(node?.actions ?? []).map((action) => [action, node.name])];
  const bar = byId("actions");
  const wanted = JSON.stringify(offered);
  if (bar.dataset.offered === wanted) return;
  bar.dataset.offered = wanted;
  bar.replaceChildren(...offered.map(([action, name]) => {
    const button = element("button", action + " " + (name ?? "another"), { action });
    button.type = "button";
    button.addEventListener("click", () => act(action, name));
    return button;
  }));
}

function drawSummary() {
  const counts = Map.groupBy(state.nodes, ({ status }) => status);
  const words = ["up", "suspect", "down"].map((status) => (counts.get(status)?.length ?? 0) + " " + status);
  byId("title").textContent = state.title;
  byId("summary").replaceChildren(...words.map((word) => element("span", word)));
}

function draw() {
  if (state === null) return;
  drawSummary();
  drawTable();
  drawDetail();
  drawMesh();
  drawHeat();
}

function choose(name, focus) {
  selected = name;
  draw();
  if (focus) [...byId("members").rows].find((row) => row.dataset.node === name)?.focus();
}

async function act(action, node) {
  const notice = byId("notice");
  notice.textContent = "";
  try {
    const headers = { "authorization": "Bearer " + token, "content-type": "application/json" };
    const answer = await fetch("page/act", { method: "POST", headers, body: JSON.stringify({ action, node }) });
    if (!answer.ok) notice.textContent = (await answer.json()).error;
  } catch {
    notice.textContent = "The node does not answer";
  }
  await look();
}

async function look() {
  const link = byId("link");
  try {
    const answer = await fetch("page/cluster");
    if (!answer.ok) throw new Error("status " + answer.status);
    const next = await answer.json();
    if (next.at !== state?.at) [before, state] = [state, next];
    link.dataset.ok = "true";
    link.textContent = "live, " + clock(state.at);
    draw();
  } catch (error) {
    link.dataset.ok = "false";
    link.textContent = "no answer" + (state === null ? "" : ", this is of " + clock(state.at));
  }
}

async function lookAlways() {
  await look();
  setTimeout(lookAlways, document.hidden ? 5000 : (state?.nodes.length ?? 0) > 64 ? 2000 : 700);
}

function note(kind, data) {
  const { at, ...rest } = data;
  const line = element("li", "", { kind });
  const words = Object.entries(rest).map(([key, value]) => key === "node" ? shown(value) : key + " " + shown(value));
  line.append(element("time", clock(at)), kind + " " + words.join(", "));
  line.title = line.textContent;
  const list = byId("events");
  const box = list.parentElement;
  // A reader that has scrolled back stays there.
  const height = box.scrollHeight;
  list.prepend(line);
  if (box.scrollTop > 0) box.scrollTop += box.scrollHeight - height;
  while (list.children.length > EVENTS_MAX) list.lastChild.remove();
  filter(line);
}

function filter(line) {
  const kind = byId("filter").value;
  line.hidden = kind !== "" && line.dataset.kind !== kind;
}

byId("members").addEventListener("click", ({ target }) => {
  const row = target.closest("tr");
  if (row !== null) choose(row.dataset.node, true);
});
byId("members").addEventListener("keydown", (event) => {
  const names = state.nodes.map(({ name }) => name);
  const at = names.indexOf(event.target.dataset.node);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: names.length - 1 }[event.key] ?? (event.key === "Enter" || event.key === " " ? at : null);
  if (to === null) return;
  event.preventDefault();
  choose(names[Math.max(0, Math.min(names.length - 1, to))], true);
});
byId("mesh").addEventListener("click", (event) => {
  const name = nearest(event);
  if (name !== null) choose(name, true);
});
byId("mesh").addEventListener("mousemove", (event) => { event.target.title = meshHint(event); });
byId("heat").addEventListener("mousemove", (event) => { event.target.title = heatHint(event); });
byId("filter").addEventListener("change", () => [...byId("events").children].forEach(filter));
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

const source = new EventSource("events");
for (const { value } of byId("filter").options) {
  // An "error" without data is the browser's own: the connection broke, and it opens another one.
  if (value !== "") source.addEventListener(value, ({ data }) => { if (data !== undefined) note(value, JSON.parse(data)); });
}
lookAlways();
`;
