// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { ReliableBroadcast } from "../../examples/reliable_broadcast.ts";
import { scenario } from "../manager/worlds.ts";
import { seededRandom } from "../seeded_random.ts";
import { disturb } from "./faults.ts";
import { firstOf, nthOf, present } from "../values.ts";

scenario(
  "Reliable broadcast delivers everything once, everywhere, although half of the messages is lost or late",
  async (world) => {
    const random = seededRandom(7);
    const nodes = await world.cluster(["a", "b", "c", "d"]);
    const delivered = nodes.map(() => [] as string[]);
    const broadcasts = nodes.map((node, index) =>
      new ReliableBroadcast(node, (message, origin) => nthOf(delivered, index).push(`${origin} ${message}`))
    );
    for (const node of nodes) disturb(node, () => random.next(), { drop: 0.3, late: 0.2 });

    const expected: string[] = [];
    for (let n = 0; n < 10; n++) {
      const sender = random.int(nodes.length);
      present(broadcasts[sender]).broadcast(n);
      expected.push(`${present(nodes[sender]).name} ${n}`);
    }
    await world.until("all is delivered", () => delivered.every(({ length }) => length >= expected.length));
    for (const messages of delivered) assertEquals([...messages].sort(), [...expected].sort());
  },
);

scenario("Reliable broadcast reaches everyone although its sender is cut off after the first copy", async (world) => {
  const nodes = await world.cluster(["a", "b", "c", "d"]);
  const delivered = nodes.map(() => [] as unknown[]);
  const broadcasts = nodes.map((node, index) =>
    new ReliableBroadcast(node, (message) => nthOf(delivered, index).push(message))
  );
  nodes[0].addInterpositionFun("only b hears it", ({ type, node, message }) => {
    return type === "receive_message" || node === "b" ? message : undefined;
  });

  firstOf(broadcasts).broadcast("last words");
  await world.until("all have heard it", () => delivered.every(({ length }) => length === 1));
  assertEquals(delivered, nodes.map(() => ["last words"]));
});
