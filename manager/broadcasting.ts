// Copyright 2026 the Partisan peer-service authors. MIT license.

import { broadcastFromValue, type BroadcastMessage, broadcastToValue } from "../gossip/broadcast_message.ts";
import { broadcastNeighbours } from "../gossip/broadcast_neighbours.ts";
import { Plumtree } from "../gossip/plumtree.ts";
import type { PlumtreeDelivery } from "../gossip/plumtree_step.ts";
import type { NodeIncarnation, NodeSpec } from "../wire/node_spec.ts";
import type { PayloadCodec } from "../wire/payload_codec.ts";
import { traceFromValue } from "../wire/trace_context.ts";
import type { Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import { StepDriver } from "../runtime/step_driver.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { hash } from "../connections/noise/primitives.ts";
import { DEFAULT_CHANNEL, type Peer } from "../connections/peer.ts";
import { trySendValue } from "../connections/send_value.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import { MessageTooLargeError } from "../messaging/errors.ts";

/** Payload that travels down the tree: a handler's name and the encoded message, which no node on the way has to understand. */
type Payload = readonly [name: string, bytes: Uint8Array, isForOldMembers?: boolean, trace?: Uint8Array];

/** Bytes of a frame besides names and the message, at most: numbers, and a trace. */
const OVERHEAD_BYTES = 100;
/** Bytes of a character in UTF-8, at most, for each that `length` counts. */
const UTF8_BYTES_MAX = 3;

/** Bytes by chance that no other node knows, in front of what is hashed here. */
const SALT_BYTES = 16;

/** So many messages that were too large for a neighbour are remembered, to tell of each once. */
const TOLD_MAX = 1_000;

/** Options of a broadcast. */
export interface BroadcastOptions {
  /**
   * Whether nodes that came into the cluster after it was sent are handed it, too: they are, for about a minute, where it is kept for
   * repairs.
   *
   * @default {true}
   */
  readonly newcomers?: boolean | undefined;
}

/** Dependencies of a {@linkcode Broadcasting}. */
export interface BroadcastingOptions {
  readonly runtime: Runtime;
  readonly pool: ConnectionPool;
  readonly codec: PayloadCodec;
  /** Milliseconds for which announcements are collected. */
  readonly lazyInterval: number;
  /** Milliseconds between two comparisons with a random neighbour, which repair what the tree missed. */
  readonly refreshInterval: number;
  /** Whether everyone is connected with everyone: then some of the peers are enough for neighbours. */
  readonly isFullMesh: boolean;
  /** The present incarnation of a node, where it is known. */
  readonly incarnationOf: (node: string) => number | undefined;
  /** Largest frame of this node, in bytes. */
  readonly maxFrameBytes: number;
  /** Told of a neighbour that cannot be handed a broadcast. */
  readonly undeliverable: (what: { node: string; name: string; reason: string }) => void;
  readonly deliver: (
    name: string,
    message: unknown,
    bytes: number,
    from: NodeIncarnation,
    age: number,
    repaired: boolean,
    trace?: Uint8Array,
  ) => void;
}

/** Counters of broadcasts. */
export interface BroadcastStats {
  /** Broadcasts from here. */
  begun: number;
  /** Broadcasts of others that came here, each counted once. */
  delivered: number;
  /** Copies of broadcasts that were here already. */
  redundant: number;
  /** Broadcasts that did not come along the tree, and were asked for later. */
  repaired: number;
  /** Number of requests to put a link back into a tree because a broadcast was missed; not because a neighbour was lost. */
  grafts: number;
}

/** Runs the broadcast tree over the peers that can be reached. */
export class Broadcasting {
  readonly stats: BroadcastStats = { begun: 0, delivered: 0, redundant: 0, repaired: 0, grafts: 0 };
  readonly #options: BroadcastingOptions;
  #tree: Plumtree<Payload>;
  readonly #driver: StepDriver<BroadcastMessage<Payload>, PlumtreeDelivery<Payload>>;
  /** Is to look who the neighbours are, once that may have changed. */
  #looking: Timer | null = null;
  /** Time at which it does. */
  #lookAt = Infinity;
  /** Whether other peers than those that the tree knows may be reached. */
  #isStale = false;
  #stopped = false;
  readonly #told = new Set<string>();
  #salt: Uint8Array | null = null;
  /** Since when this incarnation of the node is connected with another one, on the local clock. */
  #memberSince = Infinity;

  constructor(options: BroadcastingOptions, self: NodeSpec) {
    this.#options = options;
    this.#tree = this.#treeOf(self);
    this.#driver = new StepDriver({
      clock: options.runtime.clock,
      send: (to, message) => this.#send(to, message),
      tell: (delivery) => this.#deliver(delivery),
      tick: (now) => this.#tree.tick(now),
    });
  }

  /** Root of the tree that was used last, once one was. */
  get lastRoot(): string | undefined {
    return this.#tree.lastRoot;
  }

  /** Names of the neighbours along the tree of `root`: its links, which span the cluster. */
  links(root: string): string[] {
    this.#look();
    return this.#tree.eager(root);
  }

  /**
   * Sends a message to the handler `name` of every node, this one included.
   *
   * @throws {EncodeError} When the message cannot be encoded.
   * @throws {MessageTooLargeError} When this node could not send it.
   */
  broadcast(name: string, message: unknown, { newcomers = true }: BroadcastOptions = {}, trace?: Uint8Array): void {
    const { codec, runtime, deliver, pool, maxFrameBytes } = this.#options;
    this.#look();
    const bytes = codec.encode(message);
    const limit = maxFrameBytes - OVERHEAD_BYTES - UTF8_BYTES_MAX * (name.length + pool.selfName().length);
    if (bytes.length > limit) {
      throw new MessageTooLargeError(
        `Cannot broadcast to "${name}": the message has ${bytes.length} bytes, the limit is ${limit}`,
      );
    }
    const payload: Payload = trace !== undefined
      ? [name, bytes, !newcomers, trace]
      : newcomers
      ? [name, bytes]
      : [name, bytes, true];
    this.stats.begun++;
    this.#driver.do(this.#tree.broadcast(payload, runtime.clock.now()));
    // As everywhere else, what is handed over has nothing in common with what was given: that may change.
    const self = { name: pool.selfName(), incarnation: 0 };
    runtime.defer(() => deliver(name, codec.decode(bytes), bytes.length, self, 0, false, trace));
  }

  /**
   * Other peers than before can be reached. Many come at a time, so it looks at them a little later, or when it needs to know. One that is lost
   * may have fed this node, which is to find another one soon.
   */
  neighboursChanged({ isLost = false } = {}): void {
    const { lazyInterval, pool } = this.#options;
    if (this.#memberSince === Infinity && [...pool.peers.values()].some(({ up }) => up)) {
      this.#memberSince = this.#now();
    }
    this.#isStale = true;
    // While there is nothing that a neighbour could lack, and no tree, it need not know them.
    if (this.#stopped || this.#tree.isEmpty) return;
    this.#lookWithin(isLost ? lazyInterval / 100 : lazyInterval / 4);
  }

  /**
   * Takes a message of another node's tree.
   *
   * @throws {TypeError} When it is malformed.
   */
  receive(peer: Peer, value: unknown): void {
    const message = broadcastFromValue(value);
    this.#look();
    const isPayload = message.kind === "gossip" || message.kind === "repair";
    if (isPayload) checkPayload(message.payload);
    const step = this.#tree.receive(peer.name, message as BroadcastMessage<Payload>, this.#now());
    if (isPayload && step.events.length === 0) this.stats.redundant++;
    this.#driver.do(step);
  }

  /** Begins again as another incarnation of this node. */
  restart(self: NodeSpec): void {
    this.#driver.reset();
    this.#memberSince = Infinity;
    this.#tree = this.#treeOf(self);
    this.neighboursChanged();
  }

  /** Ends it, for good. */
  stop(): void {
    this.#driver.stop();
    this.#looking?.cancel();
    this.#stopped = true;
  }

  #treeOf({ name, incarnation }: NodeSpec): Plumtree<Payload> {
    const { runtime, lazyInterval, refreshInterval, incarnationOf } = this.#options;
    return new Plumtree<Payload>({ name, incarnation }, {
      random: () => runtime.random.next(),
      sizeOf: ([name, bytes]) => name.length + bytes.length,
      digestOf: (payload) => this.#digestOf(payload),
      lazyInterval,
      graftTimeout: lazyInterval / 4,
      exchangeInterval: refreshInterval,
      incarnationOf,
    });
  }

  /** 48 bits by which this node alone tells payloads apart. A trace is none of them: it may be left out on the way. */
  #digestOf([name, bytes, isForOldMembers = false]: Payload): number {
    this.#salt ??= this.#options.runtime.random.bytes(SALT_BYTES);
    const head = new TextEncoder().encode(`${isForOldMembers}${name}`);
    const all = new Uint8Array(SALT_BYTES + head.length);
    all.set(this.#salt);
    all.set(head, SALT_BYTES);
    const view = new DataView(hash(all, bytes).buffer);
    return view.getUint16(0) * 0x1_0000_0000 + view.getUint32(2);
  }

  #lookWithin(milliseconds: number): void {
    const { clock } = this.#options.runtime;
    const lookAt = clock.now() + milliseconds;
    if (lookAt >= this.#lookAt) return;
    this.#looking?.cancel();
    this.#looking = clock.schedule(milliseconds, () => this.#look());
    this.#lookAt = lookAt;
  }

  /** Takes note of who can be reached, if that may have changed. */
  #look(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#looking?.cancel();
    this.#lookAt = Infinity;
    const { pool, isFullMesh, runtime } = this.#options;
    const usable = [...pool.peers.values()].filter(({ up, partitioned }) => up && !partitioned).map(({ name }) => name);
    const neighbours = isFullMesh ? broadcastNeighbours(pool.selfName(), usable) : usable;
    this.#driver.do(this.#tree.setNeighbours(neighbours, runtime.clock.now()));
  }

  #send(to: string, message: BroadcastMessage<Payload>): void {
    // Without an incarnation, it asks for a link alone.
    if (message.kind === "graft" && message.ids.some(({ incarnation }) => incarnation > 0)) this.stats.grafts++;
    const peer = this.#options.pool.peers.get(to);
    const connection = peer === undefined || peer.partitioned ? null : peer.pick(DEFAULT_CHANNEL, undefined);
    if (connection === null) return;
    const understood = connection.features.has("trace") ? message : untraced(message);
    const outcome = trySendValue(connection, FrameKind.broadcast, broadcastToValue(understood));
    if (outcome === "too-large") this.#tell(to, connection.maxFrameBytes, message);
  }

  /** Tells once of each broadcast that a neighbour does not take. It asks for it again and again. */
  #tell(to: string, limit: number, message: BroadcastMessage<Payload>): void {
    if (message.kind !== "gossip" && message.kind !== "repair") return;
    const { id: { root, incarnation, sequence }, payload: [name, bytes] } = message;
    const key = [to, root, incarnation, sequence].join(" ");
    if (this.#told.has(key)) return;
    forgetOldest(this.#told.add(key), TOLD_MAX);
    const reason =
      `Cannot broadcast to "${name}" on "${to}": the message has ${bytes.length} bytes, the limit is ${limit}`;
    this.#options.undeliverable({ node: to, name, reason });
  }

  #deliver({ id, payload: [name, bytes, isForOldMembers, trace], age, repaired }: PlumtreeDelivery<Payload>): void {
    if (isForOldMembers && this.#now() - age < this.#memberSince) return;
    const { codec, deliver } = this.#options;
    this.stats.delivered++;
    if (repaired) this.stats.repaired++;
    deliver(
      name,
      codec.decode(bytes),
      bytes.length,
      { name: id.root, incarnation: id.incarnation },
      age,
      repaired,
      traceFromValue(trace),
    );
  }

  #now(): number {
    return this.#options.runtime.clock.now();
  }
}

/** The same for a peer that does not know of traces. */
function untraced(message: BroadcastMessage<Payload>): BroadcastMessage<Payload> {
  if ((message.kind !== "gossip" && message.kind !== "repair") || message.payload.length < 4) return message;
  const [name, bytes, isForOldMembers = false] = message.payload;
  return { ...message, payload: isForOldMembers ? [name, bytes, true] : [name, bytes] };
}

function checkPayload(payload: unknown): asserts payload is Payload {
  const [name, bytes, isForOldMembers = false] = Array.isArray(payload) ? payload : [];
  if (typeof name !== "string" || !(bytes instanceof Uint8Array) || typeof isForOldMembers !== "boolean") {
    throw new TypeError("Cannot read a broadcast: its payload is malformed");
  }
}
