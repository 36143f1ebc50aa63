// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { Address } from "../wire/address.ts";
import type { CallAllOptions } from "./calling_all.ts";
import type { BroadcastOptions } from "./broadcasting.ts";
import type { CallOptions } from "../messaging/calls.ts";
import type { InterpositionFun, PostInterpositionFun, PreInterpositionFun } from "../messaging/interposition.ts";
import type { SendOptions } from "../messaging/outbound.ts";
import type { PartitionEntry, PartitionReference } from "../messaging/partitions.ts";
import type {
  AnyHandlers,
  HandlerName,
  HandlerOf,
  MessageOf,
  PartOf,
  RangeHandlerOf,
  ReplyOf,
} from "../messaging/contract.ts";
import type { ByteStreamPair } from "../messaging/streams/byte_streams.ts";
import type { StreamHandler, StreamHandlerOptions } from "../messaging/streams/stream_serving.ts";
import type { HandlerOptions, MessageHandler, RangeHandlerOptions } from "../messaging/registry.ts";
import type { DrainOptions } from "./draining.ts";
import type { StandardSchema } from "../messaging/standard_schema.ts";
import type { DiscoveryStatus } from "./discovery.ts";
import type { AttributeListener } from "./node_attributes.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { PeerServiceEvents } from "./events.ts";
import type { ForwardOptions, ServerRef } from "./forward_options.ts";
import type { JoinOptions } from "./join_requests.ts";
import type { UpdateMembersOptions } from "./member_updates.ts";
import type { MemberInfo, MembersOptions } from "./member_status.ts";
import type { Monitor, MonitorOptions, NodeStatus } from "./monitor.ts";
import type { TlsOptions } from "./identity.ts";
import type { PeerServiceStats } from "./peer_service_stats.ts";
import type { StreamOptions } from "./streaming.ts";
import type { StatusListener, StatusOptions } from "./subscriptions.ts";

/**
 * A running node: Partisan's pluggable peer service manager.
 *
 * It keeps connections with the other nodes of its cluster, knows the members and which of them can be reached, and carries messages between
 * named handlers. Made by {@linkcode startPeerService}.
 *
 * Every function refuses an argument of another type, and an option that it does not have, with a `TypeError` that names it; those that return a
 * promise reject with it. Nothing has happened then. An option that is `undefined` is one that was not given.
 *
 * @typeParam Handlers The contract: the names of handlers, their messages and their replies. Any, unless it is named.
 *
 * @example What a node says of itself
 * ```ts
 * import { type PeerServiceManager, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * function describe(node: PeerServiceManager): string {
 *   return `${node.name} in ${node.spec.metadata.zone}`;
 * }
 *
 * await using node = await startPeerService({ name: "a", metadata: { zone: "eu-1" } });
 * assertEquals(describe(node), "a in eu-1");
 * ```
 */
export interface PeerServiceManager<Handlers extends object = AnyHandlers> extends PeerServiceEvents, AsyncDisposable {
  /**
   * The same node under another contract, so that a module can bring its own.
   *
   * @typeParam Other The other contract.
   *
   * @example A module that brings its handlers
   * ```ts
   * import { type PeerServiceManager, startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * interface Clocks {
   *   time(zone: string): number;
   * }
   *
   * function tellTime(node: PeerServiceManager): PeerServiceManager<Clocks> {
   *   const clocks = node.as<Clocks>();
   *   clocks.register("time", (zone) => zone.length);
   *   return clocks;
   * }
   *
   * await using node = await startPeerService({ name: "a" });
   * const hours: number = await tellTime(node).call("a", "time", "UTC");
   * assertEquals(hours, 3);
   * ```
   */
  as<Other extends object>(): PeerServiceManager<Other>;

  // Membership.

  /** This node's name. */
  readonly name: string;

  /** Specification of this node, which it tells others. */
  readonly spec: NodeSpec;

  /**
   * Names of all members, this node's own included, sorted.
   *
   * @example The members of a cluster of two
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assertEquals(a.members(), ["a", "b"]);
   * ```
   *
   * @example The members that can be reached
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assertEquals(a.members({ status: "up" }), ["a", "b"]);
   * assertEquals(a.members({ status: "down" }), []);
   * ```
   *
   * @throws {TypeError} When `status` is none.
   */
  members(options?: MembersOptions): string[];

  /**
   * Knowledge of this node about a member: its status, the time since which it has it, and the reason.
   *
   * @returns `undefined` when it is no member.
   *
   * @example Why is it down?
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * const info = a.memberInfo("b");
   * assertEquals([info?.status, info?.reason, info?.lastError], ["up", "it is connected", null]);
   * assertEquals(info?.addresses, b.spec.addresses);
   * assertEquals(a.memberInfo("nobody"), undefined);
   * ```
   */
  memberInfo(node: string | NodeSpec): MemberInfo | undefined;

  /**
   * Number of changes of the membership since the start, as far as this node knows it: a member more or less, or another
   * incarnation of one.
   *
   * @example Whether anything has changed
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const before = a.membershipVersion;
   * await a.syncJoin(b.spec);
   *
   * assert(a.membershipVersion > before);
   * ```
   */
  readonly membershipVersion: number;

  /**
   * Specifications of all members, sorted by name.
   *
   * @example Where the members listen
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assertEquals(a.membersForOrchestration(), [a.spec, b.spec]);
   * ```
   */
  membersForOrchestration(): NodeSpec[];

  /**
   * Whether a node is a member.
   *
   * @example By name, and by specification
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assert(node.member("a"));
   * assert(node.member(node.spec));
   * assertFalse(node.member("b"));
   * ```
   */
  member(node: string | NodeSpec): boolean;

  /**
   * Begins to join the cluster of `peer`; tries again for as long as no node answers there. An attempt that is refused for good
   * becomes an `error` event. Joining oneself does nothing.
   *
   * @param peer Its specification, or `"host:port"`.
   * @throws {SyntaxError | RangeError} When `peer` is no address.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Join, and be told when it is done
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const joined = Promise.withResolvers<string>();
   * a.addEventListener("join", ({ detail }) => joined.resolve(detail.node));
   *
   * await a.join(b.spec);
   * assertEquals(await joined.promise, "b");
   * ```
   */
  join(peer: NodeSpec | Address | string, options?: JoinOptions): Promise<void>;

