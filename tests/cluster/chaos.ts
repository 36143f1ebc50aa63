// Copyright 2026 the Partisan peer-service authors. MIT license.

import { delay } from "@std/async";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { ReservedPorts } from "../reserved_ports.ts";
import { HostileProxy } from "./hostile_proxy.ts";
import { type Balance, balance } from "./ledger.ts";
import { type NodeProcess, ProcessCluster } from "./processes.ts";
import { completeTransfers, type TransferAccount, wrongTransfers } from "./transfers.ts";
import { entryOf, firstOf } from "../values.ts";

/** Options of a run of chaos. */
export interface ChaosOptions {
  readonly seed: number;
  /** Seconds of faults. */
  readonly seconds: number;
  readonly log: (line: string) => void;
}

/** Result of a run. */
export interface ChaosResult extends Balance {
  readonly faults: number;
  /** Streams of bytes that came to their end. */
  readonly transferred: number;
}

const FAULT_MS = 300;
const STEADY = ["s1", "s2", "s3", "s4", "s5", "s6"];
const MORTAL = ["m1", "m2", "m3", "m4", "m5", "m6"];
const ROVING = ["r1", "r2", "r3", "r4"];
const ALL = [...STEADY, ...MORTAL, ...ROVING];

/**
 * Sixteen processes with acknowledged messages, streams of bytes and calls that are given up among all of them, behind proxies that break connections, for some seconds of a seeded
 * schedule: six that are only stopped and continued, six that are killed and restarted as well, four that leave and join again.
 * Afterwards all must agree, and the ledger must balance.
 */
export class Chaos implements AsyncDisposable {
  readonly #options: ChaosOptions;
  readonly #random: SeededRandom;
  readonly #cluster = new ProcessCluster({ preset: "local" });
  readonly #nodes = new Map<string, NodeProcess>();
  readonly #reserved = new ReservedPorts();
  readonly #ports = new Map<string, number>();
  readonly #proxies = new Map<string, HostileProxy>();
  readonly #paused = new Set<string>();
  readonly #away = new Set<string>();
  #faults = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<ChaosResult> {
    for (const name of ALL) {
      this.#ports.set(name, this.#reserved.take());
      this.#proxies.set(name, new HostileProxy(entryOf(this.#ports, name)));
    }
    await Promise.all(ALL.map((name) => this.#start(name)));
    await this.#cluster.agree();
    await Promise.all(ALL.map((name) => this.#stream(name)));
    const end = performance.now() + this.#options.seconds * 1_000;
    while (performance.now() < end) {
      await delay(FAULT_MS);
      await this.#disturb();
    }
    await this.#heal();
    const accounts = await this.#transferred();
    const result = await balance(this.#nodes, { mortal: MORTAL, roving: ROVING });
    const wrong = [...result.wrong, ...wrongTransfers(accounts, MORTAL)];
    return { ...result, faults: this.#faults, transferred: completeTransfers(accounts), wrong };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
    for (const proxy of this.#proxies.values()) proxy[Symbol.dispose]();
    this.#reserved[Symbol.dispose]();
  }

  async #start(name: string): Promise<void> {
    const advertise = `127.0.0.1:${entryOf(this.#proxies, name).port}`;
    const node = await this.#cluster.start(name, { listen: `127.0.0.1:${this.#ports.get(name)}`, advertise });
    this.#nodes.set(name, node);
    if (name !== STEADY[0]) await this.#join(name);
  }

  async #join(name: string): Promise<void> {
    const seed = `127.0.0.1:${this.#ports.get(firstOf(STEADY))}`;
    await entryOf(this.#nodes, name).tell({ do: "join", peer: seed });
  }

  async #stream(name: string): Promise<void> {
    const to = ALL.filter((other) => other !== name);
    await entryOf(this.#nodes, name).tell({ do: "stream", to });
    await entryOf(this.#nodes, name).tell({ do: "transfer", to });
  }

  /** Ends the transfers at every node, then asks what came of them. */
  async #transferred(): Promise<Map<string, TransferAccount>> {
    await Promise.all([...this.#nodes.values()].map((node) => node.tell({ do: "transferred" })));
    const accounts = [...this.#nodes].map(async ([name, node]) =>
      [name, await node.tell<TransferAccount>({ do: "transferred" })] as const
    );
    return new Map(await Promise.all(accounts));
  }

  async #disturb(): Promise<void> {
    this.#faults++;
    const random = this.#random;
    const choice = random.int(10);
    if (choice < 4) return this.#reset();
    if (choice < 6) return this.#pauseOrContinue(random.pick([...STEADY.slice(1), ...MORTAL]));
    if (choice < 8) return await this.#killOrRestart(random.pick(MORTAL));
    await this.#leaveOrJoin(random.pick(ROVING));
  }

  #reset(): void {
    const broken = [...this.#proxies.values()].reduce(
      (sum, proxy) => sum + proxy.reset(() => this.#random.chance(0.2)),
      0,
    );
    this.#options.log(`${broken} connections reset`);
  }

  #pauseOrContinue(name: string): void {
    if (this.#away.has(name)) return;
    const isPaused = this.#paused.delete(name);
    if (!isPaused) this.#paused.add(name);
    this.#options.log(`${name} ${isPaused ? "continues" : "is stopped"}`);
    entryOf(this.#nodes, name).signal(isPaused ? "SIGCONT" : "SIGSTOP");
  }

  async #killOrRestart(name: string): Promise<void> {
    if (this.#away.delete(name)) {
      this.#options.log(`${name} restarts`);
      await this.#start(name);
      return await this.#stream(name);
    }
    this.#options.log(`${name} is killed`);
    this.#paused.delete(name);
    this.#away.add(name);
    await entryOf(this.#nodes, name).kill();
  }

  async #leaveOrJoin(name: string): Promise<void> {
    const isAway = this.#away.delete(name);
    this.#options.log(`${name} ${isAway ? "joins" : "leaves"}`);
    if (isAway) return await this.#join(name);
    this.#away.add(name);
    await entryOf(this.#nodes, name).tell({ do: "leave" });
  }

  async #heal(): Promise<void> {
    this.#options.log("faults end");
    for (const name of [...this.#paused]) this.#pauseOrContinue(name);
    for (const name of MORTAL) if (this.#away.has(name)) await this.#killOrRestart(name);
    for (const name of ROVING) if (this.#away.has(name)) await this.#leaveOrJoin(name);
    const since = performance.now();
    await this.#cluster.agree();
    this.#options.log(`all agree after ${Math.round(performance.now() - since)} ms`);
  }
}
