// Copyright 2026 the Partisan peer-service authors. MIT license.

import { own } from "../wire/own.ts";
import type { ClusterModel, NodeModel } from "./cluster_model.ts";
import type { ViewReport } from "./protocol.ts";

/** Faults of the links that a node of a partial overlay has, one sentence each. */
export function linkDisagreements(observer: string, view: ViewReport, model: ClusterModel): string[] {
  return view.connected.flatMap((name) => {
    const peer = model.nodes.get(name);
    const state = peer?.state ?? "left";
    if (state !== "up") return [`${observer} sees ${name} up, which is ${state}`];
    const run = own(view.members, name) ?? peer!.run;
    if (run !== peer!.run) return [`${observer} lists run ${run} of ${name}, not ${peer!.run}`];
    if (!view.fullyConnected.includes(name)) return [`${observer} is not fully connected with ${name}`];
    return peer!.view?.connected.includes(observer) ? [] : [`${observer} sees ${name} up, but not the other way round`];
  });
}

/** Living nodes to which there is no way from the first one, along links that both ends see. */
export function unreachable(model: ClusterModel): string[] {
  const living = [...model.nodes.values()].filter(({ state, view }) => state === "up" && view !== undefined);
  const [first] = living;
  if (first === undefined) return [];
  const reached = new Set([first]);
  for (const node of reached) for (const other of linksOf(node, living)) reached.add(other);
  return living.filter((node) => !reached.has(node)).map(({ name }) => `there is no way from ${first.name} to ${name}`);
}

function linksOf({ name, view }: NodeModel, living: readonly NodeModel[]): NodeModel[] {
  return living.filter((other) => view!.connected.includes(other.name) && other.view!.connected.includes(name));
}
