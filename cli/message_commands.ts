// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type AttachedCommand, printable, printResult } from "./attached.ts";
import type { Arguments } from "./option_table.ts";
import { UsageError } from "./usage_error.ts";
import { messageOf } from "../runtime/message_of.ts";

/** `partisan ping NODE` */
export const ping: AttachedCommand = async (client, args) => {
  for (let count = args.number("count") ?? 1; count > 0; count--) {
    const input = { node: args.word("NODE"), timeout: args.number("timeout") };
    const result = await client.ask<{ node: string; roundTrip: number }>("ping", input);
    printResult(args, result, ({ node, roundTrip }) => [`${node}: ${roundTrip.toFixed(3)} ms`]);
  }
};

/** `partisan call NODE NAME JSON`. The reply is JSON either way: for people over several lines. */
export const call: AttachedCommand = async (client, args) => {
  const { reply } = await client.ask<{ reply?: unknown }>("call", {
    ...await addressed(args),
    node: args.word("NODE"),
  });
  printResult(args, reply ?? null, (value) => JSON.stringify(value, null, 2).split("\n").map(printable));
};

/** `partisan cast NODE NAME JSON` */
export const cast: AttachedCommand = async (client, args) => {
  const input = { ...await addressed(args), node: args.word("NODE"), ack: args.flag("ack") };
  const result = await client.ask<{ handled: boolean }>("cast", input);
  printResult(args, result, ({ handled }) => [handled ? "handled" : "sent"]);
};

/** `partisan publish NAME JSON` */
export const publish: AttachedCommand = async (client, args) => {
  const input = { ...await addressed(args), group: args.flag("group"), scope: args.text("scope") };
  const result = await client.ask<{ nodes?: number; members?: number }>("publish", input);
  printResult(args, result, ({ nodes, members }) => [
    nodes === undefined ? `sent to ${members} members of the group` : `sent to ${nodes} nodes`,
  ]);
};

async function addressed(args: Arguments): Promise<Record<string, unknown>> {
  return {
    name: args.word("NAME"),
    message: await readMessage(args.word("JSON")),
    channel: args.text("channel"),
    timeout: args.number("timeout"),
  };
}

async function readMessage(text: string): Promise<unknown> {
  const json = text === "-" ? await new Response(Deno.stdin.readable).text() : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    const reason = messageOf(error);
    throw new UsageError(`The message is no JSON (text needs quotes of its own, '"like this"'): ${reason}`);
  }
}
