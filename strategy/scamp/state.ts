// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Departures } from "../departures.ts";
import type { Passed } from "../quota.ts";
import type { StrategyContext } from "../strategy.ts";
import { Turn } from "../turn.ts";
import { union, type View } from "../view.ts";
import { type Arc, type Arcs, ends } from "./arcs.ts";
import type { ScampMessage } from "./messages.ts";

/** Configuration of one of the versions of SCAMP. Times are rounds. */
export interface ScampConfig {
  /** The strategy's name. */
  readonly name: string;
  /** Copies of a subscription beyond one for each node in the contact's view. */
  readonly c: number;
  /** Nodes in a view at most, as a safeguard. */
  readonly viewSizeMax: number;
  /** Time for which a node that is down is kept. */
  readonly forgetAfter: number;
  /** Duration of a subscription; `NEVER` when it does not end. */
  readonly lease: number;
  /** Interval at which each node tells those in its view that they are; `NEVER` when it does not. */
  readonly heartbeat: number;
  /** Whether a subscription first walks to a random contact. */
  readonly hasIndirection: boolean;
}

/** So many rounds do not pass. */
export const NEVER = 2 ** 40;

/** An attempt to enter a cluster. */
export interface Subscribing {
  /** The node that was asked. */
  readonly via: NodeSpec;
  /** The round in which it is asked again. */
  readonly due: number;
  /** Number of times that it may still be asked. */
  readonly tries: number;
}

/** State of one node. */
export interface ScampState {
  readonly self: NodeSpec;
  /** Whether this node was removed from the cluster: from then on it does nothing any more. */
  readonly removed: boolean;
  /** Number of calls of `periodic`. */
  readonly round: number;
  /** The partial view: the nodes to which this node keeps connections. */
  readonly view: Arcs;
  /** Those in whose view this node is, as far as they said so. */
  readonly inView: Arcs;
  readonly subscribing: Subscribing | null;
  /** Others that were spoken of lately: the nodes to turn to when all on either side of an arc is out of reach. */
  readonly heardOf: View;
  /** The round in which this node subscribes again. */
  readonly renewAt: number;
  /** The last round in which this node knew of a node in whose view it is. */
  readonly keptAt: number;
  readonly departures: Departures;
  /** Nodes that left while they were in the view: each may still say which node is to be there in its place. */
  readonly vacated: readonly string[];
  readonly passed: Passed;
  /** Nodes whose subscriptions this node took in this round. */
  readonly subscribed: readonly string[];
}

/** One event on its way through SCAMP. */
export class ScampTurn extends Turn<ScampState, ScampMessage> {
  readonly config: ScampConfig;

  /** Begins with the state before the event. */
  constructor(state: ScampState, context: StrategyContext, config: ScampConfig) {
    super(state, context);
    this.config = config;
  }

  /** A new arc, which is up if there is a connection. */
  arcTo(node: NodeSpec, until: number): Arc {
    return { node, until, downSince: this.context.connected.has(node.name) ? null : this.state.round };
  }

  /** Whether no node on either side of an arc is connected now. */
  get isAlone(): boolean {
    const { view, inView } = this.state;
    const isConnected = ({ node }: Arc) => this.context.connected.has(node.name);
    return !view.some(isConnected) && !inView.some(isConnected);
  }

  /** Those of `nodes` that are connected now, but for some names. */
  connected(nodes: View, except: readonly string[] = []): View {
    return nodes.filter(({ name }) => this.context.connected.has(name) && !except.includes(name));
  }
}

/** Everyone on either side of an arc, and who is asked to let this node in. */
export function neighboursOf({ view, inView, subscribing }: ScampState): View {
  return union(ends(view), ends(inView), subscribing === null ? [] : [subscribing.via]);
}

/** The nodes with which the node keeps connections: its view, and the one that is asked to let it in. */
export function wantedPeers({ view, subscribing }: ScampState): View {
  return subscribing === null ? ends(view) : union(ends(view), [subscribing.via]);
}
