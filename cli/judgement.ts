// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Action, type ClusterModel, isObservation, type NodeModel, type Observation } from "./cluster_model.ts";

/** A stream of numbered messages between two processes that both run. */
export interface StreamCount {
  readonly sender: string;
  readonly receiver: string;
  /** Messages that the sender's peer service accepted. */
  readonly accepted: number;
  readonly received: number;
  readonly disordered: number;
}

/** Counts the messages between all pairs of nodes that are up, as their last views tell. */
export function streams(model: ClusterModel): StreamCount[] {
  const live = [...model.nodes.values()].filter(({ state }) => state === "up");
  return live.flatMap((sender) =>
    live.filter((receiver) => receiver !== sender).map((receiver) => streamBetween(sender, receiver))
  );
}

function streamBetween(sender: NodeModel, receiver: NodeModel): StreamCount {
  const outgoing = sender.view?.outgoing[receiver.name];
  const incoming = receiver.view?.incoming[sender.name];
  return {
    sender: sender.name,
    receiver: receiver.name,
    accepted: outgoing?.run === receiver.run ? outgoing.accepted : 0,
    received: incoming?.run === sender.run ? incoming.received : 0,
    disordered: incoming?.run === sender.run ? incoming.disordered : 0,
  };
}

/** Messages that were accepted but not received: lost or, as long as senders are not at rest, on their way. */
export function undelivered(model: ClusterModel): string[] {
  return streams(model).flatMap(({ sender, receiver, accepted, received }) =>
    received < accepted
      ? [`${accepted - received} of ${accepted} messages from ${sender} to ${receiver} were lost`]
      : []
  );
}

/** Pairs of nodes between which nothing was sent yet: they prove nothing. */
export function unused(model: ClusterModel): string[] {
  return streams(model).flatMap(({ sender, receiver, accepted }) =>
    accepted === 0 ? [`No message went from ${sender} to ${receiver}`] : []
  );
}

/** Messages that came twice, or after a later one. */
export function disordered(model: ClusterModel): string[] {
  return streams(model).flatMap(({ sender, receiver, disordered }) =>
    disordered > 0 ? [`${disordered} messages from ${sender} to ${receiver} came twice or out of order`] : []
  );
}

/** Senders that have not come to rest after `quiet`. */
export function restless(model: ClusterModel): string[] {
  return [...model.nodes.values()]
    .filter(({ state, view }) => state === "up" && !view?.quiet)
    .map(({ name }) => `${name} still sends`);
}

/** What a node must see of what was done to another one. */
export const consequences: Readonly<Record<Action["kind"], Observation["kind"] | undefined>> = {
  start: "up",
  kill: "down",
  pause: "down",
  resume: "up",
  leave: "leave",
  stop: undefined,
};

/**
 * What nodes that were up failed to see of the actions, and what they saw without a cause: nobody may see a
 * node down to which nothing was done, or see it down again once it saw it up.
 */
export function sightingFailures(model: ClusterModel): string[] {
  const watch = new Watch();
  for (const entry of model.log) {
    if (isObservation(entry)) watch.observe(entry);
    else watch.act(entry);
  }
  return [...watch.failures, ...watch.missing()];
}

/** Follows the log, and knows at any time who has to see what. */
class Watch {
  readonly failures: string[] = [];
  /** Nodes that run undisturbed. */
  readonly #up = new Set<string>();
  /** What each node must see of others next. */
  readonly #expected = new Map<string, Map<string, Observation["kind"]>>();
  /** Whom each node saw up, unless something was done to them since. */
  readonly #steady = new Map<string, Set<string>>();

  act({ kind, node }: Action): void {
    const consequence = consequences[kind];
    if (consequence === undefined) return;
    for (const observer of this.#up) {
      if (observer === node) continue;
      this.#expect(observer, node, consequence);
      this.#steady.get(observer)!.delete(node);
    }
    this.#expected.set(node, new Map());
    if (kind === "start") {
      this.#steady.set(node, new Set());
      for (const other of this.#up) this.#expect(node, other, "up");
    }
    if (kind === "start" || kind === "resume") this.#up.add(node);
    else this.#up.delete(node);
  }

  observe({ observer, kind, node }: Observation): void {
    if (kind === "exit") {
      this.failures.push(`${observer} exited unexpectedly`);
      this.#up.delete(observer);
      this.#expected.delete(observer);
    }
    if (node === undefined || !this.#up.has(observer)) return;
    const expected = this.#expected.get(observer)!;
    if (expected.get(node) === kind) expected.delete(node);
    const steady = this.#steady.get(observer)!;
    if (kind === "up") steady.add(node);
    if (kind === "down" && steady.delete(node)) this.failures.push(`${observer} saw ${node} down without a cause`);
  }

  missing(): string[] {
    return [...this.#expected].flatMap(([observer, nodes]) =>
      [...nodes].map(([node, kind]) => neverSaw(observer, node, kind))
    );
  }

  #expect(observer: string, node: string, kind: Observation["kind"]): void {
    const expected = this.#expected.get(observer)!;
    const missed = expected.get(node);
    if (missed !== undefined) this.failures.push(neverSaw(observer, node, missed));
    expected.set(node, kind);
  }
}

function neverSaw(observer: string, node: string, kind: Observation["kind"]): string {
  return `${observer} never saw ${node} ${kind}`;
}
