// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSettings } from "./cluster_options.ts";
import { Child, type Launcher } from "./child.ts";
import { type Action, ClusterModel, type LogEntry, type NodeModel, type Observation } from "./cluster_model.ts";
import { disagreements } from "./disagreements.ts";
import type { Report } from "./protocol.ts";
import { sleep } from "./sleep.ts";
import { isFullMesh } from "./strategies.ts";

/** Options of {@linkcode Supervisor}. */
export interface SupervisorOptions {
  /** Command line by which children are started. */
  readonly launcher: Launcher;
  /** Settings that the nodes are started with. */
  readonly settings: NodeSettings;
}

/** A request that cannot be met, such as resuming a node that is not paused. The message is for the user. */
export class RefusedError extends Error {
  /** Always `"RefusedError"`. */
  override readonly name = "RefusedError";
}

/** Action on a node; also the name of the method that does it. */
export type ControlKind = "start" | "kill" | "pause" | "resume" | "cut" | "heal" | "leave";

/** Maximum time for children to exit in good order. */
const STOP_TIMEOUT_MS = 2_000;
const CHANGE_DELAY_MS = 5;

/**
 * Starts the processes of the cluster, does to them what it is asked to, and keeps a model of what they report.
 * Dispatches `entry`, a `CustomEvent` with the new entry of the model's log, and `change` whenever anything changed.
 */
export class Supervisor extends EventTarget {
  /** Model of the cluster. */
  readonly model: ClusterModel;
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, Child>();
  #changeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Starts nothing yet. */
  constructor(options: SupervisorOptions) {
    super();
    this.#options = options;
    this.model = new ClusterModel({ isFullMesh: isFullMesh(options.settings.strategy) });
  }

