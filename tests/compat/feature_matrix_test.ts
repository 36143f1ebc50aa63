// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Nodes that know every feature with one that lacks some, as in the middle of an upgrade: over each kind of connection, in overlays with and
 * without direct ways, and in both roles, all that nodes say to each other arrives once and in order, and no side uses what the other one lacks.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { makeAuthority, makeCertificate } from "../../cli/certificates.ts";
import { FEATURES } from "../../connections/handshake/introduction.ts";
import { hash } from "../../connections/noise/primitives.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { fullMesh, hyparview, type PeerServiceManager, type PeerServiceOptions, staticOverlay } from "../../mod.ts";
import { instrument } from "../../ops/mod.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { World } from "../manager/worlds.ts";
import { KeptTracer } from "../ops/kept_tracer.ts";
import { entryOf, firstOf } from "../values.ts";
import { FeatureWatch } from "./feature_watch.ts";
import { startOlderNode } from "./older_node.ts";

type Security = "plain" | "secret" | "TLS";
type Overlay = "a full mesh" | "HyParView" | "a line";
type Pair = readonly [from: PeerServiceManager, to: PeerServiceManager];

/** Messages of each kind that each node sends to each other one. */
const NUMBERS = [...Array(12).keys()];
const HANDLERS = ["cast", "acknowledged", "causal", "partitioned", "broadcast"];
const STREAMS = ["values", "bytes"];
const LOOKS_MS = 1_000;
const OPTIONS: PeerServiceOptions = {
  preset: "local",
  channels: { bulk: { parallelism: 2, compression: true } },
  causalLabels: ["label"],
};

const VALID = { from: new Date(Date.now() - 86_400_000), to: new Date(Date.now() + 86_400_000) };
const authority = await makeAuthority("The authority", VALID);

/** Nodes that send each other everything. */
class Exchange {
  readonly #world: World;
  readonly #nodes: readonly PeerServiceManager[];
  readonly #hasStreams: (...pair: Pair) => boolean;
  /** Messages that have come, by receiver, kind and sender. */
  readonly #heard = new Map<string, number[]>();

  constructor(world: World, nodes: readonly PeerServiceManager[], hasStreams: (...pair: Pair) => boolean) {
    this.#world = world;
    this.#nodes = nodes;
    this.#hasStreams = hasStreams;
    for (const node of nodes) this.#listen(node);
  }

