// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  type NodeSpec,
  type PeerServiceManager,
  type RangeHandler,
  type SendOptions,
  startPeerService,
} from "../mod.ts";
import { denoRuntime, systemClock, UnixTransport } from "../transport/mod.ts";
import type { Contestant, Link } from "./contestant.ts";

/** Room for all that many echoing pairs have under way. */
const QUEUED_BYTES = 256 * 1024 * 1024;
const ACKNOWLEDGED = { ack: true };

/** This library, used as a user would: named handlers, full membership, everything on. */
export class PeerService implements Contestant {
  /** The node itself, for what only it can do. */
  readonly node: PeerServiceManager;
  readonly #channels: readonly string[];
  readonly #partitioned: boolean;
  readonly #names: string[] = [];
  readonly #options: (SendOptions | undefined)[] = [];
  #peer = "";

  private constructor(node: PeerServiceManager, channels: readonly string[], partitioned: boolean) {
    this.node = node;
    this.#channels = channels;
    this.#partitioned = partitioned;
  }

  static async start(
    { hostname = "127.0.0.1", port = 0, front, parallelism = 1, channels = false, trust, credentials, directory }: Link,
  ): Promise<PeerService> {
    const names = Array.from(
      { length: channels ? parallelism : 1 },
      (_, index) => index === 0 ? "default" : `c${index}`,
    );
    const each = { parallelism: channels ? 1 : parallelism, maxQueuedBytes: QUEUED_BYTES };
    const node = await startPeerService({
      listen: { hostname, port },
      ...(front !== undefined && { advertise: { hostname, port: front } }),
      channels: Object.fromEntries(names.map((name) => [name, each])),
      ...(directory && {
        runtime: denoRuntime({ transport: new UnixTransport({ clock: systemClock, directory }) }),
      }),
      ...(credentials && { tls: { ...credentials, identity: () => true } }),
      ...(trust === "secret" && { secret: "correct horse battery staple" }),
    });
    return new PeerService(node, names, !channels && parallelism > 1);
  }

  listen(): Promise<string> {
    this.node.onUp("*", (name) => this.#peer = name);
    return Promise.resolve(JSON.stringify(this.node.spec));
  }

  async connect(address: string): Promise<void> {
    const spec: NodeSpec = JSON.parse(address);
    await this.node.syncJoin(spec);
    this.#peer = spec.name;
  }

  on(index: number, take: (message: unknown) => void, borrow: boolean = false): void {
    const name = this.#name(index);
    this.node.unregister(name);
    this.node.register(name, take, { borrow });
  }

  /** Has a handler take the bytes of its messages where they were read. */
  onRange(index: number, take: RangeHandler): void {
    const name = this.#name(index);
    this.node.unregister(name);
    this.node.register(name, take, { borrow: "range" });
  }

  send(index: number, message: unknown): boolean {
    return this.node.castMessage(this.#peer, this.#name(index), message, this.#route(index));
  }

  /** Sends as an application does that waits for each message to be accepted. */
  forward(index: number, message: unknown): Promise<void> {
    return this.node.forwardMessage(this.#peer, this.#name(index), message, this.#route(index));
  }

  /** Sends as an application does that waits for each message to be acknowledged. */
  forwardAcknowledged(index: number, message: unknown): Promise<void> {
    return this.node.forwardMessage(this.#peer, this.#name(index), message, ACKNOWLEDGED);
  }

  keep(message: unknown): unknown {
    return message;
  }

  ready(index: number): Promise<void> {
    return this.node.ready(this.#peer, this.#route(index)?.channel);
  }

  close(): Promise<void> {
    return this.node.stop();
  }

  #name(index: number): string {
    return this.#names[index] ??= `handler-${index}`;
  }

  #route(index: number): SendOptions | undefined {
    if (index in this.#options) return this.#options[index];
    const channel = this.#channels[index % this.#channels.length]!;
    const options = this.#partitioned ? { partitionKey: index } : this.#channels.length > 1 ? { channel } : undefined;
    return this.#options[index] = options;
  }
}
