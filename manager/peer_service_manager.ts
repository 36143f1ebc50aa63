// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../membership/node_spec.ts";
import { StoppedError } from "../messaging/errors.ts";
import type { SendOptions } from "../messaging/outbound.ts";
import type { MessageHandler } from "../messaging/registry.ts";
import { DEFAULT_CHANNEL } from "../transport/peer.ts";
import { importSecrets, type SharedSecrets } from "../transport/shared_secrets.ts";
import type { Address, Listener } from "../transport/transport.ts";
import { parseAddress } from "./addresses.ts";
import { withDeadline } from "./deadline.ts";
import { PeerServiceEvents } from "./events.ts";
import { forwardArguments, type ForwardOptions, type ServerRef } from "./forward_options.ts";
import type { JoinTarget } from "./joining.ts";
import { Node } from "./node.ts";
import { nodeStats, type PeerServiceStats } from "./peer_service_stats.ts";
import type { Settings } from "./settings.ts";
import type { StatusListener, StatusOptions } from "./subscriptions.ts";

/** What may be given to `join` and `syncJoin`. */
export interface JoinOptions {
  /** Gives up joining. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A running node: Partisan's pluggable peer service manager.
 *
 * It keeps connections with the other nodes of its cluster, knows who is a member and who can be reached, and carries messages between
 * named handlers. Made by {@linkcode startPeerService}.
 */
export class PeerServiceManager extends PeerServiceEvents implements AsyncDisposable {
  readonly #node: Node;

  private constructor(settings: Settings, self: NodeSpec, secrets: SharedSecrets) {
    super();
    this.#node = new Node(settings, self, secrets, (type, detail) => this.emit(type, detail));
  }

  /** Listens, and begins to live. For {@linkcode startPeerService}, which says what the options mean. */
  static async start(
    settings: Settings,
    self: (listening: readonly Address[]) => NodeSpec,
  ): Promise<PeerServiceManager> {
    const started: { node?: Node } = {};
    const { transport } = settings.runtime;
    const secrets = await importSecrets(settings.runtime, settings.secrets);
    const listeners: Listener[] = [];
    try {
      for (const address of settings.listen) {
        listeners.push(
          await transport.listen(
            address,
            (stream) => started.node === undefined ? stream.close() : started.node.accept(stream),
          ),
        );
      }
    } catch (error) {
      for (const listener of listeners) listener.close();
      throw error;
    }
    const manager = new PeerServiceManager(settings, self(listeners.map(({ address }) => address)), secrets);
    started.node = manager.#node;
    manager.#node.start(listeners);
    return manager;
  }

  /** This node's name. */
  get name(): string {
    return this.#node.self.name;
  }

  /** What this node tells others about itself. */
  get spec(): NodeSpec {
    return this.#node.self;
  }

