// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { NotConnectedError, PartitionedError, type PeerServiceManager, StoppedError } from "../../mod.ts";
import { seededRandom } from "../seeded_random.ts";
import { scenario, type World } from "./worlds.ts";
import { entryOf, nthOf, present } from "../values.ts";

const KIB = 1024;

/** The byte at a position of a stream. */
function byteAt(stream: number, position: number): number {
  return (position * 31 + stream * 7) >>> 3 & 0xff;
}

/** Outcome of a stream as one end saw it. */
interface Outcome {
  bytes: number;
  error: unknown;
  isOver: boolean;
}

/** Both ends of every stream that was begun. */
class Ledger {
  readonly sent = new Map<number, Outcome>();
  readonly received = new Map<number, Outcome>();

  begin(side: Map<number, Outcome>, stream: number): Outcome {
    const outcome = { bytes: 0, error: undefined, isOver: false };
    side.set(stream, outcome);
    return outcome;
  }

  get isOver(): boolean {
    return [...this.sent.values(), ...this.received.values()].every(({ isOver }) => isOver);
  }

  /** Each stream is complete at both ends, or has ended with an error that has a name. */
  check(size: number): { complete: number; broken: number } {
    let complete = 0;
    for (const [stream, { bytes, error }] of this.received) {
      if (error === undefined) {
        assertEquals(bytes, size, `stream ${stream} has ended before its end`);
        complete++;
      } else assert(isNamed(error), `stream ${stream} has ended with ${error}`);
      assert(bytes <= entryOf(this.sent, stream).bytes + size);
    }
    for (const [stream, { error }] of this.sent) {
      assert(error === undefined || isNamed(error), `stream ${stream} has ended with ${error}`);
      if (error === undefined) assertEquals(this.received.get(stream)?.bytes, size, `stream ${stream} is not complete`);
    }
    return { complete, broken: this.received.size - complete };
  }
}

function isNamed(error: unknown): boolean {
  return [NotConnectedError, PartitionedError, StoppedError].some((kind) => error instanceof kind);
}

function pause(world: World, ms: number): Promise<void> {
  return new Promise((resolve) => world.clock.schedule(ms, resolve));
}

/** Closes a stream that may have ended already: then by what. */
async function close(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
  await writer.close().catch(() => writer.closed);
}

/** Takes streams, and looks at every byte; now and then it does not read for a while. */
function serve(world: World, node: PeerServiceManager, ledger: Ledger, random: () => number): void {
  node.registerStream("sink", async ({ readable, writable }, stream: number) => {
    const outcome = ledger.begin(ledger.received, stream);
    try {
      for await (const chunk of readable) {
        for (let i = 0; i < chunk.length; i += 97) {
          assertEquals(chunk[i], byteAt(stream, outcome.bytes + i), `byte ${outcome.bytes + i} of stream ${stream}`);
        }
        outcome.bytes += chunk.length;
        if (random() < 0.05) await pause(world, random() * 300);
      }
      await close(writable.getWriter());
    } catch (error) {
      outcome.error = error;
    }
    outcome.isOver = true;
  });
}

async function send(
  node: PeerServiceManager,
  to: string,
  stream: number,
  size: number,
  ledger: Ledger,
  random: () => number,
): Promise<void> {
  const outcome = ledger.begin(ledger.sent, stream);
  try {
    const { writable, closed, readable } = await node.openStream(to, "sink", stream);
    const writer = writable.getWriter();
    while (outcome.bytes < size) {
      const length = Math.min(size - outcome.bytes, 1 + Math.floor(random() * 100 * KIB));
      const chunk = Uint8Array.from({ length }, (_, index) => byteAt(stream, outcome.bytes + index));
      await writer.write(chunk);
      outcome.bytes += length;
    }
    await close(writer);
    for await (const _ of readable) throw new Error("Nothing is written back");
    await closed;
  } catch (error) {
    outcome.error = error;
  }
  outcome.isOver = true;
}