  /**
   * Starts a node: the one of that name again, or a new one.
   *
   * @throws {RefusedError} When it runs.
   */
  start(name: string = this.#freshName()): string {
    const state = this.model.nodes.get(name)?.state;
    if (this.#children.has(name)) throw new RefusedError(`Cannot start ${name}: it is ${state}`);
    const { run } = this.#act("start", name);
    const child = new Child(this.#options.launcher, name, {
      report: (report) => this.#reported(name, report),
      stderr: (line) => this.#observe({ observer: name, at: Date.now(), kind: "stderr", detail: line }),
      exited: (status) => this.#exited(name, status),
    });
    this.#children.set(name, child);
    child.send({ type: "start", name, run, settings: this.#options.settings });
    return name;
  }

  /**
   * Kills a node's process with SIGKILL.
   *
   * @throws {RefusedError} When there is none.
   */
  kill(name: string): void {
    const child = this.#child("kill", name, ["starting", "up", "paused", "cut", "leaving"]);
    this.#act("kill", name);
    child.kill();
  }

  /**
   * Freezes a node's process with SIGSTOP.
   *
   * @throws {RefusedError} When it is not up.
   */
  pause(name: string): void {
    const child = this.#child("pause", name, ["up"]);
    this.#act("pause", name);
    child.pause();
  }

  /**
   * Lets a frozen process go on with SIGCONT.
   *
   * @throws {RefusedError} When it is not paused.
   */
  resume(name: string): void {
    const child = this.#child("resume", name, ["paused"]);
    this.#act("resume", name);
    child.resume();
  }

  /**
   * Has a node drop all messages between it and others.
   *
   * @throws {RefusedError} When it is not up.
   */
  cut(name: string): void {
    const child = this.#child("cut", name, ["up"]);
    this.#act("cut", name);
    child.send({ type: "cut" });
  }

  /**
   * Has a node drop messages no more.
   *
   * @throws {RefusedError} When it is not cut.
   */
  heal(name: string): void {
    const child = this.#child("heal", name, ["cut"]);
    this.#act("heal", name);
    child.send({ type: "heal" });
  }

  /**
   * Makes a node leave the cluster, and its process exit.
   *
   * @throws {RefusedError} When it is not up.
   */
  leave(name: string): void {
    const child = this.#child("leave", name, ["up"]);
    this.#act("leave", name);
    child.send({ type: "leave" });
  }

  /** Ends the traffic between the nodes. */
  quiet(): void {
    for (const child of this.#children.values()) child.send({ type: "quiet" });
  }

  /**
   * Waits until `pending` finds nothing more to wait for.
   *
   * @param timeout Milliseconds to wait at most.
   * @returns Last findings: none, unless the time was up.
   * @throws The reason of `signal` once that is aborted.
   */
  async until(pending: (model: ClusterModel) => string[], timeout: number, signal: AbortSignal): Promise<string[]> {
    const fulfilled = new AbortController();
    const check = () => pending(this.model).length === 0 && fulfilled.abort();
    this.addEventListener("change", check);
    try {
      check();
      await sleep(timeout, AbortSignal.any([signal, fulfilled.signal]));
    } catch (error) {
      if (!fulfilled.signal.aborted) throw error;
    } finally {
      this.removeEventListener("change", check);
    }
    return pending(this.model);
  }

  /** Waits until all views agree with what is true, as {@linkcode Supervisor.until} does. */
  settled(timeout: number, signal: AbortSignal): Promise<string[]> {
    return this.until(disagreements, timeout, signal);
  }

  /** Stops all nodes. */
  async stop(): Promise<void> {
    const children = [...this.#children];
    for (const [name, child] of children) {
      const frozen = this.model.nodes.get(name)?.state === "paused";
      this.#act("stop", name);
      if (frozen) child.kill();
      else child.send({ type: "stop" });
    }
    const timer = setTimeout(() => children.forEach(([, child]) => child.kill()), STOP_TIMEOUT_MS);
    await Promise.all(children.map(([, child]) => child.done));
    clearTimeout(timer);
  }

  #act(kind: Action["kind"], name: string): NodeModel {
    const action = { at: Date.now(), kind, node: name };
    const node = this.model.act(action);
    this.#logged(action);
    return node;
  }

  #child(action: Action["kind"], name: string, states: readonly NodeModel["state"][]): Child {
    const state = this.model.nodes.get(name)?.state;
    const child = this.#children.get(name);
    if (state === undefined) throw new RefusedError(`Cannot ${action} ${name}: there is no such node`);
    if (!child || !states.includes(state)) throw new RefusedError(`Cannot ${action} ${name}: it is ${state}`);
    return child;
  }

  #reported(name: string, report: Report): void {
    if (report.type === "event") {
      this.#observe({ ...report, observer: name });
      return;
    }
    this.model.apply(name, report);
    if (report.type === "started") {
      const detail = `${report.address}, process ${this.#children.get(name)!.pid}`;
      this.#observe({ observer: name, at: report.at, kind: "listen", detail });
      this.#introduce(this.model.nodes.get(name)!);
    }
    this.#changed();
  }

  /** A node that listens now joins another one that does; the first has none to join, and is joined by others. */
  #introduce(newcomer: NodeModel): void {
    const others = [...this.model.nodes.values()].filter((node) => node !== newcomer && node.address !== undefined);
    const host = others.find(({ state }) => state === "up") ?? others.find(({ state }) => state === "paused");
    if (host) this.#children.get(newcomer.name)!.send({ type: "join", address: host.address! });
  }

  #exited(name: string, { code, signal }: Deno.CommandStatus): void {
    this.#children.delete(name);
    const at = Date.now();
    const unexpected = this.model.exited(name, at);
    if (unexpected) this.#observe({ observer: name, at, kind: "exit", detail: signal ?? `code ${code}` });
    this.#changed();
  }

  #observe(observation: Observation): void {
    this.model.observe(observation);
    this.#logged(observation);
  }

  #logged(entry: LogEntry): void {
    this.dispatchEvent(new CustomEvent("entry", { detail: entry }));
    this.#changed();
  }

  /** Reports come in flocks, and listeners look at all of the model. */
  #changed(): void {
    this.#changeTimer ??= setTimeout(() => {
      this.#changeTimer = undefined;
      this.dispatchEvent(new Event("change"));
    }, CHANGE_DELAY_MS);
  }

  #freshName(): string {
    for (let index = 0;; index++) {
      const name = nameOf(index);
      if (!this.model.nodes.has(name)) return name;
    }
  }
}

/** a, b, …, z, aa, ab, … */
export function nameOf(index: number): string {
  const last = String.fromCharCode(97 + index % 26);
  return index < 26 ? last : nameOf(Math.floor(index / 26) - 1) + last;
}
