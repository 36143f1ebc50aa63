// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../../manager/peer_service.ts";
import type { PeerServiceManager } from "../../manager/peer_service_manager.ts";
import { IDLE_GRACE_MS } from "../../manager/pool_options.ts";
import { PRESETS } from "../../manager/presets.ts";
import { FILL_WAIT_MAX } from "../../strategy/hyparview/links.ts";
import type { Overlay } from "./overlay.ts";
import type { Run } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** Milliseconds in which no node that is there may be told to be down: those that linger close meanwhile. */
const REST_MS = IDLE_GRACE_MS + 1_000;

/** Milliseconds in which a node is dialed that closed its connections when they were wanted again: the handshake takes some round trips. */
const REDIAL_MS = 2_000;

/**
 * Gossip intervals until a HyParView node with a free slot waits for longest before it asks one without room again, and that wait: 1 + 2 + … + 32, and
 * 32 more. While the waits are shorter than its connections linger, these are always there.
 */
const ASKING_ROUNDS = 3 * FILL_WAIT_MAX;

/** Lets an overlay come to rest once all of it is healthy, and looks at what remains. */
export class Rest {
  readonly #run: Run;
  readonly #overlay: Overlay;
  /** Milliseconds in which each connection must go that no node wants any more. */
  readonly #limit: number;
  /** Milliseconds in which a node that is silent is missed. */
  readonly #silence: number;

  constructor(run: Run, { overlay, preset }: Scenario) {
    this.#run = run;
    this.#overlay = overlay;
    const { interval, missed } = PRESETS[preset].heartbeat;
    this.#silence = interval * (missed + 2);
    this.#limit = IDLE_GRACE_MS + ASKING_ROUNDS * PRESETS[preset].gossip.interval;
  }

  /** No node is told to be down, no node has more neighbours than it should, and each connection is one that both ends have, and one of them wants. */
  async watch(): Promise<void> {
    const { cluster } = this.#run;
    // A connection of which a middlebox knows nothing any more is found out by its silence.
    await cluster.runUntil(() => this.#run.failure !== undefined, this.#silence);
    for (const node of cluster.nodes) node.onDown("*", (peer) => this.#look(node, peer));
    await cluster.runUntil(() => this.#run.failure !== undefined, REST_MS);
    const pairs = new Set(cluster.names.flatMap((from) => cluster.names.map((to) => `${from} ${to}`)));
    const untidy = await this.#wait(pairs, (pair) => this.#isTidy(pair));
    if (untidy.length > 0) this.#run.fail(`Connections that no node wants are left: ${untidy.join(", ")}`);
    const { neighboursMax } = this.#overlay;
    const crowded = await this.#wait(new Set(cluster.nodes), (node) => neighboursOf(node) <= neighboursMax);
    if (crowded.length === 0) return;
    const counts = crowded.map((node) => `${node.name}: ${neighboursOf(node)}`).join(", ");
    this.#run.fail(`Nodes have more than ${neighboursMax} neighbours: ${counts}`);
  }

  /** Waits until each of `items` was seen in order at some time. @returns Those that were not. */
  async #wait<T>(items: Set<T>, isInOrder: (item: T) => boolean): Promise<T[]> {
    const look = () => {
      for (const item of items) if (isInOrder(item)) items.delete(item);
      return this.#run.failure !== undefined || items.size === 0;
    };
    await this.#run.cluster.runUntil(look, this.#limit);
    return [...items];
  }

  /** A neighbour may close what it needs no more just when it is wanted here: then it is dialed at once. */
  #look(node: PeerServiceManager, peer: string): void {
    const isDown = () => node.memberInfo(peer)?.status === "down";
    const { status, reason } = node.memberInfo(peer) ?? {};
    if (status !== "down") return;
    const fail = () => this.#run.fail(`${node.name} says of ${peer} at rest that it is down: ${reason}`);
    if (!`${reason}`.startsWith("its last connection")) fail();
    this.#run.cluster.world.schedule(REDIAL_MS, () => isDown() && fail());
  }

  #isTidy(pair: string): boolean {
    const { cluster } = this.#run;
    const [from, to] = pair.split(" ").map((name) => cluster.node(name)) as [PeerServiceManager, PeerServiceManager];
    const here = from.stats().peers[to.name]?.connections ?? 0;
    const there = to.stats().peers[from.name]?.connections ?? 0;
    if (here !== there) return false;
    if (here === 0) return true;
    return from.isConnected(to.name) && to.isConnected(from.name) && (wants(from, to) || wants(to, from));
  }
}

function wants(from: PeerServiceManager, to: PeerServiceManager): boolean {
  return PeerService.nodeOf(from).pool.peers.get(to.name)?.wanted === true;
}

/** Number of nodes with connections that either end wants: those of others only linger, as neighbours are exchanged now and then. */
function neighboursOf(node: PeerServiceManager): number {
  const peers = [...PeerService.nodeOf(node).pool.peers.values()];
  return peers.filter(({ connected, wanted, wantedThere }) => connected && (wanted || wantedThere)).length;
}