  /** Sends everything, streams or not, and waits for it. */
  async run(withStreams = true): Promise<void> {
    this.#heard.clear();
    const pairs: Pair[] = this.#nodes.flatMap((from) =>
      this.#nodes.filter((to) => to !== from).map((to): Pair => [from, to])
    );
    const sending = pairs.map((pair) => this.#send(...pair, withStreams));
    for (const node of this.#nodes) for (const number of NUMBERS) node.broadcast("broadcast", number);
    await Promise.all(sending);
    const expected = new Map(this.#nodes.map(({ name }) => [`${name}: broadcast of ${name}`, NUMBERS]));
    for (const [from, to] of pairs) {
      const streams = withStreams && this.#hasStreams(from, to) ? STREAMS : [];
      for (const kind of [...HANDLERS, "call", ...streams]) {
        expected.set(`${to.name}: ${kind} of ${from.name}`, NUMBERS);
      }
    }
    const count = (heard: ReadonlyMap<string, number[]>) => [...heard.values()].flat().length;
    await this.#world.until("everything has come", () => count(this.#heard) >= count(expected)).catch(() => {});
    assertEquals(inLines(this.#heard), inLines(expected));
  }

  #listen(node: PeerServiceManager): void {
    for (const kind of HANDLERS) {
      node.register(kind, (number: number, { from }) => this.#hear(node, kind, from, number));
    }
    node.register("call", (number: number) => number);
    node.register("values", async function* () {
      yield* NUMBERS;
    });
    node.registerStream("bytes", async ({ readable, writable }, from: string) => {
      for await (const chunk of readable) for (const number of chunk) this.#hear(node, "bytes", from, number);
      await writable.close();
    });
  }

  #hear(at: PeerServiceManager, kind: string, from: string, number: number): void {
    const key = `${at.name}: ${kind} of ${from}`;
    if (!this.#heard.has(key)) this.#heard.set(key, []);
    entryOf(this.#heard, key).push(number);
    this.#world.look();
  }

  async #send(from: PeerServiceManager, to: PeerServiceManager, withStreams: boolean): Promise<void> {
    const done: Promise<void>[] = [];
    const transitive = true;
    const forward = (kind: string, number: number, options: object) =>
      done.push(from.forwardMessage(to.name, kind, number, { transitive, ...options }));
    for (const number of NUMBERS) {
      from.castMessage(to.name, "cast", number, { transitive });
      forward("acknowledged", number, { ack: true });
      forward("causal", number, { causalLabel: "label", ack: true });
      forward("partitioned", number, { channel: "bulk", partitionKey: 5 });
      const call = from.call(to.name, "call", number, { transitive });
      done.push(call.then((reply) => this.#hear(to, "call", from.name, reply as number)));
    }
    if (withStreams && this.#hasStreams(from, to)) done.push(this.#stream(from, to), this.#readValues(from, to));
    else if (withStreams) done.push(this.#failToStream(from, to));
    await Promise.all(done);
  }

  async #stream(from: PeerServiceManager, to: PeerServiceManager): Promise<void> {
    const { writable, readable, closed } = await from.openStream(to.name, "bytes", from.name);
    const writer = writable.getWriter();
    for (const number of NUMBERS) await writer.write(Uint8Array.of(number));
    await writer.close();
    assertEquals(await Array.fromAsync(readable), []);
    await closed;
  }

  async #readValues(from: PeerServiceManager, to: PeerServiceManager): Promise<void> {
    for await (const value of from.callStream(to.name, "values", null)) {
      this.#hear(to, "values", from.name, value as number);
    }
  }

  async #failToStream(from: PeerServiceManager, to: PeerServiceManager): Promise<void> {
    const why = from.isConnected(to.name) ? "does not know streams" : "there is no direct connection";
    await assertRejects(() => from.openStream(to.name, "bytes", from.name), Error, why);
  }
}

function inLines(heard: ReadonlyMap<string, number[]>): string[] {
  return Array.from(heard, ([what, numbers]) => `${what}: ${numbers.join(" ")}`).sort();
}

/** Over TLS nodes are real, because it is the system's; all others live in memory, where secrets take no time. */
function placeOf(world: World, security: Security, name: string): PeerServiceOptions {
  if (security === "TLS") return {};
  const stretch = (secret: Uint8Array, salt: Uint8Array) => Promise.resolve(hash(salt, secret));
  return { runtime: { ...world.runtime(name), stretch }, listen: { hostname: name, port: 9_090 } };
}

async function trustOf(security: Security, name: string): Promise<PeerServiceOptions> {
  if (security === "plain") return {};
  if (security === "secret") return { secret: "correct horse battery staple" };
  return { tls: { ...await makeCertificate(authority, [name], VALID), ca: authority.cert } };
}

function strategyOf(overlay: Overlay, names: readonly string[]): NonNullable<PeerServiceOptions["strategy"]> {
  if (overlay === "a full mesh") return fullMesh();
  if (overlay === "HyParView") return hyparview();
  return staticOverlay((name) => names.slice(names.indexOf(name) + 1).slice(0, 1));
}

/** Starts nodes that join the first one, or each the one before it, and has all of them send each other everything. */
async function play(
  world: World,
  security: Security,
  overlay: Overlay,
  names: readonly string[],
  older: string,
  lacking: readonly string[],
): Promise<void> {
  const troubles: string[] = [];
  let isEnding = false;
  const nodes: PeerServiceManager[] = [];
  const watch = new FeatureWatch(older, lacking);
  const isLine = overlay === "a line";
  for (const name of names) {
    const options = { ...OPTIONS, ...placeOf(world, security, name), ...await trustOf(security, name) };
    const strategy = strategyOf(overlay, names);
    const lacks = name === older ? lacking : [];
    const node = world.adopt(await startOlderNode({ ...options, name, strategy, lacking: lacks }));
    watch.add(node);
    instrument(node, { meter: null, tracer: new KeptTracer() });
    const contact = isLine ? nodes.at(-1) : nodes[0];
    if (contact !== undefined) await node.syncJoin(contact.spec);
    nodes.push(node);
    node.addEventListener("down", ({ detail }) => isEnding || troubles.push(`down ${detail.node} at ${name}`));
    // Without a word that all is read, it is in doubt whether what was in a connection that was replaced has come.
    if (lacking.includes("drain")) continue;
    node.addEventListener("undeliverable", ({ detail }) => troubles.push(`undeliverable ${detail.node} at ${name}`));
  }
  const isLinked = (one: PeerServiceManager, other: PeerServiceManager) =>
    !isLine || Math.abs(names.indexOf(one.name) - names.indexOf(other.name)) < 2;
  const isSettled = () =>
    nodes.every((one) =>
      one.members().length === nodes.length &&
      nodes.every((other) => !isLinked(one, other) || one.isFullyConnected(other.name))
    );
  await world.until("all are connected", isSettled);
  const knowsStreams = ({ name }: PeerServiceManager) => name !== older || !lacking.includes("streams");
  const exchange = new Exchange(world, nodes, (...pair) => isLinked(...pair) && pair.every(knowsStreams));
  await exchange.run();
  const nodeOf = new Map(nodes.map((node) => [node.name, node]));
  const { peers, renewal } = PeerService.nodeOf(entryOf(nodeOf, "k")).pool;
  if (security !== "TLS") {
    // Connections are looked at once a heartbeat interval, and where they are replaced some wait for seconds. Real time has none to spare.
    await passes(world, LOOKS_MS);
    // A stream outlives its connection where both ends know that the other one has read all.
    const [failures] = await Promise.all([renewal.renew(), exchange.run(!lacking.includes("drain"))]);
    assertEquals(failures, []);
  }
  assert(isSettled());
  assertEquals(world.errors, []);
  assertEquals(entryOf(peers, older).features.size, FEATURES.length - lacking.length);
  isEnding = true;
  // It leaves while others may still owe it the word of what they have read, and it to them.
  await entryOf(nodeOf, older).leave();
  await world.end();
  watch.check();
  assertEquals(troubles, []);
}

function passes(world: World, milliseconds: number): Promise<void> {
  return new Promise((resolve) => world.clock.schedule(milliseconds, resolve));
}

/** Roles of a node `a` or `z`, which sorts first or last: that decides which side dials. */
const ROLES: readonly (readonly [names: readonly string[], older: string])[] = [
  [["a", "k", "l"], "a"],
  [["k", "z", "l"], "z"],
];

for (const security of ["plain", "secret", "TLS"] as const) {
  for (const overlay of ["a full mesh", "HyParView", "a line"] as const) {
    // A line is a matter of how frames are passed on, not of what carries them.
    if (security === "TLS" && overlay === "a line") continue;
    for (const lacking of [...FEATURES.map((feature) => [feature]), FEATURES]) {
      const what = lacking.length > 1 ? "no feature" : `no "${firstOf(lacking)}"`;
      Deno.test(`a node that knows ${what} exchanges everything with newer ones in ${overlay} (${security})`, async () => {
        for (const [names, older] of ROLES) {
          const simulated = security === "TLS" ? undefined : new SimulatedWorld({ seed: `${what} ${overlay}` });
          const world = new World(simulated);
          const playing = play(world, security, overlay, names, older, lacking).finally(() => world.end());
          await (simulated?.wait(playing, 300_000) ?? playing);
        }
      });
    }
  }
}
