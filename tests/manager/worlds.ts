// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { deadline } from "@std/async";
import {
  type Address,
  type Clock,
  type ErrorDetail,
  type MessageContext,
  type PeerServiceManager,
  type PeerServiceOptions,
  type Runtime,
  startPeerService,
  type Timer,
} from "../../mod.ts";
import { denoRuntime } from "../../transport/deno_runtime.ts";
import { systemClock } from "../../runtime/system.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { ReservedPorts } from "../reserved_ports.ts";
import { useChannels } from "../use_channels.ts";
import type { OneForEach } from "../tuples.ts";
import { entryOf } from "../values.ts";
import { FaultyTransport } from "./faulty_transport.ts";

/** Milliseconds, real or virtual, in which whatever a test waits for must have happened: long, for slow machines. */
const PATIENCE_MS = 30_000;
/** Between two looks at what no event tells of. */
const LOOK_MS = 20;

const EVENTS = [
  "up",
  "down",
  "join",
  "leave",
  "removed",
  "suspect",
  "undeliverable",
  "message",
  "monitor",
  "error",
] as const;

/** Messages that a handler has been given so far. */
export interface Inbox {
  readonly messages: unknown[];
  readonly contexts: MessageContext[];
}

/** World in which a scenario takes place: nodes in this process, over TCP in real time, or over memory in virtual time. */
export class World {
  readonly kind: "TCP" | "memory";
  /** Nodes that run. */
  readonly nodes: PeerServiceManager[] = [];
  /** Errors that nodes reported; a scenario that expects some takes them out. */
  readonly errors: ErrorDetail[] = [];
  readonly transports = new Map<string, FaultyTransport>();
  readonly #simulated: SimulatedWorld | undefined;
  /** A node that starts again at its address must find it free. */
  readonly #ports: ReservedPorts | undefined;
  readonly #watchers = new Set<() => void>();
  #timer: Timer | null = null;

  constructor(simulated?: SimulatedWorld) {
    this.kind = simulated === undefined ? "TCP" : "memory";
    this.#simulated = simulated;
    this.#ports = simulated === undefined ? new ReservedPorts() : undefined;
  }

