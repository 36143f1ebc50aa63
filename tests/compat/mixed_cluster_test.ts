// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Rolling upgrades: nodes of this tree among nodes that speak as version 2 was first written down. The stand-ins share no code with the
 * library. A change that breaks a test here breaks clusters in the middle of an upgrade: see `docs/upgrading.md`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { ForwardOptions, PeerServiceManager, PeerServiceOptions } from "../../mod.ts";
import { scenario, type World } from "../manager/worlds.ts";
import { type StandInOptions, StandInPeer } from "./stand_in_peer.ts";
import { entryOf } from "../values.ts";

interface OptionGroup {
  readonly name: string;
  readonly start?: PeerServiceOptions;
  readonly channels?: NonNullable<StandInOptions["channels"]>;
  readonly forward?: ForwardOptions;
  readonly broadcast?: boolean;
}

const GROUPS: readonly OptionGroup[] = [
  { name: "plain messages" },
  { name: "acknowledged messages", forward: { ack: true } },
  { name: "causal messages", forward: { causalLabel: "test", ack: true }, start: { causalLabels: ["test"] } },
  { name: "parallelism 5", channels: { default: { parallelism: 5 } } },
  { name: "a partition key", channels: { default: { parallelism: 5 } }, forward: { partitionKey: 3, ack: true } },
  { name: "channels", channels: { rpc: {}, bulk: { parallelism: 2 } }, forward: { channel: "rpc", ack: true } },
  { name: "a monotonic channel", channels: { state: { monotonic: true } }, forward: { channel: "state" } },
  { name: "compression here only", start: { channels: { default: { compression: true } } } },
  { name: "broadcasts", broadcast: true },
];

/** Two nodes of this tree, and two stand-ins. */
class MixedCluster {
  readonly real = new Map<string, PeerServiceManager>();
  readonly standIns = new Map<string, StandInPeer>();
  readonly downs: string[] = [];
  readonly #world: World;
  readonly #group: OptionGroup;
  readonly #heard = new Map<string, unknown[]>();

  constructor(world: World, group: OptionGroup) {
    this.#world = world;
    this.#group = group;
  }

  get names(): string[] {
    return [...this.real.keys(), ...this.standIns.keys()].sort();
  }

  async startReal(name: string, contact?: PeerServiceManager): Promise<PeerServiceManager> {
    const { start, channels } = this.#group;
    const node = await this.#world.start(name, { ...start, ...(channels === undefined ? {} : { channels }) });
    this.#heard.set(name, this.#world.inbox(node, "log").messages);
    node.addEventListener("down", ({ detail }) => this.downs.push(`${detail.node} at ${name}`));
    if (contact !== undefined) await node.syncJoin(contact.spec);
    this.real.set(name, node);
    return node;
  }

  async startStandIn(name: string, contact: PeerServiceManager, options: Partial<StandInOptions> = {}) {
    const standIn = new StandInPeer({ ...this.optionsOf(name), ...options });
    const heard: unknown[] = [];
    this.#heard.set(name, heard);
    standIn.messages.handlers.set("log", (value) => {
      heard.push(value);
      this.#world.look();
    });
    await standIn.start(contact.spec.addresses[0]);
    this.standIns.set(name, standIn);
  }

  optionsOf(name: string): StandInOptions {
    const { transport, clock } = this.#world.runtime(name);
    const address = { hostname: name, port: 9_090 };
    const { channels } = this.#group;
    const incarnation = Math.floor(clock.wallTime());
    const given = channels === undefined ? {} : { channels };
    return { name, incarnation, address, transport, clock, heartbeatInterval: 200, ...given };
  }

  async settled(): Promise<void> {
    const names = this.names;
    await this.#world.until(
      `${names} agree and are connected`,
      () =>
        [...this.real.values()].every((node) =>
          node.members().join() === names.join() && names.every((name) => node.isFullyConnected(name))
        ) &&
        [...this.standIns.values()].every((peer) =>
          peer.members.join() === names.join() &&
          names.every((name) => name === peer.spec.name || peer.isFullyConnected(name))
        ),
    );
  }

  /** Every node sends every node a message of this round, and all of them arrive, each once. */
  async exchange(round: string): Promise<void> {
    const { forward: options = {}, broadcast } = this.#group;
    const othersOf = (name: string) => this.names.filter((other) => other !== name);
    for (const [name, node] of this.real) {
      if (broadcast) node.broadcast("log", `${round} ${name}`);
      else await Promise.all(othersOf(name).map((to) => node.forwardMessage(to, "log", `${round} ${name}`, options)));
    }
    const { channel = "default", partitionKey = 0 } = options as { channel?: string; partitionKey?: number };
    for (const [name, standIn] of this.standIns) {
      const send = (to: string) =>
        options.ack
          ? standIn.messages.acknowledged(to, "log", `${round} ${name}`, { channel, partitionKey })
          : standIn.messages.send(to, "log", `${round} ${name}`, { channel, partitionKey });
      if (broadcast) standIn.broadcast("log", `${round} ${name}`);
      else await Promise.all(othersOf(name).map(send));
    }
    for (const name of this.names) {
      const senders = broadcast && this.real.has(name) ? this.names : othersOf(name);
      const expected = senders.map((sender) => `${round} ${sender}`);
      const heard = () => entryOf(this.#heard, name).filter((message) => (message as string).startsWith(round));
      await this.#world.until(`${name} has heard the ${round} round`, () => heard().length >= expected.length);
      assertEquals(heard().sort(), expected);
    }
  }

  end(): void {
    for (const standIn of this.standIns.values()) standIn.stop();
  }
}

