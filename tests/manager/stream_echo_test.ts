// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Delay that a stream brings to the messages that share its connection, in networks of several speeds, in virtual time. */

import { assertGreater } from "@std/assert";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { assertWithinBudget } from "../gossip/budget.ts";
import { present } from "../values.ts";

const MEGABYTE = 1_000_000;
/** No window is smaller as long as there are few streams. */
const WINDOW_BYTES = 256 * 1024;
/** Until the window has found its size. */
const SETTLE_MS = 2_000;
const ECHOES = 100;

/** A cluster of two, with a link of some speed, and an echo to and fro. */
class Link implements AsyncDisposable {
  readonly cluster: SimulatedCluster;
  received = 0;
  #back = Promise.withResolvers<void>();

  constructor(cluster: SimulatedCluster, bytesPerSecond: number) {
    this.cluster = cluster;
    const [a, b] = [cluster.node("a"), cluster.node("b")];
    cluster.clog("a", "b", bytesPerSecond);
    cluster.clog("b", "a", bytesPerSecond);
    a.register("back", () => this.#back.resolve());
    b.register("echo", (message, { from }) => b.castMessage(from, "back", message));
    b.registerStream("bulk", async ({ readable }) => {
      for await (const chunk of readable) this.received += chunk.length;
    });
  }

  /** Milliseconds that 99 of 100 echoes take at most. */
  async echo(): Promise<number> {
    const times: number[] = [];
    for (let sent = 0; sent < ECHOES; sent++) {
      const sentAt = this.cluster.now;
      this.#back = Promise.withResolvers();
      this.cluster.node("a").castMessage("b", "echo", sent);
      await this.cluster.wait(this.#back.promise);
      times.push(this.cluster.now - sentAt);
    }
    return present(times.toSorted((one, other) => one - other)[Math.floor(0.99 * ECHOES)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }
}

for (const [latency, megabytes] of [[0.5, 100], [2, 20], [10, 5], [20, 50]] as const) {
  Deno.test(`an echo next to a stream takes twice as long as alone, and a window, over ${latency} ms and ${megabytes} MB/s`, async () => {
    const cluster = await SimulatedCluster.start({ nodes: ["a", "b"], latency });
    await using link = new Link(cluster, megabytes * MEGABYTE);
    const alone = await link.echo();
    const end = new AbortController();
    const { writable } = await cluster.wait(cluster.node("a").openStream("b", "bulk", null, { signal: end.signal }));
    const writer = writable.getWriter();
    const chunk = new Uint8Array(MEGABYTE);
    const writing = (async () => {
      while (!end.signal.aborted) await writer.write(chunk);
    })().catch(() => {});
    await cluster.advance(SETTLE_MS);
    const [before, since] = [link.received, cluster.now];
    const together = await link.echo();
    const rate = (link.received - before) / (cluster.now - since);
    assertWithinBudget("an echo next to a stream, p99", together, 2 * alone + WINDOW_BYTES / rate, "ms");
    assertGreater(rate, 0);
    end.abort();
    await writing;
    await cluster.advance(100);
  });
}
