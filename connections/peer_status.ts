// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DEFAULT_CHANNEL, type Peer } from "./peer.ts";

/** The listener for peers that come and go. Each pair of calls alternates per peer, and per channel. */
export interface PeerStatusHandler {
  /** The membership connection opened: control traffic can flow. */
  linked(peer: Peer): void;
  /** The last connection closed, or the failure detector silenced the peer. */
  unlinked(peer: Peer): void;
  /** Messages can flow: there is a connection of the default channel as well, or will be when it is first used. */
  up(peer: Peer): void;
  /** The last connection closed, or the failure detector silenced the peer. */
  down(peer: Peer): void;
  /** The channel has all the connections that it needs. */
  channelUp(peer: Peer, channel: string): void;
  /**
   * The channel has no connection left, and none that would be opened when it is used.
   *
   * @param withPeer Whether the whole peer is down, which is told next.
   */
  channelDown(peer: Peer, channel: string, withPeer: boolean): void;
}

/**
 * Tells what changed about a peer since the last time.
 *
 * @param expected Whether another connection is about to open: then a peer is not gone with its last one.
 */
export function announceStatus(peer: Peer, handler: PeerStatusHandler, now: number, expected: boolean): void {
  // Where nothing is in doubt any more, as with a new incarnation, it is in reach.
  peer.severed &&= peer.inDoubt;
  peer.lend();
  const alive = !peer.unreachable && (expected || peer.hasConnections);
  if (!peer.linked && alive && peer.membership !== null) {
    peer.change("linked");
    peer.heardAt = now;
    handler.linked(peer);
  }
  if (!peer.up && peer.linked && alive && peer.carries(DEFAULT_CHANNEL)) {
    peer.change("up");
    handler.up(peer);
  }
  const goesDown = peer.up && !alive;
  announceChannels(peer, handler, goesDown);
  if (goesDown) {
    peer.change("down");
    handler.down(peer);
  }
  if (peer.linked && !alive) {
    peer.change("unlinked");
    handler.unlinked(peer);
  }
  checkInvariants(peer);
}

/**
 * Makes sure of what must be so whenever all that has changed about a peer is told.
 *
 * @throws {Error} When it is not: then there is a mistake in this library.
 */
export function checkInvariants(peer: Peer): void {
  const { name, unreachable, linked, channelsUp, severed, inDoubt } = peer;
  if (unreachable && (linked || channelsUp.size > 0)) broken(name, "it is told to be up, and out of reach");
  if (severed && !inDoubt) broken(name, "it is severed, and there is no doubt about its connections");
}

function broken(name: string, what: string): never {
  throw new Error(`Cannot go on with peer "${name}": ${what}; this is a mistake in the library, please report it`);
}

function announceChannels(peer: Peer, handler: PeerStatusHandler, goesDown: boolean): void {
  const { channels, channelsUp } = peer;
  channels.forEach((channel) => announceChannel(peer, handler, channel, goesDown));
  // One that was up may be gone with the incarnation that had it.
  channelsUp.forEach((channel) => {
    if (!peer.hasChannel(channel)) announceChannel(peer, handler, channel, goesDown);
  });
}

function announceChannel(peer: Peer, handler: PeerStatusHandler, channel: string, goesDown: boolean): void {
  const up = peer.channelsUp.has(channel);
  if (!up && !peer.unreachable && peer.isComplete(channel)) {
    peer.channelsUp.add(channel);
    handler.channelUp(peer, channel);
  } else if (up && (peer.unreachable || !peer.carries(channel))) {
    peer.channelsUp.delete(channel);
    handler.channelDown(peer, channel, goesDown);
  }
}
