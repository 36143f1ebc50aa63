// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Strategy } from "../strategy/strategy.ts";
import { OverlayGraph } from "../testing/overlay_graph.ts";
import { SeededRandom } from "../testing/seeded_random.ts";
import { StrategySimulator } from "../testing/strategy_simulator.ts";
import { encode } from "../wire/message_pack_encode.ts";
import { packSpecs } from "../wire/packed_specs.ts";

/** An overlay to be measured. */
export interface Candidate {
  readonly name: string;
  readonly create: () => Strategy;
  /** Sizes that it is measured with, the least first. */
  readonly sizes: readonly number[];
  /** Whether each newcomer joins through a random node, as opposed to one and the same. */
  readonly hasRandomContacts: boolean;
  /** Milliseconds from one newcomer to the next, beyond the first 50. */
  readonly joinMs?: number;
  /** Number of peers of a node by the paper's law. */
  readonly law?: (size: number) => number;
  /** That law as a formula. */
  readonly lawName?: string;
  /** Shares of its nodes whose death it is to recover from, each in a cluster of its own; 0.8 unless told otherwise. */
  readonly killed?: readonly number[];
}

/** An overlay at rest. */
export interface Rest {
  readonly size: number;
  readonly peers: Spread;
  readonly links: Spread;
  readonly largestPart: number;
  readonly distance: { readonly mean: number; readonly greatest: number };
  readonly clustering: number;
  /** Of a flood along all links. */
  readonly redundancy: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Numbers in short. */
export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** Result of a flood some time after many nodes were killed at once. */
export interface Flood {
  /** Seconds after. */
  readonly seconds: number;
  /** The share of the nodes alive that it reached, from the largest part. */
  readonly reliability: number;
  readonly redundancy: number;
}

/** A frame is its length and kind, and what it carries. */
const FRAME_HEAD = 5;
/** Newcomers come 100 a second, and the first of them more slowly. */
const JOIN_MS = 10;
const FIRST_JOIN_MS = 500;
const FIRST_JOINS = 50;
/** Messages take so many milliseconds, as in one data centre: a newcomer has found its place before the next one comes. */
const LATENCY = [0.1, 1] as const;
const REST_MS = 60_000;
const MEASURED_MS = 20_000;
/** Distances are measured from so many nodes. */
const STARTS = 20;

/** A grown cluster, and what was sent in it. */
export class Specimen {
  readonly cluster: StrategySimulator;
  readonly #random: SeededRandom;
  #bytes = 0;
  #isCounting = false;

  /** Lets `size` nodes join one after another and waits for a minute. */
  constructor({ create, hasRandomContacts, joinMs }: Candidate, size: number) {
    this.#random = new SeededRandom(`overlays ${size}`);
    const strategy = create();
    this.cluster = new StrategySimulator(strategy, {
      seed: size,
      tellUnreachable: true,
      latency: LATENCY,
      onMessage: (message) => {
        if (this.#isCounting) {
          this.#bytes += FRAME_HEAD + encode(strategy.isFullMesh ? message : packSpecs(message)).length;
        }
      },
    });
    for (let index = 0; index < size; index++) {
      const contact = hasRandomContacts ? this.#random.int(index) : 0;
      this.cluster.start(`n${index}`, { join: index > 0 ? `n${contact}` : undefined });
      this.cluster.run(joinMs ?? (index < FIRST_JOINS ? FIRST_JOIN_MS : JOIN_MS));
    }
    this.cluster.run(REST_MS);
  }

  /** Measures the cluster while nothing happens to it. */
  rest(): Rest {
    const { cluster } = this;
    const names = cluster.alive;
    const graph = this.#graph();
    const starts = Array.from({ length: Math.min(STARTS, names.length) }, (_, index) => index);
    const { messages } = cluster;
    this.#isCounting = true;
    cluster.run(MEASURED_MS);
    this.#isCounting = false;
    const nodeSeconds = names.length * MEASURED_MS / 1_000;
    return {
      size: names.length,
      peers: spread(names.map((name) => cluster.peers(name).length)),
      links: spread(graph.degrees),
      largestPart: graph.largestPart,
      distance: graph.distances(starts),
      clustering: graph.clustering,
      redundancy: graph.flood(0).redundancy,
      messagesPerSecond: (cluster.messages - messages) / nodeSeconds,
      bytesPerSecond: this.#bytes / nodeSeconds,
    };
  }

  /** A flood of those that would be left if a share of all nodes had just been killed, before any node reacts. */
  floodWithout(share: number): Flood {
    const names = this.#random.shuffle(this.cluster.alive).slice(Math.round(share * this.cluster.alive.length));
    return floodOf(new OverlayGraph(names, (name) => this.cluster.neighbours(name)), 0);
  }

  /** Kills a share of all nodes at once and floods the rest now and then. */
  kill(share: number, seconds: readonly number[]): Flood[] {
    const { cluster } = this;
    const victims = this.#random.shuffle(cluster.alive).slice(0, Math.round(share * cluster.alive.length));
    for (const name of victims) cluster.kill(name);
    const start = cluster.now;
    return seconds.map((second) => {
      cluster.run(start + 1_000 * second - cluster.now);
      return floodOf(this.#graph(), second);
    });
  }

  #graph(): OverlayGraph {
    return new OverlayGraph(this.cluster.alive, (name) => this.cluster.neighbours(name));
  }
}

function floodOf(graph: OverlayGraph, seconds: number): Flood {
  const { redundancy } = graph.flood(graph.memberOfLargestPart);
  return { seconds, reliability: graph.largestPart, redundancy };
}

function spread(values: readonly number[]): Spread {
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    least: Math.min(...values),
    most: Math.max(...values),
  };
}