for (const group of GROUPS) {
  scenario(
    `A cluster of two releases carries ${group.name} while nodes leave, restart and are upgraded`,
    async (world) => {
      const cluster = new MixedCluster(world, group);
      try {
        const server = await cluster.startReal("server");
        await cluster.startStandIn("old 1", server);
        await cluster.startStandIn("old 2", server);
        await cluster.startReal("new 1", server);
        await cluster.settled();
        await cluster.exchange("first");

        await entryOf(cluster.standIns, "old 1").leave();
        cluster.standIns.delete("old 1");
        await cluster.settled();
        assertEquals(cluster.downs.filter((down) => !down.startsWith("old 1 ")), []);

        // The upgrade itself: an old node stops, and comes back as a new one.
        const old = entryOf(cluster.standIns, "old 2");
        old.stop();
        cluster.standIns.delete("old 2");
        await world.until("its end is noticed", () => !server.isConnected("old 2"));
        const upgraded = await cluster.startReal("old 2", server);
        assert(upgraded.spec.incarnation > old.spec.incarnation);
        await cluster.startStandIn("old 3", server);
        await cluster.settled();
        await cluster.exchange("second");
        assertEquals(entryOf(cluster.standIns, "old 3").strange, []);
        assertEquals(old.strange, []);
      } finally {
        cluster.end();
      }
    },
    ["memory"],
  );
}

scenario("A node of the former release is not held for dead however long nothing is sent", async (world) => {
  const cluster = new MixedCluster(world, { name: "idle" });
  try {
    const server = await cluster.startReal("server");
    await cluster.startStandIn("old 1", server);
    await cluster.startReal("new 1", server);
    await cluster.settled();
    const until = world.clock.now() + 120_000;
    await new Promise<void>((resolve) => void world.clock.schedule(until - world.clock.now(), resolve));
    assertEquals(cluster.downs, []);
    assertEquals(entryOf(cluster.standIns, "old 1").strange, []);
    await cluster.settled();
  } finally {
    cluster.end();
  }
}, ["memory"]);

scenario("Calls work both ways between two releases, over connections that break", async (world) => {
  const cluster = new MixedCluster(world, { name: "calls" });
  try {
    const server = await cluster.startReal("server");
    server.register("double", (value) => 2 * (value as number));
    await cluster.startStandIn("old 1", server);
    await cluster.settled();
    const { messages } = entryOf(cluster.standIns, "old 1");
    messages.handlers.set("double", (value) => 2 * (value as number));
    assertEquals(await server.call("old 1", "double", 21), 42);
    assertEquals(await messages.call("server", "double", 4), { ok: true, value: 8 });
    for (let round = 0; round < 20; round++) {
      const sent = [
        server.forwardMessage("old 1", "log", `to old ${round}`, { ack: true, timeout: 60_000 }),
        messages.acknowledged("server", "log", `to new ${round}`),
      ];
      if (round % 4 === 0) world.breakConnections("server");
      await Promise.all(sent);
    }
    assertEquals(messages.received.filter(({ name }) => name === "log").length, 20);
    assertEquals(entryOf(cluster.standIns, "old 1").strange, []);
  } finally {
    cluster.end();
  }
}, ["memory"]);

scenario(
  "A node that has lost its feeder asks an old one for a link of the tree, as one asks for a broadcast",
  async (world) => {
    const cluster = new MixedCluster(world, { name: "grafts" });
    try {
      const one = await cluster.startReal("one");
      const two = await cluster.startReal("two", one);
      const { messages: heard } = world.inbox(two, "news");
      await cluster.startStandIn("old", one);
      await cluster.settled();
      const old = entryOf(cluster.standIns, "old");
      old.broadcast("news", "by way of one", "one");
      await world.until("it has come", () => heard.length === 1);
      assertEquals(old.messages.grafts, []);
      await one.leave();
      await world.until("the old node is asked", () => old.messages.grafts.length > 0);
      // A release that knows nothing of it reads a link of the tree of "old", and no broadcast that it should send again.
      assertEquals(old.messages.grafts, [[2, "old", 0, []]]);
      old.broadcast("news", "directly");
      await world.until("that has come", () => heard.length === 2);
      assertEquals([heard, old.strange], [["by way of one", "directly"], []]);
    } finally {
      cluster.end();
    }
  },
  ["memory"],
);

scenario("Two releases talk as long as one version is common to both, whatever else they can do", async (world) => {
  const cluster = new MixedCluster(world, { name: "versions" });
  const tooNew = new StandInPeer({ ...cluster.optionsOf("too new"), versions: [3, 9] });
  const tooOld = new StandInPeer({ ...cluster.optionsOf("too old"), versions: [1, 1] });
  try {
    const server = await cluster.startReal("server");
    const features = ["what no node has heard of"];
    await cluster.startStandIn("newer", server, { versions: [2, 9], features });
    await cluster.startStandIn("older", server, { versions: [1, 2] });
    await cluster.settled();
    await cluster.exchange("only");
    await tooNew.start(server.spec.addresses[0]);
    await tooOld.start(server.spec.addresses[0]);
    assertEquals([tooNew.refusals, tooOld.refusals], [["version"], ["version"]]);
    assertEquals(server.members(), ["newer", "older", "server"]);
  } finally {
    tooNew.stop();
    tooOld.stop();
    cluster.end();
  }
}, ["memory"]);
