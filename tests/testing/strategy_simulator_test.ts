// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import type { NodeSpec } from "@partisan/peer-service/membership";
import type { Outgoing, Strategy, Transition } from "@partisan/peer-service/strategy";
import { StrategySimulator, type StrategySimulatorOptions } from "@partisan/peer-service/testing";

interface Log {
  readonly self: NodeSpec;
  readonly peers: readonly NodeSpec[];
  readonly lines: readonly string[];
}

/** Writes down what happens; does what `act` says when it joins, and answers what it is told. */
function recorder(act: (peer: NodeSpec) => { peers?: readonly NodeSpec[]; outgoing?: readonly Outgoing[] }) {
  const log = (state: Log, line: string): Transition<Log> => ({
    state: { ...state, lines: [...state.lines, line] },
    outgoing: [],
  });
  const strategy: Strategy<Log> = {
    name: "recorder",
    init: (self, _context, snapshot) => ({
      state: { self, peers: [], lines: snapshot === undefined ? [] : ["remembers"] },
      outgoing: [],
    }),
    join(state, peer) {
      const { peers = [], outgoing = [] } = act(peer);
      return { state: { ...log(state, `join ${peer.name}`).state, peers }, outgoing };
    },
    leave: (state) => ({ state, outgoing: [] }),
    up: (state, peer, { connected }) => log(state, `up ${peer.name}${connected.has(peer.name) ? "" : "?"}`),
    down: (state, peer, { connected }) => log(state, `down ${peer.name}${connected.has(peer.name) ? "?" : ""}`),
    periodic: (state) => ({ state, outgoing: [] }),
    handleMessage(state, from, message) {
      const { state: next } = log(state, `${from.name}: ${message}`);
      return { state: next, outgoing: message === "hi" ? [{ to: from, message: "hello" }] : [] };
    },
    members: ({ self, peers }) => [self, ...peers],
    peers: ({ peers }) => peers,
    snapshot: () => "all",
  };
  return strategy;
}

function two(strategy: Strategy<Log>, options: StrategySimulatorOptions = {}): StrategySimulator<Log> {
  const cluster = new StrategySimulator(strategy, options);
  cluster.start("a");
  cluster.start("b", { join: "a" });
  return cluster;
}

Deno.test("StrategySimulator closes a connection that no node wants, after what was said on it", () => {
  const cluster = two(recorder((peer) => ({ outgoing: [{ to: peer, message: "hi" }] })));
  cluster.run(5_000);
  assertEquals(cluster.state("a").lines, ["up b", "b: hi", "down b"]);
  assertEquals(cluster.state("b").lines, ["up a", "join a", "a: hello", "down a"]);
  assertEquals(cluster.messages, 2);
});

Deno.test("StrategySimulator keeps a connection that either end wants", () => {
  const cluster = two(recorder((peer) => ({ peers: [peer] })));
  cluster.run(5_000);
  assertEquals(cluster.state("a").lines, ["up b"]);
  assertEquals(cluster.neighbours("a"), ["b"]);
  assertEquals(cluster.neighbours("b"), ["a"]);
  assert(cluster.isConnected());
});

Deno.test("StrategySimulator delivers in order, however long each message takes", () => {
  const outgoing = (to: NodeSpec) => Array.from({ length: 50 }, (_, index) => ({ to, message: index }));
  const cluster = two(recorder((peer) => ({ peers: [peer], outgoing: outgoing(peer) })), { latency: [1, 500] });
  cluster.run(5_000);
  assertEquals(cluster.state("a").lines.slice(1), Array.from({ length: 50 }, (_, index) => `b: ${index}`));
});

Deno.test("StrategySimulator opens a connection for a message to a node that is not connected", () => {
  const cluster = new StrategySimulator(recorder((peer) => ({
    outgoing: [{ to: { ...peer, name: "c", addresses: [{ hostname: "c.test", port: 1 }] }, message: "hi" }],
  })));
  cluster.start("c");
  cluster.start("a");
  cluster.start("b", { join: "a" });
  cluster.run(5_000);
  assertEquals(cluster.state("c").lines, ["up b", "b: hi", "down b"]);
});

Deno.test("StrategySimulator redials a wanted node, at the address that is known of it", () => {
  const cluster = two(recorder((peer) => ({ peers: [peer] })));
  cluster.run(1_000);
  cluster.kill("a");
  cluster.run(1_000);
  assertEquals(cluster.state("b").lines.at(-1), "down a");
  cluster.start("a", { keepAddress: true, remember: true });
  cluster.run(20_000);
  assertEquals(cluster.state("a").lines, ["remembers", "up b"]);
  assertEquals(cluster.state("b").lines.at(-1), "up a");
  cluster.kill("a");
  cluster.start("a");
  cluster.run(20_000);
  assertEquals(cluster.state("a").lines, []);
  assertEquals(cluster.spec("a").incarnation, 3);
});

Deno.test("StrategySimulator tells who cannot be reached only if it is asked to", () => {
  for (const tellUnreachable of [false, true]) {
    const cluster = two(recorder((peer) => ({ peers: [peer] })), { tellUnreachable });
    cluster.run(1_000);
    cluster.kill("a");
    cluster.run(10_000);
    const downs = cluster.state("b").lines.filter((line) => line === "down a").length;
    assertEquals(downs > 1, tellUnreachable);
  }
});

Deno.test("StrategySimulator.partition() breaks what crosses it until heal()", () => {
  const cluster = two(recorder((peer) => ({ peers: [peer] })));
  cluster.run(1_000);
  cluster.partition([["a"]]);
  cluster.run(10_000);
  assertEquals(cluster.neighbours("a"), []);
  assertFalse(cluster.isConnected());
  cluster.heal();
  cluster.run(10_000);
  assertEquals(cluster.state("b").lines, ["up a", "join a", "down a", "up a"]);
});

Deno.test("StrategySimulator.join() goes on until the contact is reached", () => {
  const cluster = new StrategySimulator(recorder((peer) => ({ peers: [peer] })));
  cluster.start("a");
  cluster.start("b");
  cluster.partition([["a"]]);
  cluster.join("b", "a");
  cluster.run(10_000);
  assertEquals(cluster.state("b").lines, []);
  cluster.heal();
  cluster.run(5_000);
  assertEquals(cluster.neighbours("a"), ["b"]);
});

Deno.test("StrategySimulator gives the same run for the same seed, and another one for another", () => {
  const outgoing = (to: NodeSpec) => Array.from({ length: 9 }, (_, index) => ({ to, message: index }));
  const time = (seed: number) => {
    const cluster = two(recorder((peer) => ({ peers: [peer], outgoing: outgoing(peer) })), { seed });
    while (cluster.state("a").lines.length < 10) cluster.run(1);
    return cluster.now;
  };
  assertEquals(time(1), time(1));
  assertEquals([2, 3, 4].every((seed) => time(seed) === time(1)), false);
});

Deno.test("StrategySimulator says what it cannot do", () => {
  const cluster = two(recorder(() => ({})));
  assertThrows(() => cluster.start("a"), TypeError, 'Cannot start "a": it is running');
  assertThrows(() => cluster.kill("z"), TypeError, 'Cannot find node "z": it was never started');
  cluster.kill("a");
  assertThrows(() => cluster.kill("a"), TypeError, 'Cannot use node "a": it is not running');
});

Deno.test("StrategySimulator.prune() says when a strategy has no prune()", () => {
  const cluster = two(recorder(() => ({})));
  assertThrows(() => cluster.prune("a", ["b"]), TypeError, 'Cannot prune: the strategy "recorder" has no prune()');
});
