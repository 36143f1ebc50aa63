// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Strategies: the peers that a node talks to, and the messages that it sends them.
 *
 * A strategy is a pure function of its state: see {@linkcode Strategy}. {@linkcode fullMesh} is the one that is used unless
 * another is asked for.
 *
 * @example A wider gossip, and a shorter memory of those that left
 * ```ts
 * import { fullMesh } from "@partisan/peer-service/strategy";
 * import { assertEquals } from "@std/assert";
 *
 * const strategy = fullMesh({ fanout: 3, forgetAfter: 3_600_000 });
 * assertEquals(strategy.name, "full-mesh");
 * ```
 *
 * @module
 */

export { fullMesh, type FullMeshOptions } from "./full_mesh.ts";
export { type FullMeshState, type Joiner } from "./full_mesh_state.ts";
export {
  type IncarnationEnd,
  type Outgoing,
  type Strategy,
  type StrategyContext,
  type Transition,
} from "./strategy.ts";
export { clientServer } from "./client_server.ts";
export { hyparview, type HyParViewOptions, type XBotOptions } from "./hyparview.ts";
export { scampV1, type ScampV1Options } from "./scamp_v1.ts";
export { scampV2, type ScampV2Options } from "./scamp_v2.ts";
export { type StaticEdges, staticOverlay } from "./static_overlay.ts";
export { Turn } from "./turn.ts";
export { find as findNode, union as unionOfViews, type View, without as withoutNode } from "./view.ts";
export {
  checkDeparture,
  type Departure,
  departureOf,
  type Departures,
  hasDeparted,
  removalOf,
  withDeparture,
} from "./departures.ts";
export { checkCount, checkNodes, checkWord, type Fields, readMessage } from "./check_message.ts";
export { compareMembers } from "./compare_members.ts";
