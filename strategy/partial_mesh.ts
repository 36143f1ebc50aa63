// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions } from "../runtime/options.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { FULL_MESH_KINDS, fullMesh, type FullMeshOptions } from "./full_mesh.ts";
import type { FullMeshState } from "./full_mesh_state.ts";
import type { IncarnationEnd, Strategy, StrategyContext, Transition } from "./strategy.ts";

/**
 * A strategy in which everyone knows everyone, as in a full mesh, but keeps connections only with some. Membership spreads along
 * these connections: they must connect all nodes.
 */
export class PartialMesh implements Strategy<FullMeshState> {
  readonly name: string;
  readonly knowsAll = true;
  readonly #mesh: Strategy<FullMeshState>;
  readonly #linksOf: (self: NodeSpec) => (peer: NodeSpec) => boolean;

  /** @param linksOf Tells of a node with which others it keeps a connection. Symmetric. */
  constructor(name: string, options: FullMeshOptions, linksOf: (self: NodeSpec) => (peer: NodeSpec) => boolean) {
    this.name = name;
    this.#mesh = fullMesh(checkOptions(`Cannot use the strategy "${name}"`, options, FULL_MESH_KINDS));
    this.#linksOf = linksOf;
  }

  init(self: NodeSpec, context: StrategyContext, snapshot?: unknown): Transition<FullMeshState> {
    return this.#mesh.init(self, context, snapshot);
  }

  join(state: FullMeshState, peer: NodeSpec, context: StrategyContext): Transition<FullMeshState> {
    return this.#mesh.join(state, peer, context);
  }

  leave(state: FullMeshState, node: NodeSpec, context: StrategyContext): Transition<FullMeshState> {
    return this.#mesh.leave(state, node, context);
  }

  up(state: FullMeshState, peer: NodeSpec, context: StrategyContext): Transition<FullMeshState> {
    return this.#mesh.up(state, peer, context);
  }

  down(state: FullMeshState, peer: NodeSpec, context: StrategyContext): Transition<FullMeshState> {
    return this.#mesh.down(state, peer, context);
  }

  periodic(state: FullMeshState, context: StrategyContext): Transition<FullMeshState> {
    return this.#mesh.periodic(state, context);
  }

  handleMessage(
    state: FullMeshState,
    from: NodeSpec,
    message: unknown,
    context: StrategyContext,
  ): Transition<FullMeshState> {
    return this.#mesh.handleMessage(state, from, message, context);
  }

  members(state: FullMeshState): readonly NodeSpec[] {
    return this.#mesh.members(state);
  }

  peers(state: FullMeshState): readonly NodeSpec[] {
    return this.#mesh.peers(state).filter(this.#linksOf(state.self));
  }

  endOf(state: FullMeshState, node: NodeSpec): IncarnationEnd | undefined {
    return this.#mesh.endOf?.(state, node);
  }

  snapshot(state: FullMeshState, isKept?: (node: NodeSpec) => boolean): unknown {
    // No node has ever met those with which there are to be no connections.
    const isLinked = this.#linksOf(state.self);
    return this.#mesh.snapshot(state, isKept && ((node) => !isLinked(node) || isKept(node)));
  }
}
