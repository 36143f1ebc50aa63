// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";

/** That a node is in a view, for how long, and whether it can be reached. */
export interface Arc {
  readonly node: NodeSpec;
  /** The round in which its lease ends. */
  readonly until: number;
  /** The round since which it is not connected; `null` while it is. */
  readonly downSince: number | null;
}

/** A view with what is known of each entry; each name once. */
export type Arcs = readonly Arc[];

/** The arc to that name. */
export function findArc(arcs: Arcs, name: string): Arc | undefined {
  return arcs.find(({ node }) => node.name === name);
}

/** The arcs without the one to that name. */
export function withoutArc(arcs: Arcs, name: string): Arcs {
  return findArc(arcs, name) === undefined ? arcs : arcs.filter(({ node }) => node.name !== name);
}

/** The arcs with this one, in the place of an earlier one to the same name. */
export function withArc(arcs: Arcs, arc: Arc): Arcs {
  if (findArc(arcs, arc.node.name) === undefined) return [...arcs, arc];
  return arcs.map((other) => other.node.name === arc.node.name ? arc : other);
}

/** The arcs with the one to that name, if there is one, marked as down since that round, or as up. */
export function markedArc(arcs: Arcs, name: string, downSince: number | null): Arcs {
  const arc = findArc(arcs, name);
  if (arc === undefined || (arc.downSince === null) === (downSince === null)) return arcs;
  return arcs.map((other) => other === arc ? { ...other, downSince } : other);
}

/** The arcs whose lease has not ended in `round`, and that were not down for `forgetAfter` rounds. */
export function validArcs(arcs: Arcs, round: number, forgetAfter: number): Arcs {
  return keepWhere(arcs, (arc) => arc.until > round && !isForgotten(arc, round, forgetAfter));
}

/** Like {@linkcode validArcs}, but those that are down are kept, whatever their lease: they cannot renew it. */
export function validOrDownArcs(arcs: Arcs, round: number, forgetAfter: number): Arcs {
  return keepWhere(arcs, (arc) => arc.downSince === null ? arc.until > round : !isForgotten(arc, round, forgetAfter));
}

function isForgotten({ downSince }: Arc, round: number, forgetAfter: number): boolean {
  return downSince !== null && round - downSince >= forgetAfter;
}

function keepWhere(arcs: Arcs, isKept: (arc: Arc) => boolean): Arcs {
  return arcs.every(isKept) ? arcs : arcs.filter(isKept);
}

/** The arc that has been down for longest, if any is. */
export function longestDown(arcs: Arcs): Arc | undefined {
  let longest: Arc | undefined;
  for (const arc of arcs) {
    if (arc.downSince !== null && arc.downSince < (longest?.downSince ?? Infinity)) longest = arc;
  }
  return longest;
}

/** The nodes to which the arcs lead. */
export function ends(arcs: Arcs): readonly NodeSpec[] {
  return arcs.map(({ node }) => node);
}
