// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { scenario } from "../manager/worlds.ts";
import { StandInLink } from "./stand_in_link.ts";
import { firstOf, groupOf, nthOf, present } from "../values.ts";

const recording = await Deno.readTextFile(new URL("recorded_version_2.txt", import.meta.url));

/** The bytes that were sent over the connection of a channel. */
function recorded(channel: string): Uint8Array {
  const block = groupOf(recording, new RegExp(`^${channel}\\n((?: +[0-9a-f]+\\n)+)`, "m"));
  return Uint8Array.from(present(block.replaceAll(/\s/g, "").match(/../g)), (byte) => parseInt(byte, 16));
}

scenario("What was recorded of version 2 is understood to the last byte", async (world) => {
  const node = await world.start("b", { preset: "lan", listen: { hostname: "b", port: 9_090 } });
  const inbox = world.inbox(node, "log");
  const { transport } = world.runtime("a");
  const kinds: number[][] = [];
  const streams = [];
  for (const channel of ["membership", "default"]) {
    const stream = await transport.connect({ hostname: "b", port: 9_090 });
    streams.push(stream);
    await stream.write(recorded(channel));
    const heard: number[] = [];
    kinds.push(heard);
    void (async () => {
      for await (const [kind] of new StandInLink(stream).frames()) {
        heard.push(kind);
        world.look();
      }
    })();
    await world.until(`the ${channel} connection is open`, () => heard.includes(0x04));
  }
  await world.until("both messages have arrived and one is acknowledged", () => nthOf(kinds, 1).includes(0x23));
  assertEquals(inbox.messages, [
    { hello: "from version 2", list: [1, 2.5, null, Uint8Array.of(1, 2)] },
    "acknowledged",
  ]);
  assertEquals(node.members(), ["a", "b"]);
  assert(firstOf(kinds).includes(0x10), "the join was answered");
  for (const stream of streams) stream.close();
}, ["memory"]);
