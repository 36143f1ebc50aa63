// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Runtime } from "../../transport/runtime.ts";
import type { SeededRandom } from "../../testing/seeded_random.ts";
import { EVERYBODY, type Ledger } from "./ledger.ts";
import type { Life, Run } from "./run.ts";
import { present } from "../values.ts";

/** The handler that takes all messages. */
const HANDLER = "app";

/** The channels of a run. */
export type Channels = Readonly<Record<string, { readonly parallelism: number; readonly monotonic?: boolean }>>;

/** What there is to know when a message is sent. */
interface Occasion {
  readonly life: Life;
  readonly to: string;
  readonly channel: string;
  readonly key: number | undefined;
  /** Makes the message with that number. */
  readonly message: (id: number) => unknown;
}

/** A way to send a message, and to watch it arrive. */
type Kind = (ledger: Ledger, occasion: Occasion, channels: Channels) => void;

/** Messages that may be lost with a connection. */
const PLAIN: readonly Kind[] = [
  (ledger, occasion, channels) => {
    const { life: { node }, to, channel, key: partitionKey, message } = occasion;
    const id = ledger.add({
      ...inOrder(occasion, channels),
      kind: "cast",
      acked: false,
      ...monotony(channel, channels),
    });
    node.castMessage(to, HANDLER, message(id), { channel, partitionKey });
  },
  (ledger, occasion, channels) => {
    const { life: { node }, to, channel, key: partitionKey, message } = occasion;
    const id = ledger.add({
      ...inOrder(occasion, channels),
      kind: "forward",
      acked: false,
      ...monotony(channel, channels),
    });
    ledger.watch(id, node.forwardMessage(to, HANDLER, message(id), { channel, partitionKey, timeout: 3_000 }));
  },
];

/** Messages that outlive connections. */
const GUARANTEED: readonly Kind[] = [
  (ledger, { life, to, channel, key: partitionKey, message }) => {
    if (to === life.name) return;
    const id = ledger.add({ ...withoutOrder(life, to), kind: "acked", acked: true });
    const timeout = id % 2 === 0 ? 3_000 : undefined;
    ledger.watch(id, life.node.forwardMessage(to, HANDLER, message(id), { channel, partitionKey, ack: true, timeout }));
  },
  (ledger, { life, to, channel, message }) => {
    if (to === life.name) return;
    const id = ledger.addCausal(life, to);
    ledger.watch(id, life.node.forwardMessage(to, HANDLER, message(id), { channel, ack: true, causalLabel: "order" }));
  },
  (ledger, { life, to, channel, message }) => {
    const id = ledger.add({ ...withoutOrder(life, to), kind: "call", acked: to !== life.name });
    ledger.watch(id, life.node.call(to, HANDLER, message(id), { channel, timeout: 3_000 }), id);
  },
];

/** Messages to everybody. */
const BROADCAST: Kind = (ledger, { life, message }) => {
  const id = ledger.add({ ...withoutOrder(life, EVERYBODY), kind: "broadcast", acked: false });
  life.node.broadcast(HANDLER, message(id));
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

  constructor(run: Run, ledger: Ledger, names: readonly string[], channels: Channels, pause: number) {
    this.#run = run;
    this.#ledger = ledger;
    this.#names = names;
    this.#channels = channels;
    this.#pause = pause;
  }

  /** Makes a node that has just started receive messages, and send some until it dies. */
  begin(life: Life, { clock }: Runtime): void {
    life.node.register(HANDLER, (message, { from, channel }) => {
      const [id] = message as [number];
      this.#ledger.receive(life, id, from, channel);
      return id;
    });
    const random = this.#run.cluster.world.random(`workload/${life.id}`);
    const next = () => {
      if (!this.#run.isAlive(life)) return;
      this.#send(life, random);
      clock.schedule(2 * this.#pause * random.next(), next);
    };
    clock.schedule(2 * this.#pause * random.next(), next);
  }

  /** Sends plain messages from everyone to everyone, over each connection. @returns Their numbers. */
  sendOverAll(): number[] {
    const { lives } = this.#run;
    const message = (id: number) => [id];
    const occasions = lives.flatMap((life) =>
      lives.flatMap(({ name: to }) =>
        this.#faithfulChannels.flatMap((channel) =>
          Array.from(
            { length: present(this.#channels[channel]).parallelism },
            (_, key) => ({ life, to, channel, key, message }),
          )
        )
      )
    );
    return this.#sendAll(PLAIN, occasions);
  }

  /** Sends messages of each kind from everyone to everyone, over each channel. @returns Their numbers. */
  sendEverywhere(): { plain: number[]; guaranteed: number[]; broadcast: number[] } {
    const message = (id: number) => [id];
    const { lives } = this.#run;
    const occasions = lives.flatMap((life) =>
      lives.flatMap(({ name: to }) => this.#faithfulChannels.map((channel) => ({ life, to, channel, key: 0, message })))
    );
    const perIncarnation = lives.map((life) => ({ life, to: EVERYBODY, channel: "default", key: 0, message }));
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

  #send(life: Life, random: SeededRandom): void {
    const channel = random.pick(Object.keys(this.#channels));
    const size = random.int(50) === 0 ? random.int(40_000) : random.int(50);
    const filling = new Uint8Array(size);
    const message = (id: number) => [id, filling];
    const key = random.int(4) === 0 ? undefined : random.int(3);
    const occasion = { life, to: random.pick(this.#names), channel, key, message };
    // Now and then several at once, so that they leave in one batch.
    for (let count = random.int(8) === 0 ? 5 : 1; count > 0; count--) {
      random.pick(present(this.#channels[channel]).monotonic ? PLAIN : KINDS)(this.#ledger, occasion, this.#channels);
    }
  }
}

function monotony(channel: string, channels: Channels) {
  return { monotonic: present(channels[channel]).monotonic };
}

function withoutOrder(from: Life, to: string) {
  return { from, to, order: undefined, connections: "" };
}

/** The order that plain messages keep: with one connection always, with several by their key, for as long as these are the same. */
function inOrder({ life, to, channel, key }: Occasion, channels: Channels) {
  if (present(channels[channel]).parallelism === 1) return { ...withoutOrder(life, to), order: channel };
  if (key === undefined) return withoutOrder(life, to);
  const { connections: { accepted, dials }, peers } = life.node.stats();
  const connections = `${accepted} ${dials} ${peers[to]?.connections}`;
  return { from: life, to, order: `${channel} ${key}`, connections };
}