  /**
   * Joins the cluster of `peer`, and waits until both know each other as members, and every connection is open with it and with all
   * other members that this node is to be connected with: a message to any of them works right afterwards, on any channel. (The connections
   * of a channel that was never used are not missed: they open with its first message, which does not wait for them.) A member that refuses
   * connections, or is silent for half of the time of a handshake while nothing else comes forward, is not waited for. (One whose name sorts before
   * this node's is to dial first: if it is down, joining takes 1 s longer with the preset `local`, 2 s with `lan`, 5 s with `wan`.) Where a host
   * name stands for several hosts, they are asked one after the other; joining this node itself, by its specification or an address of its own,
   * does nothing.
   *
   * @param peer Its specification, or `"host:port"`.
   * @throws {HandshakeRefusedError} When the peer refuses for good: another cluster, secret, version or strategy, or the name is in use;
   * when a host name leads to this node alone; when the specification has the name of this node, and another incarnation.
   * @throws {DOMException} A `TimeoutError` when nothing comes forward for `joinTimeout`, or the signal is that of `AbortSignal.timeout()`. The
   *   message names the obstacle; `cause` is the last failure.
   * @throws The reason of any other signal, once that is aborted.
   * @throws {Deno.errors.NotCapable} When this process may not connect to the peer, as `--allow-net` says.
   * @throws {Error} When the option `allow.addresses` holds none of the peer's addresses.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Join by address, within 5 seconds
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const { hostname, port } = b.spec.addresses[0]!;
   *
   * await a.syncJoin(`${hostname}:${port}`, { signal: AbortSignal.timeout(5_000) });
   * assertEquals(a.members(), ["a", "b"]);
   * assert(a.isFullyConnected("b"));
   * ```
   */
  syncJoin(peer: NodeSpec | Address | string, options?: JoinOptions): Promise<void>;

  /**
   * Removes a node from the cluster for good. Without an argument: this node, which the others forget before its connections
   * close, and which is a cluster of its own then. Another node learns that it was removed, emits `removed`, and stops. Does nothing when it is
   * no member. Where a node knows only a part of the cluster, one of the others can be removed by its specification, not by its name alone.
   *
   * @throws {TypeError} When this node knows a part of the cluster, and is given a name that is not in it.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Leave the cluster, and remove another from it
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await using c = await startPeerService({ name: "c" });
   * await a.syncJoin(b.spec);
   * await c.syncJoin(b.spec);
   * const removed = Promise.withResolvers<void>();
   * c.addEventListener("removed", () => removed.resolve());
   *
   * await a.leave();
   * assertEquals(b.members(), ["b", "c"]);
   * await b.leave("c");
   * await removed.promise;
   * assertEquals(b.members(), ["b"]);
   * ```
   */
  leave(node?: string | NodeSpec): Promise<void>;

  /**
   * Knowledge of this node about the cluster, as bytes for {@linkcode decode} on any node with the same strategy.
   *
   * @example What another node knows
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   *
   * assertEquals(a.decode(b.getLocalState()), [b.spec]);
   * ```
   */
  getLocalState(): Uint8Array;

  /**
   * Reads what {@linkcode getLocalState} returned, here or on another node.
   *
   * @returns The members that it knows, sorted by name.
   * @throws {SyntaxError | TypeError} When it is malformed, or of another strategy or version.
   *
   * @example Which members a state knows
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals, assertThrows } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assertEquals(node.decode(node.getLocalState()).map(({ name }) => name), ["a"]);
   * assertThrows(() => node.decode(new Uint8Array([1, 2, 3])));
   * ```
   */
  decode(state: Uint8Array): NodeSpec[];

  /**
   * Brings the membership to the list of an orchestrator: begins to join those that are missing, removes the surplus, and ends the attempts to
   * join what an earlier list had and this one has not.
   *
   * @throws {TypeError} When the list does not have this node, unless it is to leave with `removeSelf`. Then nothing is done.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Follow an orchestrator
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const joined = Promise.withResolvers<void>();
   * a.addEventListener("join", () => joined.resolve());
   *
   * await a.updateMembers([a.spec, b.spec]);
   * await joined.promise;
   * assertEquals(a.members(), ["a", "b"]);
   * await a.updateMembers([a.spec]);
   * assertEquals(a.members(), ["a"]);
   * ```
   */
  updateMembers(specs: readonly NodeSpec[], options?: UpdateMembersOptions): Promise<void>;

  // Connections.

  /**
   * Calls `listener` each time `node` can be reached, or with `channel`, each time the channel has all its connections, or none that it
   * needs before it is first used.
   *
   * @param node A name, or `"*"` for every node.
   * @returns Ends the subscription when disposed.
   *
   * @example Greet each newcomer
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const seen = Promise.withResolvers<string>();
   * using _subscription = a.onUp("*", (node) => seen.resolve(node));
   *
   * await a.join(b.spec);
   * assertEquals(await seen.promise, "b");
   * ```
   */
  onUp(node: string, listener: StatusListener, options?: StatusOptions): Disposable;

  /**
   * Calls `listener` each time `node` cannot be reached any more, or with `channel`, each time the channel has lost all its connections.
   *
   * @param node A name, or `"*"` for every node.
   * @returns Ends the subscription when disposed.
   *
   * @example Notice that a node has stopped
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const gone = Promise.withResolvers<string>();
   * using _subscription = a.onDown("b", (node) => gone.resolve(node));
   *
   * await b.stop();
   * assertEquals(await gone.promise, "b");
   * assertEquals(a.members(), ["a", "b"]);
   * ```
   */
  onDown(node: string, listener: StatusListener, options?: StatusOptions): Disposable;

  /**
   * Whether a node can be reached now; with a channel, whether that carries messages: it has at least one connection,
   * or its connections will open when it is first used. Always true for this node.
   *
   * @example By node, and by channel
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assert(a.isConnected("b"));
   * assert(a.isConnected("b", "membership"));
   * assertFalse(a.isConnected("c"));
   * ```
   */
  isConnected(node: string | NodeSpec, channel?: string): boolean;

