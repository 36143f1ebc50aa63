// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../wire/frame_kind.ts";
import type { Peer } from "./peer.ts";
import { sendValue } from "./send_value.ts";

/** Booleans in MessagePack. */
const NO = 0xc2;
const YES = 0xc3;

/** Tells a peer of the interest of this node, whether it wants connections with the peer, if there is one to tell it over. */
export function tellInterest({ membership, wanted }: Peer): void {
  if (membership !== null) sendValue(membership, FrameKind.interest, wanted);
}

/**
 * Takes the interest of a peer, the body `buffer[start, end)` of a frame.
 *
 * @throws {TypeError} When it is malformed.
 */
export function takeInterest(peer: Peer, buffer: Uint8Array, start: number, end: number): void {
  const value = end - start === 1 ? buffer[start] : undefined;
  if (value !== NO && value !== YES) {
    throw new TypeError("Cannot read the interest of a peer: it is neither true nor false");
  }
  peer.wantedThere = value === YES;
  peer.toldInterest = true;
}
