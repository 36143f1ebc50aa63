// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import type { MessageContext } from "../../mod.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { firstOf } from "../values.ts";

/** Ends of streams, and what they have seen. */
class Ends {
  readonly errors: string[] = [];
  readonly contexts: MessageContext[] = [];
  bytes = 0;

  /** A cluster whose nodes take streams, and write as much as is read of them. */
  async cluster(): Promise<SimulatedCluster> {
    return await SimulatedCluster.start({
      nodes: ["a", "b", "c"],
      latency: 5,
      options: { preset: "local" },
      setup: (node) => {
        node.registerStream("echo", async ({ readable, writable }, _, context) => {
          this.contexts.push(context);
          const writer = writable.getWriter();
          try {
            for await (const chunk of readable) await writer.write(chunk);
            await writer.close();
          } catch (error) {
            this.note(error);
          }
        });
      },
    });
  }

  /** Writes and reads without end, until something ends it. */
  async talk(cluster: SimulatedCluster, from: string, to: string): Promise<void> {
    try {
      const { readable, writable } = await cluster.node(from).openStream(to, "echo");
      const writer = writable.getWriter();
      const write = async () => {
        for (;;) await writer.write(new Uint8Array(10_000));
      };
      write().catch((error) => this.note(error));
      for await (const chunk of readable) this.bytes += chunk.length;
    } catch (error) {
      this.note(error);
    }
  }

  /** Whether there are so many errors, each with the name that says that a node is gone. */
  areGone(count: number): boolean {
    return this.errors.length === count && this.errors.every((name) => name === "NotConnectedError");
  }

  note(error: unknown): void {
    this.errors.push((error as Error).name);
  }
}

Deno.test("a stream ends at the node that is left when the other one crashes, whether its machine tells or not", async () => {
  for (const [crashed, reset] of [["a", false], ["a", true], ["b", false], ["b", true]] as const) {
    const ends = new Ends();
    await using cluster = await ends.cluster();
    void ends.talk(cluster, "a", "b");
    await cluster.advance(200);
    assert(ends.bytes > 100_000);
    cluster.crash(crashed, { reset });
    await cluster.advance(10_000);
    // The handler has one end of it, its opener has two: what it writes, and what it reads.
    assert(ends.areGone(crashed === "a" ? 1 : 2), `${crashed}, ${reset}: ${ends.errors}`);
    if (crashed === "a") assert(firstOf(ends.contexts).signal.aborted);
    assertEquals(cluster.node(crashed === "a" ? "b" : "a").stats().streams.open, 0);
  }
});

Deno.test("a stream waits for a node that is stopped for a moment, and ends with one that is stopped for long", async () => {
  const ends = new Ends();
  await using cluster = await ends.cluster();
  void ends.talk(cluster, "a", "b");
  await cluster.advance(200);
  cluster.pause("b");
  await cluster.advance(300);
  const before = ends.bytes;
  cluster.resume("b");
  await cluster.advance(300);
  assert(ends.bytes > before + 100_000);
  assertEquals(ends.errors, []);
  cluster.pause("b");
  await cluster.advance(10_000);
  assert(ends.areGone(2), `${ends.errors}`);
  cluster.resume("b");
  await cluster.advance(2_000);
  assert(ends.areGone(3), `${ends.errors}`);
  for (const node of ["a", "b"]) assertEquals(cluster.node(node).stats().streams.open, 0);
});

Deno.test("a stream over a network that is cut ends at both ends, in one direction or in both, and another one works after it has healed", async () => {
  for (const ways of [["a", "b"], ["a"], ["b"]]) {
    const ends = new Ends();
    await using cluster = await ends.cluster();
    void ends.talk(cluster, "a", "b");
    await cluster.advance(200);
    if (ways.length === 2) cluster.cut("a", "b");
    else cluster.clog(firstOf(ways), ways[0] === "a" ? "b" : "a", 1);
    await cluster.advance(20_000);
    cluster.heal();
    await cluster.advance(20_000);
    assert(ways.length === 1 || ends.areGone(3), `${ways}: ${ends.errors}`);
    const before = ends.bytes;
    void ends.talk(cluster, "a", "b");
    await cluster.advance(2_000);
    assert(ends.bytes > before + 100_000, `${ways}: ${ends.bytes - before}`);
  }
});
