// Copyright 2026 the Partisan peer-service authors. MIT license.

import { pageScript } from "./page_script.ts";
import { pageStyle } from "./page_style.ts";

/** Kinds of events that the page lists: those of a node, and what a local cluster does to its nodes. */
const KINDS = [
  ...["up", "down", "suspect", "join", "leave", "removed", "evicted", "partition", "attribute"],
  ...["undeliverable", "trust", "warning", "error", "omitted"],
  ...["start", "kill", "pause", "resume", "cut", "heal", "exit"],
];

/**
 * The page that shows a cluster to people. It needs nothing but the server that it came from: no build step, no resource from elsewhere.
 *
 * @param nonce Allows its own script and style, and no others.
 */
export function pageHtml(nonce: string): string {
  const options = KINDS.map((kind) => `<option value="${kind}">${kind}</option>`).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cluster</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${pageStyle}</style>
</head>
<body>
<header>
  <h1 id="title">Cluster</h1>
  <div id="summary" role="status"></div>
  <div id="link">asking …</div>
</header>
<main>
  <section class="mesh" aria-labelledby="mesh-title">
    <h2 id="mesh-title">Which node sees which</h2>
    <canvas id="mesh" role="img" aria-label="nothing is known yet"></canvas>
  </section>
  <section aria-labelledby="members-title">
    <h2 id="members-title">Members</h2>
    <div class="scroll">
      <table role="grid" aria-labelledby="members-title">
        <thead>
          <tr><th>Node<th>Status<th>Since<th>Why<th>Sent<th>Delivered<th>Queued<th>Round trip</tr>
        </thead>
        <tbody id="members"></tbody>
      </table>
    </div>
  </section>
  <section class="heat" aria-labelledby="heat-title">
    <h2 id="heat-title">Round trips, from row to column</h2>
    <canvas id="heat" role="img" aria-labelledby="heat-title" aria-describedby="heat-scale"></canvas>
    <div id="heat-scale"></div>
  </section>
  <section class="detail" aria-labelledby="detail-title">
    <h2 id="detail-title">Choose a node</h2>
    <div class="actions" id="actions"></div>
    <div id="notice" role="alert"></div>
    <div class="scroll" tabindex="0"><dl id="facts"></dl></div>
  </section>
  <section class="events" aria-labelledby="events-title">
    <h2 id="events-title">Events, the latest first
      <select id="filter" aria-label="Kind of event"><option value="">all kinds</option>${options}</select></h2>
    <div class="scroll" tabindex="0"><ol id="events"></ol></div>
  </section>
</main>
<script type="module" nonce="${nonce}">${pageScript}</script>
</body>
</html>
`;
}
