// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { encode } from "../../wire/message_pack_encode.ts";
import { Peer } from "../../connections/peer.ts";
import { takeInterest, tellInterest } from "../../connections/interest.ts";
import { nodeSpec } from "../node_spec.ts";

const peer = new Peer(nodeSpec("b"), nodeSpec("a"));

Deno.test("takeInterest() believes a peer, and refuses what is no interest", () => {
  for (const wanted of [false, true]) {
    const body = encode(["before", wanted]);
    takeInterest(peer, body, body.length - 1, body.length);
    assertEquals(peer.wantedThere, wanted);
  }
  const body = encode(1);
  assertThrows(() => takeInterest(peer, body, 0, body.length), TypeError, "neither true nor false");
});

Deno.test("tellInterest() tells nothing while there is no connection", () => tellInterest(peer));
