// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/mod.ts";
import { present } from "../values.ts";

const NODES = ["a", "b", "c", "d"];
/** Messages of each node to each other one: each to a handler of its own, so that what is told of it can be told apart. */
const MESSAGES = 40;

const SEEDS = 12;

const KINDS = ["cast", "forwarded", "acknowledged", "called", "relayed"] as const;
type Kind = typeof KINDS[number];

/** Ledger of the messages from one node to another one. */
class PairLedger {
  readonly sent = new Map<string, Kind>();
  /** Number of times that each was handed to its handler. */
  readonly handled = new Map<string, number>();
  /** Those of which the sender was told, by a rejection or an event, that they may not have arrived. */
  readonly told = new Set<string>();
  /** Those of which the sender was told that they were handled. */
  readonly confirmed = new Set<string>();

  /** Whatever is not as it should be. */
  faults(): string[] {
    const faults: string[] = [];
    for (const [name, kind] of this.sent) {
      const count = this.handled.get(name) ?? 0;
      if (count === 0 && !this.told.has(name)) faults.push(`${name} (${kind}) vanished`);
      if (count === 0 && this.confirmed.has(name)) faults.push(`${name} (${kind}) was confirmed, and not handled`);
      if (count > 1) faults.push(`${name} (${kind}) was handled ${count} times`);
    }
    for (const name of this.handled.keys()) if (!this.sent.has(name)) faults.push(`${name} was never sent`);
    return faults;
  }
}

/** The ledgers of all pairs of a cluster. */
class Ledgers {
  readonly #pairs = new Map<string, PairLedger>();

  pair(from: string, to: string): PairLedger {
    const key = `${from} to ${to}`;
    const known = this.#pairs.get(key) ?? new PairLedger();
    this.#pairs.set(key, known);
    return known;
  }

  /** Has a node write down what comes, and what it is told of what it sent. */
  furnish(node: PeerServiceManager): void {
    for (let n = 0; n < MESSAGES; n++) {
      const name = `m${n}`;
      node.register(name, (_message, { from }) => {
        const { handled } = this.pair(from, node.name);
        handled.set(name, (handled.get(name) ?? 0) + 1);
      });
    }
    node.addEventListener("undeliverable", ({ detail }) => {
      if (detail.node !== node.name) this.pair(node.name, detail.node).told.add(detail.name);
    });
  }

  send(from: PeerServiceManager, to: string, name: string, kind: Kind): void {
    const pair = this.pair(from.name, to);
    pair.sent.set(name, kind);
    if (kind === "cast") return void from.castMessage(to, name, 1);
    const options = { timeout: 20_000 };
    const sent = kind === "called" ? from.call(to, name, 1, options) : from.forwardMessage(to, name, 1, {
      ...options,
      ack: kind === "acknowledged",
      transitive: kind === "relayed",
    });
    const isConfirmed = kind === "called" || kind === "acknowledged";
    sent.then(() => isConfirmed && pair.confirmed.add(name), () => pair.told.add(name));
  }

  /** All that is not as it should be, and how many messages came, and did not. */
  result(): { faults: string[]; came: number; lost: number } {
    const result = { faults: [] as string[], came: 0, lost: 0 };
    for (const [key, pair] of this.#pairs) {
      result.faults.push(...pair.faults().map((fault) => `${key}: ${fault}`));
      result.came += pair.handled.size;
      result.lost += pair.sent.size - pair.handled.size;
    }
    return result;
  }
}

async function play(seed: number): Promise<ReturnType<Ledgers["result"]>> {
  const ledgers = new Ledgers();
  const setup = (node: PeerServiceManager) => ledgers.furnish(node);
  await using cluster = await SimulatedCluster.start({ seed, nodes: NODES, options: { log: false }, setup });
  const random = cluster.world.random("ledger");
  const pick = <T>(from: readonly T[]) => present(from[Math.floor(random.next() * from.length)]);
  for (let n = 0; n < MESSAGES; n++) {
    if (random.next() < 0.1) cluster.heal();
    if (random.next() < 0.1) cluster.cut(pick(NODES));
    if (random.next() < 0.1) cluster.reset(pick(NODES), NODES);
    for (const from of cluster.nodes) {
      for (const to of NODES) if (to !== from.name) ledgers.send(from, to, `m${n}`, pick(KINDS));
    }
    await cluster.advance(random.next() * 1_000);
  }
  cluster.heal();
  await cluster.settled();
  await cluster.advance(60_000);
  return ledgers.result();
}

Deno.test("For each pair of nodes, what one sent the other one has handled once, or it was told that it may not have", async () => {
  const total = { came: 0, lost: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { faults, came, lost } = await play(seed);
    assertEquals(faults, [], `seed ${seed}`);
    total.came += came;
    total.lost += lost;
  }
  assertGreater(total.came, 1_000);
  assert(total.lost > 50, `${total.lost} were lost`);
});
