// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { InterpositionFun, PostInterpositionFun, PreInterpositionFun } from "../messaging/interposition.ts";
import type { PartitionEntry, PartitionReference } from "../messaging/partitions.ts";
import { MessagingApi } from "./messaging_api.ts";
import { nameOf } from "./node_name.ts";

/** Faults on purpose: functions that see, change, drop and delay messages, and partitions. */
export class FaultInjectionApi extends MessagingApi {
  /**
   * Adds a function that sees each message before anything happens to it, or replaces the one of that name. They run in the order
   * of their names.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   *
   * @example Trace what is about to be sent
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
  addPreInterpositionFun(name: string, fun: PreInterpositionFun): void {
    this.node.messaging.interpositions.pre.add(name, fun);
  }

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
  addInterpositionFun(name: string, fun: InterpositionFun): void {
    this.node.messaging.interpositions.fun.add(name, fun);
  }

  /**
   * Adds a function that sees what has become of each message, or replaces the one of that name.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   *
   * @example Count what was dropped
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
  addPostInterpositionFun(name: string, fun: PostInterpositionFun): void {
    this.node.messaging.interpositions.post.add(name, fun);
  }

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
  removePreInterpositionFun(name: string): boolean {
    return this.node.messaging.interpositions.pre.remove(name);
  }

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
  removeInterpositionFun(name: string): boolean {
    return this.node.messaging.interpositions.fun.remove(name);
  }

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
  removePostInterpositionFun(name: string): boolean {
    return this.node.messaging.interpositions.post.remove(name);
  }

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
  getPreInterpositionFuns(): Map<string, PreInterpositionFun> {
    return this.node.messaging.interpositions.pre.all();
  }

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
  getInterpositionFuns(): Map<string, InterpositionFun> {
    return this.node.messaging.interpositions.fun.all();
  }

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
  getPostInterpositionFuns(): Map<string, PostInterpositionFun> {
    return this.node.messaging.interpositions.post.all();
  }

  /**
   * Cuts `origin` off from all its peers, and the nodes within `ttl` hops of it from theirs: nothing passes but the word that it is over,
   * so that the failure detectors notice.
   *
   * @param origin Where the partition begins.
   * @param ttl Hops, 0 to 255: 0 for `origin` alone, 1 for it and its neighbours.
   * @returns The name of the partition, once `origin` has cut itself off; when that is no neighbour of this node, once the word is on its way.
   * @throws {RangeError} When `ttl` is out of range.
   * @throws {NotConnectedError} When there is no connection to anybody.
   * @throws {DOMException} A `TimeoutError` when `origin` does not answer.
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
  injectPartition(origin: string | NodeSpec, ttl: number): Promise<PartitionReference> {
    this.node.checkRunning("inject a partition");
    return this.node.partitions.inject(nameOf(origin), ttl);
  }

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
  resolvePartition(reference: PartitionReference): void {
    this.node.partitions.resolve(reference);
  }

  /**
   * Which peers the injected partitions cut this node off from, sorted.
   *
   * @example On both sides of a partition
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * const reference = await a.injectPartition("b", 0);
   * assertEquals(b.partitions(), [{ reference, peer: "a" }]);
   * assertEquals(a.partitions(), []);
   * ```
   */
  partitions(): PartitionEntry[] {
    return this.node.partitions.list();
  }
}
