// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The page that the HTTP handler serves: reads `/members` and `/events` of the same handler, and nothing else. */
export const pageHtml = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Cluster</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; max-width: 70rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; vertical-align: top; }
  tr[data-status="down"] td:nth-child(2) { color: #c22; font-weight: bold; }
  tr[data-status="suspect"] td:nth-child(2) { color: #a60; font-weight: bold; }
  ol { font: 0.85rem/1.5 ui-monospace, monospace; max-height: 20rem; overflow: auto; }
</style>
<h1>Members</h1>
<table>
  <thead><tr><th>Node<th>Status<th>Since<th>Why</tr></thead>
  <tbody id="members"></tbody>
</table>
<h2>Events</h2>
<ol id="events" reversed></ol>
<script type="module">
  const members = document.getElementById("members");
  const events = document.getElementById("events");
  const cell = (text) => Object.assign(document.createElement("td"), { textContent: text });
  async function refresh() {
    const answer = await fetch("members");
    const rows = (await answer.json()).map(({ name, status, since, reason }) => {
      const row = document.createElement("tr");
      row.dataset.status = status;
      row.append(cell(name), cell(status), cell(new Date(since).toLocaleString()), cell(reason));
      return row;
    });
    members.replaceChildren(...rows);
  }
  const source = new EventSource("events");
  for (const type of ["up", "down", "join", "leave", "suspect", "removed", "evicted", "partition", "warning", "error", "trust"]) {
    source.addEventListener(type, ({ data }) => {
      events.prepend(Object.assign(document.createElement("li"), { textContent: type + " " + data }));
      while (events.children.length > 500) events.lastChild.remove();
      refresh();
    });
  }
  refresh();
  setInterval(refresh, 5000);
</script>
</html>
`;
