// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../wire/frame_kind.ts";
import type { Peer } from "../connections/peer.ts";
import type { FrameHandler } from "./frame_router.ts";
import type { Node } from "./node.ts";

/** Says which part of a node takes which kind of frame. */
export function routeFrames(node: Node): void {
  const { router, overlay, liveness, partitions, pinger, messaging } = node;
  const { codec, inbound, guarantees, acceptance, broadcasting, relaying } = messaging;
  const control = (take: (peer: Peer, value: unknown) => void): FrameHandler => ({ peer }, buffer, start, end) =>
    take(peer, codec.readControl(buffer, start, end));
  router.on(FrameKind.strategy, control((peer, message) => overlay.receive(peer, message)));
  router.on(FrameKind.heartbeat, control((peer, message) => liveness.receive(peer, message)));
  router.on(FrameKind.partition, control((peer, message) => partitions.receive(peer, message)));
  // A node that is stopping is not there any more, although it still writes: its next life may have its name.
  router.on(FrameKind.ping, (...frame) => {
    if (!node.stopped) pinger.takePing(...frame);
  });
  router.on(FrameKind.pong, (...frame) => pinger.takePong(...frame));
  router.on(FrameKind.handlerName, (...frame) => inbound.takeHandlerName(...frame));
  router.on(FrameKind.message, (connection, buffer, start, end) => inbound.takeMessage(connection, buffer, start, end));
  router.on(FrameKind.envelope, (...frame) => acceptance.takeEnvelope(...frame));
  router.on(FrameKind.ack, control(({ name }, value) => guarantees.takeReceipt(name, value)));
  router.on(FrameKind.broadcast, control((peer, message) => broadcasting.receive(peer, message)));
  router.on(FrameKind.relay, control((_, message) => relaying.receive(message)));
}
