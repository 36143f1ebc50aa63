// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeProcess } from "./processes.ts";
import { entryOf, nthOf } from "../values.ts";

/** One node's account of the stream of acknowledged messages. */
interface Account {
  /** Number of arrivals of each message. */
  readonly came: Record<string, number>;
  /** `sender number receiver` of each message from here that was acknowledged. */
  readonly acknowledged: readonly string[];
  /** The same of those that were given up, and why. */
  readonly failed: Record<string, string>;
}

/** Sum of all accounts of a stream. */
export interface Balance {
  readonly acknowledged: number;
  readonly failed: number;
  /** Messages that came twice, or were acknowledged and never came, or were given up for no reason. */
  readonly wrong: readonly string[];
}

/** Nodes of which less can be expected. */
export interface Excuses {
  /** They were killed, and took their accounts with them. */
  readonly mortal?: readonly string[];
  /** They left, so that messages from and to them may be given up. */
  readonly roving?: readonly string[];
}

/** Ends the stream at every node, and compares what they wrote down. */
export async function balance(
  nodes: ReadonlyMap<string, NodeProcess>,
  { mortal = [], roving = [] }: Excuses = {},
): Promise<Balance> {
  // First every node stops sending; only then nothing is added to any account.
  await Promise.all([...nodes.values()].map((node) => node.tell({ do: "quiet" })));
  const accounts = new Map<string, Account>();
  await Promise.all([...nodes].map(async ([name, node]) => {
    accounts.set(name, await node.tell<Account>({ do: "quiet" }));
  }));
  const wrong: string[] = [];
  let [acknowledged, failed] = [0, 0];
  for (const [name, account] of accounts) {
    for (const [key, times] of Object.entries(account.came)) if (times > 1) wrong.push(`${key} came ${times} times`);
    acknowledged += account.acknowledged.length;
    failed += Object.keys(account.failed).length;
    for (const key of account.acknowledged) {
      const [from, n, to] = key.split(" ") as [string, string, string];
      if (!mortal.includes(to) && entryOf(accounts, to).came[`${from} ${n}`] !== 1) {
        wrong.push(`${key} was acknowledged and is lost`);
      }
    }
    for (const [key, reason] of Object.entries(account.failed)) {
      const to = nthOf(key.split(" "), 2);
      if (!roving.includes(name) && !roving.includes(to)) wrong.push(`${key} failed: ${reason}`);
    }
  }
  return { acknowledged, failed, wrong };
}
