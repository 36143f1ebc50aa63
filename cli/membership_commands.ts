// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ConnectionView } from "../ops/admin_views.ts";
import { type AttachedCommand, formatAge, printable, printResult } from "./attached.ts";
import { formatTable } from "./table.ts";

interface MemberNames {
  readonly members: readonly string[];
}

interface Keys {
  readonly posture: { readonly trust: string };
  readonly current: number;
  readonly former: number;
  readonly connections: readonly ConnectionView[];
}

/** `partisan join HOST:PORT` */
export const join: AttachedCommand = async (client, args) => {
  const input = { address: args.word("HOST:PORT"), timeout: args.number("timeout") };
  printResult(args, await client.ask<MemberNames>("join", input), memberNames);
};

/** `partisan leave` */
export const leave: AttachedCommand = async (client, args) => {
  printResult(args, await client.ask<MemberNames>("leave"), memberNames);
};

/** `partisan remove NODE` */
export const remove: AttachedCommand = async (client, args) => {
  printResult(args, await client.ask<MemberNames>("remove", { node: args.word("NODE") }), memberNames);
};

/** `partisan drain` */
export const drain: AttachedCommand = async (client, args) => {
  const result = await client.ask<{ drained: string }>("drain", { timeout: args.number("timeout") });
  printResult(args, result, ({ drained }) => [`${printable(drained)} has left and stopped`]);
};

/** `partisan keys` */
export const keys: AttachedCommand = async (client, args) => {
  printResult(args, await client.ask<Keys>("keys"), ({ posture, current, former, connections }) => [
    `trust: ${posture.trust}; connections on present keys: ${current}, on former ones: ${former}`,
    ...formatTable([
      ["node", "channel", "index", "keys", "age", "certificate ends"],
      ...connections.map((each) => [
        printable(each.node),
        printable(each.channel),
        each.index,
        each.keys,
        formatAge(each.age),
        (each.certificate as { validTo?: string } | null)?.validTo ?? "",
      ]),
    ]),
  ]);
};

/** `partisan keys reload` */
export const reloadKeys: AttachedCommand = async (client, args) => {
  const result = await client.ask<{ current: number; former: number }>("keys/reload");
  printResult(args, result, ({ current, former }) => [
    `connections on present keys: ${current}, on former ones: ${former}${
      former > 0 ? "; these are made anew one by one: partisan keys tells how far it is" : ""
    }`,
  ]);
};

function memberNames({ members }: MemberNames): string[] {
  return [`members: ${printable(members.join(" "))}`];
}
