// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { scenario } from "./worlds.ts";

scenario(
  "A frame that is larger than the receiver takes is an error event there, and the two connect again",
  async (world) => {
    const a = await world.start("a");
    const b = await world.start("b", { maxFrameBytes: 2048 });
    await b.syncJoin(a.spec);
    await world.settled([a, b]);
    const heard = world.inbox(b, "log");
    await a.forwardMessage("b", "log", "x".repeat(5000));
    await world.until("b tells", () => world.errors.length > 0);
    const { error, node, during } = world.errors.splice(0)[0]!;
    assertEquals([node, during], ["a", 'reading from channel "default"']);
    assertEquals(`${error}`, "ProtocolError: Cannot read a frame: its length is 5006 bytes, the limit is 2048");
    await world.until("they are connected again", () => a.isFullyConnected("b") && b.isFullyConnected("a"));
    await a.forwardMessage("b", "log", "short");
    await world.until("the next message arrived", () => heard.messages.length === 1);
    assertEquals(heard.messages, ["short"]);
  },
);
