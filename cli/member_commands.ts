// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { InfoView, MemberView } from "../ops/admin_views.ts";
import { type AttachedCommand, formatAge, formatRoundTrip, printable, printResult } from "./attached.ts";
import { formatTable } from "./table.ts";

interface Members {
  readonly members: readonly MemberView[];
}

/** `partisan members` */
export const members: AttachedCommand = async (client, args) => {
  const result = await client.ask<Members>("members", { status: args.text("status") });
  printResult(args, result, memberTable);
};

/** `partisan info NODE` */
export const info: AttachedCommand = async (client, args) => {
  const result = await client.ask<InfoView>("info", { node: args.optionalWord("NODE") });
  printResult(args, result, describeMember);
};

/** `partisan stats` */
export const stats: AttachedCommand = async (client, args) => {
  const result = await client.ask<unknown>("stats");
  printResult(args, result, (value) => JSON.stringify(value, readably, 2).split("\n").map(printable));
};

/** Fractions of milliseconds beyond the thousandth say nothing. */
function readably(_: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 1_000) / 1_000 : value;
}

function memberTable({ members }: Members): string[] {
  const heading = ["node", "status", "since", "round trip", "address", "reason"];
  return formatTable([
    heading,
    ...members.map((member) => [
      printable(member.self ? `${member.name} *` : member.name),
      member.status,
      formatAge(Date.now() - member.since),
      formatRoundTrip(member.roundTrip),
      printable(member.addresses[0] ?? ""),
      printable(member.reason),
    ]),
  ]);
}

function describeMember(member: InfoView): string[] {
  const attributes = Object.entries(member.attributes as object);
  const metadata = Object.entries(member.metadata as object);
  const pair = ([key, value]: [string, unknown]) => `  ${key} = ${JSON.stringify(value)}`;
  return [
    `${member.name}: ${member.status} for ${formatAge(Date.now() - member.since)}, ${member.reason}`,
    `addresses: ${member.addresses.join(", ")}`,
    `incarnation: ${member.incarnation}`,
    `round trip: ${formatRoundTrip(member.roundTrip) || "not measured"}`,
    ...(member.lastError === null ? [] : [`last error: ${JSON.stringify(member.lastError)}`]),
    ...(metadata.length === 0 ? [] : ["metadata:", ...metadata.map(pair)]),
    ...(attributes.length === 0 ? [] : ["attributes:", ...attributes.map(pair)]),
    ...(member.connections.length === 0 ? [] : ["connections:"]),
    ...member.connections.map(({ channel, index, dialer, age, keys }) =>
      `  ${channel} ${index}: dialed by ${dialer}, open for ${formatAge(age)}, ${keys} keys`
    ),
  ].map(printable);
}
