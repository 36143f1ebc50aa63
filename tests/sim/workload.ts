// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../transport/runtime.ts";
import type { SeededRandom } from "../../testing/seeded_random.ts";
import { EVERY_NODE, type Ledger } from "./ledger.ts";
import type { Process, Run } from "./run.ts";
import type { Channels, Scenario } from "./scenario.ts";
import { present } from "../values.ts";

/** The handler that takes all messages. */
const HANDLER = "app";

/** Facts to know when a message is sent. */
interface Occasion {
  readonly process: Process;
  readonly to: string;
  readonly channel: string;
  readonly key: number | undefined;
  /** Whether others may pass it on. */
  readonly transitive: boolean;
  /** Makes the message with that number. */
  readonly message: (id: number) => unknown;
}

/** A way to send a message, and to watch it arrive. */
type Kind = (ledger: Ledger, occasion: Occasion, channels: Channels) => void;

/** Messages that may be lost with a connection. */
const PLAIN: readonly Kind[] = [
  (ledger, occasion, channels) => {
    const { process: { node }, to, channel, key: partitionKey, transitive, message } = occasion;
    const id = ledger.add({
      ...inOrder(occasion, channels),
      kind: "cast",
      acked: false,
      ...monotony(channel, channels),
    });
    node.castMessage(to, HANDLER, message(id), { channel, partitionKey, transitive });
  },
  (ledger, occasion, channels) => {
    const { process: { node }, to, channel, key: partitionKey, transitive, message } = occasion;
    const id = ledger.add({
      ...inOrder(occasion, channels),
      kind: "forward",
      acked: false,
      ...monotony(channel, channels),
    });
    const options = { channel, partitionKey, transitive, timeout: 3_000 };
    ledger.watch(id, node.forwardMessage(to, HANDLER, message(id), options));
  },
];

/** Messages that outlive connections. */
const GUARANTEED: readonly Kind[] = [
  (ledger, { process, to, channel, key: partitionKey, transitive, message }) => {
    if (to === process.name) return;
    const id = ledger.add({ ...withoutOrder(process, to), kind: "acked", acked: true });
    const timeout = id % 2 === 0 ? 3_000 : undefined;
    const options = { channel, partitionKey, transitive, ack: true, timeout };
    ledger.watch(id, process.node.forwardMessage(to, HANDLER, message(id), options));
  },
  (ledger, { process, to, channel, transitive, message }) => {
    // A partial view may not have it, and a place in a causal order is there for members only.
    if (to === process.name || (transitive && !process.node.member(to))) return;
    const id = ledger.addCausal(process, to);
    const options = { channel, transitive, ack: true, causalLabel: "order" };
    ledger.watch(id, process.node.forwardMessage(to, HANDLER, message(id), options));
  },
  (ledger, { process, to, channel, transitive, message }) => {
    const id = ledger.add({ ...withoutOrder(process, to), kind: "call", acked: to !== process.name });
    ledger.watch(id, process.node.call(to, HANDLER, message(id), { channel, transitive, timeout: 3_000 }), id);
  },
];

/** Messages to every node. */
const BROADCAST: Kind = (ledger, { process, message }) => {
  const id = ledger.add({ ...withoutOrder(process, EVERY_NODE), kind: "broadcast", acked: false });
  process.node.broadcast(HANDLER, message(id));
};

/** All ways to send a message. */
const KINDS: readonly Kind[] = [...PLAIN, ...GUARANTEED, BROADCAST];

/** Messages of all kinds, from everyone to everyone. */
export class Workload {
  readonly #run: Run;
  readonly #ledger: Ledger;
  readonly #channels: Channels;
  /** Milliseconds between two messages of one node, on average. */
  readonly #pause: number;
  readonly #names: readonly string[];
  /** Whether not all nodes are to be connected with each other. */
  readonly #isPartial: boolean;
  #isEnding = false;

  constructor(run: Run, ledger: Ledger, { names, overlay, channels, pause }: Scenario) {
    this.#run = run;
    this.#ledger = ledger;
    this.#names = names;
    this.#channels = channels;
    this.#pause = pause;
    this.#isPartial = !overlay.isFullMesh;
  }

  /** Sends nothing more by itself. */
  end(): void {
    this.#isEnding = true;
  }