  /** The world behind a scenario that runs over memory only. */
  get simulated(): SimulatedWorld {
    if (this.#simulated === undefined) throw new TypeError("Cannot simulate: this world is real");
    return this.#simulated;
  }

  /** Time of this world. */
  get clock(): Pick<Clock, "now" | "schedule"> {
    const simulated = this.#simulated;
    if (simulated === undefined) return systemClock;
    return { now: () => simulated.now, schedule: (delay, callback) => simulated.schedule(delay, callback) };
  }

  /** Starts a node. */
  async start(name: string, options: PeerServiceOptions = {}): Promise<PeerServiceManager> {
    const node = await startPeerService({
      preset: "local",
      listen: this.#address(name),
      runtime: this.runtime(name),
      joinTimeout: PATIENCE_MS,
      ...options,
      name,
    });
    return this.adopt(node);
  }

  /** Looks at the events of a node that was started otherwise, and stops it in the end. */
  adopt(node: PeerServiceManager): PeerServiceManager {
    this.nodes.push(node);
    for (const type of EVENTS) node.addEventListener(type, () => this.look());
    node.addEventListener("error", ({ detail }) => this.errors.push(detail));
    return node;
  }

  /** Starts nodes that know each other and are fully connected. */
  async cluster<const Names extends readonly string[]>(
    names: Names,
    options: PeerServiceOptions = {},
  ): Promise<OneForEach<Names, PeerServiceManager>> {
    const nodes: PeerServiceManager[] = [];
    for (const name of names) nodes.push(await this.start(name, options));
    const [first, ...others] = nodes;
    for (const node of others) if (first !== undefined) await node.syncJoin(first.spec);
    await this.settled(nodes);
    // One was started for each name.
    return nodes as OneForEach<Names, PeerServiceManager>;
  }

  /** Waits until these nodes have exactly each other for members, and every connection among them is open. */
  async settled(nodes: readonly PeerServiceManager[]): Promise<void> {
    const names = nodes.map(({ name }) => name).sort();
    await this.until(
      `${names} agree and are connected`,
      () =>
        nodes.every((node) =>
          node.members().join() === names.join() && names.every((name) => node.isFullyConnected(name))
        ),
    );
  }

  /** The same, and every channel among them is used, and has its connections. */
  async opened(nodes: readonly PeerServiceManager[]): Promise<void> {
    await this.settled(nodes);
    await this.until("every channel is open", () => nodes.map(useChannels).every(Boolean));
  }

  /** Registers a handler that keeps what it is given. */
  inbox(node: PeerServiceManager, name: string): Inbox {
    const inbox: Inbox = { messages: [], contexts: [] };
    node.register(name, (message, context) => {
      inbox.messages.push(message);
      inbox.contexts.push(context);
      this.look();
    });
    return inbox;
  }

  /** Waits until something is so: looks at each event of a node, and now and then. */
  until(what: string, condition: () => boolean): Promise<void> {
    const givenUpAt = this.clock.now() + PATIENCE_MS;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#watchers.delete(watch);
        settle();
      };
      const watch = () => {
        try {
          if (condition()) end(resolve);
          else if (this.clock.now() >= givenUpAt) end(() => reject(new Error(`It never came to this: ${what}`)));
        } catch (error) {
          end(() => reject(error));
        }
      };
      this.#watchers.add(watch);
      watch();
      this.#lookAgain();
    });
  }

  /** Lets every node who waits look again. */
  look(): void {
    // In a turn of its own: the part that tells of a change may not be done with it yet.
    queueMicrotask(() => {
      for (const watch of [...this.#watchers]) watch();
    });
  }

  /** A runtime for a node: each node has its own transport, so that its connections can be broken. */
  runtime(name: string): Runtime {
    const runtime = this.#simulated?.node(name) ?? denoRuntime();
    const transport = new FaultyTransport(runtime.transport);
    this.transports.set(name, transport);
    return {
      clock: runtime.clock,
      random: runtime.random,
      transport,
      defer: (callback) => runtime.defer(callback),
      outside: (operation) => runtime.outside(operation),
    };
  }

  /** Address at which a node listens that is not told otherwise. */
  #address(name: string): Address {
    if (this.#ports === undefined) return { hostname: name, port: 9_090 };
    return { hostname: "127.0.0.1", port: this.#ports.take() };
  }

  /** Looks now and then as long as a node waits. */
  #lookAgain(): void {
    if (this.#watchers.size === 0 || this.#timer !== null) return;
    this.#timer = this.clock.schedule(LOOK_MS, () => {
      this.#timer = null;
      for (const watch of [...this.#watchers]) watch();
      this.#lookAgain();
    });
  }

  /** Breaks all connections of a node. */
  breakConnections(name: string): void {
    entryOf(this.transports, name).breakStreams(() => true);
  }

  /** Stops every node that still runs. */
  async end(): Promise<void> {
    this.#timer?.cancel();
    await Promise.all(this.nodes.map((node) => node.stop()));
    // Over TCP, the sanitizer looks.
    const timers = this.nodes.map(({ name }) => [name, this.#simulated?.timers(name) ?? 0] as const);
    assertEquals(timers.filter(([, count]) => count > 0), [], "timers that stopped nodes left behind");
    this.#ports?.[Symbol.dispose]();
  }
}

/** A test of a few nodes, over TCP and over memory, or over one of them. */
export function scenario(
  name: string,
  body: (world: World) => Promise<void>,
  kinds: readonly World["kind"][] = ["TCP", "memory"],
): void {
  for (const kind of kinds) {
    Deno.test(`${name} (${kind})`, async () => {
      if (kind === "TCP") return await deadline(play(new World(), body), 2 * PATIENCE_MS);
      const simulated = new SimulatedWorld({ seed: name });
      await simulated.wait(play(new World(simulated), body), 10 * PATIENCE_MS);
    });
  }
}

async function play(world: World, body: (world: World) => Promise<void>): Promise<void> {
  try {
    await body(world);
  } finally {
    await world.end();
  }
  assertEquals(
    world.errors.map(({ during, error }) => `${during}: ${error}`),
    [],
    "errors that the scenario did not expect",
  );
}
