// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Measures clusters of real processes: `deno task scale [--nodes=16,64] [--per-process=1] [--strategy=full-mesh|hyparview] [--idle=10]`.
 *
 * Prints a table in Markdown with a row for each number of nodes: how long the processes take to start, and the cluster to form when all nodes join
 * one seed at once, what a node takes while nothing happens, and how long it takes until all others have noticed that one process, and then a tenth
 * of all, was killed. Over HyParView it has the time until a broadcast has reached all nodes in place of that. Nodes that join, beat and fail do so
 * over TCP on loopback; the figures are absolute, so that they hold for the machine alone on which they were taken.
 *
 * @module
 */

import { BenchProcess } from "./bench_process.ts";
import type { IdleCluster, ScaleStrategy } from "./scale_child.ts";
import { median } from "./statistics.ts";

/** Plan of a measurement. */
export interface Plan {
  readonly strategy: ScaleStrategy;
  readonly nodes: number;
  readonly perProcess: number;
  readonly idleSeconds: number;
}

/** Findings, by column. */
export type Findings = ReadonlyMap<string, string>;

const MEBIBYTE = 1024 * 1024;
const BROADCASTS = 9;
/** Time that an overlay needs to be mixed, and a full mesh to be quiet. */
const SETTLE_MS = 5_000;

/** Starts the processes, and measures. */
export async function measureScale(plan: Plan): Promise<Findings> {
  const { strategy, nodes, perProcess, idleSeconds } = plan;
  const processes = Math.ceil(nodes / perProcess);
  const spawnedAt = Date.now();
  await using stack = new AsyncDisposableStack();
  const children = Array.from({ length: processes }, () => stack.use(new BenchProcess()));
  const opened = await Promise.all(children.map((child, index) => {
    const first = index * perProcess;
    return child.call("openCluster", { strategy, nodes: Math.min(perProcess, nodes - first), first });
  }));
  const seed = opened[0]![0]!;
  const startedAt = Date.now();
  const rejected = await Promise.all(
    children.map((child) => child.call("joinCluster", { strategy, seed, total: nodes })),
  );
  const formed = Date.now() - startedAt;
  await pass(Math.min(SETTLE_MS, 1_000 * idleSeconds));
  const idle = await Promise.all(children.map((child) => child.call("idleCluster", { seconds: idleSeconds })));
  const findings = new Map([
    ["nodes", `${nodes}`],
    ["processes", `${processes}`],
    ["started, s", seconds(startedAt - spawnedAt)],
    ["formed, s", seconds(formed)],
    ["joins refused", `${sum(rejected)}`],
    ...costs(idle, nodes),
  ]);
  if (strategy === "full-mesh") await measureDeaths(children, perProcess, findings);
  else findings.set("broadcast to all, ms", `${median(await measureBroadcasts(children))}`);
  return findings;
}

function costs(idle: readonly IdleCluster[], nodes: number): [string, string][] {
  const each = (key: keyof IdleCluster) => sum(idle.map((report) => report[key])) / nodes;
  const total = (key: keyof IdleCluster) => sum(idle.map((report) => report[key]));
  return [
    ["MiB", (each("memory") / MEBIBYTE).toFixed(1)],
    ["descriptors", each("descriptors").toFixed(0)],
    ["idle, % of a core", (100 * each("cpu")).toFixed(2)],
    ["idle, B/s", each("bytes").toFixed(0)],
    ["false downs", `${total("downs")}`],
    ["suspicions", `${total("suspicions")}`],
    ["neighbours exchanged", `${total("exchanges")}`],
  ];
}

/** One process is killed, and then a tenth of all nodes. */
async function measureDeaths(
  children: BenchProcess[],
  perProcess: number,
  findings: Map<string, string>,
): Promise<void> {
  const indices = new Map(children.map((child, index) => [child, index]));
  const killed = async (dying: readonly BenchProcess[]): Promise<number> => {
    const names = dying.flatMap((child) =>
      Array.from({ length: perProcess }, (_, index) => `n${indices.get(child)! * perProcess + index}`)
    );
    for (const child of dying) children.splice(children.indexOf(child), 1);
    const missed = children.map((child) => child.call("missInCluster", { names }));
    const killedAt = Date.now();
    for (const { pid } of dying) Deno.kill(pid, "SIGKILL");
    return Math.max(...await Promise.all(missed)) - killedAt;
  };
  const tenth = Math.round(children.length / 10);
  if (children.length > 2) findings.set("one killed, ms", `${await killed(children.slice(-1))}`);
  if (tenth > 0 && children.length > tenth + 1) {
    findings.set("a tenth killed, ms", `${await killed(children.slice(-tenth))}`);
  }
}

/** @returns Milliseconds until the last node had each broadcast, each of another process. */
async function measureBroadcasts(children: readonly BenchProcess[]): Promise<number[]> {
  const took: number[] = [];
  for (let id = 0; id < BROADCASTS; id++) {
    const sender = children[Math.floor(id * children.length / BROADCASTS)]!;
    const sentAt = await sender.call("tellCluster", { id });
    const heard = await Promise.all(children.map((child) => child.call("hearInCluster", { id })));
    took.push(Math.max(...heard) - sentAt);
  }
  return took;
}

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1);
}

function printTable(rows: readonly Findings[]): void {
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  console.log(line(columns));
  console.log(line(columns.map((column) => "-".repeat(Math.max(3, column.length - 1)) + ":")));
  for (const row of rows) console.log(line(columns.map((column) => row.get(column) ?? "")));
}

/** @throws {TypeError} When an argument is none of ours. */
export function plansOf(args: readonly string[]): Plan[] {
  const given = new Map([["nodes", "16,64"], ["per-process", "1"], ["strategy", "full-mesh"], ["idle", "10"]]);
  for (const arg of args) {
    const [, name, value] = /^--([a-z-]+)=(.+)$/.exec(arg) ?? [];
    if (name === undefined || !given.has(name)) {
      throw new TypeError(`Cannot read "${arg}": expected ${[...given.keys()].map((key) => `--${key}=…`).join(", ")}`);
    }
    given.set(name, value!);
  }
  const strategy = given.get("strategy")!;
  if (strategy !== "full-mesh" && strategy !== "hyparview") {
    throw new TypeError(`Cannot use the strategy "${strategy}": expected "full-mesh" or "hyparview"`);
  }
  const count = (text: string) => {
    if (!/^[1-9]\d{0,4}$/.test(text)) throw new TypeError(`Cannot use "${text}": expected a number from 1 to 99999`);
    return Number(text);
  };
  const [perProcess, idleSeconds] = [count(given.get("per-process")!), count(given.get("idle")!)];
  return given.get("nodes")!.split(",").map((nodes) => ({ strategy, nodes: count(nodes), perProcess, idleSeconds }));
}

if (import.meta.main) {
  const rows: Findings[] = [];
  for (const plan of plansOf(Deno.args)) rows.push(await measureScale(plan));
  printTable(rows);
}
