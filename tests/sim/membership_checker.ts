// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Dot } from "../../membership/dot.ts";
import type { MembershipSet } from "../../membership/membership_set.ts";
import { membershipFromValue } from "../../membership/membership_value.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import type { Life, Run } from "./run.ts";
import { entryOf, present } from "../values.ts";

/** What one replica of the membership last knew of one name. */
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
  /** What each replica knew last, by name. A replica begins anew with each incarnation of its node. */
  readonly #known = new Map<string, Map<string, Known>>();
  /** The state in which a node was seen last. */
  readonly #seen = new Map<Life, Uint8Array>();
  readonly #shown = new Map<Life, string>();
  /** What each node was when it was last asked what it says of itself. */
  readonly #recorded = new Map<Life, NodeSpec>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Looks at all nodes: to be called often, and before a node dies. */
  sample(): void {
    const views = this.#run.lives.flatMap((life) => {
      const state = life.node.getLocalState();
      if (isEqual(state, this.#seen.get(life))) return [];
      this.#seen.set(life, state);
      return { life, set: membershipOf(state) };
    });
    for (const { life, set } of views) this.#takeAddition(life, set);
    for (const { life, set } of views) this.#look(life, set);
  }

  /** Takes note of what a node says of itself now. */
  record(life: Life): void {
    const { spec } = life.node;
    if (this.#recorded.get(life) === spec) return;
    this.#recorded.set(life, spec);
    this.#takeAddition(life, membershipOf(life.node.getLocalState()));
  }

  /** What a node says of itself is true by definition; it may just not say it twice in different words. */
  #takeAddition({ node: { spec }, id }: Life, set: MembershipSet): void {
    const dot = set.newest(spec.name);
    if (dot === undefined || dot.incarnation !== spec.incarnation || !set.has(spec.name)) return;
    const key = dotKey(dot);
    const said = JSON.stringify(spec);
    const before = this.#added.get(key);
    if (before !== undefined && before !== said) this.#run.fail(`${id} used the dot ${key} twice`);
    this.#added.set(key, said);
  }

  #look(life: Life, set: MembershipSet): void {
    const replica = `${life.id}/${life.node.spec.incarnation}`;
    const known = this.#known.get(replica) ?? new Map<string, Known>();
    this.#known.set(replica, known);
    this.#show(life, set.members);
    for (const name of set.names) {
      const now: Known = { dot: present(set.newest(name)), present: set.has(name) };
      const before = known.get(name);
      known.set(name, now);
      if (now.present) this.#checkOrigin(life, now.dot, entryOf(set, name));
      if (before !== undefined) this.#checkProgress(life, before, now);
    }
    for (const name of known.keys()) {
      if (set.newest(name) === undefined) this.#run.fail(`${life.id} forgot all about ${name}`);
    }
  }

  #checkOrigin({ id }: Life, dot: Dot, spec: NodeSpec): void {
    const said = this.#added.get(dotKey(dot));
    if (said === undefined) this.#run.fail(`${id} has ${dotKey(dot)}, which nobody ever added`);
    else if (said !== JSON.stringify(spec)) {
      this.#run.fail(`${id} has something else at ${dotKey(dot)} than was added: ${JSON.stringify(spec)}, not ${said}`);
    }
  }

  #checkProgress({ id }: Life, before: Known, now: Known): void {
    const order = now.dot.incarnation - before.dot.incarnation || now.dot.counter - before.dot.counter;
    if (order < 0) this.#run.fail(`${id} went back from ${dotKey(before.dot)} to ${dotKey(now.dot)}`);
    else if (order === 0 && now.present && !before.present) {
      this.#run.fail(`${id} has ${dotKey(now.dot)} again, which had left`);
    }
  }

  #show(life: Life, members: readonly NodeSpec[]): void {
    const text = members.map(({ name, incarnation }) => `${name}/${incarnation % 1_000_000}`).join(" ");
    if (this.#shown.get(life) === text) return;
    this.#shown.set(life, text);
    this.#run.timeline.note(life.id, `members: ${text}`);
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
