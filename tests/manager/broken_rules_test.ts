// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { MessageTooLargeError } from "../../mod.ts";
import { scenario } from "./worlds.ts";

scenario(
  "A message that is larger than the receiver takes is rejected at once, acknowledged or not, and disturbs nothing",
  async (world) => {
    const a = await world.start("a");
    const b = await world.start("b", { maxFrameBytes: 2048 });
    await b.syncJoin(a.spec);
    await world.settled([a, b]);
    const heard = world.inbox(b, "log");
    for (const ack of [false, true]) {
      const large = "x".repeat(5000);
      await assertRejects(
        () => a.forwardMessage("b", "log", large, { ack }),
        MessageTooLargeError,
        "the limit is 2048",
      );
      await a.forwardMessage("b", "log", `ack: ${ack}`, { ack });
    }
    await world.until("the others arrived", () => heard.messages.length === 2);
    assertEquals(heard.messages, ["ack: false", "ack: true"]);
    // The other way round, the receiver's limit counts as well.
    await assertRejects(() => b.forwardMessage("a", "log", "x".repeat(5000)), MessageTooLargeError);
    assertEquals(world.errors, []);
  },
);
