// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Check, demand, type Trial } from "./trial.ts";

/** Checks on a cluster in which nodes and connections fail. */
export const FAULT_CHECKS: readonly Check[] = [
  { name: "keeps the others together when nodes crash", run: crashes },
  { name: "takes a crashed node back under another address", run: restarts },
  { name: "finds together again after all nodes were restarted", run: restartsAll },
  { name: "forgets a crashed node that another one removes", run: removesCrashed },
  { name: "tells a node that was removed while it was down, when it comes back", run: removesAbsent },
  { name: "heals when the cluster was cut in two", run: heals },
  { name: "hears of those that left while the cluster was cut in two", run: leavesWhileCut },
  { name: "is one cluster again after anything that the nemesis does", run: survivesNemesis },
];

function crashes<State>(trial: Trial<State>): void {
  const { cluster, options: { names } } = trial.form();
  const crashed = names.slice(-Math.floor(names.length / 3));
  for (const name of crashed) cluster.kill(name);
  trial.settle();
  trial.expectOneCluster(crashed);
}

function restarts<State>(trial: Trial<State>): void {
  const { cluster, contact, options: { names } } = trial.form();
  const [remembering, blank, quick] = names.slice(-3) as [string, string, string];
  cluster.kill(remembering);
  cluster.kill(blank);
  trial.settle();
  cluster.start(remembering, { remember: true });
  cluster.start(blank, { join: contact });
  cluster.kill(quick);
  cluster.start(quick, { join: contact });
  trial.settle();
  trial.expectOneCluster();
}

function restartsAll<State>(trial: Trial<State>): void {
  const { cluster, options: { names } } = trial.form();
  for (const name of names) cluster.kill(name);
  cluster.run(5_000);
  for (const name of names) cluster.start(name, { remember: true, keepAddress: true });
  trial.settle();
  trial.expectOneCluster();
}

function removesCrashed<State>(trial: Trial<State>): void {
  const { cluster, contact, options: { names } } = trial.form();
  const gone = names.at(-1)!;
  cluster.kill(gone);
  cluster.run(5_000);
  cluster.leave(gone, contact);
  trial.settle();
  trial.expectGone([gone]);
  trial.expectOneCluster();
}

function removesAbsent<State>(trial: Trial<State>): void {
  const { cluster, contact, options: { names } } = trial.form();
  const gone = names.at(-1)!;
  cluster.kill(gone);
  cluster.run(5_000);
  cluster.leave(gone, contact);
  cluster.run(5_000);
  cluster.start(gone, { remember: true });
  trial.settle();
  demand(!cluster.alive.includes(gone), () => `"${gone}" does not know that it was removed`);
  trial.expectGone([gone]);
  trial.expectOneCluster();
}

function heals<State>(trial: Trial<State>): void {
  const { cluster } = trial.form();
  cluster.partition([trial.random.shuffle(cluster.alive).slice(cluster.alive.length >> 1)]);
  cluster.run(20_000);
  cluster.heal();
  trial.settle();
  trial.expectOneCluster();
}

function leavesWhileCut<State>(trial: Trial<State>): void {
  const { cluster, contact, random } = trial.form();
  const others = random.shuffle(cluster.alive.filter((name) => name !== contact));
  const half = others.splice(0, others.length >> 1);
  const banished = half[0]!;
  cluster.partition([half]);
  cluster.run(10_000);
  // A node that is alone on its side cannot tell any other.
  const isHeard = (name: string) => cluster.neighbours(name).some((other) => other !== banished);
  const gone = [others.find(isHeard), half.slice(1).find(isHeard)].filter((name) => name !== undefined);
  for (const name of gone) cluster.leave(name);
  cluster.leave(banished, contact);
  cluster.run(10_000);
  cluster.heal();
  trial.settle();
  demand(!cluster.alive.includes(banished), () => `"${banished}" does not know that it was removed`);
  trial.expectGone([...gone, banished]);
  trial.expectOneCluster();
}

const NEMESIS_STEPS = 40;

/** Random faults and changes for a while; then nothing fails any more. */
function survivesNemesis<State>(trial: Trial<State>): void {
  const { cluster, contact, random, options: { names } } = trial.form();
  const gone = new Set<string>();
  for (let step = 0; step < NEMESIS_STEPS; step++) {
    const { alive } = cluster;
    const victim = random.pick(alive.filter((name) => name !== contact));
    const idle = names.filter((name) => !alive.includes(name));
    const choice = random.int(6);
    if (choice === 0 && alive.length > names.length / 2) cluster.kill(victim);
    if (choice === 1 && gone.size < names.length / 4) {
      // When all who heard of it crash before they can tell, the others cannot know.
      cluster.heal();
      cluster.run(5_000);
      cluster.leave(victim, random.next() < 0.5 ? victim : contact);
      gone.add(victim);
      cluster.run(2_000);
    }
    if (choice === 2 && idle.length > 0) revive(trial, random.pick(idle), gone);
    if (choice === 3) cluster.partition([random.shuffle(names).slice(names.length >> 1)]);
    if (choice === 4) cluster.heal();
    if (choice === 5) cluster.join(victim, contact);
    cluster.run(random.int(5_000));
  }
  cluster.heal();
  cluster.run(2_000);
  for (const name of names) if (!cluster.alive.includes(name) && !gone.has(name)) revive(trial, name, gone);
  trial.settle();
  trial.expectGone([...gone]);
  trial.expectOneCluster();
}

function revive<State>({ cluster, contact, random }: Trial<State>, name: string, gone: Set<string>): void {
  cluster.start(name, { join: contact, remember: !gone.has(name) && random.next() < 0.5 });
  gone.delete(name);
}
