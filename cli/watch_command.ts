// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type AttachedCommand, printable } from "./attached.ts";
import { printLine } from "./output.ts";

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

function eventText({ event, detail }: EventLine): string {
  const { at = Date.now(), node, ...rest } = detail;
  const more = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
  return printable(`${new Date(at).toISOString()} ${event}${node === undefined ? "" : ` ${node}`}${more}`);
}
