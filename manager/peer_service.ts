// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { Address } from "../wire/address.ts";
import type { BroadcastOptions } from "./broadcasting.ts";
import { checkKind, FUNCTION } from "../runtime/options.ts";
import { connected, isConnected, isFullyConnected, ready } from "./connection_state.ts";
import { callAll, type CallAllOptions } from "./calling_all.ts";
import type { CallOptions } from "../messaging/calls.ts";
import { StoppedError } from "../messaging/errors.ts";
import type { InterpositionFun, PostInterpositionFun, PreInterpositionFun } from "../messaging/interposition.ts";
import type { SendOptions } from "../messaging/outbound.ts";
import type { PartitionEntry, PartitionReference } from "../messaging/partitions.ts";
import type { ByteStreamPair } from "../messaging/streams/byte_streams.ts";
import type { StreamHandler, StreamHandlerOptions } from "../messaging/streams/stream_serving.ts";
import { type AnyHandler, type AnyHandlerOptions, MANAGER_NAME, type MessageHandler } from "../messaging/registry.ts";
import { drain, type DrainOptions } from "./draining.ts";
import type { DiscoveryStatus } from "./discovery.ts";
import type { AttributeListener } from "./node_attributes.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Emit, PeerServiceEventMap, PeerServiceListener } from "./events.ts";
import type { ForwardOptions, ForwardTarget, ServerRef } from "./forward_options.ts";
import { beginJoin, completeJoin, type JoinOptions, leave } from "./join_requests.ts";
import { decodeLocalState, encodeLocalState } from "./local_state.ts";
import { MemberUpdates, type UpdateMembersOptions } from "./member_updates.ts";
import { memberInfo } from "./member_info.ts";
import type { MemberInfo, MembersOptions } from "./member_status.ts";
import type { Monitor, MonitorOptions, NodeStatus } from "./monitor.ts";
import { demonitor, monitor, monitorNodes } from "./monitoring.ts";
import type { TlsOptions } from "./identity.ts";
import type { Node } from "./node.ts";
import { nameOf } from "./arguments.ts";
import type { PeerServiceManager } from "./peer_service_manager.ts";
import { updateSecrets, updateTls } from "./renewing.ts";
import { nodeStats, type PeerServiceStats } from "./peer_service_stats.ts";
import { broadcast, call, castMessage, forwardMessage, receive } from "./sending.ts";
import type { StreamOptions } from "./streaming.ts";
import { summary } from "./summary.ts";
import type { StatusListener, StatusOptions } from "./subscriptions.ts";

type NodeName = string | NodeSpec;
type CallResults = Map<string, PromiseSettledResult<unknown>>;

/** Implementation of the interface: hands each call to the part of the node that it is for. */
export class PeerService extends EventTarget implements PeerServiceManager {
  readonly #node: Node;
  #drained: Promise<void> | null = null;
  readonly #updates: MemberUpdates;
  /** Types that have had a listener: to make events of all others would cost more than to open connections. */
  readonly #heard = new Set<string>();