  /**
   * Whether every connection with a node is open that is needed, and none about to be replaced because nothing comes through. Those of a
   * channel are needed from its first use on. Always true for this node.
   *
   * @example After syncJoin()
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assert(a.isFullyConnected("b"));
   * assertFalse(a.isFullyConnected("c"));
   * ```
   */
  isFullyConnected(node: string | NodeSpec): boolean;

  /**
   * Names of the nodes that can be reached now, without this one, sorted.
   *
   * @example The nodes that a node can reach
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   *
   * assertEquals(a.connected(), []);
   * await a.syncJoin(b.spec);
   * assertEquals(a.connected(), ["b"]);
   * ```
   */
  connected(): string[];

  // Handlers.

  /**
   * Gives a handler a name, under which every node of the cluster can send it messages.
   *
   * @param options Whether it borrows the bytes of its messages; it does not unless told so.
   * @throws {TypeError} When the name is empty or too long, the handler is no function, or `borrow` no boolean.
   * @throws {RangeError} When the name is taken.
   *
   * @example Keep a count
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * let count = 0;
   * node.register("counter", ({ add }: { add: number }) => count += add);
   *
   * assertEquals(await node.call("a", "counter", { add: 2 }), 2);
   * assertEquals(await node.call("a", "counter", { add: 3 }), 5);
   * ```
   *
   * @example Add up large messages where they were read, and keep none of them
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const sum = Promise.withResolvers<number>();
   * b.register("sum", (bytes: Uint8Array) => sum.resolve(bytes.reduce((x, y) => x + y)), { borrow: true });
   *
   * a.castMessage("b", "sum", new Uint8Array(1_000_000).fill(1));
   * assertEquals(await sum.promise, 1_000_000);
   * ```
   */
  register<Name extends HandlerName<Handlers>>(
    name: Name,
    handler: HandlerOf<Handlers, Name>,
    options?: HandlerOptions & { readonly schema?: undefined },
  ): void;

  /**
   * Gives a handler a name and a schema of its messages.
   *
   * @typeParam Name The name.
   * @typeParam Output What the schema makes of a message.
   * @throws {TypeError} When the schema does not keep to Standard Schema, and for the reasons of the other shape.
   * @throws {RangeError} When the name is taken.
   *
   * @example Messages that fit, and one that does not
   * ```ts
   * import { CallError, type StandardSchema, startPeerService } from "@partisan/peer-service";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * const amount: StandardSchema<unknown, number> = {
   *   "~standard": {
   *     version: 1,
   *     vendor: "example",
   *     validate: (value) => typeof value === "number" ? { value } : { issues: [{ message: "Expected a number" }] },
   *   },
   * };
   * await using node = await startPeerService({ name: "a" });
   * node.register("double", (n) => n * 2, { schema: amount });
   *
   * assertEquals(await node.call("a", "double", 21), 42);
   * await assertRejects(() => node.call("a", "double", "x"), CallError, "Expected a number");
   * ```
   */
  register<Name extends HandlerName<Handlers>, Output>(
    name: Name,
    handler: HandlerOf<Handlers, Name, Output>,
    options: HandlerOptions & { readonly schema: StandardSchema<unknown, Output> },
  ): void;

  /**
   * Gives a name to a handler of bytes that takes them where they were read, without a view of them: for a flood of small messages making
   * the view costs more than all else. The bytes are lent, as with `borrow: true`. A message that is no `Uint8Array` fails as one does whose
   * handler throws.
   *
   * @throws {TypeError} When there is a `schema` as well, and for the reasons of the other shapes.
   * @throws {RangeError} When the name is taken.
   *
   * @example Count millions of small messages
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * let total = 0;
   * b.register("ticks", (buffer, start, end) => {
   *   for (let at = start; at < end; at++) total += buffer[at]!;
   * }, { borrow: "range" });
   *
   * for (let tick = 0; tick < 100; tick++) a.castMessage("b", "ticks", new Uint8Array([tick, 1]));
   * await a.call("b", "ticks", new Uint8Array([0]));
   * assertEquals(total, 5_050);
   * ```
   */
  register<Name extends HandlerName<Handlers>>(
    name: Name,
    handler: RangeHandlerOf<Handlers, Name>,
    options: RangeHandlerOptions & { readonly schema?: undefined },
  ): void;

  /**
   * Takes a handler's name back.
   *
   * @returns Whether it was registered.
   *
   * @example Make room for another handler
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.register("echo", (message) => message);
   *
   * assert(node.unregister("echo"));
   * assertFalse(node.unregister("echo"));
   * ```
   */
  unregister(name: HandlerName<Handlers>): boolean;

  /**
   * The handler behind a name on this node.
   *
   * @example Look for a handler
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertStrictEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * const echo = (message: unknown) => message;
   * node.register("echo", echo);
   *
   * assertStrictEquals(node.whereis("echo"), echo);
   * assertStrictEquals(node.whereis("nobody"), undefined);
   * ```
   */
  whereis(name: HandlerName<Handlers>): MessageHandler | undefined;

  // Messages.

  /**
   * Sends a message to a named handler: see the other shape.
   *
   * @example To a reference that came with a message
   * ```ts
   * import { type ServerRef, startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const answered = Promise.withResolvers<unknown>();
   * a.register("answers", (message) => answered.resolve(message));
   * b.register("greeter", ({ replyTo }: { replyTo: ServerRef }) => b.forwardMessage(replyTo, "hello"));
   *
   * await a.forwardMessage({ node: "b", name: "greeter" }, { replyTo: { node: "a", name: "answers" } });
   * assertEquals(await answered.promise, "hello");
   * ```
   */
  forwardMessage<Name extends HandlerName<Handlers>>(
    ref: ServerRef<Name>,
    message: MessageOf<Handlers, Name>,
    options?: ForwardOptions,
  ): Promise<void>;

