// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert } from "@std/assert";
import type { NodeSpec, PeerServiceOptions } from "../../mod.ts";
import { TextLineStream } from "./line_stream.ts";
import type { Command, Report } from "./node_program.ts";
import { firstOf } from "../values.ts";

/** Milliseconds after which a test gives up: long, for slow machines. */
const PATIENCE_MS = 60_000;

/** Something that a node told of its own accord. */
export type NodeEvent = Extract<Report, { readonly event: string }>;

/** View that a node has of the cluster. */
export interface View {
  readonly members: readonly string[];
  readonly connected: readonly string[];
  /** Members with which every connection is open. */
  readonly complete: readonly string[];
  readonly specs: readonly NodeSpec[];
}

type Order = Command extends infer One ? One extends Command ? Omit<One, "id"> : never : never;

/** A node in a process of its own. */
export class NodeProcess {
  readonly name: string;
  readonly events: NodeEvent[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  readonly #told: () => void;
  readonly #ended: Promise<void>;
  readonly #ready = Promise.withResolvers<NodeSpec>();
  #count = 0;
  #alive = true;

  /** @param prefix A command that runs the process, such as `ip netns exec …`. */
  constructor(name: string, options: PeerServiceOptions, told: () => void, prefix: readonly string[] = []) {
    this.name = name;
    this.#told = told;
    const program = new URL("node_program.ts", import.meta.url).pathname;
    const [command, ...args] = [...prefix, Deno.execPath(), "run", "--no-check", "--no-config", "-A", program];
    this.#child = new Deno.Command(command, {
      args: [...args, JSON.stringify({ ...options, name })],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#commands = this.#child.stdin.getWriter();
    this.#ended = this.#listen();
  }

  /** Resolves when the node listens. */
  get ready(): Promise<NodeSpec> {
    return this.#ready.promise;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Has the node do something. @returns Result of the order. */
  async tell<Result>(order: Order): Promise<Result> {
    const id = ++this.#count;
    const outcome = Promise.withResolvers<unknown>();
    this.#waiting.set(id, outcome);
    await this.#commands.write(new TextEncoder().encode(`${JSON.stringify({ ...order, id })}\n`));
    return await outcome.promise as Result;
  }

  view(): Promise<View> {
    return this.tell<View>({ do: "view" });
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  /** Ends the process, at once, as a crash does. */
  async kill(): Promise<void> {
    if (!this.#alive) return;
    this.#alive = false;
    this.#child.kill("SIGKILL");
    await this.#end();
  }

  /** Whether it told of such an event, about that node, at or after that time. */
  saw(event: string, node: string, since = 0): boolean {
    return this.sawAt(event, node, since) !== undefined;
  }

  /** Time at which it first told of such an event, about that node, at or after `since`. */
  sawAt(event: string, node: string, since = 0): number | undefined {
    return this.events.find((told) => told.event === event && "node" in told && told.node === node && told.at >= since)
      ?.at;
  }

  async #end(): Promise<void> {
    await this.#ended;
    await this.#child.status;
    await this.#commands.abort().catch(() => {});
  }

  async #listen(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const report: Report = JSON.parse(line);
      if ("event" in report) {
        this.events.push(report);
        if (report.event === "ready") this.#ready.resolve(report.spec);
      } else {
        const waiting = this.#waiting.get(report.id);
        this.#waiting.delete(report.id);
        if (report.error === undefined) waiting?.resolve(report.result);
        else waiting?.reject(new Error(`${this.name}: ${report.error}`));
      }
      this.#told();
    }
    this.#alive = false;
    const error = new Error(`Node "${this.name}" has ended`);
    this.#ready.promise.catch(() => {});
    this.#ready.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/** Nodes in processes of their own, all of which end with it. */
export class ProcessCluster implements AsyncDisposable {
  readonly #options: PeerServiceOptions;
  readonly #all = new Set<NodeProcess>();
  readonly #watchers = new Set<() => void>();

  constructor(options: PeerServiceOptions = { preset: "local" }) {
    this.#options = options;
  }

  /** Nodes whose processes run. */
  get alive(): NodeProcess[] {
    return [...this.#all].filter(({ alive }) => alive);
  }

  /** Starts a node, which joins no node. @param prefix A command that runs it, such as `ip netns exec …`. */
  async start(name: string, options: PeerServiceOptions = {}, prefix: readonly string[] = []): Promise<NodeProcess> {
    const node = new NodeProcess(name, { ...this.#options, ...options }, () => this.#look(), prefix);
    this.#all.add(node);
    await node.ready;
    return node;
  }

  /** Starts nodes, all of which join the first, and waits until they agree. */
  async form(names: readonly string[]): Promise<NodeProcess[]> {
    const nodes = await Promise.all(names.map((name) => this.start(name)));
    const seed = await firstOf(nodes).ready;
    await Promise.all(
      nodes.slice(1).map((node) => node.tell({ do: "join", peer: firstOf(seed.addresses) })),
    );
    await this.agree(nodes);
    return nodes;
  }

  /** Waits until nodes have exactly each other for members, and are fully connected. */
  async agree(nodes: readonly NodeProcess[] = this.alive): Promise<void> {
    const names = nodes.map(({ name }) => name).sort().join();
    await this.eventually(`${names} agree`, async () => {
      const views = await Promise.all(nodes.map((node) => node.view()));
      return views.every(({ members, complete }) => members.join() === names && complete.join() === names);
    });
  }

  /** Waits until something that nodes told of is so. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(() => done.reject(new Error(`It never came to this: ${what}`)), PATIENCE_MS);
    const watch = () => condition() && done.resolve();
    this.#watchers.add(watch);
    watch();
    try {
      await done.promise;
    } finally {
      this.#watchers.delete(watch);
      clearTimeout(timer);
    }
  }

  /** Asks until the answer is yes. */
  async eventually(what: string, ask: () => Promise<boolean>): Promise<void> {
    const givenUpAt = performance.now() + PATIENCE_MS;
    while (!await ask()) {
      assert(performance.now() < givenUpAt, `It never came to this: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all].map((node) => node.kill()));
  }

  #look(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}