for (const seed of [1, 2, 3, 4]) {
  scenario(
    `Every stream is whole, or ends by a name at both ends, whatever happens meanwhile (seed ${seed})`,
    async (world) => {
      const seeded = seededRandom(seed);
      const random = () => seeded.next();
      const size = 1_500 * KIB;
      const nodes = await world.cluster(["a", "b", "c"], {
        secret: "first of all secrets",
        channels: { bulk: { parallelism: 2 } },
      });
      const ledger = new Ledger();
      for (const node of nodes) serve(world, node, ledger, random);
      let stream = 0;
      const sending: Promise<void>[] = [];
      const troubles = [
        () => world.breakConnections(present("abc"[Math.floor(random() * 3)])),
        async () => {
          const node = present(nodes[Math.floor(random() * 3)]);
          // A node without connections cannot be told to part with them.
          if (node.connected().length === 0) return;
          const reference = await node.injectPartition(node.name, 0);
          await pause(world, random() * 400);
          node.resolvePartition(reference);
        },
        () =>
          void present(nodes[Math.floor(random() * 3)]).updateSecrets(["first of all secrets", `another one ${stream}`])
            .catch(
              () => {},
            ),
        () => {},
        () => {},
      ];
      for (let round = 0; round < 10; round++) {
        for (let i = 0; i < 3; i++) {
          const [from, to] = [Math.floor(random() * 3), Math.floor(random() * 3)];
          sending.push(send(present(nodes[from]), present(nodes[to]).name, stream++, size, ledger, random));
        }
        await pause(world, random() * 200);
        await present(troubles[Math.floor(random() * troubles.length)])();
      }
      await Promise.all(sending);
      await world.until("all are over", () => ledger.isOver);
      await world.until("nothing is left", () => nodes.every((node) => node.stats().streams.open === 0));
      const { complete, broken } = ledger.check(size);
      assert(complete > 0, `${complete} complete, ${broken} broken`);
      world.errors.length = 0;
    },
    ["memory"],
  );
}

scenario("Memory is flat at both ends, however much goes through a stream", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let received = 0;
  let held = 0;
  const look = () => {
    const [there, here] = [b.stats(), a.stats()];
    held = Math.max(
      held,
      there.streams.heldBytes + present(here.peers.b).queuedBytes + present(there.peers.a).queuedBytes,
    );
  };
  b.registerStream("sink", async ({ readable, writable }) => {
    for await (const chunk of readable) {
      received += chunk.length;
      if (received % (8 * KIB * KIB) < chunk.length) {
        await pause(world, 20);
        look();
      }
    }
    await writable.close();
  });
  const { writable, closed, readable } = await a.openStream("b", "sink");
  const chunk = new Uint8Array(256 * KIB);
  const size = 1_024 * KIB * KIB;
  const writer = writable.getWriter();
  for (let sent = 0; sent < size; sent += chunk.length) await writer.write(chunk);
  await writer.close();
  await readable.cancel();
  await closed.catch(() => {});
  await world.until("all has come", () => received === size);
  assert(held > 0 && held <= 20 * KIB * KIB, `${held} bytes were held`);
}, ["memory"]);

scenario("Streams take turns, and messages go between their chunks", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const received = [0, 0, 0];
  b.registerStream("sink", async ({ readable }, index: number) => {
    for await (const chunk of readable) received[index] = nthOf(received, index) + chunk.length;
  });
  b.register("look", () => [...received]);
  const chunk = new Uint8Array(4 * KIB * KIB);
  const writers = await Promise.all(received.map(async (_, index) => {
    const { writable } = await a.openStream("b", "sink", index);
    return writable.getWriter();
  }));
  const writing = writers.map((writer) => writer.write(chunk));
  const first = await a.call("b", "look", null) as number[];
  assert(first.every((bytes) => bytes <= 512 * KIB), `a call waited for ${first} bytes`);
  await world.until("half has come", () => received.some((bytes) => bytes >= chunk.length / 2));
  assert(Math.max(...received) - Math.min(...received) <= 1_024 * KIB, `${received} are not fair`);
  await Promise.all(writing);
  for (const writer of writers) await writer.close();
  await world.until("all has come", () => received.every((bytes) => bytes === chunk.length));
}, ["memory"]);
