// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { View } from "../view.ts";
import type { HyParViewState, HyParViewTurn } from "./state.ts";

/*
 * Not in the paper: a node can keep one of its slots for a neighbour with a certain tag. It stays empty until such a node
 * comes, and that one is not sent away for another.
 */

/** Keeps a slot for a neighbour with that tag. @returns `null` when none would be left for all others. */
export function reserved(state: HyParViewState, tag: string, activeSize: number): HyParViewState | null {
  const { reservations } = state;
  if (reservations.includes(tag)) return state;
  return reservations.length + 1 < activeSize ? { ...state, reservations: [...reservations, tag] } : null;
}

/** Tags for which a slot is kept and still empty. */
export function vacancies({ active, reservations }: HyParViewState): readonly string[] {
  return reservations.filter((tag) => !active.some((node) => hasTag(node, tag)));
}

/** Whether an empty slot is kept for `node`. */
export function isExpected(state: HyParViewState, node: NodeSpec): boolean {
  return vacancies(state).some((tag) => hasTag(node, tag));
}

/** Maximum of neighbours with `node` among them. */
export function slotsWith({ state, config }: HyParViewTurn, node: NodeSpec): number {
  return config.activeSize - vacancies(state).filter((tag) => !hasTag(node, tag)).length;
}

/** The neighbours that can be sent away for another one. */
export function replaceable({ active, reservations }: HyParViewState): View {
  const keepers = new Set(reservations.map((tag) => active.find((node) => hasTag(node, tag))));
  return active.filter((node) => !keepers.has(node));
}

function hasTag({ metadata }: NodeSpec, tag: string): boolean {
  return metadata.tag === tag;
}
