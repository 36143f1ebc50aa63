// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { StrategyContext } from "../../strategy/strategy.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { render } from "./render.ts";
import { type Check, demand, type Trial } from "./trial.ts";

/** Number of changed messages that are tried. */
const MUTATIONS = 300;

/** Checks on one node. */
export const LOCAL_CHECKS: readonly Check[] = [
  { name: "begins as a cluster of one", run: beginsAlone },
  { name: "does nothing when a node joins itself", run: joinsItself },
  { name: "compares memberships", run: compares },
  { name: "prunes nodes without a word", run: prunes },
  { name: "keeps a slot for a tag, and all its neighbours", run: reserves },
  { name: "goes on with its own snapshot", run: goesOn },
  { name: "refuses a snapshot that is not its own", run: refusesSnapshots },
  { name: "refuses malformed messages with a TypeError, and survives changed ones", run: refusesMessages },
];

function beginsAlone<State>({ cluster, contact }: Trial<State>): void {
  cluster.start(contact);
  demand(render(cluster.members(contact)) === render([contact]), () => `members() is ${cluster.members(contact)}`);
  demand(cluster.peers(contact).length === 0, () => `peers() is ${cluster.peers(contact)}`);
  cluster.run(10_000);
  demand(cluster.messages === 0, () => `${cluster.messages} messages were sent by a node that is alone`);
}

function joinsItself<State>({ cluster, strategy, contact }: Trial<State>): void {
  cluster.start(contact);
  const { state, outgoing } = strategy.join(cluster.state(contact), cluster.spec(contact), quiet(cluster.now));
  demand(outgoing.length === 0, () => `join() sends ${render(outgoing)}`);
  demand(strategy.members(state).length === 1, () => `members() is ${render(strategy.members(state))}`);
}

function compares<State>(trial: Trial<State>): void {
  const { cluster, strategy, contact } = trial.form();
  const state = cluster.state(contact);
  const members = strategy.members(state);
  const same = strategy.compare(state, members);
  demand(same.joiners.length + same.leavers.length === 0, () => `with members() itself, compare() is ${render(same)}`);
  const leaver = members.find(({ name }) => name !== contact)!;
  const joiner = { ...leaver, name: "an unknown node" };
  const { joiners, leavers } = strategy.compare(state, [...members.filter((node) => node !== leaver), joiner]);
  demand(render(joiners) === render([joiner]), () => `joiners is ${render(joiners)}, expected ${render([joiner])}`);
  demand(render(leavers) === render([leaver]), () => `leavers is ${render(leavers)}, expected ${render([leaver])}`);
}

function prunes<State>(trial: Trial<State>): void {
  const { cluster, strategy, options: { names } } = trial.form();
  const { prune } = strategy;
  if (prune === undefined) return;
  const gone = names.at(-1)!;
  cluster.kill(gone);
  trial.settle();
  for (const name of cluster.alive) {
    const pruned = prune(cluster.state(name), [cluster.spec(gone)], quiet(cluster.now));
    demand(pruned.outgoing.length === 0, () => `prune() sends ${render(pruned.outgoing)}`);
    cluster.prune(name, [gone]);
  }
  trial.expectGone([gone]);
  // What was under way may have brought it back to some.
  cluster.run(1_000);
  for (const name of cluster.alive) cluster.prune(name, [gone]);
  trial.settle();
  trial.expectGone([gone]);
  trial.expectOneCluster();
}

function reserves<State>(trial: Trial<State>): void {
  const { cluster, strategy, contact } = trial.form();
  const state = cluster.state(contact);
  const reserved = strategy.reserve(state, "printer");
  if (reserved === null) return;
  const again = strategy.reserve(reserved, "printer");
  demand(again !== null, () => "reserve() has no slot left for a tag for which it keeps one already");
  for (const look of ["members", "peers"] as const) {
    const [before, after] = [render(strategy[look](state)), render(strategy[look](reserved))];
    demand(before === after, () => `${look}() is ${after} after reserve(), expected ${before}`);
  }
}

function goesOn<State>(trial: Trial<State>): void {
  const { cluster, strategy, options: { names } } = trial.form();
  for (const name of names) {
    const spec = { ...cluster.spec(name), incarnation: cluster.spec(name).incarnation + 1 };
    const { state } = strategy.init(spec, quiet(cluster.now), strategy.snapshot(cluster.state(name)));
    const members = strategy.members(state).map((node) => node.name);
    for (const peer of [name, ...cluster.peers(name)]) {
      demand(members.includes(peer), () => `members() of "${name}" misses "${peer}" after init() with its snapshot`);
    }
    const self = strategy.members(state).find((node) => node.name === name);
    demand(self?.incarnation === spec.incarnation, () => `after init() with its snapshot "${name}" is its former self`);
  }
}

function refusesSnapshots<State>({ cluster, strategy, contact }: Trial<State>): void {
  cluster.start(contact);
  for (const junk of JUNK) {
    const refused = expectTypeError("init()", () => strategy.init(cluster.spec(contact), quiet(cluster.now), junk));
    demand(refused, () => `init() takes ${render(junk)} for a snapshot`);
  }
}

function refusesMessages<State>(trial: Trial<State>): void {
  const { cluster, strategy, contact, random, messages, options: { names } } = trial.form();
  const from = cluster.spec(names.at(-1)!);
  const take = (message: unknown) =>
    strategy.handleMessage(cluster.state(contact), from, message, quiet(cluster.now, cluster.peers(contact)));
  for (const junk of JUNK) {
    const refused = expectTypeError("handleMessage()", () => take(junk));
    demand(refused, () => `handleMessage() takes ${render(junk)} for a message`);
  }
  for (let count = 0; count < MUTATIONS && messages.length > 0; count++) {
    const mutated = mutate(random.pick(messages), random);
    expectTypeError(`handleMessage() with ${render(mutated)}`, () => take(mutated));
  }
}

/** Whether `call` throws a `TypeError`; anything else that it throws is thrown on. */
function expectTypeError(what: string, call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    if (error instanceof TypeError) return true;
    throw new Error(`${what} throws ${error}, expected a TypeError`, { cause: error });
  }
}

const JUNK: readonly unknown[] = [
  ...[null, true, -1, 0.5, 2 ** 60, NaN, "", "junk", [], {}],
  ...[new Uint8Array(9), [[]], [null], { type: "junk" }, { kind: 99 }, { type: null, nodes: "junk" }],
];

/** A copy of a message in which one value, at any depth, is another one or missing. */
function mutate(value: unknown, random: SeededRandom): unknown {
  const isContainer = typeof value === "object" && value !== null && !(value instanceof Uint8Array);
  if (!isContainer || Object.keys(value).length === 0 || random.next() < 0.1) return random.pick(JUNK);
  const key = random.pick(Object.keys(value));
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const fields = copy as Record<string, unknown>;
  if (random.next() < 0.1) {
    if (Array.isArray(copy)) copy.splice(Number(key), 1);
    else delete fields[key];
  } else fields[key] = mutate(fields[key], random);
  return copy;
}

/** The surroundings of a step outside of the simulated time. */
function quiet(now: number, connected: readonly string[] = []): StrategyContext {
  return { now, random: () => 0.5, connected: new Set(connected) };
}