  /**
   * Sends a message to the handler `name` on `node`. Resolves when the connection has accepted it and is below its high-water mark; with
   * `ack`, when the handler is done. The caller may change the message's parts then.
   *
   * @throws {CallError} With `ack`, when the handler throws.
   * @throws {NoHandlerError} With `ack`, when no handler has the name by the deadline, 5 s without one.
   * @throws {AckTimeoutError} With `ack`, after `timeout`. Without one as well, when a message with a `causalLabel` came too late for its place.
   * @throws {NotConnectedError} When there is no connection.
   * @throws {EncodeError} When the message cannot be encoded.
   * @throws {MessageTooLargeError} When it is larger than `maxFrameBytes`.
   * @throws {QueueFullError} When very many messages wait for room already.
   * @throws {DOMException} A `TimeoutError` after `timeout`.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Wait until it was handled
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const heard: unknown[] = [];
   * b.register("log", (message, { from }) => heard.push({ from, message }));
   *
   * await a.forwardMessage("b", "log", "hello", { ack: true });
   * assertEquals(heard, [{ from: "a", message: "hello" }]);
   * ```
   */
  forwardMessage<Name extends HandlerName<Handlers>>(
    node: string | NodeSpec,
    name: Name,
    message: MessageOf<Handlers, Name>,
    options?: ForwardOptions,
  ): Promise<void>;

  /**
   * Sends a message and does not wait: see the other shape.
   *
   * @example To a reference
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * const heard = Promise.withResolvers<unknown>();
   * node.register("log", (message) => heard.resolve(message));
   *
   * node.castMessage({ node: "a", name: "log" }, "hello");
   * assertEquals(await heard.promise, "hello");
   * ```
   */
  castMessage<Name extends HandlerName<Handlers>>(
    ref: ServerRef<Name>,
    message: MessageOf<Handlers, Name>,
    options?: SendOptions,
  ): boolean;

  /**
   * Sends a message to the handler `name` on `node` without waiting for anything. A message that cannot be sent for a remote reason is dropped,
   * counted, and told by an `undeliverable` event.
   *
   * @returns Whether more may be sent at once. `false` above the high-water mark: wait for {@linkcode ready}. `false` for a message that was
   * dropped, too: the `undeliverable` event has the reason.
   * @throws {EncodeError} When the message cannot be encoded.
   * @throws {MessageTooLargeError} When it is larger than `maxFrameBytes`.
   * @throws {RangeError} When neither side knows the channel.
   *
   * @example As fast as the connection takes it
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * let sum = 0;
   * const done = Promise.withResolvers<void>();
   * b.register("sum", (n: number) => n < 0 ? done.resolve() : sum += n);
   *
   * for (let n = 1; n <= 1_000; n++) {
   *   if (!a.castMessage("b", "sum", n)) await a.ready("b");
   * }
   * a.castMessage("b", "sum", -1);
   * await done.promise;
   * assertEquals(sum, 500_500);
   * ```
   */
  castMessage<Name extends HandlerName<Handlers>>(
    node: string | NodeSpec,
    name: Name,
    message: MessageOf<Handlers, Name>,
    options?: SendOptions,
  ): boolean;

  /**
   * Calls the handler `name` on `node`, and waits for its result. The request and the reply are acknowledged messages.
   *
   * @returns Value that the handler returned or resolved to; `null` where there is none.
   * @throws {CallError} When the handler throws, with its message, or there is none; `remote` describes the error.
   * @throws {NotConnectedError} When the node is no member, goes down or leaves.
   * @throws {DOMException} A `TimeoutError` after `timeout`.
   *
   * @example Ask, and be answered
   * ```ts
   * import { CallError, startPeerService } from "@partisan/peer-service";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("root", (x: number) => {
   *   if (x < 0) throw new RangeError(`No root of ${x}`);
   *   return Math.sqrt(x);
   * });
   *
   * assertEquals(await a.call("b", "root", 9), 3);
   * await assertRejects(() => a.call("b", "root", -1), CallError, "No root of -1");
   * ```
   *
   * @example Read large parts, one after the other, into the same memory
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * const file = new Uint8Array(300_000).fill(7);
   * await using a = await startPeerService<{ read(at: number): Uint8Array }>({ name: "a" });
   * await using b = await startPeerService<{ read(at: number): Uint8Array }>({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("read", (at) => file.subarray(at, at + 200_000));
   *
   * const into = new Uint8Array(200_000);
   * let total = 0;
   * for (let at = 0; at < file.length; at += into.length) {
   *   const part = await a.call("b", "read", at, { into });
   *   assertEquals(part.buffer, into.buffer);
   *   total += part.length;
   * }
   * assertEquals(total, 300_000);
   * ```
   */
  call<Name extends HandlerName<Handlers>>(
    node: string | NodeSpec,
    name: Name,
    message: MessageOf<Handlers, Name>,
    options?: CallOptions,
  ): Promise<ReplyOf<Handlers, Name>>;

  /**
   * Calls the handler `name` on many nodes at once: on all members, this node included, or on those that `options` names. Each call stands
   * for itself, and `timeout` and `signal` hold for each.
   *
   * @returns For each node by name, the result of its handler, or the reason of the rejection, as `Promise.allSettled` tells it.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Ask all nodes
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * a.register("load", () => 0.5);
   * b.register("load", () => {
   *   throw new Error("Cannot say");
   * });
   *
   * const loads = await a.callAll("load", null, { timeout: 5_000 });
   * assertEquals(loads.get("a"), { status: "fulfilled", value: 0.5 });
   * assertEquals(loads.get("b")?.status, "rejected");
   * ```
   */
  callAll<Name extends HandlerName<Handlers>>(
    name: Name,
    message: MessageOf<Handlers, Name>,
    options?: CallAllOptions,
  ): Promise<Map<string, PromiseSettledResult<ReplyOf<Handlers, Name>>>>;

  /**
   * Sends a message to the handler `name` of every node, this one included, along a tree over the connected peers that repairs itself.
   * A node that comes within about a minute is handed it, too, unless `newcomers` is false; `age` and `repaired` of its context say so.
   * A node that takes no messages of that size is not: an `undeliverable` event says so at the nodes that would hand it on.
   *
   * @throws {EncodeError} When the message cannot be encoded.
   * @throws {MessageTooLargeError} When it is larger than this node's own `maxFrameBytes` allows.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Tell all nodes
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const heard = [a, b].map((node) =>
   *   new Promise<unknown>((resolve) => node.register("news", (message) => resolve(message)))
   * );
   * await a.syncJoin(b.spec);
   *
   * a.broadcast("news", "hello");
   * assertEquals(await Promise.all(heard), ["hello", "hello"]);
   * ```
   */
  broadcast<Name extends HandlerName<Handlers>>(
    name: Name,
    message: MessageOf<Handlers, Name>,
    options?: BroadcastOptions,
  ): void;