  /** @param unheard Takes the events that had no listener. */
  constructor(create: (emit: Emit) => Node, unheard: Emit) {
    super();
    this.#node = create((type, detail) => {
      if (this.#heard.has(type)) this.dispatchEvent(new CustomEvent(type, { detail }));
      else unheard(type, detail);
    });
    this.#updates = new MemberUpdates(this.#node);
  }

  /**
   * The node behind a manager, for the programs and tests of this repository.
   *
   * @throws {TypeError} When the manager is not one of ours.
   */
  static nodeOf(manager: PeerServiceManager): Node {
    if (!(manager instanceof PeerService)) throw new TypeError("Cannot look behind a manager: it is no PeerService");
    return manager.#node;
  }

  /** Text that `Deno.inspect` and `console.log` show: nothing secret. */
  [Symbol.for("Deno.customInspect")](inspect: (value: unknown, options: unknown) => string, options: unknown): string {
    return `PeerServiceManager ${inspect(this.toJSON(), options)}`;
  }

  /** Value that `JSON.stringify` and structured loggers are given: nothing secret. */
  toJSON(): Record<string, unknown> {
    return summary(this.#node);
  }

  as<Other extends object>(): PeerServiceManager<Other> {
    // A contract is there for the compiler alone: whatever it says, the node is the same.
    return this as unknown as PeerServiceManager<Other>;
  }

  // Events.

  override addEventListener<Type extends keyof PeerServiceEventMap>(
    type: Type,
    listener: PeerServiceListener<Type> | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  override addEventListener(
    type: string,
    // deno-lint-ignore no-explicit-any -- the overloads above say what it takes
    listener: any,
    options?: AddEventListenerOptions | boolean,
  ): void {
    if (typeof listener !== "object") checkKind(`Cannot listen for "${type}"`, "the listener", listener, FUNCTION);
    this.#heard.add(type);
    super.addEventListener(type, listener, options);
  }

  override removeEventListener<Type extends keyof PeerServiceEventMap>(
    type: Type,
    listener: PeerServiceListener<Type> | null,
    options?: EventListenerOptions | boolean,
  ): void;
  // deno-lint-ignore no-explicit-any -- the overloads above say what it takes
  override removeEventListener(type: string, listener: any, options?: EventListenerOptions | boolean): void {
    super.removeEventListener(type, listener, options);
  }

  // Membership.

  get name(): string {
    return this.#node.self.name;
  }

  get spec(): NodeSpec {
    return this.#node.self;
  }

  members(options?: MembersOptions): string[] {
    return this.#node.statuses.names(options);
  }

  memberInfo(node: string | NodeSpec): MemberInfo | undefined {
    return memberInfo(this.#node, nameOf("Cannot look up a member", node));
  }

  get membershipVersion(): number {
    return this.#node.statuses.version;
  }

  membersForOrchestration(): NodeSpec[] {
    return [...this.#node.overlay.members.values()];
  }

  member(node: string | NodeSpec): boolean {
    return this.#node.overlay.members.has(nameOf("Cannot look up a member", node));
  }

  // deno-lint-ignore require-await -- rejects rather than throws
  async join(peer: NodeSpec | Address | string, options?: JoinOptions): Promise<void> {
    beginJoin(this.#node, peer, options);
  }

  syncJoin(peer: NodeSpec | Address | string, options?: JoinOptions): Promise<void> {
    return completeJoin(this.#node, peer, options);
  }

  leave(node: string | NodeSpec = this.name): Promise<void> {
    return leave(this.#node, node);
  }

  getLocalState(): Uint8Array {
    return encodeLocalState(this.#node.settings.strategy, this.#node.overlay.snapshot());
  }

  decode(state: Uint8Array): NodeSpec[] {
    return this.#node.overlay.membersOf(decodeLocalState(this.#node.settings.strategy, state));
  }

  updateMembers(specs: readonly NodeSpec[], options?: UpdateMembersOptions): Promise<void> {
    return this.#updates.update(specs, options);
  }

  // Connections.

  onUp(node: string, listener: StatusListener, options?: StatusOptions): Disposable {
    return this.#node.status.up.add(node, listener, options);
  }

  onDown(node: string, listener: StatusListener, options?: StatusOptions): Disposable {
    return this.#node.status.down.add(node, listener, options);
  }

  isConnected(node: string | NodeSpec, channel?: string): boolean {
    return isConnected(this.#node, node, channel);
  }

  isFullyConnected(node: string | NodeSpec): boolean {
    return isFullyConnected(this.#node, node);
  }

  connected(): string[] {
    return connected(this.#node);
  }

  // Handlers.

  register(name: string, handler: AnyHandler, options?: AnyHandlerOptions): void {
    this.#node.messaging.registry.register(name, handler, options);
  }

  unregister(name: string): boolean {
    return this.#node.messaging.registry.unregister(name);
  }

  whereis(name: string): MessageHandler | undefined {
    return this.#node.messaging.registry.whereis(name);
  }

  // Messages.

  forwardMessage(ref: ServerRef, message: unknown, options?: ForwardOptions): Promise<void>;
  forwardMessage(node: NodeName, name: string, message: unknown, options?: ForwardOptions): Promise<void>;
  forwardMessage(target: ForwardTarget, second: unknown, third?: unknown, fourth?: unknown): Promise<void> {
    return forwardMessage(this.#node, target, second, third, fourth);
  }

  castMessage(ref: ServerRef, message: unknown, options?: SendOptions): boolean;
  castMessage(node: string | NodeSpec, name: string, message: unknown, options?: SendOptions): boolean;
  castMessage(target: ForwardTarget, second: unknown, third?: unknown, fourth?: unknown): boolean {
    return castMessage(this.#node, target, second, third, fourth);
  }

  call(node: NodeName, name: string, message: unknown, options?: CallOptions): Promise<unknown> {
    return call(this.#node, node, name, message, options);
  }

  callAll(name: string, message: unknown, options?: CallAllOptions): Promise<CallResults> {
    return callAll(this.#node, name, message, options);
  }

  broadcast(name: string, message: unknown, options?: BroadcastOptions): void {
    broadcast(this.#node, name, message, options);
  }

  ready(node: string | NodeSpec, channel?: string): Promise<void> {
    return ready(this.#node, node, channel);
  }

  // Streams.

  registerStream(name: string, handler: StreamHandler, options?: StreamHandlerOptions): void {
    this.#node.streaming.handlers.register(name, handler, options);
  }

  unregisterStream(name: string): boolean {
    return this.#node.streaming.handlers.unregister(name);
  }

  openStream(node: NodeName, name: string, message?: unknown, options?: StreamOptions): Promise<ByteStreamPair> {
    return this.#node.streaming.open(node, name, message, options);
  }

  callStream(node: NodeName, name: string, message: unknown, options?: StreamOptions): AsyncIterableIterator<unknown> {
    return this.#node.streaming.values(node, name, message, options);
  }

  sendMessage(node: string | NodeSpec, message: unknown, options?: ForwardOptions): Promise<void> {
    return this.forwardMessage(node, MANAGER_NAME, message, options);
  }

  receiveMessage(node: string | NodeSpec, channel: string, message: unknown): void {
    receive(this.#node, node, channel, message);
  }

  // Watches over handlers and nodes.

  monitor(ref: ServerRef, options?: MonitorOptions): Monitor {
    return monitor(this.#node, ref, options);
  }

  demonitor(monitor: Monitor): void {
    demonitor(monitor);
  }

  monitorNodes(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<NodeStatus> {
    return monitorNodes(this.#node, options);
  }

  // Faults on purpose.

  addPreInterpositionFun(name: string, fun: PreInterpositionFun): void {
    this.#node.messaging.interpositions.pre.add(name, fun);
  }

  addInterpositionFun(name: string, fun: InterpositionFun): void {
    this.#node.messaging.interpositions.fun.add(name, fun);
  }

  addPostInterpositionFun(name: string, fun: PostInterpositionFun): void {
    this.#node.messaging.interpositions.post.add(name, fun);
  }

  removePreInterpositionFun(name: string): boolean {
    return this.#node.messaging.interpositions.pre.remove(name);
  }

  removeInterpositionFun(name: string): boolean {
    return this.#node.messaging.interpositions.fun.remove(name);
  }

  removePostInterpositionFun(name: string): boolean {
    return this.#node.messaging.interpositions.post.remove(name);
  }

  getPreInterpositionFuns(): Map<string, PreInterpositionFun> {
    return this.#node.messaging.interpositions.pre.all();
  }

  getInterpositionFuns(): Map<string, InterpositionFun> {
    return this.#node.messaging.interpositions.fun.all();
  }

  getPostInterpositionFuns(): Map<string, PostInterpositionFun> {
    return this.#node.messaging.interpositions.post.all();
  }

  async injectPartition(origin: string | NodeSpec, ttl: number): Promise<PartitionReference> {
    this.#node.context.checkRunning("inject a partition");
    return await this.#node.partitions.inject(nameOf("Cannot inject a partition", origin), ttl);
  }

  resolvePartition(reference: PartitionReference): void {
    this.#node.partitions.resolve(reference);
  }

  partitions(): PartitionEntry[] {
    return this.#node.partitions.list();
  }

  // What nodes say of themselves, and how they find each other.

  setAttribute(key: string, value: unknown): void {
    this.#node.context.checkRunning("set an attribute");
    this.#node.attributes.set(key, value);
  }

  attribute(node: string | NodeSpec, key: string): unknown {
    return this.#node.attributes.get(nameOf("Cannot read an attribute", node), key);
  }

  attributes(node: string | NodeSpec = this.name): Map<string, unknown> {
    return this.#node.attributes.of(nameOf("Cannot read the attributes", node));
  }

  onAttribute(key: string, listener: AttributeListener): Disposable {
    return this.#node.attributes.on(key, listener);
  }

  discovery(): readonly DiscoveryStatus[] {
    return this.#node.discovering.status();
  }

  // The node itself.

  get runtime(): Runtime {
    return this.#node.context.runtime;
  }

  get heartbeat(): { readonly interval: number; readonly missed: number } {
    return this.#node.settings.heartbeat;
  }

  get stopSignal(): AbortSignal {
    return this.#node.context.untilStopped(undefined);
  }

  supportsCapability(capability: string): boolean {
    return capability === "monitoring";
  }

  reserve(tag: string): boolean {
    return this.#node.overlay.reserve(tag);
  }

  updateTls(tls: TlsOptions): Promise<void> {
    return updateTls(this.#node, tls);
  }

  updateSecrets(secret: string | readonly string[]): Promise<void> {
    return updateSecrets(this.#node, secret);
  }

  stats(): PeerServiceStats {
    return nodeStats(this.#node);
  }

  drain(options?: DrainOptions): Promise<void> {
    return this.#drained ??= drain(this.#node, options).catch((error) => {
      this.#drained = null;
      throw error;
    });
  }

  stop(): Promise<void> {
    return this.#node.stop(new StoppedError(`Cannot go on: "${this.name}" was stopped`));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
