// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ClusterOptions } from "./cluster_options.ts";
import type { Launcher } from "./child.ts";
import { type ClusterModel, isObservation, type LogEntry } from "./cluster_model.ts";
import { pageOf } from "./cluster_page.ts";
import { disagreements } from "./disagreements.ts";
import { describe } from "./describe.ts";
import { disordered, restless, sightingFailures, undelivered, unused } from "./judgement.ts";
import { consequenceOf } from "./sighting_watch.ts";
import { planScenario, type Step } from "./scenario.ts";
import { sleep } from "./sleep.ts";
import { delays, nodeTable, secondsSince, sightings } from "./summary.ts";
import { nameOf, Supervisor } from "./supervisor.ts";

/** Dependencies of an unattended run. */
export interface UnattendedContext {
  readonly launcher: Launcher;
  /** Prints a line. */
  readonly print: (line: string) => void;
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

/** Options of an unattended run. */
export type UnattendedOptions = ClusterOptions & { readonly seconds: number };

/** Maximum time for the views to agree after a step, before the run counts as failed. */
const SETTLE_TIMEOUT_MS = 15_000;
/** Additional time at the beginning, per process to start. */
const START_TIMEOUT_MS_PER_NODE = 1_000;
const QUIET_TIMEOUT_MS = 15_000;
/** Between two steps at least: a node that has just come must not depend on one other node any more when that is killed. */
const REST_MS = 1_000;
const troubles: ReadonlySet<string> = new Set(["error", "exit", "stderr", "removed"]);

/**
 * Leads a cluster through a kill, a restart, a pause and a leave, and prints what each node saw of it.
 *
 * @returns Failures, one sentence each; none when all is well.
 * @throws The reason of `signal` when that is aborted. No process stays behind in any case.
 */
export async function runUnattended(options: UnattendedOptions, context: UnattendedContext): Promise<string[]> {
  const supervisor = new Supervisor({ launcher: context.launcher, settings: options });
  try {
    await using page = pageOf(supervisor, options);
    if (page !== null) context.print(`The page: ${page.url}`);
    return await new UnattendedRun(supervisor, options, context).perform();
  } finally {
    await supervisor.stop();
  }
}

class UnattendedRun {
  readonly #supervisor: Supervisor;
  readonly #options: UnattendedOptions;
  readonly #context: UnattendedContext;
  readonly #beginning = Date.now();
  readonly #failures: string[] = [];

  constructor(supervisor: Supervisor, options: UnattendedOptions, context: UnattendedContext) {
    this.#supervisor = supervisor;
    this.#options = options;
    this.#context = context;
  }

  async perform(): Promise<string[]> {
    const { nodes, seconds, seed, strategy, preset } = this.#options;
    const names = Array.from({ length: nodes }, (_, index) => nameOf(index));
    const { steps, quietAt } = planScenario(names, seconds, seed);
    this.#context.print(
      `${nodes} nodes, ${strategy}, preset ${preset}, seed ${seed}`,
    );
    this.#supervisor.addEventListener("entry", (event) => this.#tellTrouble((event as CustomEvent<LogEntry>).detail));
    for (const name of names) this.#supervisor.start(name);
    this.#tell(`start ${names.join(" ")}`);
    await this.#settle(SETTLE_TIMEOUT_MS + nodes * START_TIMEOUT_MS_PER_NODE);
    const agreedAt = Date.now();
    for (const step of steps) {
      // Nothing could be concluded from what follows a failure.
      if (this.#failures.length === 0 && !hasFailed(this.#supervisor.model)) await this.#take(step);
    }
    if (this.#failures.length === 0) {
      await this.#sleepUntil(quietAt);
      await this.#quiet();
    }
    this.#conclude(agreedAt);
    return this.#failures;
  }

  async #take(step: Step): Promise<void> {
    await sleep(REST_MS, this.#context.signal);
    await this.#sleepUntil(step.at);
    const { length } = this.#supervisor.model.log;
    const at = Date.now();
    this.#supervisor[step.kind](step.node);
    this.#tell(describe({ ...step, at }));
    await this.#settle(SETTLE_TIMEOUT_MS);
    const consequence = consequenceOf(step.kind, this.#supervisor.model);
    const seen = this.#supervisor.model.log.slice(length).filter(isObservation)
      .filter(({ node, kind }) => node === step.node && kind === consequence);
    this.#context.print(`          ${consequence} seen by ${delays(seen, at)}`);
  }

  async #settle(timeout: number): Promise<void> {
    const pending = (model: ClusterModel) => hasFailed(model) ? [] : disagreements(model);
    await this.#supervisor.until(pending, timeout, this.#context.signal);
    const left = disagreements(this.#supervisor.model);
    if (left.length === 0) this.#tell("all views agree");
    this.#fail(left);
  }

  async #quiet(): Promise<void> {
    const { signal } = this.#context;
    this.#fail(await this.#supervisor.until(unused, QUIET_TIMEOUT_MS, signal));
    this.#supervisor.quiet();
    const pending = (model: ClusterModel) => [...restless(model), ...undelivered(model)];
    this.#fail(await this.#supervisor.until(pending, QUIET_TIMEOUT_MS, signal));
  }

  #conclude(agreedAt: number): void {
    const { model } = this.#supervisor;
    this.#fail([...disagreements(model), ...sightingFailures(model), ...disordered(model)]);
    const { print } = this.#context;
    print("\nWhat each node saw");
    sightings(model, this.#beginning, agreedAt).forEach(print);
    print("\nWhat each node ended with");
    nodeTable(model).forEach(print);
  }

  /** Shows at once what should not happen. */
  #tellTrouble(entry: LogEntry): void {
    if (isObservation(entry) && troubles.has(entry.kind)) this.#tell(describe(entry));
  }

  #fail(failures: readonly string[]): void {
    const [first, ...others] = failures.filter((failure) => !this.#failures.includes(failure));
    if (first === undefined) return;
    this.#failures.push(first, ...others);
    this.#tell(`FAILED: ${first}${others.length > 0 ? `, and ${others.length} more` : ""}`);
  }

  #tell(what: string): void {
    this.#context.print(`${secondsSince(this.#beginning, Date.now()).padStart(8)}  ${what}`);
  }

  #sleepUntil(second: number): Promise<void> {
    return sleep(Math.max(0, this.#beginning + second * 1_000 - Date.now()), this.#context.signal);
  }
}

/** Whether a process ended that should not have: there is no use in waiting for it. */
function hasFailed(model: ClusterModel): boolean {
  return [...model.nodes.values()].some(({ state }) => state === "failed");
}
