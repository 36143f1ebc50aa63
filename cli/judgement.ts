// Copyright 2026 the Partisan peer-service authors. MIT license.

import { own } from "../wire/own.ts";
import { type ClusterModel, isObservation, type NodeModel } from "./cluster_model.ts";
import { MeshWatch } from "./mesh_watch.ts";
import { OverlayWatch } from "./overlay_watch.ts";
import type { SightingWatch } from "./sighting_watch.ts";

/** A stream of numbered messages between two processes that both run. */
export interface StreamCount {
  readonly sender: string;
  readonly receiver: string;
  /** Messages that the sender's peer service accepted. */
  readonly accepted: number;
  readonly received: number;
  readonly disordered: number;
}

/** Counts the messages between all pairs of nodes that are up, as their last views tell. */
export function streams(model: ClusterModel): StreamCount[] {
  const live = [...model.nodes.values()].filter(({ state }) => state === "up");
  return live.flatMap((sender) =>
    live.filter((receiver) => receiver !== sender).map((receiver) => streamBetween(sender, receiver))
  );
}

function streamBetween(sender: NodeModel, receiver: NodeModel): StreamCount {
  const outgoing = sender.view && own(sender.view.outgoing, receiver.name);
  const incoming = receiver.view && own(receiver.view.incoming, sender.name);
  return {
    sender: sender.name,
    receiver: receiver.name,
    accepted: outgoing?.run === receiver.run ? outgoing.accepted : 0,
    received: incoming?.run === sender.run ? incoming.received : 0,
    disordered: incoming?.run === sender.run ? incoming.disordered : 0,
  };
}

/** Messages that were accepted but not received: lost or, as long as senders are not at rest, on their way. */
export function undelivered(model: ClusterModel): string[] {
  return streams(model).flatMap(({ sender, receiver, accepted, received }) =>
    received < accepted
      ? [`${accepted - received} of ${accepted} messages from ${sender} to ${receiver} were lost`]
      : []
  );
}

/** Pairs of nodes, of which one knows the other, between which nothing was sent yet: they prove nothing. */
export function unused(model: ClusterModel): string[] {
  return streams(model).flatMap(({ sender, receiver, accepted }) =>
    accepted === 0 && isKnown(model, sender, receiver) ? [`No message went from ${sender} to ${receiver}`] : []
  );
}

/** Whether a node is to know another one: in a partial overlay, only if it says so. */
function isKnown({ isFullMesh, nodes }: ClusterModel, observer: string, node: string): boolean {
  return isFullMesh || own(nodes.get(observer)!.view?.members ?? {}, node) === nodes.get(node)!.run;
}

/** Messages that came twice, or after a later one. */
export function disordered(model: ClusterModel): string[] {
  return streams(model).flatMap(({ sender, receiver, disordered }) =>
    disordered > 0 ? [`${disordered} messages from ${sender} to ${receiver} came twice or out of order`] : []
  );
}

/** Senders that have not come to rest after `quiet`. */
export function restless(model: ClusterModel): string[] {
  return [...model.nodes.values()]
    .filter(({ state, view }) => state === "up" && !view?.quiet)
    .map(({ name }) => `${name} still sends`);
}

/**
 * Sightings of actions that nodes which were up missed, and sightings without a cause: in a full mesh no node may see a node
 * down to which nothing was done, or see it down again once it saw it up. In a partial overlay neighbours come and go; there
 * those that a node had must be seen going.
 */
export function sightingFailures(model: ClusterModel): string[] {
  const watch: SightingWatch = model.isFullMesh ? new MeshWatch() : new OverlayWatch(model);
  for (const entry of model.log) {
    if (isObservation(entry)) watch.observe(entry);
    else watch.act(entry);
  }
  return [...watch.failures, ...watch.missing()];
}
