// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";
import { NotConnectedError } from "../messaging/errors.ts";
import {
  checkPartitionMessage,
  type PartitionEntry,
  type PartitionEvent,
  type PartitionMessage,
  type PartitionReference,
  Partitions,
} from "../messaging/partitions.ts";
import type { Runtime } from "../transport/runtime.ts";
import { StepDriver } from "../runtime/step_driver.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { Peer } from "../connections/peer.ts";
import { sendControl } from "./control_sender.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { checkKind, STRING } from "../runtime/options.ts";
import { shown } from "../runtime/type_name.ts";
import type { ControlHandler, Part } from "./part.ts";

/** Kinds of frames that cross an injected partition: the word that it is over, and handler names, which belong to a connection that outlives it. */
export const ACROSS: ReadonlySet<number> = new Set([FrameKind.partition, FrameKind.handlerName]);

/** Hops that the request may take to its origin. */
const SEEK_HOPS = 255;

/** Dependencies of a {@linkcode PartitionControl}. */
export interface PartitionControlOptions {
  readonly pool: ConnectionPool;
  readonly runtime: Runtime;
  /** Milliseconds in which the origin must have answered. */
  readonly timeout: number;
  /** Whether other nodes may cut this one off. */
  readonly isAllowed: boolean;
  /** Told when other peers are cut off than before. */
  readonly changed: () => void;
}

/** Injects and resolves partitions, here and on other nodes. */
export class PartitionControl implements Part {
  readonly controls: readonly [FrameKind, ControlHandler][] = [
    [FrameKind.partition, (peer, message) => this.receive(peer, message)],
  ];
  readonly #options: PartitionControlOptions;
  readonly #partitions: Partitions;
  readonly #driver: StepDriver<PartitionMessage, PartitionEvent>;
  readonly #waiting = new Map<PartitionReference, PromiseWithResolvers<void>>();

  constructor(options: PartitionControlOptions) {
    this.#options = options;
    this.#partitions = new Partitions(() => options.pool.selfName(), options.isAllowed);
    this.#driver = new StepDriver({
      clock: options.runtime.clock,
      send: (to, message) => this.#send(to, message),
      tell: (event) => this.#tell(event),
    });
  }

  /** Has `origin`, and the nodes within `ttl` hops of it, cut themselves off from their peers. */
  async inject(origin: string, ttl: number): Promise<PartitionReference> {
    if (!isIntegerIn(ttl, 0, 255)) {
      throw new RangeError(`Cannot inject a partition: "ttl" is ${shown(ttl)}, expected a whole number from 0 to 255`);
    }
    const { pool, runtime, timeout } = this.#options;
    if (origin !== pool.selfName() && this.#neighbours().length === 0) {
      throw new NotConnectedError(`Cannot inject a partition at "${origin}": there is no connection to any node`);
    }
    const reference = Array.from(runtime.random.bytes(8), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const marked = Promise.withResolvers<void>();
    marked.promise.catch(() => {});
    this.#waiting.set(reference, marked);
    try {
      this.#take(pool.selfName(), ["seek", reference, origin, ttl, SEEK_HOPS]);
      const neighbour = origin === pool.selfName() || pool.peers.get(origin)?.connected === true;
      // Beyond the neighbours the answer has no way back: the request is on its way, and that is all that can be known.
      if (neighbour) {
        await withDeadline(
          runtime.clock,
          { timeout },
          `Cannot inject a partition at "${origin}"`,
          () => marked.promise,
        );
      }
    } catch (error) {
      // The request may be under way all the same, and the caller does not learn how to end what comes of it.
      this.resolve(reference);
      throw error;
    } finally {
      this.#waiting.delete(reference);
    }
    return reference;
  }

  /** Ends a partition everywhere. */
  resolve(reference: PartitionReference): void {
    checkKind("Cannot resolve a partition", "the reference", reference, STRING);
    this.#take(this.#options.pool.selfName(), checkPartitionMessage(["resolve", reference]));
  }

  /** The partitions that concern this node. */
  list(): PartitionEntry[] {
    return this.#partitions.list();
  }

  /**
   * Takes a message of another node.
   *
   * @throws {TypeError} When it is malformed.
   */
  receive(peer: Peer, message: unknown): void {
    this.#take(peer.name, checkPartitionMessage(message));
  }

  #take(from: string, message: PartitionMessage): void {
    this.#driver.do(this.#partitions.receive(from, message, this.#neighbours()));
  }

  #send(to: string, message: PartitionMessage): void {
    const peer = this.#options.pool.peers.get(to);
    // Hops go along the overlay, of which a connection that serves a single message is no part.
    if (peer !== undefined && (peer.up || message[0] !== "mark")) sendControl(peer, FrameKind.partition, message);
  }

  #tell(event: PartitionEvent): void {
    switch (event.type) {
      case "changed":
        return this.#separate(event.peers);
      case "marked":
        return this.#waiting.get(event.reference)?.resolve();
      case "refused": {
        const refusal = new DOMException(`Cannot inject a partition: ${event.reason}`, "NotAllowedError");
        return this.#waiting.get(event.reference)?.reject(refusal);
      }
    }
  }

  #separate(peers: readonly string[]): void {
    const { pool, changed } = this.#options;
    for (const name of peers) {
      const peer = pool.peers.get(name);
      if (peer !== undefined) pool.separate(peer, this.#partitions.separates(name));
    }
    changed();
  }

  #neighbours(): string[] {
    return [...this.#options.pool.peers.values()].filter(({ connected }) => connected).map(({ name }) => name);
  }
}
