// Copyright 2026 the Partisan peer-service authors. MIT license.

/** State of a peer that was announced last: nothing, or that it is gone; that control traffic can flow; that messages can. */
export type PeerState = "away" | "linked" | "up";

/** Event of a peer. */
export type PeerEvent = "linked" | "up" | "down" | "unlinked";

/** The legal transitions. Whether a peer is wanted, or partitioned, makes no difference to them. */
const TRANSITIONS: Readonly<Record<PeerState, Partial<Readonly<Record<PeerEvent, PeerState>>>>> = {
  away: { linked: "linked" },
  linked: { up: "up", unlinked: "away" },
  up: { down: "linked" },
};

/**
 * The state after an event.
 *
 * @throws {TypeError} When the event cannot happen in that state.
 */
export function transition(state: PeerState, event: PeerEvent): PeerState {
  const next = TRANSITIONS[state][event];
  if (next === undefined) throw new TypeError(`Cannot tell that a peer is ${event}: it is ${state}`);
  return next;
}