  /** Makes a node that has just started receive messages, and send some until it dies. */
  begin(process: Process, { clock }: Runtime): void {
    process.node.register(HANDLER, (message, { from, channel }) => {
      const [id] = message as [number];
      this.#ledger.receive(process, id, from, channel);
      return id;
    });
    const random = this.#run.cluster.world.random(`workload/${process.id}`);
    const next = () => {
      if (!this.#run.isAlive(process) || this.#isEnding) return;
      this.#send(process, random);
      clock.schedule(2 * this.#pause * random.next(), next);
    };
    clock.schedule(2 * this.#pause * random.next(), next);
  }

  /** Sends plain messages from everyone to everyone, over each connection. @returns Their numbers. */
  sendOverAll(): number[] {
    const { processes } = this.#run;
    const message = (id: number) => [id];
    const occasions = processes.flatMap((process) =>
      processes.flatMap(({ name: to }) =>
        this.#faithfulChannels.flatMap((channel) =>
          Array.from(
            { length: present(this.#channels[channel]).parallelism },
            (_, key) => ({ process, to, channel, key, transitive: this.#isPartial, message }),
          )
        )
      )
    );
    return this.#sendAll(PLAIN, occasions);
  }

  /** Sends messages of each kind from everyone to everyone, over each channel. @returns Their numbers. */
  sendEverywhere(): { plain: number[]; guaranteed: number[]; broadcast: number[] } {
    const message = (id: number) => [id];
    const { processes } = this.#run;
    const occasions = processes.flatMap((process) =>
      processes.flatMap(({ name: to }) =>
        this.#faithfulChannels.map((channel) => ({
          process,
          to,
          channel,
          key: 0,
          transitive: this.#isPartial,
          message,
        }))
      )
    );
    const perIncarnation = processes.map((process) => ({
      process,
      to: EVERY_NODE,
      channel: "default",
      key: 0,
      transitive: false,
      message,
    }));
    return {
      plain: this.#sendAll(PLAIN, occasions),
      guaranteed: this.#sendAll(GUARANTEED, occasions),
      broadcast: this.#sendAll([BROADCAST], perIncarnation),
    };
  }

  /** Those that carry every message, and not only the newest. */
  get #faithfulChannels(): string[] {
    return Object.keys(this.#channels).filter((channel) => !present(this.#channels[channel]).monotonic);
  }

  #sendAll(kinds: readonly Kind[], occasions: readonly Occasion[]): number[] {
    const first = this.#ledger.size;
    for (const occasion of occasions) for (const kind of kinds) kind(this.#ledger, occasion, this.#channels);
    return Array.from({ length: this.#ledger.size - first }, (_, index) => first + index);
  }

  #send(process: Process, random: SeededRandom): void {
    const channel = random.pick(Object.keys(this.#channels));
    const size = random.int(50) === 0 ? random.int(40_000) : random.int(50);
    const filling = new Uint8Array(size);
    const message = (id: number) => [id, filling];
    const key = random.int(4) === 0 ? undefined : random.int(3);
    const occasion = { process, to: random.pick(this.#names), channel, key, message };
    const kinds = present(this.#channels[channel]).monotonic ? PLAIN : KINDS;
    // Now and then several at once, so that they leave in one batch.
    for (let count = random.int(8) === 0 ? 5 : 1; count > 0; count--) {
      const kind = random.pick(kinds);
      // What is guaranteed waits for a connection that there may never be, and holds up what depends on it.
      const transitive = this.#isPartial && (!PLAIN.includes(kind) || random.int(4) > 0);
      kind(this.#ledger, { ...occasion, transitive }, this.#channels);
    }
  }
}

function monotony(channel: string, channels: Channels) {
  return { monotonic: present(channels[channel]).monotonic };
}

function withoutOrder(from: Process, to: string) {
  return { from, to, order: undefined, connections: "" };
}

/** The order that plain messages keep: with one connection always, with several by their key, for as long as these are the same. */
function inOrder({ process, to, channel, key, transitive }: Occasion, channels: Channels) {
  // What goes straight overtakes what others pass on.
  if (transitive) return withoutOrder(process, to);
  if (present(channels[channel]).parallelism === 1) return { ...withoutOrder(process, to), order: channel };
  if (key === undefined) return withoutOrder(process, to);
  const { connections: { accepted, dials }, peers } = process.node.stats();
  const connections = `${accepted} ${dials} ${peers[to]?.connections}`;
  return { from: process, to, order: `${channel} ${key}`, connections };
}
