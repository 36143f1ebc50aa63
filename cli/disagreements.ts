// Copyright 2026 the Partisan peer-service authors. MIT license.

import { own } from "../wire/own.ts";
import type { ClusterModel, NodeModel } from "./cluster_model.ts";
import { linkDisagreements, unreachable } from "./overlay_links.ts";
import type { ViewReport } from "./protocol.ts";

/**
 * Disagreements that remain, one sentence each. In a full mesh every living node has to list exactly the members, to be fully
 * connected with each of them that lives, and to see the others as down. In a partial overlay each is to be fully connected
 * with some living ones, as these see it, too, so that there is a way from everyone to everyone.
 */
export function disagreements(model: ClusterModel): string[] {
  const found: string[] = [];
  for (const { name, state, view } of model.nodes.values()) {
    if (state === "starting" || state === "leaving") found.push(`${name} is still ${state}`);
    if (state === "failed") found.push(`${name} has failed`);
    if (state !== "up") continue;
    if (view === undefined) found.push(`${name} has not told its view`);
    else if (model.isFullMesh) found.push(...meshDisagreements(name, view, model));
    else found.push(...linkDisagreements(name, view, model));
  }
  return model.isFullMesh ? found : [...found, ...unreachable(model)];
}

function meshDisagreements(observer: string, view: ViewReport, model: ClusterModel): string[] {
  return [
    ...model.members().flatMap((member) => disagreement(observer, view, member)),
    ...surplus(observer, view, model),
  ];
}

function disagreement(observer: string, view: ViewReport, member: NodeModel): string[] {
  const run = own(view.members, member.name);
  if (run === undefined) return [`${observer} does not list ${member.name}`];
  if (run !== member.run) return [`${observer} lists run ${run} of ${member.name}, not ${member.run}`];
  if (member.name === observer) return [];
  if (member.state !== "up") {
    return view.connected.includes(member.name) ? [`${observer} sees ${member.name} up, which is ${member.state}`] : [];
  }
  if (view.fullyConnected.includes(member.name)) return [];
  return [`${observer} is not ${view.connected.includes(member.name) ? "fully " : ""}connected with ${member.name}`];
}

function surplus(observer: string, view: ViewReport, model: ClusterModel): string[] {
  const known = new Set([...Object.keys(view.members), ...view.connected]);
  return [...known].flatMap((name) => {
    if ((model.nodes.get(name)?.state ?? "left") !== "left") return [];
    return [`${observer} still knows ${name}, which is no member`];
  });
}
