// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A simulated cluster to test applications with: complete nodes in one process, in virtual time, with a network that can
 * be cut, clogged and healed. Needs no permissions, and the same seed gives the same run. `docs/testing.md` shows how to use it.
 *
 * @example A test of a counter that must survive a crash
 * ```ts
 * import { SimulatedCluster } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const counts = new Map<string, number>();
 * await using cluster = await SimulatedCluster.start({
 *   nodes: ["a", "b"],
 *   setup: (node) => node.register("count", () => counts.set(node.name, (counts.get(node.name) ?? 0) + 1)),
 * });
 * cluster.node("a").castMessage("b", "count", null);
 * await cluster.advance(100);
 * cluster.crash("b");
 * await cluster.startNode("b");
 * await cluster.settled();
 * cluster.node("a").castMessage("b", "count", null);
 * await cluster.advance(100);
 * assertEquals(counts.get("b"), 2);
 * ```
 *
 * @module
 */

export { SimulatedCluster } from "./simulated_cluster.ts";
export {
  type SimulatedClusterOptions,
  type SimulatedNodeOptions,
  type StartNodeOptions,
} from "./simulated_cluster_options.ts";
export { describeFault, type Fault, type FaultAction, type FaultKind, type Way } from "./fault.ts";
export { type FaultPlanOptions, planFaults } from "./fault_plan.ts";
export { Nemesis } from "./nemesis.ts";
export { SimulatedDns } from "./simulated_dns.ts";
export { SimulatedWorld, type SimulatedWorldOptions } from "./simulated_world.ts";
export { type SimulatedEvent } from "./simulated_event.ts";
export { SeededRandom } from "./seeded_random.ts";
export { VirtualClock, type VirtualEvent } from "./virtual_clock.ts";
export { type CutConnects, type Latency, uniformLatency } from "../transport/memory/memory_links.ts";
export { MemoryStore, memoryStore } from "./memory_store.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "../transport/memory/memory_transport.ts";
export { type MemoryNetworkObserver } from "../transport/memory/memory_host.ts";
export { type MemoryNetworkEvent } from "../transport/memory/memory_stream.ts";
export { StrategySimulator } from "./strategy_simulator.ts";
export { type StartOptions, type StrategySimulatorOptions } from "./strategy_simulator_options.ts";
export { type StrategyCheck, strategyChecks, type StrategyTestOptions, testStrategy } from "./test_strategy.ts";
