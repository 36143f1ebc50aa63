// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { checkArray, checkNodeSpec } from "../wire/node_spec_check.ts";
import { readValue } from "./check_message.ts";
import { checkDeparture, type Departures, DEPARTURES_MAX, departuresToList, withDeparture } from "./departures.ts";
import type { View } from "./view.ts";

/** Views longer than this are not read. */
const VIEW_MAX = 4_096;

/** Part of its state that a strategy with a partial view keeps for its next incarnation. */
export interface ViewSnapshot {
  /** The nodes that it knew. */
  readonly view: View;
  /** The nodes that knew it, as far as it heard. */
  readonly inView: View;
  /** Those that left. */
  readonly departures: Departures;
}

/** A snapshot as a value that MessagePack can carry. */
export function viewSnapshotToValue(strategy: string, { view, inView, departures }: ViewSnapshot): unknown {
  return { strategy, version: 1, view, inView, departures: departuresToList(departures) };
}

/**
 * Snapshot that {@linkcode viewSnapshotToValue} was given; for an absent value, that of a new node.
 *
 * @param strategy The strategy that is to go on with it.
 * @param value Value that the strategy once returned, without `self` in it.
 * @param self The node that goes on.
 * @throws {TypeError} When it is not of that strategy.
 */
export function viewSnapshotFromValue(strategy: string, value: unknown, self: NodeSpec): ViewSnapshot {
  if (value === undefined) return { view: [], inView: [], departures: new Map() };
  return readValue(`a snapshot of strategy "${strategy}"`, value, (fields) => {
    if (fields.strategy !== strategy) throw new TypeError("Invalid strategy: it is of another one");
    if (fields.version !== 1) throw new TypeError("Invalid version: expected 1");
    const nodes = (list: unknown, what: string) =>
      checkArray(list, what, VIEW_MAX).map(checkNodeSpec).filter(({ name }) => name !== self.name);
    const departures = checkArray(fields.departures, "departures", 2 * DEPARTURES_MAX).map(checkDeparture);
    return {
      view: nodes(fields.view, "view"),
      inView: nodes(fields.inView, "inView"),
      departures: departures.reduce(withDeparture, new Map() as Departures),
    };
  });
}
