// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { Reception } from "../../../connections/acceptor/reception.ts";
import type { Connection } from "../../../connections/connection.ts";
import { Peer } from "../../../connections/peer.ts";
import type { NodeSpec } from "../../../wire/node_spec.ts";
import { nodeSpec } from "../../node_spec.ts";
import { pattern } from "../fake_stream.ts";

const [KEY, OTHER] = [pattern(32, 1), pattern(32, 2)];
const SELF = nodeSpec("a", 5, { key: pattern(32) });
const KNOWN = nodeSpec("b", 5, { key: KEY });
/** The same node in an open cluster. */
const KEYLESS = nodeSpec("b", 5);

/**
 * Whether a dialer that asks for a socket of a connection that is not the same here has that changed, and why it is refused.
 *
 * @param word Word of the peer on the dial over its membership connection.
 */
async function ask(
  spec: NodeSpec,
  toIncarnation = SELF.incarnation,
  self = SELF,
  word: boolean | null = null,
): Promise<[isHeard: boolean, code: string | undefined]> {
  const peer = new Peer(self === SELF ? KNOWN : KEYLESS, self);
  const membership = { channel: "membership", index: 0, dial: 1, outbound: false, early: null };
  peer.fill({ ...membership, features: new Set(["vouch"]) } as object as Connection<Peer>);
  let isHeard = false;
  const reception = new Reception({
    self: () => self,
    peer: () => peer,
    hasJustDialed: () => false,
    isDialing: () => false,
    fits: () => false,
    unfit: () => isHeard = true,
    probe: () => Promise.resolve(true),
    vouch: () => Promise.resolve(word),
    disconnect: () => {},
    wallTime: () => 1_000,
    hasRoomFor: () => true,
    outlived: () => {},
  });
  const request = {
    spec,
    to: "a",
    toIncarnation,
    channel: "default",
    index: 0,
    dial: 9,
    seen: 0,
    early: [7, 0],
  } as const;
  const refusal = await reception.admit(request);
  return [isHeard, refusal?.code];
}

Deno.test("a dialer says which connections without a socket are over for its own name only, and for the incarnations that have them", async () => {
  assertEquals(await ask(KNOWN), [true, "duplicate"]);
  assertEquals(await ask({ ...KNOWN, key: OTHER }), [false, "name-in-use"]);
  assertEquals(await ask({ ...KNOWN, incarnation: 4 }), [false, "stale-incarnation"]);
  assertEquals(await ask({ ...KNOWN, incarnation: 6 }), [false, "duplicate"]);
  assertEquals(await ask(KNOWN, 4), [false, "duplicate"]);
});

Deno.test("a dialer in an open cluster says which connections without a socket are over as far as the node vouches for it that has the name", async () => {
  const open = nodeSpec("a", 5);
  assertEquals(await ask(KEYLESS, 5, open, true), [true, "duplicate"]);
  assertEquals(await ask(KEYLESS, 5, open, null), [true, "duplicate"], "it does not answer");
  assertEquals(await ask(KEYLESS, 5, open, false), [false, "name-in-use"]);
});
