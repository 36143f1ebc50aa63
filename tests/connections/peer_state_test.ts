// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { Peer } from "../../connections/peer.ts";
import { type PeerEvent, type PeerState, transition } from "../../connections/peer_state.ts";
import { checkInvariants } from "../../connections/peer_status.ts";
import { nodeSpec } from "../node_spec.ts";

/** For each state, what each event leads to; `null` where it cannot happen. */
const TABLE: Record<PeerState, Record<PeerEvent, PeerState | null>> = {
  away: { linked: "linked", up: null, down: null, unlinked: null },
  linked: { linked: null, up: "up", down: null, unlinked: "away" },
  up: { linked: null, up: null, down: "linked", unlinked: null },
};

Deno.test("transition() allows what the table says, and nothing else", () => {
  for (const [state, events] of Object.entries(TABLE) as [PeerState, Record<PeerEvent, PeerState | null>][]) {
    for (const [event, next] of Object.entries(events) as [PeerEvent, PeerState | null][]) {
      if (next === null) assertThrows(() => transition(state, event), TypeError, `it is ${state}`);
      else assertEquals(transition(state, event), next);
    }
  }
});

Deno.test("checkInvariants() finds a peer that is linked though it is out of reach, or severed without doubt", () => {
  const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
  checkInvariants(peer);
  peer.change("linked");
  checkInvariants(peer);
  peer.silent = true;
  assertThrows(() => checkInvariants(peer), Error, "out of reach");
  peer.change("unlinked");
  checkInvariants(peer);
  peer.channelsUp.add("bulk");
  assertThrows(() => checkInvariants(peer), Error, "out of reach");
  peer.channelsUp.clear();
  peer.silent = false;
  peer.severed = true;
  assertThrows(() => checkInvariants(peer), Error, "no doubt");
  peer.doubtful = true;
  checkInvariants(peer);
});
