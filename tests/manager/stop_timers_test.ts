// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { delay, fullMesh, hyparview, type PeerServiceManager, type PeerServiceOptions, scampV2 } from "../../mod.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import type { SeededRandom } from "../../testing/seeded_random.ts";
import { firstOf } from "../values.ts";
import { World } from "./worlds.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Instants at which all stop, 0.5 ms apart: they connect, tell each other what they know, and open the channels that they use. */
const INSTANTS = Array.from({ length: 100 }, (_, index) => index / 2);

/** Milliseconds from the stop of the first node to that of the last one. */
const SPREAD_MS = 3;

/** Bytes under way to a node: few, so that much waits to be written when it stops, and it reads meanwhile. */
const WINDOW_BYTES = 1_024;

/** Starts nodes that all join at once, send to each other, and delay some of what comes in. They all stop after about `instant` milliseconds. */
async function stopAt(
  instant: number,
  strategy: PeerServiceOptions["strategy"],
): Promise<{ delayed: number; left: string[] }> {
  const simulated = new SimulatedWorld({ seed: `stop at ${instant}`, windowBytes: WINDOW_BYTES });
  const random = simulated.random("fate");
  const world = new World(simulated);
  let delayed = 0;
  const start = async () => {
    for (const name of NAMES) await world.start(name, { strategy });
  };
  await simulated.wait(start(), 1_000);
  const first = firstOf(world.nodes);
  for (const node of world.nodes) {
    node.register("inbox", () => {});
    node.addInterpositionFun("late", ({ type, message }) => {
      if (type === "forward_message" || random.next() < 0.5) return message;
      delayed++;
      return delay(message);
    });
    if (node !== first) node.join(first.spec);
  }
  chatter(simulated, world.nodes, random);
  await simulated.advance(instant);
  const stops = world.nodes.map((node) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    simulated.schedule(SPREAD_MS * random.next(), () => resolve(node.stop()));
    return promise;
  });
  await simulated.wait(Promise.all(stops), 10_000);
  return { delayed, left: NAMES.filter((name) => simulated.timers(name) > 0) };
}

/** Has each node send to one that it knows, each millisecond, until it stops. */
function chatter(simulated: SimulatedWorld, nodes: readonly PeerServiceManager[], random: SeededRandom): void {
  const running = nodes.filter(({ stopSignal }) => !stopSignal.aborted);
  if (running.length === 0) return;
  for (const node of running) {
    const others = node.members().filter((name) => name !== node.name);
    if (others.length > 0) send(node, random.pick(others), "x".repeat(random.int(4_000)), random.int(4));
  }
  simulated.schedule(1, () => chatter(simulated, nodes, random));
}

function send(node: PeerServiceManager, to: string, message: string, way: number): void {
  if (way === 0) node.castMessage(to, "inbox", message);
  else if (way === 1) node.broadcast("inbox", message);
  else if (way === 2) node.call(to, "inbox", message).catch(() => {});
  else node.forwardMessage(to, "inbox", message, { ack: true, causalLabel: "talk" }).catch(() => {});
}

for (const strategy of [fullMesh(), hyparview(), scampV2()]) {
  Deno.test(`Nodes that stop leave no timer behind, at whatever instant of their beginning that is (${strategy.name})`, async () => {
    let delayed = 0;
    const left: [number, string[]][] = [];
    for (const instant of INSTANTS) {
      const outcome = await stopAt(instant, strategy);
      delayed += outcome.delayed;
      if (outcome.left.length > 0) left.push([instant, outcome.left]);
    }
    assert(delayed > 0, "no message was delayed");
    assertEquals(left, []);
  });
}