  /**
   * Resolves once messages to `node` can be cast again: its connections are below their high-water marks, or gone.
   *
   * @example Wait while the queue is long
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const chunk = new Uint8Array(100_000);
   * let received = 0;
   * const done = Promise.withResolvers<void>();
   * b.register("sink", () => ++received === 20 && done.resolve());
   *
   * for (let n = 0; n < 20; n++) {
   *   if (!a.castMessage("b", "sink", chunk)) await a.ready("b");
   * }
   * await done.promise;
   * assertEquals(a.stats().messages.dropped, 0);
   * ```
   */
  ready(node: string | NodeSpec, channel?: string): Promise<void>;

  /**
   * Opens a stream of bytes to the handler of streams `name` on `node`. Resolves once it is accepted there. A stream keeps to one connection of its
   * channel, and shares it fairly with everything else. A side that does not read holds the other one's writer; memory is bounded at both
   * ends. Each half ends by itself: closing, aborting and cancelling it reach the other side, with the reason and behind the bytes before.
   * `readable` is a stream of bytes in the sense of the web: a reader with `mode: "byob"` has memory of its own filled.
   *
   * @param message Message that the handler is given first.
   * @throws {NoHandlerError} When no handler of streams has the name.
   * @throws {OverloadedError} When the handler has no room, or this node has too many streams open there.
   * @throws {NotConnectedError} When there is no direct connection: other nodes do not pass streams on.
   * @throws {PartitionedError} When an injected partition is in between.
   * @throws {EncodeError | MessageTooLargeError} When the message cannot be sent.
   * @throws {RangeError} When neither side knows the channel, or it is the membership channel.
   * @throws {DOMException} A `TimeoutError` after `timeout`, and a `NotSupportedError` when the release of the other node knows no streams.
   *
   * @example Send bytes, and hear how many came
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.registerStream("count", async ({ readable, writable }, label: string) => {
   *   let bytes = 0;
   *   for await (const chunk of readable) bytes += chunk.length;
   *   await ReadableStream.from([new TextEncoder().encode(`${label}: ${bytes}`)]).pipeTo(writable);
   * });
   *
   * const { readable, writable, closed } = await a.openStream("b", "count", "bytes");
   * await new Blob([new Uint8Array(1_000_000)]).stream().pipeTo(writable);
   * assertEquals(await new Response(readable).text(), "bytes: 1000000");
   * await closed;
   * ```
   */
  openStream(
    node: string | NodeSpec,
    name: string,
    message?: unknown,
    options?: StreamOptions,
  ): Promise<ByteStreamPair>;

  /**
   * Gives a handler of streams a name. It is given both halves of a stream, and the opener's message; the stream goes on after it has
   * returned, until both halves are over. When it throws, both halves end with that at the other side.
   *
   * @throws {TypeError} When the name is empty or longer than 255 UTF-16 code units, or the handler is no function.
   * @throws {RangeError} When the name is taken, or `concurrency` no integer of 1 or more.
   *
   * @example Send a file to a node that asks for it
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.registerStream("file", async ({ writable }, path: string) => {
   *   const file = await Deno.open(path);
   *   await file.readable.pipeTo(writable);
   * }, { concurrency: 10 });
   *
   * const path = await Deno.makeTempFile();
   * await Deno.writeTextFile(path, "once upon a time");
   * const { readable, writable } = await node.openStream("a", "file", path);
   * await writable.close();
   * assertEquals(await new Response(readable).text(), "once upon a time");
   * await Deno.remove(path);
   * ```
   */
  registerStream(name: string, handler: StreamHandler, options?: StreamHandlerOptions): void;

  /**
   * Takes the name of a handler of streams back. Open streams go on.
   *
   * @returns Whether it was registered.
   *
   * @example Take no more uploads
   * ```ts
   * import { NoHandlerError, startPeerService } from "@partisan/peer-service";
   * import { assert, assertRejects } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.registerStream("upload", ({ readable }) => readable.cancel());
   *
   * assert(node.unregisterStream("upload"));
   * await assertRejects(() => node.openStream("a", "upload"), NoHandlerError);
   * ```
   */
  unregisterStream(name: string): boolean;

  /**
   * Reads the values that the handler `name` on `node` yields, one by one: the handler is registered with {@linkcode register}, and returns an
   * `AsyncIterable`, as an async generator does. It runs no faster than it is read. To leave the loop ends it there; an error that it throws is thrown
   * here, behind the values before. Nothing is sent before the first value is asked for.
   *
   * @throws {CallError} When the handler throws, or returns no `AsyncIterable`.
   * @throws {NoHandlerError | OverloadedError | NotConnectedError | PartitionedError | EncodeError | MessageTooLargeError} As
   * {@linkcode openStream} does.
   *
   * @example As many as are wanted
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("squares", async function* (from: number) {
   *   for (let n = from;; n++) yield n * n;
   * });
   *
   * const squares: unknown[] = [];
   * for await (const square of a.callStream("b", "squares", 3)) {
   *   if (squares.push(square) === 4) break;
   * }
   * assertEquals(squares, [9, 16, 25, 36]);
   * ```
   */
  callStream<Name extends HandlerName<Handlers>>(
    node: string | NodeSpec,
    name: Name,
    message: MessageOf<Handlers, Name>,
    options?: StreamOptions,
  ): AsyncIterableIterator<PartOf<Handlers, Name>>;

  /**
   * Sends a message to the manager of `node` itself, where it becomes a `message` event.
   *
   * @throws Whatever {@linkcode forwardMessage} throws.
   *
   * @example From manager to manager
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const heard = Promise.withResolvers<unknown>();
   * b.addEventListener("message", ({ detail }) => heard.resolve(detail));
   *
   * await a.sendMessage("b", "hello");
   * assertEquals(await heard.promise, { from: "a", message: "hello" });
   * ```
   */
  sendMessage(node: string | NodeSpec, message: unknown, options?: ForwardOptions): Promise<void>;

