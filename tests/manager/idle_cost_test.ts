// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { scenario, type World } from "./worlds.ts";
import { entryOf, firstOf, nthOf, present, takeOf } from "../values.ts";

/** Counts what is made while something is done. */
class Counts {
  signals = 0;
  promises = 0;

  /** Runs work that does not wait, and counts what it makes. */
  during(work: () => void): void {
    const real = { AbortController: globalThis.AbortController, Promise: globalThis.Promise };
    const count = (what: "signals" | "promises") => this[what]++;
    globalThis.AbortController = class extends real.AbortController {
      constructor() {
        super();
        count("signals");
      }
    };
    globalThis.Promise = new Proxy(real.Promise, {
      construct(target, args, newTarget) {
        count("promises");
        return Reflect.construct(target, args, newTarget);
      },
    });
    try {
      work();
    } finally {
      Object.assign(globalThis, real);
    }
  }
}

const MESSAGES = 1_000;

/** Cost of a message on its way in, beyond its handler: it is handed over as if it had come off the wire. */
function costOfReceiving(node: PeerServiceManager): Counts {
  const counts = new Counts();
  const { inbound } = PeerService.nodeOf(node).messaging;
  const context = inbound.context("b", "default", true);
  counts.during(() => {
    for (let i = 0; i < MESSAGES; i++) inbound.receive("count", i, context, 1);
  });
  return counts;
}

/** Bytes and frames that a thousand casts make. */
async function costOfSending(world: World, from: PeerServiceManager, to: PeerServiceManager): Promise<number[]> {
  const { peers } = PeerService.nodeOf(to).pool;
  const connection = () => present(entryOf(PeerService.nodeOf(from).pool.peers, to.name).at("default", 0));
  const before = [connection().queue.bytesWritten, entryOf(peers, from.name).framesIn];
  for (let i = 0; i < MESSAGES; i++) from.castMessage(to.name, "count", 7);
  await connection().queue.flushed();
  await new Promise<void>((resolve) => world.clock.schedule(10, resolve));
  return [connection().queue.bytesWritten - firstOf(before), entryOf(peers, from.name).framesIn - nthOf(before, 1)];
}

scenario("A thousand handlers, monitors and handlers of streams cost nothing per message", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let seen = 0;
  for (const node of [a, b]) node.register("count", () => void seen++);
  a.castMessage("b", "count", 0);
  await world.until("it came", () => seen === 1);
  const bare = await costOfSending(world, a, b);
  for (let i = 0; i < 1_000; i++) {
    for (const node of [a, b]) {
      node.register(`handler-${i}`, (_, { signal }) => signal.aborted, { concurrency: 5 });
      node.registerStream(`handler-${i}`, () => {});
    }
    a.monitor({ node: "b", name: `handler-${i}` });
  }
  await new Promise<void>((resolve) => world.clock.schedule(1_000, resolve));
  const [bytes, frames] = takeOf(await costOfSending(world, a, b), 2);
  assertEquals(bytes, bare[0]);
  // Heartbeats may come between.
  assert(Math.abs(frames - nthOf(bare, 1)) <= 4, `${frames} frames, ${bare[1]} before`);
  assertEquals({ ...costOfReceiving(b) }, { signals: 0, promises: 0 });
  assertEquals(seen, 1 + 3 * MESSAGES);
}, ["memory"]);
