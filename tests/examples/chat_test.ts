// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SimulatedCluster } from "@partisan/peer-service/testing";
import { assertEquals } from "@std/assert";
import { Chat, type ChatEvent } from "../../examples/chat.ts";

Deno.test("What a user says is heard on every node, and the users of a node that dies are gone", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  const [atA, atB] = [new Chat(cluster.node("a")), new Chat(cluster.node("b"))];
  const heard: ChatEvent[] = [];
  atA.enter("ada", (event) => heard.push(event));
  const bob = atB.enter("bob", () => {});
  await cluster.advance(1_000);
  bob.say("hello");
  await cluster.advance(1_000);
  assertEquals([atA.users, atB.users], [["ada", "bob"], ["ada", "bob"]]);
  assertEquals(heard.filter(({ type }) => type === "line"), [{ type: "line", user: "bob", text: "hello" }]);
  cluster.crash("b");
  await cluster.advance(20_000);
  assertEquals([atA.users, heard.at(-1)], [["ada"], { type: "users", users: ["ada"] }]);
});
