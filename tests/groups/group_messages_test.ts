// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Groups } from "../../groups/mod.ts";
import { CallError, OverloadedError } from "../../mod.ts";
import { SimulatedCluster, type SimulatedClusterOptions } from "../../testing/mod.ts";

interface Heard {
  readonly cluster: SimulatedCluster;
  /** Messages that the members of each node were given. */
  readonly heard: Map<string, unknown[]>;
  readonly groups: Map<string, Groups>;
  /** Number of messages that came to each node. */
  readonly received: Map<string, number>;
  /** Number of the messages for its members that came over the tree. */
  readonly overTree: Map<string, number>;
}

/** A cluster in which the nodes have so many members of the group `g` each. */
async function grouped(members: Readonly<Record<string, number>>, options?: SimulatedClusterOptions): Promise<Heard> {
  const cluster = await SimulatedCluster.start({ ...options, nodes: Object.keys(members) });
  const made: Heard = { cluster, heard: new Map(), groups: new Map(), received: new Map(), overTree: new Map() };
  for (const node of cluster.nodes) {
    made.heard.set(node.name, []);
    const groups = new Groups(node);
    made.groups.set(node.name, groups);
    for (let count = members[node.name] ?? 0; count > 0; count--) {
      groups.join("g", {
        handler(message, { age }) {
          made.heard.get(node.name)?.push(message);
          if (age !== undefined) made.overTree.set(node.name, (made.overTree.get(node.name) ?? 0) + 1);
        },
      });
    }
    node.addPreInterpositionFun("count", ({ type }) => {
      if (type === "receive_message") made.received.set(node.name, (made.received.get(node.name) ?? 0) + 1);
    });
  }
  await cluster.advance(1_000);
  made.received.clear();
  return made;
}

Deno.test("publish() sends a message once to each node that has members, in one hop, and to no other node", async () => {
  const { cluster, heard, groups, received } = await grouped({ a: 1, b: 3, c: 1, d: 0 });
  await using _cluster = cluster;
  // Over others it cannot come.
  cluster.cut(["b"], ["c", "d"]);
  cluster.cut("c", "d");
  groups.get("a")?.publish("g", "x");
  await cluster.advance(100);
  assertEquals([...heard], [["a", ["x"]], ["b", ["x", "x", "x"]], ["c", ["x"]], ["d", []]]);
  assertEquals([received.get("b"), received.get("c"), received.get("d")], [1, 1, undefined]);
});

Deno.test("publish() goes over the broadcast tree where all of many nodes have members, also while one is down", async () => {
  const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
  const { cluster, heard, groups, overTree } = await grouped(Object.fromEntries(names.map((name) => [name, 1])));
  await using _cluster = cluster;
  cluster.crash("n19");
  await cluster.advance(30_000);
  const alive = cluster.names;
  groups.get("n0")?.publish("g", 1);
  await cluster.advance(5_000);
  for (const name of alive) assertEquals([heard.get(name), overTree.get(name)], [[1], 1], name);
  groups.get("n0")?.publish("g", 2, { except: "n0" });
  await cluster.advance(5_000);
  assertEquals(heard.get("n0"), [1]);
  for (const name of alive.slice(1)) assertEquals([heard.get(name), overTree.get(name)], [[1, 2], 1], name);
});

Deno.test("publish() over the broadcast tree reaches no member on a node that came later", async () => {
  const late: unknown[] = [];
  await using cluster = await SimulatedCluster.start({
    nodes: 20,
    setup(node) {
      new Groups(node).join("g", {
        handler(message) {
          if (node.name === "late") late.push(message);
        },
      });
    },
  });
  await cluster.advance(5_000);
  const groups = new Groups(cluster.node("n1"));
  groups.publish("g", "before");
  await cluster.advance(10_000);
  await cluster.startNode("late");
  await cluster.advance(20_000);
  assertEquals(late, []);
  groups.publish("g", "after");
  await cluster.advance(5_000);
  assertEquals(late, ["after"]);
});

Deno.test("call() goes to another member where one is overloaded, and fails only where all are", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options: { maxInflight: 2 } });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  for (const name of ["b", "c"]) {
    const handler = () => {
      begun.push(name);
      return new Promise((resolve) => ends.push(() => resolve(name)));
    };
    new Groups(cluster.node(name)).join("g", { handler });
  }
  await cluster.advance(1_000);
  const groups = new Groups(cluster.node("a"));
  const key = { key: "the same member" };
  const calls = Array.from({ length: 4 }, () => groups.call("g", 1, { pick: key }));
  await cluster.advance(1_000);
  const [first] = begun;
  const other = first === "b" ? "c" : "b";
  assertEquals(begun.toSorted(), ["b", "b", "c", "c"], "what one had no room for went to the other");
  await cluster.wait(assertRejects(() => groups.call("g", 1, { pick: key }), OverloadedError));
  for (const end of ends) end();
  assertEquals((await cluster.wait(Promise.all(calls))).toSorted(), [first, first, other, other].toSorted());
});

for (const parallelism of [1, 4]) {
  Deno.test(`call() asks no other node when the handler fails like a node that did not begin, over ${parallelism} connections`, async () => {
    const options = { channels: { default: { parallelism } } };
    await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], options });
    let begun = 0;
    for (const name of ["b", "c"]) {
      const handler = () => {
        begun++;
        const failure = { name: "OverloadedError", ...(begun % 2 === 0 && { code: 7 }) };
        throw Object.assign(new Error("of something behind it"), failure);
      };
      new Groups(cluster.node(name)).join("g", { handler });
    }
    await cluster.advance(1_000);
    const groups = new Groups(cluster.node("a"));
    for (let turn = 1; turn <= 50; turn++) {
      const error = await cluster.wait(assertRejects(() => groups.call("g", turn, { pick: "random" }), CallError));
      assertEquals(begun, turn);
      assertEquals(error.remote, {
        name: "OverloadedError",
        message: "of something behind it",
        ...(turn % 2 === 0 && { code: 7 }),
      });
    }
  });
}

Deno.test("call() does not ask another member when one dies after it has begun", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"] });
  let begun = 0;
  for (const name of ["b", "c"]) {
    const handler = () => {
      begun++;
      return new Promise(() => {});
    };
    new Groups(cluster.node(name)).join("g", { handler });
  }
  await cluster.advance(1_000);
  const call = new Groups(cluster.node("a")).call("g", 1, { pick: "round-robin" });
  const failed = assertRejects(() => call, Error);
  await cluster.advance(1_000);
  cluster.crash("b");
  await cluster.wait(failed);
  await cluster.advance(10_000);
  assertEquals(begun, 1);
  assert(cluster.node("a").isConnected("c"));
});

Deno.test("call() returns what the handler does, and null for nothing", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b"] });
  for (const result of [undefined, null, 0, [1], "x"]) {
    using _member = new Groups(cluster.node("b")).join(`${result}`, { handler: () => result });
    await cluster.advance(1_000);
    for (const name of ["a", "b"]) {
      const groups = new Groups(cluster.node(name));
      assertEquals(await cluster.wait(groups.call(`${result}`, 1, { pick: "random" })), result ?? null, name);
    }
  }
});
