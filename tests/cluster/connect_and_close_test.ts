// Copyright 2026 the Partisan peer-service authors. MIT license.

import { connect } from "node:net";
import { assertEquals } from "@std/assert";
import { startPeerService } from "../../mod.ts";
import { firstOf } from "../values.ts";

/** Clients in all, and at a time. */
const CLIENTS = 2_000;
const AT_A_TIME = 50;

/** Connects, and ends the connection at once: in good order, or by a reset. Resolves with whether it was connected. */
function connectAndClose(port: number, isReset: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    let isConnected = false;
    const socket = connect({ host: "127.0.0.1", port }, () => {
      isConnected = true;
      if (isReset) socket.resetAndDestroy();
      else socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(isConnected));
  });
}

for (const isReset of [false, true]) {
  Deno.test(`${CLIENTS} clients that connect and close at once do not keep a node from being joined, ${isReset ? "with" : "without"} resets`, async () => {
    await using node = await startPeerService({ name: "a", preset: "local", log: false });
    const { port } = firstOf(node.spec.addresses);
    let connected = 0;
    for (let count = 0; count < CLIENTS; count += AT_A_TIME) {
      const results = await Promise.all(Array.from({ length: AT_A_TIME }, () => connectAndClose(port, isReset)));
      connected += results.filter(Boolean).length;
    }
    assertEquals(connected, CLIENTS);
    await using other = await startPeerService({ name: "b", preset: "local", log: false });
    await other.syncJoin(node.spec);
    assertEquals(node.members(), ["a", "b"]);
    assertEquals(node.connected(), ["b"]);
  });
}
