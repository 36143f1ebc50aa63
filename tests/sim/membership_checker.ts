// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Dot } from "../../membership/dot.ts";
import type { MembershipSet } from "../../membership/membership_set.ts";
import { membershipFromValue } from "../../membership/membership_value.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import type { Process, Run } from "./run.ts";
import { entryOf, present } from "../values.ts";

/** Knowledge of one replica of the membership about one name. */
interface Known {
  readonly dot: Dot;
  readonly present: boolean;
}

/**
 * No dot twice; every view is a join of what was ever added; no view forgets, or goes back: an incarnation that left never
 * returns to it.
 */
export class MembershipChecker {
  readonly #run: Run;
  /** Each addition that a node ever made, as text: what it said of itself. */
  readonly #added = new Map<string, string>();
  /** Knowledge that each replica had last, by name. A replica begins anew with each incarnation of its node. */
  readonly #known = new Map<string, Map<string, Known>>();
  /** The state in which a node was seen last. */
  readonly #seen = new Map<Process, Uint8Array>();
  readonly #shown = new Map<Process, string>();
  /** Specification of each node when it was last asked for it. */
  readonly #recorded = new Map<Process, NodeSpec>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Looks at all nodes: to be called often, and before a node dies. */
  sample(): void {
    const views = this.#run.processes.flatMap((process) => {
      const state = process.node.getLocalState();
      if (isEqual(state, this.#seen.get(process))) return [];
      this.#seen.set(process, state);
      return { process, set: membershipOf(state) };
    });
    for (const { process, set } of views) this.#takeAddition(process, set);
    for (const { process, set } of views) this.#look(process, set);
  }

  /** Takes note of what a node says of itself now. */
  record(process: Process): void {
    const { spec } = process.node;
    if (this.#recorded.get(process) === spec) return;
    this.#recorded.set(process, spec);
    this.#takeAddition(process, membershipOf(process.node.getLocalState()));
  }

  /** Takes what a node says of itself, which is true by definition; it may just not say it twice in different words. */
  #takeAddition({ node: { spec }, id }: Process, set: MembershipSet): void {
    const dot = set.newest(spec.name);
    if (dot === undefined || dot.incarnation !== spec.incarnation || !set.has(spec.name)) return;
    const key = dotKey(dot);
    const said = JSON.stringify(spec);
    const before = this.#added.get(key);
    if (before !== undefined && before !== said) this.#run.fail(`${id} used the dot ${key} twice`);
    this.#added.set(key, said);
  }

  #look(process: Process, set: MembershipSet): void {
    const replica = `${process.id}/${process.node.spec.incarnation}`;
    const known = this.#known.get(replica) ?? new Map<string, Known>();
    this.#known.set(replica, known);
    this.#show(process, set.members);
    for (const name of set.names) {
      const now: Known = { dot: present(set.newest(name)), present: set.has(name) };
      const before = known.get(name);
      known.set(name, now);
      if (now.present) this.#checkOrigin(process, now.dot, entryOf(set, name));
      if (before !== undefined) this.#checkProgress(process, before, now);
    }
    for (const name of known.keys()) {
      if (set.newest(name) === undefined) this.#run.fail(`${process.id} forgot all about ${name}`);
    }
  }

  #checkOrigin({ id }: Process, dot: Dot, spec: NodeSpec): void {
    const said = this.#added.get(dotKey(dot));
    if (said === undefined) this.#run.fail(`${id} has ${dotKey(dot)}, which no node ever added`);
    else if (said !== JSON.stringify(spec)) {
      this.#run.fail(`${id} has something else at ${dotKey(dot)} than was added: ${JSON.stringify(spec)}, not ${said}`);
    }
  }

  #checkProgress({ id }: Process, before: Known, now: Known): void {
    const order = now.dot.incarnation - before.dot.incarnation || now.dot.counter - before.dot.counter;
    if (order < 0) this.#run.fail(`${id} went back from ${dotKey(before.dot)} to ${dotKey(now.dot)}`);
    else if (order === 0 && now.present && !before.present) {
      this.#run.fail(`${id} has ${dotKey(now.dot)} again, which had left`);
    }
  }

  #show(process: Process, members: readonly NodeSpec[]): void {
    const text = members.map(({ name, incarnation }) => `${name}/${incarnation % 1_000_000}`).join(" ");
    if (this.#shown.get(process) === text) return;
    this.#shown.set(process, text);
    this.#run.timeline.note(process.id, `members: ${text}`);
  }
}

/** The replica in what a node says of its state. */
function membershipOf(state: Uint8Array): MembershipSet {
  const { snapshot } = decode(state) as { snapshot: unknown[] };
  return membershipFromValue(snapshot[1]);
}

function isEqual(state: Uint8Array, other: Uint8Array | undefined): boolean {
  if (other?.length !== state.length) return false;
  for (let index = 0; index < state.length; index++) if (state[index] !== other[index]) return false;
  return true;
}

function dotKey({ actor, incarnation, counter }: Dot): string {
  return `${actor}/${incarnation}/${counter}`;
}
