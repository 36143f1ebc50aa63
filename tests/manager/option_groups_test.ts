// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The original's own way to test: one basic scenario under each group of options. One server and three clients agree on who is in the
 * cluster, all pairs exchange messages, one leaves, and one crashes and comes back under its name.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { delay, type ForwardOptions, type PeerServiceManager, type PeerServiceOptions } from "../../mod.ts";
import { type Inbox, scenario, type World } from "./worlds.ts";
import { entryOf, nthOf } from "../values.ts";

interface OptionGroup {
  readonly name: string;
  readonly start?: PeerServiceOptions;
  readonly forward?: ForwardOptions;
  /** Joins without waiting. */
  readonly asynchronous?: boolean;
  /** Messages go by the broadcast tree. */
  readonly broadcast?: boolean;
  /** Mark that interposition adds to each message. */
  readonly mark?: string;
  /** Prepares each node. */
  readonly prepare?: (node: PeerServiceManager) => void;
}

/** Delays each message of one direction once. */
function delayOnce(type: "forward_message" | "receive_message"): (node: PeerServiceManager) => void {
  return (node) => {
    const delayed = new Set<string>();
    node.addInterpositionFun("delay once", ({ type: direction, node: other, message }) => {
      const key = `${other} ${JSON.stringify(message)}`;
      if (direction !== type || delayed.has(key)) return message;
      delayed.add(key);
      return delay(message);
    });
  };
}

function pass(node: PeerServiceManager): void {
  node.addPreInterpositionFun("see", () => {});
  node.addInterpositionFun("pass", ({ message }) => message);
  node.addPostInterpositionFun("see", () => {});
}

const GROUPS: readonly OptionGroup[] = [
  { name: "default" },
  { name: "ack", forward: { ack: true } },
  { name: "causal", forward: { causalLabel: "test" }, start: { causalLabels: ["test"] } },
  { name: "causal and ack", forward: { causalLabel: "test", ack: true }, start: { causalLabels: ["test"] } },
  { name: "no secret" },
  { name: "secret", start: { secret: "s3cret" } },
  { name: "parallelism 5", start: { channels: { default: { parallelism: 5 } } } },
  { name: "channels", start: { channels: { rpc: {}, bulk: { parallelism: 2 } } }, forward: { channel: "rpc" } },
  { name: "no extra channels", start: { channels: {} } },
  { name: "monotonic", start: { channels: { state: { monotonic: true } } }, forward: { channel: "state" } },
  { name: "compression", start: { channels: { default: { compression: true } } } },
  { name: "sync join", asynchronous: false },
  { name: "join", asynchronous: true },
  {
    name: "partition key",
    start: { channels: { default: { parallelism: 5 } } },
    forward: { partitionKey: 1 },
  },
  { name: "forward interposition", prepare: pass },
  { name: "forward delay interposition", prepare: delayOnce("forward_message"), forward: { ack: true } },
  {
    name: "receive interposition",
    mark: "seen",
    prepare: (node) =>
      node.addInterpositionFun("mark", ({ type, message }) => {
        return type === "receive_message" ? [...message as string[], "seen"] : message;
      }),
  },
  { name: "ingress delay", prepare: delayOnce("receive_message") },
  { name: "egress delay", prepare: delayOnce("forward_message") },
  { name: "broadcast", broadcast: true },
];

/** Every node sends every other one a message of this round, and all of them arrive, each once. */
async function exchange(
  world: World,
  group: OptionGroup,
  round: string,
  nodes: Map<string, PeerServiceManager>,
  inboxes: Map<string, Inbox>,
) {
  for (const node of nodes.values()) {
    if (group.broadcast) {
      node.broadcast("log", [round, node.name]);
      continue;
    }
    const others = [...nodes.keys()].filter((name) => name !== node.name);
    await Promise.all(others.map((name) => node.forwardMessage(name, "log", [round, node.name], group.forward)));
  }
  for (const name of nodes.keys()) {
    const expected = [...nodes.keys()].filter((other) => group.broadcast || other !== name).sort();
    const heard = () => entryOf(inboxes, name).messages.filter((message) => (message as string[])[0] === round);
    await world.until(`${name} has heard everyone in the ${round} round`, () => heard().length >= expected.length);
    assertEquals(heard().map((message) => nthOf(message as string[], 1)).sort(), expected);
    assertEquals(heard().map((message) => (message as string[])[2]), expected.map(() => group.mark));
  }
}

for (const group of GROUPS) {
  scenario(`The basic scenario holds with ${group.name}`, async (world) => {
    const nodes = new Map<string, PeerServiceManager>();
    const inboxes = new Map<string, Inbox>();
    const start = async (name: string) => {
      const node = await world.start(name, group.start);
      group.prepare?.(node);
      nodes.set(name, node);
      inboxes.set(name, world.inbox(node, "log"));
      return node;
    };
    const server = await start("server");
    for (const name of ["client 1", "client 2", "client 3"]) {
      const client = await start(name);
      if (group.asynchronous) await client.join(server.spec);
      else await client.syncJoin(server.spec);
    }
    await world.settled([...nodes.values()]);
    await exchange(world, group, "first", nodes, inboxes);

    const leaver = entryOf(nodes, "client 1");
    await leaver.leave();
    nodes.delete("client 1");
    await world.settled([...nodes.values()]);
    assertEquals(leaver.members(), ["client 1"]);
    await exchange(world, group, "second", nodes, inboxes);

    const before = entryOf(nodes, "client 2").spec;
    world.breakConnections("client 2");
    await entryOf(nodes, "client 2").stop();
    const rest = [...nodes.values()].filter(({ name }) => name !== "client 2");
    await world.until("its crash is noticed", () => rest.every((node) => !node.isConnected("client 2")));
    for (const node of rest) assertEquals(node.members(), ["client 2", "client 3", "server"]);
    const again = await start("client 2");
    await again.syncJoin(server.spec);
    await world.settled([...nodes.values()]);
    await exchange(world, group, "third", nodes, inboxes);
    assertEquals(again.spec.incarnation > before.incarnation, true);
  });
}
