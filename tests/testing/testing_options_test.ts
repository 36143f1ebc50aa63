// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { fullMesh } from "../../strategy/mod.ts";
import {
  type FaultPlanOptions,
  planFaults,
  SeededRandom,
  SimulatedCluster,
  type SimulatedClusterOptions,
  SimulatedWorld,
  type SimulatedWorldOptions,
  type StartNodeOptions,
  type StartOptions,
  strategyChecks,
  StrategySimulator,
  type StrategySimulatorOptions,
  type StrategyTestOptions,
  testStrategy,
} from "../../testing/mod.ts";
import { assertRefuses, type Refused, type Refusing } from "../refused_options.ts";

const CUT: readonly Refused[] = [
  [{ connects: "refused" }, TypeError, '"connects" is "refused", expected "hang" or "refuse"'],
];
const CRASH: readonly Refused[] = [[{ reset: 1 }, TypeError, '"reset" is 1, expected a boolean']];
const WORLD: readonly Refused[] = [
  [{ seed: [1] }, TypeError, '"seed" is an array, expected a string or a number'],
  [{ latency: "5" }, TypeError, '"latency" is "5", expected a number or a function'],
  [{ resolution: "1" }, TypeError, '"resolution" is "1", expected a number'],
  [{ retransmission: true }, TypeError, '"retransmission" is true, expected an object or false'],
  [{ windowBytes: "1" }, TypeError, '"windowBytes" is "1", expected a number'],
  [{ trace: [] }, TypeError, '"trace" is an array, expected a function'],
];
const STRATEGY_TEST: readonly Refused[] = [
  [{ names: "abcdef" }, TypeError, '"names" is "abcdef", expected a list of strings'],
  [{ seeds: 1 }, TypeError, '"seeds" is 1, expected a list of numbers'],
  [{ seeds: ["1"] }, TypeError, '"seeds" is an array, expected a list of numbers'],
  [{ metadata: {} }, TypeError, '"metadata" is an object, expected a function'],
  [{ knowsAll: 1 }, TypeError, '"knowsAll" is 1, expected a boolean'],
  [{ isSymmetric: "no" }, TypeError, '"isSymmetric" is "no", expected a boolean'],
  [{ settle: "60" }, TypeError, '"settle" is "60", expected a number'],
];

/** Functions of simulated nodes; `cluster` has a node "a" that runs. */
function simulating(cluster: SimulatedCluster): Refusing[] {
  return [
    {
      call: (options) => new SimulatedWorld(options as SimulatedWorldOptions),
      action: "Cannot make a world",
      option: "seed",
      refused: WORLD,
    },
    {
      call: (options) => SimulatedCluster.start(options as SimulatedClusterOptions),
      rejects: true,
      action: "Cannot make a cluster",
      option: "nodes",
      refused: [
        ...WORLD,
        [{ nodes: "a" }, TypeError, '"nodes" is "a", expected a number or a list of strings'],
        [{ options: "lan" }, TypeError, '"options" is "lan", expected an object or a function'],
        [{ disks: 1 }, TypeError, '"disks" is 1, expected a boolean'],
        [{ setup: {} }, TypeError, '"setup" is an object, expected a function'],
      ],
    },
    {
      call: (options) => cluster.startNode("b", options as StartNodeOptions),
      rejects: true,
      action: 'Cannot start node "b"',
      option: "join",
      refused: [[{ join: true }, TypeError, '"join" is true, expected the name of a node or false']],
    },
    {
      call: (options) => cluster.crash("a", options as { reset: boolean }),
      action: 'Cannot crash "a"',
      option: "reset",
      refused: CRASH,
    },
    {
      call: (options) => cluster.world.crash("a", options as { reset: boolean }),
      action: 'Cannot crash "a"',
      option: "reset",
      refused: CRASH,
    },
    {
      call: (options) => cluster.cut("a", "a", options as { connects: "hang" }),
      action: "Cannot cut",
      option: "connects",
      refused: CUT,
    },
    {
      call: (options) => cluster.cutOneWay("a", "a", options as { connects: "hang" }),
      action: "Cannot cut",
      option: "connects",
      refused: CUT,
    },
  ];
}

