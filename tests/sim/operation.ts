// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { SeededRandom } from "../../testing/seeded_random.ts";
import type { Run } from "./run.ts";

/** Operations of people on a cluster. */
export type OperationAction =
  /** A node leaves, and joins again. */
  | { readonly kind: "leave"; readonly node: string }
  /** A node is removed by another one; it stops, and is started again. */
  | { readonly kind: "remove"; readonly node: string; readonly by: string }
  /** A node is stopped in good order, and started again. */
  | { readonly kind: "stop"; readonly node: string }
  /** A node has another one, and every node within so many hops of it, cut off from their peers; and ends that. */
  | { readonly kind: "inject"; readonly node: string; readonly origin: string; readonly ttl: number };

/** Something that people do to a cluster, and undo. A plain value, so that it can be printed and repeated. */
export type Operation = OperationAction & {
  /** Milliseconds after the beginning. */
  readonly at: number;
  /** Milliseconds until it is undone. */
  readonly duration: number;
};

/** Errors that an operation may end with when nodes are in trouble. */
const EXPECTED_ERRORS = new Set(["StoppedError", "NotConnectedError", "TimeoutError"]);

/** Draws up a plan of operations by chance. Most runs have none or few. */
export function planOperations(random: SeededRandom, names: readonly string[], duration: number): Operation[] {
  return Array.from({ length: Math.max(0, random.int(5) - 1) }, (): Operation => {
    const [node, by] = random.shuffle(names) as [string, string];
    const at = random.int(duration);
    const time = { at, duration: random.int(duration - at) };
    switch (random.int(4)) {
      case 0:
        return { kind: "leave", node, ...time };
      case 1:
        return { kind: "remove", node, by, ...time };
      case 2:
        return { kind: "inject", node, origin: random.pick(names), ttl: random.int(3), ...time };
      default:
        return { kind: "stop", node, ...time };
    }
  });
}

/** Describes an operation in a few words. */
export function describeOperation(operation: OperationAction): string {
  if (operation.kind === "remove") return `removal of ${operation.node} by ${operation.by}`;
  if (operation.kind === "inject") {
    return `partition at ${operation.origin} within ${operation.ttl} hops, injected by ${operation.node},`;
  }
  return `${operation.kind} of ${operation.node}`;
}

/** Does operations, and undoes them. */
export class Operator {
  readonly #run: Run;
  readonly #knowsAll: boolean;
  /** Nodes that have left, or were removed, at some time. */
  readonly left = new Set<string>();
  /** Operations that took a node out of the cluster, and are not undone. */
  readonly #away = new Set<Operation>();
  readonly #outcomes = new Map<Operation, Promise<void>>();
  /** Names of the partitions that were injected, and of those that were ended. */
  readonly #injected = new Map<Operation, string>();
  readonly #resolved = new Set<string>();
  /** Waits for nodes: ended when one crashes, as its promises never settle. */
  readonly #waits = new Map<string, Set<() => void>>();

  /** @param knowsAll Whether each node knows all others by their names. */
  constructor(run: Run, knowsAll = true) {
    this.#run = run;
    this.#knowsAll = knowsAll;
  }

  /** Does an operation now, if the nodes that it is about run. */
  begin(operation: Operation): void {
    const { cluster, timeline } = this.#run;
    const by = operation.kind === "remove" ? operation.by : operation.node;
    if (!cluster.has(operation.node) || !cluster.has(by) || cluster.world.isPaused(by)) return;
    timeline.note("operator", `${describeOperation(operation)} begins`);
    if (operation.kind === "leave" || operation.kind === "remove") {
      this.left.add(operation.node);
      this.#away.add(operation);
    }
    const waits = this.#waits.get(by) ?? new Set();
    this.#waits.set(by, waits);
    const crashed = new Promise<void>((resolve) => waits.add(resolve));
    this.#outcomes.set(operation, Promise.race([this.#watch(this.#do(operation)), crashed]));
  }

  /** A node has crashed. */
  crashed(node: string): void {
    for (const end of this.#waits.get(node) ?? []) end();
    this.#waits.delete(node);
  }

  /** Brings the node back, once it is gone: starts it unless it runs, and lets it join. */
  async undo(operation: Operation): Promise<void> {
    const outcome = this.#outcomes.get(operation);
    if (outcome === undefined) return;
    await outcome;
    const { node } = operation;
    const { cluster, timeline } = this.#run;
    timeline.note("operator", `${describeOperation(operation)} is undone`);
    if (operation.kind === "inject") return this.#resolve(operation);
    const contact = this.contactFor(node);
    this.#away.delete(operation);
    if (!cluster.has(node)) await this.#watch(cluster.startNode(node, { join: contact }));
    else if (contact !== false) await this.#watch(cluster.node(node).join(cluster.node(contact).spec));
  }

  /** A node by which another one joins: one that is in the cluster, as two that have left would join each other, and no third node. */
  contactFor(node: string): string | false {
    const others = this.#run.cluster.names.filter((name) => name !== node);
    const away = new Set([...this.#away].map(({ node }) => node));
    return others.find((name) => !away.has(name)) ?? others[0] ?? false;
  }

  /** Ends all injected partitions, as far as any node knows of them. */
  resolveAll(): void {
    this.#resolveThose(() => true);
  }

  /** Ends injected partitions that no node has ended: word of them was on its way when the node that injected them crashed. */
  resolveNew(): void {
    const resolved = new Set(this.#resolved);
    this.#resolveThose((reference) => !resolved.has(reference));
  }

  #resolve(operation: Operation): void {
    const { cluster } = this.#run;
    const reference = this.#injected.get(operation);
    // It may not have come to where it is to be, and be known to no other node.
    if (reference !== undefined && cluster.has(operation.node)) {
      this.#resolved.add(reference);
      cluster.node(operation.node).resolvePartition(reference);
    }
    this.resolveAll();
  }

  #resolveThose(isMeant: (reference: string) => boolean): void {
    for (const node of this.#run.cluster.nodes) {
      for (const reference of new Set(node.partitions().map(({ reference }) => reference))) {
        if (!isMeant(reference)) continue;
        this.#resolved.add(reference);
        node.resolvePartition(reference);
      }
    }
  }

  async #inject(operation: Operation & { kind: "inject" }): Promise<void> {
    const { node, origin, ttl } = operation;
    this.#injected.set(operation, await this.#run.cluster.node(node).injectPartition(origin, ttl));
  }

  #do(operation: Operation): Promise<unknown> {
    const { cluster } = this.#run;
    switch (operation.kind) {
      case "leave":
        return cluster.node(operation.node).leave();
      case "remove":
        return cluster.node(operation.by).leave(this.#knowsAll ? operation.node : cluster.node(operation.node).spec);
      case "stop":
        return cluster.stopNode(operation.node);
      case "inject":
        return this.#inject(operation);
    }
  }

  async #watch(outcome: Promise<unknown>): Promise<void> {
    try {
      await outcome;
    } catch (error) {
      const { name, message } = error as Error;
      if (!EXPECTED_ERRORS.has(name)) this.#run.fail(`An operation failed: ${name}: ${message}`);
    }
  }
}