  /** Names of all members, this node's own included, sorted. */
  members(): string[] {
    return [...this.#node.overlay.members.keys()];
  }

  /** Specifications of all members, sorted by name. */
  membersForOrchestration(): NodeSpec[] {
    return [...this.#node.overlay.members.values()];
  }

  /** Whether a node is a member. */
  member(node: string | NodeSpec): boolean {
    return this.#node.overlay.members.has(nameOf(node));
  }

  /**
   * Begins to join the cluster of `peer`; tries again for as long as nobody answers there. An attempt that is refused for good
   * becomes an `error` event. Joining oneself does nothing.
   *
   * @param peer Its specification, or `"host:port"`.
   * @throws {SyntaxError | RangeError} When `peer` is no address.
   * @throws {StoppedError} When this node was stopped.
   */
  // deno-lint-ignore require-await -- rejects rather than throws
  async join(peer: NodeSpec | Address | string, options: JoinOptions = {}): Promise<void> {
    const target = joinTarget(peer);
    this.#node.checkRunning("join");
    this.#node.joining.join(target, this.#node.untilStopped(options.signal)).catch((error) =>
      this.#node.joinFailed(target, error)
    );
  }

  /**
   * Joins the cluster of `peer`, and waits until both know each other as members and every connection between them is open.
   *
   * @param peer Its specification, or `"host:port"`.
   * @throws {HandshakeRefusedError} When the peer refuses for good: another cluster, secret, version or strategy, or the name is in use.
   * @throws {DOMException} A `TimeoutError` when it takes longer than `joinTimeout` and no signal was given.
   * @throws The reason of the signal, once that is aborted.
   * @throws {StoppedError} When this node was stopped.
   */
  async syncJoin(peer: NodeSpec | Address | string, options: JoinOptions = {}): Promise<void> {
    const target = joinTarget(peer);
    this.#node.checkRunning("join");
    const { runtime, joinTimeout } = this.#node.settings;
    const what = `Cannot join ${describe(target)}`;
    const given = { signal: options.signal, timeout: options.signal === undefined ? joinTimeout : undefined };
    await withDeadline(runtime.clock, given, what, async (signal) => {
      const combined = this.#node.untilStopped(signal);
      const joined = await this.#node.joining.join(target, combined);
      if (joined !== null) await this.#node.joining.settled(joined, combined);
    });
  }

  /**
   * Removes a node from the cluster for good. Without an argument: this node, which the others forget before its connections
   * close, and which is a cluster of its own then. Another node learns that it was removed, emits `removed`, and stops. Does nothing when it is
   * no member.
   */
  leave(node?: string | NodeSpec): Promise<void> {
    const name = node === undefined ? this.name : nameOf(node);
    this.#node.checkRunning("leave");
    return name === this.name ? this.#node.leave() : this.#node.remove(name);
  }

  /** Makes the membership what an orchestrator says: joins those that are missing, removes the surplus. */
  async updateMembers(specs: readonly NodeSpec[]): Promise<void> {
    const { joiners, leavers } = this.#node.overlay.compare(specs);
    for (const spec of joiners) await this.join(spec);
    for (const { name } of leavers) await this.leave(name);
  }

  /**
   * Gives a handler a name, under which every node of the cluster can send it messages.
   *
   * @throws {TypeError} When the name is empty or too long, or the handler is no function.
   * @throws {RangeError} When the name is taken.
   */
  register(name: string, handler: MessageHandler): void {
    this.#node.registry.register(name, handler);
  }

  /** Takes a handler's name back. @returns Whether it was registered. */
  unregister(name: string): boolean {
    return this.#node.registry.unregister(name);
  }

  /** The handler behind a name on this node. */
  whereis(name: string): MessageHandler | undefined {
    return this.#node.registry.whereis(name);
  }

  /** Sends a message to a named handler: see the other shape. */
  forwardMessage(ref: ServerRef, message: unknown, options?: ForwardOptions): Promise<void>;
  /**
   * Sends a message to the handler `name` on `node`. Resolves when the connection has accepted it and is below its high-water mark.
   *
   * @throws {NotConnectedError} When there is no connection.
   * @throws {EncodeError} When the message cannot be encoded.
   * @throws {MessageTooLargeError} When it is larger than `maxFrameBytes`.
   * @throws {QueueFullError} When very many messages wait for room already.
   * @throws {DOMException} A `TimeoutError` after `timeout`.
   * @throws {StoppedError} When this node was stopped.
   */
  forwardMessage(node: string | NodeSpec, name: string, message: unknown, options?: ForwardOptions): Promise<void>;
  forwardMessage(target: ServerRef | NodeSpec | string, ...rest: unknown[]): Promise<void> {
    try {
      const { node, name, message, options } = forwardArguments<ForwardOptions>(target, ...rest);
      return this.#node.forward(node, name, message, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a message and does not wait: see the other shape. */
  castMessage(ref: ServerRef, message: unknown, options?: SendOptions): boolean;
  /**
   * Sends a message to the handler `name` on `node` without waiting for anything. What cannot be sent is dropped, counted, and told
   * by an `undeliverable` event.
   *
   * @returns Whether more may be sent at once: `false` above the high-water mark; then wait for {@linkcode ready}.
   */
  castMessage(node: string | NodeSpec, name: string, message: unknown, options?: SendOptions): boolean;
  castMessage(target: ServerRef | NodeSpec | string, ...rest: unknown[]): boolean {
    const { node, name, message, options } = forwardArguments<SendOptions>(target, ...rest);
    return this.#node.cast(node, name, message, options);
  }

  /** Resolves once messages to `node` can be cast again: its connections are below their high-water marks, or gone. */
  ready(node: string | NodeSpec, channel: string = DEFAULT_CHANNEL): Promise<void> {
    return this.#node.outbound.ready(nameOf(node), channel);
  }

  /**
   * Calls `listener` each time `node` can be reached, or with `channel`, each time the channel has all its connections.
   *
   * @param node A name, or `"*"` for every node.
   * @returns Ends the subscription when disposed.
   */
  onUp(node: string, listener: StatusListener, options?: StatusOptions): Disposable {
    return this.#node.upListeners.add(node, listener, options);
  }

  /**
   * Calls `listener` each time `node` cannot be reached any more, or with `channel`, each time the channel has lost all its connections.
   *
   * @param node A name, or `"*"` for every node.
   * @returns Ends the subscription when disposed.
   */
  onDown(node: string, listener: StatusListener, options?: StatusOptions): Disposable {
    return this.#node.downListeners.add(node, listener, options);
  }

  /** Whether a node can be reached now; with a channel, whether it has at least one connection. Always true for this node. */
  isConnected(node: string | NodeSpec, channel?: string): boolean {
    if (nameOf(node) === this.name) return true;
    const peer = this.#node.pool.peers.get(nameOf(node));
    return peer !== undefined && peer.up && (channel === undefined || peer.openOn(channel) > 0);
  }

  /** Whether every connection with a node is open. Always true for this node. */
  isFullyConnected(node: string | NodeSpec): boolean {
    return nameOf(node) === this.name || (this.#node.pool.peers.get(nameOf(node))?.fullyConnected ?? false);
  }

  /** Names of the nodes that can be reached now, without this one, sorted. */
  connected(): string[] {
    return [...this.#node.pool.peers.values()].filter(({ up }) => up).map(({ name }) => name).sort();
  }

  /** Counters, queue depths and round-trip times. */
  stats(): PeerServiceStats {
    return nodeStats(this.#node);
  }

  /**
   * Stops: sends what is queued, for a second at most, and closes everything. The node stays a member; others will try to reach it again. What
   * still waits rejects with {@linkcode StoppedError}. Stopping twice does nothing more.
   */
  stop(): Promise<void> {
    return this.#node.stop(new StoppedError(`Cannot go on: "${this.name}" was stopped`));
  }

  /** Stops the node. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function nameOf(node: string | NodeSpec): string {
  return typeof node === "string" ? node : node.name;
}

function joinTarget(peer: NodeSpec | Address | string): JoinTarget {
  return typeof peer === "object" && "addresses" in peer ? peer : parseAddress(peer);
}

function describe(target: JoinTarget): string {
  return "name" in target ? `"${target.name}"` : `"${target.hostname}:${target.port}"`;
}
