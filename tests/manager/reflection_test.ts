// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { HandshakeRefusedError, type PeerServiceManager } from "../../mod.ts";
import type { ByteStream, Listener } from "../../transport/transport.ts";
import { relay } from "../connections/stream_pair.ts";
import { scenario, type World } from "./worlds.ts";
import { firstOf } from "../values.ts";

/* Row 1 of the issue on trust: an outsider passes on what a node says to that node itself. */

/** A node that shows a node itself. */
class Mirror implements AsyncDisposable {
  readonly streams: ByteStream[] = [];
  readonly #world: World;
  #listener: Listener | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** Listens, and connects every dialer with `node`. */
  async listen(node: PeerServiceManager, hostname: string, port: number): Promise<string> {
    const { transport } = this.#world.runtime(hostname);
    this.#listener = await transport.listen({ hostname, port }, (stream) => {
      transport.connect(firstOf(node.spec.addresses)).then((other) => {
        this.streams.push(stream, other);
        relay(stream, other);
        relay(other, stream);
      });
    });
    const { address } = this.#listener;
    return `${address.hostname}:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener?.close();
    for (const stream of this.streams) stream.close();
    for (const transport of this.#world.transports.values()) await transport.drained?.();
  }
}

for (const secret of [undefined, "correct horse battery"]) {
  const cluster = secret === undefined ? "an open cluster" : "a cluster with a secret";

  scenario(`In ${cluster}, a node that dials an address that shows it itself admits no node`, async (world) => {
    const a = await world.start("a", { secret });
    await using mirror = new Mirror(world);
    const isReal = world.kind === "TCP";
    const address = await mirror.listen(a, isReal ? "127.0.0.1" : "mirror", isReal ? 0 : 9_090);
    await assertRejects(() => a.syncJoin(address), HandshakeRefusedError, "it leads to this node alone");
    assertEquals([a.members(), a.connected(), Object.keys(a.stats().peers)], [["a"], [], []]);
    assertEquals(mirror.streams.length, 4);
  });

  scenario(
    `In ${cluster}, a node that lost its peers admits no node that shows it itself where one of them was`,
    async (world) => {
      const [a, b] = await world.cluster(["a", "b"], { secret });
      const admitted: string[] = [];
      a.addEventListener("up", ({ detail }) => admitted.push(detail.node));
      const [{ hostname, port }] = b.spec.addresses as [{ hostname: string; port: number }];
      await b.stop();
      await world.until("b is down", () => !a.isConnected("b"));
      await using mirror = new Mirror(world);
      await mirror.listen(a, hostname, port);
      // It looks for b there, and for any other node.
      await world.until("it was shown itself often", () => mirror.streams.length >= 20);
      assertEquals([admitted, a.connected(), a.members()], [[], [], ["a", "b"]]);
      assertEquals(Object.keys(a.stats().peers), ["b"]);
      assertGreater(a.stats().connections.refused["self"] ?? 0, 0);
    },
    ["memory"],
  );
}
