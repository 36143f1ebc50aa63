// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { Peer } from "../connections/peer.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { StoppedError } from "../messaging/errors.ts";
import { FRAME_HEADER_BYTES } from "../wire/frame_reader.ts";
import type { PayloadCodec } from "../wire/payload_codec.ts";
import type { FrameRouter } from "./frame_router.ts";
import type { MembershipChange, Part } from "./part.ts";

/** Calls about each peer. */
const PEER_HOOKS = [
  "peerLinked",
  "peerUp",
  "channelUp",
  "membersChanged",
  "memberLeft",
  "peerUnlinked",
  "peerDown",
  "channelDown",
] as const;

type PeerHook = typeof PEER_HOOKS[number];

/** The parts of a node as one: each call goes to all that implement it, in the order of the list. */
export class Parts implements Part {
  readonly #parts: readonly Part[];
  /** Those that implement each of these: most parts implement few. */
  readonly #of: Readonly<Record<PeerHook, readonly Part[]>>;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    const having = PEER_HOOKS.map((hook) => [hook, parts.filter((part) => part[hook] !== undefined)]);
    this.#of = Object.fromEntries(having) as Record<PeerHook, readonly Part[]>;
  }

  /** Has each kind of frame led to the part that takes it. */
  route(router: FrameRouter, codec: PayloadCodec): void {
    for (const { frames = [], controls = [] } of this.#parts) {
      for (const [kind, take] of frames) router.on(kind, take);
      for (const [kind, take] of controls) {
        router.on(kind, (connection, buffer, start, end) => {
          router.bytes[kind]! += end - start + FRAME_HEADER_BYTES;
          take(connection.peer, codec.readControl(buffer, start, end), connection);
        });
      }
    }
  }

  start(): void {
    for (const part of this.#parts) part.start?.();
  }

  peerLinked(peer: Peer): void {
    this.#of.peerLinked.forEach((part) => part.peerLinked?.(peer));
  }

  peerUnlinked(peer: Peer): void {
    this.#of.peerUnlinked.forEach((part) => part.peerUnlinked?.(peer));
  }

  peerUp(peer: Peer): void {
    this.#of.peerUp.forEach((part) => part.peerUp?.(peer));
  }

  peerDown(peer: Peer): void {
    this.#of.peerDown.forEach((part) => part.peerDown?.(peer));
  }

  partitionsChanged(): void {
    for (const part of this.#parts) part.partitionsChanged?.();
  }

  connectionClosed(connection: Connection<Peer>): void {
    for (const part of this.#parts) part.connectionClosed?.(connection);
  }

  dialFailed(peer: Peer, error: unknown): void {
    for (const part of this.#parts) part.dialFailed?.(peer, error);
  }

  channelUp(peer: Peer, channel: string): void {
    this.#of.channelUp.forEach((part) => part.channelUp?.(peer, channel));
  }

  channelDown(peer: Peer, channel: string, withPeer: boolean): void {
    this.#of.channelDown.forEach((part) => part.channelDown?.(peer, channel, withPeer));
  }

  membersChanged(change: MembershipChange): void {
    this.#of.membersChanged.forEach((part) => part.membersChanged?.(change));
    for (const node of change.left) {
      for (const part of this.#of.memberLeft) part.memberLeft?.(node);
    }
  }

  restart(self: NodeSpec): void {
    for (const part of this.#parts) part.restart?.(self);
  }

  periodic(): void {
    for (const part of this.#parts) part.periodic?.();
  }

  stopping(): void {
    for (const part of this.#parts) part.stopping?.();
  }

  async stop(reason: StoppedError): Promise<void> {
    for (const part of this.#parts) {
      const stopped = part.stop?.(reason);
      if (stopped !== undefined) await stopped;
    }
  }
}
