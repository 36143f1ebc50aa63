// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import type { Runtime } from "../../transport/runtime.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import type { ByteStream } from "../../transport/transport.ts";

/** Messages that `sender` was told it sent, and those that came. */
interface Stream {
  accepted: number;
  readonly received: number[];
}

function start(world: SimulatedWorld, name: string): Promise<PeerServiceManager> {
  const runtime = withSlowWrites(world.node(name));
  return world.wait(startPeerService({ name, preset: "local", listen: `${name}:0`, runtime }), 1_000);
}

/** A write may take a turn or more of the event loop, as it does with sockets: much can happen before a handshake goes on. */
function withSlowWrites(runtime: Runtime): Runtime {
  const { clock, random, transport } = runtime;
  const slow = (stream: ByteStream): ByteStream => ({
    remoteAddress: stream.remoteAddress,
    read: (buffer) => stream.read(buffer),
    close: () => stream.close(),
    async write(bytes) {
      await stream.write(bytes);
      await new Promise<void>((resolve) => clock.schedule(100 * random.next(), resolve));
    },
  });
  return {
    clock,
    random,
    defer: (callback) => runtime.defer(callback),
    outside: (operation) => runtime.outside(operation),
    transport: {
      listen: (address, accept) => transport.listen(address, (stream) => accept(slow(stream))),
      connect: async (address, options) => slow(await transport.connect(address, options)),
    },
  };
}

/** Sends numbered messages for as long as there is a connection. */
function send(world: SimulatedWorld, from: PeerServiceManager, to: PeerServiceManager): Stream {
  const stream: Stream = { accepted: 0, received: [] };
  let next = 0;
  to.register(`from ${from.name}`, (number) => stream.received.push(number as number));
  const tick = () => {
    const number = next++;
    from.forwardMessage(to.name, `from ${from.name}`, number).then(() => stream.accepted++, () => {});
    if (number < 1_000) world.node(from.name).clock.schedule(1, tick);
  };
  tick();
  return stream;
}

Deno.test("two nodes that dial each other at once lose no message and do not take each other for down", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const world = new SimulatedWorld({ seed });
    const [b, c] = [await start(world, "b"), await start(world, "c")];
    await world.wait(c.syncJoin(b.spec), 5_000);
    const former = await start(world, "a");
    await world.wait(former.syncJoin(b.spec), 5_000);
    await world.runUntil(() => former.isFullyConnected("c"), 5_000);
    world.crash("a", { reset: true });
    await world.advance(2_000 + world.random("outage").int(1_000));

    // As c is dialing its predecessor still, both dial as soon as they know of each other.
    const a = await start(world, "a");
    let downs = 0;
    a.onDown("*", () => downs++);
    const streams = [send(world, a, c), send(world, c, a)];
    await world.wait(a.syncJoin(b.spec), 5_000);
    await world.advance(3_000);

    for (const { accepted, received } of streams) {
      assertEquals(received.length, accepted, `lost with seed ${seed}`);
      assertEquals(received, received.toSorted((left, right) => left - right), `out of order with seed ${seed}`);
    }
    assertEquals(downs, 0, `down with seed ${seed}`);
    for (const node of [a, b, c]) await world.wait(node.stop(), 5_000);
  }
});