  /**
   * Takes a message as if it had come off the wire from `node`: through the interposition functions to its handler, or to this manager
   * as a `message` event.
   *
   * @param message `{ name, message }` for the handler `name`; anything else is for the manager.
   *
   * @example Replay a message that was recorded elsewhere
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * const heard: unknown[] = [];
   * node.register("log", (message, { from, channel }) => heard.push([from, channel, message]));
   *
   * node.receiveMessage("b", "default", { name: "log", message: "hello" });
   * assertEquals(heard, [["b", "default", "hello"]]);
   * ```
   */
  receiveMessage(node: string | NodeSpec, channel: string, message: unknown): void;

  // Watches over handlers and nodes.

  /**
   * Watches a handler, here or on another node.
   *
   * @param options With `channel` the word comes behind the messages of that channel: those that the handler's node sent to this one before
   *   the handler was gone have been handed over. It takes one more round trip.
   * @returns The watch, whose `down` tells when the handler is gone: at once when it does not exist.
   * @throws {StoppedError} When this node was stopped.
   * @throws {RangeError} When neither this node nor the other one has the channel.
   *
   * @example Be told when the node of a handler is down
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("worker", () => {});
   * const monitor = a.monitor({ node: "b", name: "worker" });
   *
   * await b.stop();
   * assertEquals(await monitor.down, { node: "b", name: "worker", reason: "down" });
   * ```
   *
   * @example Be told behind the last results of a worker
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * const channels = { results: { parallelism: 2 } };
   * await using a = await startPeerService({ name: "a", channels });
   * await using b = await startPeerService({ name: "b", channels });
   * await a.syncJoin(b.spec);
   * const results: unknown[] = [];
   * a.register("results", (result) => results.push(result));
   * b.register("worker", () => {});
   * b.register("ready", () => true);
   * const monitor = a.monitor({ node: "b", name: "worker" }, { channel: "results" });
   * await a.call("b", "ready", null);
   *
   * for (let n = 0; n < 100; n++) b.castMessage("a", "results", n, { channel: "results" });
   * b.unregister("worker");
   * assertEquals((await monitor.down).reason, "unregistered");
   * assertEquals(results.length, 100);
   * ```
   */
  monitor(ref: ServerRef<HandlerName<Handlers>>, options?: MonitorOptions): Monitor;

  /**
   * Ends a watch; its `down` resolves with the reason `demonitored`.
   *
   * @example Stop watching
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.register("worker", () => {});
   * const monitor = node.monitor({ node: "a", name: "worker" });
   *
   * node.demonitor(monitor);
   * assertEquals((await monitor.down).reason, "demonitored");
   * ```
   */
  demonitor(monitor: Monitor): void;

