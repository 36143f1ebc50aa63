// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { TopRow, TopView } from "../ops/admin_views.ts";
import type { AdminClient } from "./admin_client.ts";
import { type AttachedCommand, formatAge, formatRoundTrip, printable } from "./attached.ts";
import { Interruption, terminationSignal } from "./interruption.ts";
import type { Arguments } from "./option_table.ts";
import { printLine } from "./output.ts";
import type { ScreenSize } from "./screen.ts";
import { type Look, mayColor, renderLine, type Span, span } from "./style.ts";
import { formatTable } from "./table.ts";
import { Terminal } from "./terminal.ts";
import { untilAborted } from "./until_aborted.ts";

const looks = new Map<string, Look>([["up", "green"], ["suspect", "yellow"], ["down", "red"]]);
/** Lines of `top` that are no members: title, heading, the count of the rest. */
const FIXED_ROWS = 3;

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

/** Draws until a key or a signal ends it. @returns The exit code of the signal. */
async function draw(client: AdminClient, args: Arguments): Promise<number | undefined> {
  const color = mayColor(args);
  const termination = terminationSignal();
  const quit = new AbortController();
  const signal = AbortSignal.any([termination, quit.signal]);
  let shown: Span[][] = [];
  let view: TopView | undefined;
  {
    using terminal = new Terminal();
    const redraw = () =>
      terminal.draw(fitTop(shown, terminal.size).map((row) => renderLine(row, terminal.size.columns, color)));
    terminal.onResize = redraw;
    void (async () => {
      for await (const key of untilAborted(terminal.keys(), signal)) if (key === "q" || key === "ctrl-c") quit.abort();
    })();
    let left = args.number("count") ?? Infinity;
    for await (const line of untilAborted(client.lines("top", { interval: args.number("interval") }), signal)) {
      const before = view;
      view = JSON.parse(line) as TopView;
      shown = topTable(view, before);
      redraw();
      if (--left === 0) break;
    }
  }
  return termination.reason instanceof Interruption ? termination.reason.exitCode : undefined;
}

/** The lines of `top`, members that are not up first; rates are those since the view before. */
export function topTable(view: TopView, before: TopView | undefined): Span[][] {
  const seconds = before === undefined ? 0 : (view.at - before.at) / 1_000;
  const former = new Map(before?.members.map((row) => [row.name, row]));
  const heading = ["node", "status", "since", "round trip", "connections", "queued", "in B/s", "out B/s"];
  const isUp = ({ status }: TopRow) => status === "up";
  const members = [...view.members.filter((row) => !isUp(row)), ...view.members.filter(isUp)];
  const rows = members.map((row) => topRow(view.at, row, former.get(row.name), seconds));
  const [head, ...lines] = formatTable([heading, ...rows]);
  return [
    [span(`${printable(view.node)}: ${members.filter(isUp).length} of ${members.length} members up`, "bold")],
    [span(head!, "dim")],
    ...lines.map((line, index) => [span(line, looks.get(members[index]!.status) ?? "plain")]),
  ];
}

/** As many of the lines of `top` as there is space for, and how many members there are besides. */
export function fitTop(lines: readonly Span[][], { rows }: ScreenSize): Span[][] {
  if (lines.length <= rows || rows < FIXED_ROWS) return lines.slice(0, rows);
  const kept = lines.slice(0, rows - 1);
  return [...kept, [span(`and ${lines.length - kept.length} more: partisan members lists all`, "dim")]];
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
