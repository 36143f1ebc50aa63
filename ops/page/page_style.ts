// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Style of the page: boxes of fixed size, so that nothing moves when something changes. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fbfbf9, #16181c);
  --panel: light-dark(#ffffff, #1e2126);
  --line: light-dark(#dcdcd6, #343941);
  --text: light-dark(#1d1f23, #e4e6ea);
  --faint: light-dark(#5f646d, #9aa1ac);
  --up: light-dark(#1a7f4b, #4cc38a);
  --suspect: light-dark(#9a6200, #f0b429);
  --down: light-dark(#c22f2f, #ff7369);
  --focus: light-dark(#1f5fbf, #7ab0ff);
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--ground); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; height: 3.2rem; overflow: hidden; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: .95rem; margin: 0 0 .5rem; color: var(--faint); font-weight: 600; }
main { display: grid; gap: 1rem; grid-template-columns: minmax(18rem, 23rem) minmax(24rem, 1fr); }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; min-width: 0; }
.mesh canvas { width: 100%; aspect-ratio: 1; display: block; }
.heat canvas { width: 100%; height: 15rem; display: block; image-rendering: pixelated; }
.scroll { overflow: auto; height: 26rem; scrollbar-gutter: stable; scroll-padding-top: 2rem; }
.heat, .detail, .events { height: 21rem; overflow: hidden; }
.events { grid-column: 1 / -1; }
.events .scroll { overflow-anchor: none; } /* The script keeps the place; both would go twice as far. */
.events .scroll, .detail .scroll { height: 17.5rem; }
table { border-collapse: collapse; width: 100%; min-width: 46rem; table-layout: fixed; }
th { position: sticky; top: 0; background: var(--panel); color: var(--faint); font-weight: 600; }
th, td { text-align: left; padding: .15rem .5rem .15rem 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
th:nth-child(1) { width: 10.2rem; } th:nth-child(2) { width: 4.5rem; } th:nth-child(3) { width: 4.9rem; }
th:nth-child(5) { width: 3.8rem; } th:nth-child(6) { width: 5.8rem; } th:nth-child(7) { width: 4.7rem; } th:nth-child(8) { width: 6.2rem; }
td:nth-child(n+5), th:nth-child(n+5) { text-align: right; font-variant-numeric: tabular-nums; }
tbody tr { cursor: default; }
tbody tr[aria-selected="true"] { background: color-mix(in srgb, var(--focus) 16%, transparent); }
tbody tr:focus-visible, .scroll:focus-visible, button:focus-visible, select:focus-visible { outline: 2px solid var(--focus); outline-offset: -2px; }
[data-status="up"] .status { color: var(--up); }
[data-status="suspect"] .status { color: var(--suspect); font-weight: 600; }
[data-status="down"] .status { color: var(--down); font-weight: 600; }
#summary span + span::before { content: " · "; color: var(--faint); }
#link { color: var(--faint); } #link[data-ok="false"] { color: var(--down); font-weight: 600; }
.actions { display: flex; flex-wrap: wrap; gap: .4rem; min-height: 2rem; margin-bottom: .5rem; }
button, select { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 5px; padding: .1rem .6rem; }
button:hover { border-color: var(--focus); }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: .1rem .75rem; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
ol { list-style: none; margin: 0; padding: 0; font: .85rem/1.5 ui-monospace, monospace; }
ol li { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
ol li time { color: var(--faint); margin-right: .75rem; }
ol li[data-kind="down"], ol li[data-kind="kill"], ol li[data-kind="error"] { color: var(--down); }
ol li[data-kind="suspect"], ol li[data-kind="warning"], ol li[data-kind="pause"] { color: var(--suspect); }
ol li[data-kind="up"], ol li[data-kind="join"], ol li[data-kind="start"], ol li[data-kind="resume"] { color: var(--up); }
#notice { color: var(--down); min-height: 1.4em; }
@media (max-width: 55rem) { main { grid-template-columns: 1fr; } header { height: auto; } }
`;