  /**
   * Tells of each node that comes or goes from now on.
   *
   * @param options `signal` ends it; leaving the loop does so too.
   * @returns An iterator. A consumer that falls behind by more than 4,096 changes loses the oldest.
   *
   * @example The first node that comes
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const changes = a.monitorNodes();
   * await a.syncJoin(b.spec);
   *
   * for await (const change of changes) {
   *   assertEquals(change, { node: "b", status: "up", reason: "it is connected" });
   *   break;
   * }
   * ```
   */
  monitorNodes(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<NodeStatus>;

  // Faults on purpose: functions that see, change, drop and delay messages, and partitions.

  /**
   * Adds a function that sees each message before anything happens to it, or replaces the one of that name. They run in the order
   * of their names.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   *
   * @example Trace messages that are about to be sent
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.register("log", () => {});
   * const sent: unknown[] = [];
   * node.addPreInterpositionFun("trace", ({ type, message }) => {
   *   if (type === "forward_message") sent.push(message);
   * });
   *
   * await node.forwardMessage("a", "log", "hello");
   * assertEquals(sent, ["hello"]);
   * ```
   */
  addPreInterpositionFun(name: string, fun: PreInterpositionFun): void;

  /**
   * Adds a function that each message passes on its way out and on its way in, or replaces the one of that name. It returns the message, another one
   * in its place, `undefined` to drop it, or `delay(message)`. When it throws, the message is dropped, and an `error` event tells.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   *
   * @example Drop some messages, and change the others
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const heard: unknown[] = [];
   * b.register("log", (message) => heard.push(message));
   * b.addInterpositionFun("loss", ({ type, message }) => {
   *   if (type === "forward_message") return message;
   *   return message === "secret" ? undefined : `${message}!`;
   * });
   *
   * await a.forwardMessage("b", "log", "secret");
   * await a.forwardMessage("b", "log", "hello", { ack: true });
   * assertEquals(heard, ["hello!"]);
   * ```
   */
  addInterpositionFun(name: string, fun: InterpositionFun): void;

  /**
   * Adds a function that sees the outcome of each message, or replaces the one of that name.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   *
   * @example Count dropped messages
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.register("log", () => {});
   * let dropped = 0;
   * node.addInterpositionFun("drop", () => undefined);
   * node.addPostInterpositionFun("count", (_message, result) => {
   *   if (result === undefined) dropped++;
   * });
   *
   * node.castMessage("a", "log", "hello");
   * assertEquals(dropped, 1);
   * ```
   */
  addPostInterpositionFun(name: string, fun: PostInterpositionFun): void;

  /**
   * Takes a function away.
   *
   * @returns Whether it was there.
   *
   * @example Once
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.addPreInterpositionFun("nothing", (_message) => {});
   *
   * assert(node.removePreInterpositionFun("nothing"));
   * assertFalse(node.removePreInterpositionFun("nothing"));
   * ```
   */
  removePreInterpositionFun(name: string): boolean;

  /**
   * Takes a function away.
   *
   * @returns Whether it was there.
   *
   * @example Once
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.addInterpositionFun("nothing", ({ message }) => message);
   *
   * assert(node.removeInterpositionFun("nothing"));
   * assertFalse(node.removeInterpositionFun("nothing"));
   * ```
   */
  removeInterpositionFun(name: string): boolean;

  /**
   * Takes a function away.
   *
   * @returns Whether it was there.
   *
   * @example Once
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.addPostInterpositionFun("nothing", (_message, _result) => {});
   *
   * assert(node.removePostInterpositionFun("nothing"));
   * assertFalse(node.removePostInterpositionFun("nothing"));
   * ```
   */
  removePostInterpositionFun(name: string): boolean;

  /**
   * The functions that run first, by name, in their order.
   *
   * @example In the order of their names
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.addPreInterpositionFun("second", (_message) => {});
   * node.addPreInterpositionFun("first", (_message) => {});
   *
   * assertEquals([...node.getPreInterpositionFuns().keys()], ["first", "second"]);
   * ```
   */
  getPreInterpositionFuns(): Map<string, PreInterpositionFun>;

  /**
   * The functions that decide, by name, in their order.
   *
   * @example In the order of their names
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.addInterpositionFun("second", ({ message }) => message);
   * node.addInterpositionFun("first", ({ message }) => message);
   *
   * assertEquals([...node.getInterpositionFuns().keys()], ["first", "second"]);
   * ```
   */
  getInterpositionFuns(): Map<string, InterpositionFun>;

  /**
   * The functions that run last, by name, in their order.
   *
   * @example In the order of their names
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.addPostInterpositionFun("second", (_message, _result) => {});
   * node.addPostInterpositionFun("first", (_message, _result) => {});
   *
   * assertEquals([...node.getPostInterpositionFuns().keys()], ["first", "second"]);
   * ```
   */
  getPostInterpositionFuns(): Map<string, PostInterpositionFun>;

  /**
   * Cuts `origin` off from all its peers, and the nodes within `ttl` hops of it from theirs: nothing passes but the word that it is over,
   * so that the failure detectors notice.
   *
   * @param origin Node at which the partition begins.
   * @param ttl Hops, 0 to 255: 0 for `origin` alone, 1 for it and its neighbours.
   * @returns The name of the partition, once `origin` has cut itself off; when that is no neighbour of this node, once the word is on its way.
   * @throws {RangeError} When `ttl` is out of range.
   * @throws {NotConnectedError} When there is no connection to any node.
   * @throws {DOMException} A `TimeoutError` when `origin` does not answer, a `NotAllowedError` when it lets no other node inject faults: see the option
   * `allow`. Others that do not let it are left out.
   *
   * @example Cut a node off from its peers
   * ```ts
   * import { PartitionedError, startPeerService } from "@partisan/peer-service";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * const reference = await a.injectPartition("a", 0);
   * assertEquals(a.partitions(), [{ reference, peer: "b" }]);
   * await assertRejects(() => a.forwardMessage("b", "log", "hello"), PartitionedError);
   * ```
   */
  injectPartition(origin: string | NodeSpec, ttl: number): Promise<PartitionReference>;

  /**
   * Ends a partition, everywhere. Ending one that is over does nothing.
   *
   * @example Heal again
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("log", () => {});
   * const reference = await a.injectPartition("a", 0);
   *
   * a.resolvePartition(reference);
   * assertEquals(a.partitions(), []);
   * await a.forwardMessage("b", "log", "hello", { ack: true });
   * ```
   */
  resolvePartition(reference: PartitionReference): void;

  /**
   * Peers that the injected partitions cut this node off from, sorted.
   *
   * @example On both sides of a partition
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b", allow: { faultInjection: true } });
   * await a.syncJoin(b.spec);
   *
   * const reference = await a.injectPartition("b", 0);
   * assertEquals(b.partitions(), [{ reference, peer: "a" }]);
   * assertEquals(a.partitions(), []);
   * ```
   */
  partitions(): PartitionEntry[];

  // What nodes say of themselves, and how they find each other.

  /**
   * Says something about this node to all others, for as long as it runs: a role, a load, its offers. Every node reads it with
   * {@linkcode attribute}. Small values that change from time to time, not a stream of messages.
   *
   * @param key 1 to 255 characters.
   * @param value Any value that a message may have; `undefined` withdraws the attribute. All attributes of a node together may take 64 KiB.
   * @throws {TypeError} When the key is no string.
   * @throws {RangeError} When the key is too long, or all attributes together would be too large. Nothing is changed.
   * @throws {EncodeError} When the value cannot be encoded. Nothing is changed.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example A role that the other node sees
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const seen = Promise.withResolvers<unknown>();
   * using _role = b.onAttribute("role", (node, value) => seen.resolve([node, value]));
   * await b.syncJoin(a.spec);
   *
   * a.setAttribute("role", "database");
   * assertEquals(await seen.promise, ["a", "database"]);
   * assertEquals(b.attribute("a", "role"), "database");
   * ```
   */
  setAttribute(key: string, value: unknown): void;

  /**
   * One attribute of a node, as far as this node knows it: `undefined` when there is none, or the node is down or no member.
   *
   * @example One's own
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a", appVersion: "1.4.0" });
   *
   * assertEquals(node.attribute("a", "appVersion"), "1.4.0");
   * assertEquals(node.attribute("b", "appVersion"), undefined);
   * ```
   */
  attribute(node: string | NodeSpec, key: string): unknown;

  /**
   * All attributes of a node by key, of this node when none is named. A copy: later changes are not in it.
   *
   * @example What a node says of itself
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.setAttribute("zone", "eu-1");
   * node.setAttribute("load", 0.4);
   * node.setAttribute("load", undefined);
   *
   * assertEquals(node.attributes(), new Map([["zone", "eu-1"]]));
   * ```
   */
  attributes(node?: string | NodeSpec): Map<string, unknown>;

  /**
   * Has `listener` told whenever that attribute of any node changes, this node's own included. The value is `undefined` when it was withdrawn,
   * or its node went down or left: what {@linkcode attribute} returns from then on.
   *
   * @throws {TypeError | RangeError} When the key can be none.
   *
   * @example Follow the load of all nodes
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * const loads = new Map<string, unknown>();
   * using _load = node.onAttribute("load", (name, value) => loads.set(name, value));
   * node.setAttribute("load", 0.4);
   *
   * assertEquals(loads, new Map([["a", 0.4]]));
   * ```
   */
  onAttribute(key: string, listener: AttributeListener): Disposable;

  /**
   * The last answer of each source of the option `discovery`, and the outcome of each address.
   *
   * @example A source that finds this node itself
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { list } from "@partisan/peer-service/discovery";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a", discovery: list([]) });
   *
   * assertEquals(node.discovery().map(({ name, addresses }) => [name, addresses]), [["list", []]]);
   * ```
   */
  discovery(): readonly DiscoveryStatus[];

  // The node itself.

  /**
   * Clock, randomness and transport of this node. Code that is built on a node takes time and chance from here, and so runs in the simulator too.
   *
   * @example The time of the node
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert } from "@std/assert";
   *
   * await using node = await startPeerService();
   * const before = node.runtime.clock.now();
   * assert(node.runtime.clock.now() >= before);
   * ```
   */
  readonly runtime: Runtime;

  /**
   * Interval at which this node sends heartbeats, in milliseconds, and the number that may be missed: a node that is gone
   * without a word is noticed after about `interval × missed`.
   *
   * @example The default
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService();
   * assertEquals(node.heartbeat, { interval: 1_000, missed: 5 });
   * ```
   */
  readonly heartbeat: { readonly interval: number; readonly missed: number };

  /**
   * Aborted when this node stops: for code that is built on it, and has to end with it.
   *
   * @example Something that ends with the node
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert } from "@std/assert";
   *
   * const node = await startPeerService();
   * const { stopSignal } = node;
   * await node.stop();
   * assert(stopSignal.aborted);
   * ```
   */
  readonly stopSignal: AbortSignal;

  /**
   * Whether this manager can do something that not every manager can.
   *
   * @param capability `"monitoring"` is the only one that is known.
   *
   * @example Ask before use
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assert(node.supportsCapability("monitoring"));
   * assertFalse(node.supportsCapability("teleportation"));
   * ```
   */
  supportsCapability(capability: string): boolean;

  /**
   * Keeps a slot among this node's connections for a node whose `metadata.tag` is `tag`.
   *
   * @returns Whether there is a slot: always so in a full mesh.
   *
   * @example A full mesh has room for every node
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assert(node.reserve("cache"));
   * ```
   */
  reserve(tag: string): boolean;

  /**
   * Shows and trusts other certificates from now on. Connections that are open are made anew one after another, a few at a time, and the old ones
   * drain: no message is lost, their order stays, and no node sees a `down`. `stats().trust` says how many stand on which.
   *
   * To replace an authority: first trust both everywhere (`ca: [old, new]`), then show the new certificates everywhere, then trust the new
   * one alone. A peer that does not accept the new ones keeps its connections as they are, which one `warning` event with the code `renewal` tells, and is
   * tried again.
   *
   * @returns Resolves once each connection was tried.
   * @throws {TypeError} When the node was started without `tls`, or certificate, key and authorities cannot be used; then nothing changes.
   * @throws {StoppedError} When the node was stopped.
   *
   * @example A node without certificates has none to update
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertRejects } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * await assertRejects(() => node.updateTls({ cert: "(PEM)", key: "(PEM)", ca: "(PEM)" }), TypeError);
   * ```
   */
  updateTls(tls: TlsOptions): Promise<void>;

  /**
   * Proves and accepts other secrets from now on; the first one is preferred. Connections that are open are made anew as with
   * {@linkcode updateTls}.
   *
   * To replace a secret: first accept both everywhere (`[old, new]`), then `[new]` everywhere. A node that knows the old one alone cannot connect any more;
   * connections that it has stay open until they close by themselves, or it is removed with `leave(node)`.
   *
   * @param secret One, or up to 8; not none.
   * @returns Resolves once each connection was tried.
   * @throws {TypeError} When the secrets cannot be used; then nothing changes.
   * @throws {StoppedError} When the node was stopped.
   *
   * @example Another secret, without an interruption
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a", secret: "a long old secret" });
   * await using b = await startPeerService({ name: "b", secret: "a long old secret" });
   * await a.syncJoin(b.spec);
   *
   * for (const node of [a, b]) await node.updateSecrets(["a long old secret", "a longer new secret"]);
   * for (const node of [a, b]) await node.updateSecrets("a longer new secret");
   *
   * assertEquals(a.connected(), ["b"]);
   * ```
   */
  updateSecrets(secret: string | readonly string[]): Promise<void>;

  /**
   * Counters, queue depths and round-trip times.
   *
   * @example What has become of messages
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * b.register("log", () => {});
   * await a.forwardMessage("b", "log", "hello", { ack: true });
   *
   * assertEquals(a.stats().messages.sent, 1);
   * assertEquals(b.stats().messages.delivered, 1);
   * assertEquals(Object.keys(a.stats().peers), ["b"]);
   * ```
   */
  stats(): PeerServiceStats;

  /**
   * Ends this node in good order, as before a restart: says by the attribute `draining` that it takes no new work, so that it leaves its groups and
   * owns no keys; waits for the handlers and messages that are in hand; leaves the cluster; stops. `stop()` is the quick way. Draining twice is
   * draining once. A handler that awaits it waits for itself, until `timeout` is over: it begins to drain, and returns. What others go on sending to
   * it by its name is still handled, so traffic without a pause has it take all of `timeout`: have senders heed the attribute (`onAttribute`).
   *
   * @throws {StoppedError} When this node was stopped.
   *
   * @example A node that finishes its work
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a", preset: "local" });
   * await using b = await startPeerService({ name: "b", preset: "local" });
   * await a.syncJoin(b.spec);
   * const done = Promise.withResolvers<string>();
   * b.register("slow", () => done.promise);
   *
   * const reply = a.call("b", "slow", null);
   * const drained = b.drain({ timeout: 10_000 });
   * done.resolve("finished");
   * assertEquals(await reply, "finished");
   * await drained;
   * assertEquals(a.members(), ["a"]);
   * ```
   */
  drain(options?: DrainOptions): Promise<void>;

  /**
   * Stops: sends the queued messages, for a second at most, and closes everything. The node stays a member; others will try to reach it again. What
   * still waits rejects with {@linkcode StoppedError}. Stopping twice does nothing more.
   *
   * @example Nothing can be sent afterwards
   * ```ts
   * import { startPeerService, StoppedError } from "@partisan/peer-service";
   * import { assertRejects } from "@std/assert";
   *
   * const node = await startPeerService({ name: "a" });
   * await node.stop();
   *
   * await assertRejects(() => node.forwardMessage("a", "log", "hello"), StoppedError);
   * ```
   */
  stop(): Promise<void>;

  /**
   * Stops the node.
   *
   * @example At the end of a block
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * {
   *   await using b = await startPeerService({ name: "b" });
   *   await a.syncJoin(b.spec);
   * }
   * assertEquals(a.members(), ["a", "b"]);
   * ```
   */
  [Symbol.asyncDispose](): Promise<void>;
}