const OF_STRATEGIES: readonly Refusing[] = [
  {
    call: (options) => planFaults(new SeededRandom(1), options as FaultPlanOptions),
    action: "Cannot plan faults",
    option: "nodes",
    refused: [
      [undefined, TypeError, '"nodes" is undefined, expected a list of strings'],
      [{ nodes: 3, duration: 5 }, TypeError, '"nodes" is 3, expected a list of strings'],
      [{ nodes: ["a", "b"] }, TypeError, '"duration" is undefined, expected a number'],
      [{ nodes: ["a", "b"], duration: 5, count: "1" }, TypeError, '"count" is "1", expected a number'],
      [{ nodes: ["a", "b"], duration: 5, longest: "1" }, TypeError, '"longest" is "1", expected a number'],
      [
        { nodes: ["a", "b"], duration: 5, kinds: ["cuts"] },
        TypeError,
        '"kinds" is an array, expected a list of some of',
      ],
      [
        { nodes: ["a", "b"], duration: 5, kinds: [] },
        TypeError,
        '"kinds" is an array, expected a list of some of cut, ',
      ],
    ],
  },
  {
    call: (options) => new StrategySimulator(fullMesh(), options as StrategySimulatorOptions),
    action: "Cannot simulate a strategy",
    option: "seed",
    refused: [
      [{ seed: 1n }, TypeError, '"seed" is a bigint, expected a string or a number'],
      [{ interval: "1" }, TypeError, '"interval" is "1", expected a number'],
      [{ interval: 0 }, RangeError, "interval is 0, expected above 0"],
      [{ latency: 5 }, TypeError, '"latency" is 5, expected a list of two numbers'],
      [{ latency: [5] }, TypeError, '"latency" is an array, expected a list of two numbers'],
      [{ notice: "1" }, TypeError, '"notice" is "1", expected a number'],
      [{ tellUnreachable: 1 }, TypeError, '"tellUnreachable" is 1, expected a boolean'],
      [{ metadata: {} }, TypeError, '"metadata" is an object, expected a function'],
      [{ onMessage: true }, TypeError, '"onMessage" is true, expected a function'],
    ],
  },
  {
    call: (options) => new StrategySimulator(fullMesh()).start("a", options as StartOptions),
    action: 'Cannot start "a"',
    option: "join",
    refused: [
      [{ join: false }, TypeError, '"join" is false, expected a string'],
      [{ remember: 1 }, TypeError, '"remember" is 1, expected a boolean'],
      [{ keepAddress: 1 }, TypeError, '"keepAddress" is 1, expected a boolean'],
    ],
  },
  ...[strategyChecks, testStrategy].map((test): Refusing => ({
    call: (options) => test(fullMesh, options as StrategyTestOptions),
    action: "Cannot test a strategy",
    option: "seeds",
    refused: STRATEGY_TEST,
  })),
];

Deno.test("The options of simulated clusters are refused where they can be none, and nothing has happened then", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a"] });
  const before = cluster.world.historyHash;
  for (const each of simulating(cluster)) await assertRefuses(each);
  assertEquals([cluster.names, cluster.has("b"), cluster.world.historyHash], [["a"], false, before]);
  assertEquals(cluster.world.network.isCut("a", "a"), false);
});

Deno.test("The options of tests of strategies are refused where they can be none", async () => {
  for (const each of OF_STRATEGIES) await assertRefuses(each);
  assertThrows(() => planFaults(new SeededRandom(1), { nodes: ["a"], duration: 5 }), RangeError, "1 nodes");
});

Deno.test("Options of simulations that are undefined, and none at all, are as if they were not given", async () => {
  const world = {
    seed: undefined,
    latency: undefined,
    resolution: undefined,
    windowBytes: undefined,
    trace: undefined,
  };
  const nothing = { ...world, retransmission: undefined, nodes: undefined, disks: undefined, misspelt: undefined };
  const untyped = nothing as unknown as Record<string, never>;
  for (const options of [undefined, untyped, Object.create(untyped)]) {
    await using cluster = await SimulatedCluster.start(options);
    assertEquals(cluster.names, ["n1", "n2", "n3"]);
    await cluster.startNode("n4", options);
    cluster.cut("n1", undefined, options);
    cluster.crash("n1", options);
    new StrategySimulator(fullMesh(), options).start("a", options);
  }
  await using _cluster = new SimulatedCluster({ nodes: 2, retransmission: false, options: () => ({}), latency: 1 });
});
