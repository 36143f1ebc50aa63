// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { TopRow, TopView } from "../ops/admin_views.ts";
import type { AdminClient } from "./admin_client.ts";
import { type AttachedCommand, formatAge, formatRoundTrip, printable } from "./attached.ts";
import type { Arguments } from "./option_table.ts";
import { printLine } from "./output.ts";
import { type Look, renderLine, type Span, span } from "./style.ts";
import { formatTable } from "./table.ts";
import { Terminal } from "./terminal.ts";
import { untilAborted } from "./until_aborted.ts";

const looks = new Map<string, Look>([["up", "green"], ["suspect", "yellow"], ["down", "red"]]);

interface EventLine {
  readonly event: string;
  readonly detail: Readonly<Record<string, unknown>> & { readonly at?: number };
}

/** `partisan watch` */
export const watch: AttachedCommand = async (client, args) => {
  let left = args.number("count") ?? Infinity;
  for await (const line of client.lines("watch")) {
    printLine(args.flag("json") ? line : eventText(JSON.parse(line)));
    if (--left === 0) return;
  }
};

/** `partisan top` */
export const top: AttachedCommand = async (client, args) => {
  const isDrawn = !args.flag("json") && Deno.stdout.isTerminal() && Deno.stdin.isTerminal();
  if (isDrawn) return await draw(client, args);
  let left = args.number("count") ?? (args.flag("json") ? Infinity : 1);
  let before: TopView | undefined;
  for await (const line of client.lines("top", { interval: args.number("interval") })) {
    const view: TopView = JSON.parse(line);
    if (args.flag("json")) printLine(line);
    else for (const row of topTable(view, before)) printLine(row.map(({ text }) => text).join(""));
    before = view;
    if (--left === 0) return;
  }
};

async function draw(client: AdminClient, args: Arguments): Promise<void> {
  const color = !args.flag("no-color") && (Deno.env.get("NO_COLOR") ?? "") === "";
  const quit = new AbortController();
  using terminal = new Terminal();
  const reading = (async () => {
    for await (const key of untilAborted(terminal.keys(), quit.signal)) {
      if (key === "q" || key === "\x03" || key === "ctrl-c") quit.abort();
    }
  })();
  let left = args.number("count") ?? Infinity;
  let before: TopView | undefined;
  for await (const line of untilAborted(client.lines("top", { interval: args.number("interval") }), quit.signal)) {
    const view: TopView = JSON.parse(line);
    const { columns, rows } = terminal.size;
    terminal.draw(topTable(view, before).slice(0, rows - 1).map((row) => renderLine(row, columns, color)));
    before = view;
    if (--left === 0) break;
  }
  quit.abort();
  await reading;
}

/** The lines of `top`; rates are those since the view before. */
export function topTable(view: TopView, before: TopView | undefined): Span[][] {
  const seconds = before === undefined ? 0 : (view.at - before.at) / 1_000;
  const former = new Map(before?.members.map((row) => [row.name, row]));
  const heading = ["node", "status", "since", "round trip", "connections", "queued", "in B/s", "out B/s"];
  const rows = view.members.map((row) => topRow(view.at, row, former.get(row.name), seconds));
  const up = view.members.filter(({ status }) => status === "up").length;
  const [head, ...lines] = formatTable([heading, ...rows]);
  return [
    [span(`${printable(view.node)}: ${up} of ${view.members.length} members up`, "bold")],
    [span(head!, "dim")],
    ...lines.map((line, index) => [span(line, looks.get(view.members[index]!.status) ?? "plain")]),
  ];
}

function topRow(at: number, row: TopRow, former: TopRow | undefined, seconds: number): (string | number)[] {
  // Bytes are those of open connections: there are fewer once one is made anew.
  const rate = (field: "bytesIn" | "bytesOut") =>
    former === undefined || seconds <= 0 ? 0 : Math.max(0, Math.round((row[field] - former[field]) / seconds));
  return [
    printable(row.self ? `${row.name} *` : row.name),
    row.status,
    formatAge(at - row.since),
    formatRoundTrip(row.roundTrip),
    row.connections,
    row.queuedBytes,
    rate("bytesIn"),
    rate("bytesOut"),
  ];
}

function eventText({ event, detail }: EventLine): string {
  const { at = Date.now(), node, ...rest } = detail;
  const more = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
  return printable(`${new Date(at).toISOString()} ${event}${node === undefined ? "" : ` ${node}`}${more}`);
}
