// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Fault } from "../../testing/fault.ts";
import { DEFAULT_RETRANSMISSION } from "../../messaging/retransmission.ts";
import { planFaults } from "../../testing/fault_plan.ts";
import { SeededRandom } from "../../testing/seeded_random.ts";
import type { SimulatedClusterOptions, SimulatedNodeOptions } from "../../testing/simulated_cluster_options.ts";
import { type Latency, uniformLatency } from "../../transport/memory/memory_links.ts";
import { type Operation, planOperations } from "./operation.ts";
import { drawOverlay, FULL_MESH, type Overlay } from "./overlay.ts";

/** The channels of a run. */
export type Channels = Readonly<Record<string, { readonly parallelism: number; readonly monotonic?: boolean }>>;

/** Something that is done to the cluster, and can be left out of a run. */
export type Disturbance = Fault | Operation;

/** All that a seed decides about a run before it begins. */
export interface Scenario {
  readonly seed: number;
  readonly names: readonly string[];
  readonly overlay: Overlay;
  readonly preset: keyof typeof PACES;
  readonly cluster: SimulatedClusterOptions;
  readonly channels: Channels;
  readonly disturbances: readonly Disturbance[];
  /** Milliseconds of trouble. */
  readonly duration: number;
  /** Milliseconds between two messages of one node, on average. */
  readonly pause: number;
  /** Milliseconds in which messages between healthy nodes arrive. */
  readonly arrival: number;
  /** Milliseconds in which what is guaranteed arrives. */
  readonly delivery: number;
  /** Milliseconds in which a cluster must be whole again once nothing disturbs it. */
  readonly recovery: number;
}

type Pace = Pick<Scenario, "duration" | "pause" | "arrival" | "delivery" | "recovery">;

/** Presets, how long to disturb them, and what recovery takes: see `docs/testing.md`. */
const PACES = {
  local: { duration: 4_000, pause: 40, arrival: 1_000, delivery: 6_000, recovery: 6_000 },
  lan: { duration: 12_000, pause: 200, arrival: 1_000, delivery: 15_000, recovery: 15_000 },
} as const;

/** The first of the seeds that play over an overlay with partial views. Those below it play over a full mesh. */
export const OVERLAY_SEEDS = 2 ** 40;

/** Makes a scenario of a seed. */
export function scenarioOf(seed: number): Scenario {
  const random = new SeededRandom(seed).fork("scenario");
  const overlay = seed < OVERLAY_SEEDS ? FULL_MESH : drawOverlay(new SeededRandom(seed).fork("overlay"));
  const size = overlay.isFullMesh ? 3 + random.int(3) : 5 + random.int(8);
  const names = Array.from({ length: size }, (_, index) => `n${index + 1}`);
  const preset = random.int(8) === 0 ? "lan" : "local";
  const pace = overlay.isFullMesh ? PACES[preset] : overOverlay(PACES[preset]);
  const channels = {
    default: { parallelism: 1, maxQueuedBytes: 65_536 },
    bulk: { parallelism: 1 + random.int(3), maxQueuedBytes: 65_536, compression: random.int(10) === 0 },
    ...(random.int(3) === 0 && { state: { parallelism: 1, maxQueuedBytes: 65_536, monotonic: true } }),
  };
  const options: SimulatedNodeOptions = {
    preset,
    channels,
    treeRefreshInterval: pace.duration / 4,
    ...(random.int(6) === 0 && { secret: "s3cret" }),
  };
  const operations = planOperations(random.fork("operations"), names, pace.duration);
  const faults = planFaults(random.fork("faults"), {
    nodes: names,
    duration: pace.duration,
    count: 2 + random.int(10),
  }).filter((fault) => !isHopeless(fault, operations, pace.recovery));
  return {
    seed,
    names,
    overlay,
    preset,
    cluster: {
      seed,
      latency: drawLatency(random),
      resolution: 0.5,
      windowBytes: 1 << (13 + random.int(5)),
      disks: random.int(2) === 0,
      options: overlay.isFullMesh
        ? options
        : (name) => ({ ...options, strategy: overlay.strategy(names), metadata: overlay.metadata(name) }),
    },
    channels,
    disturbances: [...faults, ...operations].sort((a, b) => a.at - b.at),
    ...pace,
  };
}

/** Links between two nodes at most, where others pass on what they say to each other: half of a ring of 12 nodes. */
const LINKS_MAX = 6;

/** Milliseconds that bytes are under way along one link at most, if nothing is wrong. */
export const LATENCY_MAX_MS = 200;

/**
 * Waits for a neighbour that went down, in terms of the time since then: they double, and chance makes each 0.5 to 1.5 times as long. So the
 * shortest ones so far were together a third of the longest next one, and a cut that lasted as long as the trouble is found to be over within three times that.
 */
const RETRIES = 3;

/**
 * A pace for more nodes: as many messages of all of them together. Others pass messages on. A neighbour is tried again after ever longer waits.
 * A message may wait for the longest of all waits between two repetitions, as no connection that opens has it repeated at once; and twice as long
 * for one that comes before it in a causal order, of which others have told.
 */
function overOverlay({ duration, pause, arrival, delivery, recovery }: Pace): Pace {
  return {
    duration,
    pause: 2 * pause,
    arrival: arrival + LINKS_MAX * LATENCY_MAX_MS,
    delivery: delivery + 3 * DEFAULT_RETRANSMISSION.cap,
    recovery: recovery + RETRIES * duration,
  };
}

/**
 * A node whose clock lags behind that of its last incarnation, which has left, seems to be an even earlier incarnation. A node that remembers the last one
 * may tell it to stop, or take what it broadcasts for old, until its clock has caught up.
 */
function isHopeless(fault: Fault, operations: readonly Operation[], recovery: number): boolean {
  if (fault.kind !== "skew" || Math.abs(fault.ms) <= recovery / 2) return false;
  return operations.some(({ kind, node }) => node === fault.node && (kind === "leave" || kind === "remove"));
}

function drawLatency(random: SeededRandom): Latency {
  switch (random.int(4)) {
    case 0:
      return 0.5;
    case 1:
      return uniformLatency(0.5, 5);
    case 2:
      return uniformLatency(5, 50);
    default:
      // Mostly quick, now and then very late.
      return (source) => source.next() < 0.98 ? 1 + 2 * source.next() : LATENCY_MAX_MS * source.next();
  }
}

/** Whether a disturbance is something that people do, and not a fault. */
export function isOperation(disturbance: Disturbance): disturbance is Operation {
  return ["inject", "leave", "remove", "stop"].includes(disturbance.kind);
}
