// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { ClosedEarlyError } from "../../connections/handshake/handshake_frames.ts";
import { DialWarnings } from "../../manager/dial_warnings.ts";
import type { Peer } from "../../connections/peer.ts";
import { nodeSpec } from "../node_spec.ts";

/** Warnings of one peer, and the texts that they come to. */
function dials(): { warnings: DialWarnings; peer: Peer; told: string[] } {
  const told: string[] = [];
  const emit = (_type: string, detail: unknown) => void told.push((detail as { message: string }).message);
  const peer = { name: "b", spec: nodeSpec("b") } as Peer;
  return { warnings: new DialWarnings(emit, { noticed() {} } as never), peer, told };
}

const CLOSED = [
  new Error("closed", { cause: new ClosedEarlyError("the end") }),
  new Error("reset", { cause: Object.assign(new Error("reset"), { name: "ConnectionReset" }) }),
  new Error("reset", { cause: Object.assign(new Error("socket disconnected"), { code: "ECONNRESET" }) }),
];

for (const error of CLOSED) {
  Deno.test(`DialWarnings tell nothing of the first dial that a peer closes early, which may be about to stop (${error.cause})`, () => {
    const { warnings, peer, told } = dials();
    warnings.dialFailed(peer, error);
    assertEquals(told, []);
    warnings.dialFailed(peer, error);
    warnings.dialFailed(peer, error);
    const message = `Cannot reach "b", it is dialed again, ever more rarely: ${error.message}`;
    assertEquals(told, [message]);
    warnings.peerUp(peer);
    warnings.dialFailed(peer, error);
    assertEquals(told, [message], "once after it was reached is none either");
    warnings.dialFailed(peer, error);
    assertEquals(told, [message, message]);
  });
}

Deno.test("DialWarnings tell at once of a dial that is refused by the host", () => {
  const { warnings, peer, told } = dials();
  warnings.dialFailed(peer, new Error("connection refused"));
  assertEquals(told.length, 1);
});
