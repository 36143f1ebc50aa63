// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { Subscriptions } from "../../manager/subscriptions.ts";

function bench() {
  const failures: unknown[] = [];
  const told: string[] = [];
  const subscriptions = new Subscriptions((error) => failures.push(error));
  const listen = (label: string) => (node: string, channel?: string) => void told.push(`${label} ${node} ${channel}`);
  return { subscriptions, failures, told, listen };
}

Deno.test("Subscriptions tells those who asked about the node or all nodes, and about the same channel or none", () => {
  const { subscriptions, told, listen } = bench();
  subscriptions.add("b", listen("node"));
  subscriptions.add("*", listen("all"));
  subscriptions.add("b", listen("bulk"), { channel: "bulk" });
  subscriptions.add("*", listen("all bulk"), { channel: "bulk" });
  subscriptions.tell("b");
  assertEquals(told.splice(0), ["node b undefined", "all b undefined"]);
  subscriptions.tell("b", "bulk");
  assertEquals(told.splice(0), ["bulk b bulk", "all bulk b bulk"]);
  subscriptions.tell("c", "default");
  assertEquals(told.splice(0), []);
  subscriptions.tell("c");
  assertEquals(told.splice(0), ["all c undefined"]);
});

Deno.test("Subscriptions tells each as often as it asked, until that is disposed of", () => {
  const { subscriptions, told, listen } = bench();
  const listener = listen("x");
  const [first, second] = [subscriptions.add("b", listener), subscriptions.add("b", listener)];
  subscriptions.tell("b");
  assertEquals(told.splice(0).length, 2);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  subscriptions.tell("b");
  assertEquals(told.splice(0).length, 1);
  second[Symbol.dispose]();
  subscriptions.tell("b");
  assertEquals(told, []);
});

Deno.test("Subscriptions goes on past a listener that throws, and says what it threw", () => {
  const { subscriptions, failures, told, listen } = bench();
  const error = new Error("No");
  subscriptions.add("b", () => {
    throw error;
  });
  subscriptions.add("b", listen("x"));
  subscriptions.tell("b");
  assertEquals([failures, told], [[error], ["x b undefined"]]);
});

Deno.test("Subscriptions that listeners begin or end take effect with the next event", () => {
  const { subscriptions, told, listen } = bench();
  const ending = subscriptions.add("b", () => {
    ending[Symbol.dispose]();
    subscriptions.add("b", listen("later"));
  });
  subscriptions.tell("b");
  assertEquals(told, []);
  subscriptions.tell("b");
  assertEquals(told, ["later b undefined"]);
});

Deno.test("Subscriptions refuses what is no node name, or no function", () => {
  const { subscriptions } = bench();
  assertThrows(() => subscriptions.add(5 as never, () => {}), TypeError, 'expected a node name or "*", and a function');
  assertThrows(() => subscriptions.add("b", {} as never), TypeError, "Cannot subscribe");
});
