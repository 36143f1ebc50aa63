// Copyright 2026 the Partisan peer-service authors. MIT license.

import { render } from "./render.ts";
import { type Check, demand, type Trial } from "./trial.ts";

/** Checks on a cluster in which nothing fails. */
export const CLUSTER_CHECKS: readonly Check[] = [
  {
    name: "is pure: it changes nothing that it is given, and answers alike to the same",
    isThorough: true,
    run: isPure,
  },
  { name: "is deterministic: the same chance gives the same run", run: isDeterministic },
  { name: "makes one cluster of nodes that join one after another", run: joinsInTurn },
  { name: "makes one cluster of nodes that join all at once", run: joinsAtOnce },
  { name: "makes one cluster of two", run: joinsClusters },
  { name: "takes joins that are repeated, and those that go both ways", run: joinsAgain },
  { name: "forgets a node that leaves", run: leaves },
  { name: "forgets a node that another one removes, and tells it", run: removes },
  { name: "begins alone with what a node knew that had left", run: leavesForGood },
  { name: "lets a node leave right after it joined", run: leavesSoon },
  { name: "takes a node that left back, in its next incarnation", run: comesBack },
];

/** Number of comparisons of two runs: their totals could be equal by chance. */
const LOOKS = 10;

function isPure<State>({ cluster, strategy, contact, options: { names } }: Trial<State>): void {
  const few = names.slice(0, 6);
  for (const name of few) cluster.start(name, { join: name === contact ? undefined : contact });
  cluster.run(5_000);
  const [leaver, crasher, removed] = few.slice(-3) as [string, string, string];
  cluster.leave(leaver);
  cluster.kill(crasher);
  cluster.leave(removed, contact);
  cluster.run(5_000);
  cluster.start(crasher, { join: contact, remember: true });
  cluster.run(2_000);
  if (strategy.prune !== undefined) cluster.prune(contact, [crasher]);
}

function isDeterministic<State>(trial: Trial<State>, another: () => Trial<State>): void {
  const pictures = [trial, another()].map((each) => {
    const { cluster } = each.form();
    const messages = Array.from({ length: LOOKS }, () => {
      cluster.run(1_000);
      return cluster.messages;
    });
    return `${messages.join(", ")} messages, ${render(cluster.alive.map((name) => cluster.memberSpecs(name)))}`;
  });
  demand(pictures[0] === pictures[1], () => `two runs with the same seed differ: ${pictures.join(" and ")}`);
}

function joinsInTurn<State>(trial: Trial<State>): void {
  trial.form().expectOneCluster();
}

function joinsAtOnce<State>(trial: Trial<State>): void {
  trial.form(0).expectOneCluster();
}

function joinsClusters<State>(trial: Trial<State>): void {
  const { cluster, contact, options: { names } } = trial;
  const half = names.length >> 1;
  for (const [index, name] of names.entries()) {
    const isFounder = index === 0 || index === half;
    cluster.start(name, { join: isFounder ? undefined : index < half ? contact : names[half]! });
    cluster.run(500);
  }
  trial.settle();
  cluster.join(names.at(-1)!, contact);
  trial.settle();
  trial.expectOneCluster();
}

function joinsAgain<State>(trial: Trial<State>): void {
  const { cluster, contact, options: { names } } = trial.form();
  for (const name of names.slice(1)) {
    cluster.join(name, contact);
    cluster.join(contact, name);
    cluster.join(name, contact);
  }
  trial.settle();
  trial.expectOneCluster();
}

function leaves<State>(trial: Trial<State>): void {
  const { cluster, options: { names } } = trial.form();
  const gone = names.at(-1)!;
  cluster.leave(gone);
  const members = cluster.members(gone);
  demand(!members.includes(gone), () => `members() of "${gone}" has itself after it left`);
  expectForgotten(trial, [gone]);
  for (const name of cluster.alive) {
    const knows = trial.strategy.hasLeft(cluster.state(name), cluster.spec(gone));
    demand(knows, () => `hasLeft() of "${name}" does not know that "${gone}" left`);
  }
}

function leavesForGood<State>(trial: Trial<State>): void {
  const { cluster, strategy, options: { names } } = trial.form();
  const gone = names.at(-1)!;
  cluster.leave(gone);
  const snapshot = strategy.snapshot(cluster.state(gone));
  const spec = { ...cluster.spec(gone), incarnation: cluster.spec(gone).incarnation + 1 };
  const { state } = strategy.init(spec, { now: cluster.now, random: () => 0.5, connected: new Set() }, snapshot);
  const members = strategy.members(state).map(({ name }) => name);
  demand(members.join() === gone, () => `members() is ${members} after init() with what a node knew that left`);
}

function removes<State>(trial: Trial<State>): void {
  const { cluster, contact, options: { names } } = trial.form();
  const gone = names.at(-1)!;
  cluster.leave(gone, contact);
  expectForgotten(trial, [gone]);
}

function leavesSoon<State>(trial: Trial<State>): void {
  const { cluster, contact, random, options: { names } } = trial;
  const gone = names.slice(-2);
  for (const name of names) {
    cluster.start(name, { join: name === contact ? undefined : contact });
    cluster.run(200);
    if (!gone.includes(name)) continue;
    cluster.run(random.int(300));
    cluster.leave(name);
  }
  expectForgotten(trial, gone);
}

function comesBack<State>(trial: Trial<State>): void {
  const { cluster, contact, options: { names } } = trial.form();
  const name = names.at(-1)!;
  cluster.leave(name);
  trial.settle();
  cluster.start(name, { join: contact });
  trial.settle();
  trial.expectOneCluster();
  demand(cluster.alive.length === names.length, () => `only ${cluster.alive} are running`);
}

/** Demands that those nodes stop, are not known to any node, and never come back. */
function expectForgotten<State>(trial: Trial<State>, gone: readonly string[]): void {
  for (let count = 0; count < 2; count++) {
    trial.settle();
    const { alive } = trial.cluster;
    for (const name of gone) demand(!alive.includes(name), () => `"${name}" does not know that it was removed`);
    trial.expectGone(gone);
    trial.expectOneCluster();
  }
}
