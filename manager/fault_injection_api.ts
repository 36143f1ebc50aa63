// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../membership/node_spec.ts";
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
   */
  addPreInterpositionFun(name: string, fun: PreInterpositionFun): void {
    this.node.messaging.interpositions.pre.add(name, fun);
  }

  /**
   * Adds a function that each message passes on its way out and on its way in, or replaces the one of that name. It returns the message, another one
   * in its place, `undefined` to drop it, or `delay(message)`. When it throws, the message is dropped, and an `error` event tells.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   */
  addInterpositionFun(name: string, fun: InterpositionFun): void {
    this.node.messaging.interpositions.fun.add(name, fun);
  }

  /**
   * Adds a function that sees what has become of each message, or replaces the one of that name.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   */
  addPostInterpositionFun(name: string, fun: PostInterpositionFun): void {
    this.node.messaging.interpositions.post.add(name, fun);
  }

  /** Takes a function away. @returns Whether it was there. */
  removePreInterpositionFun(name: string): boolean {
    return this.node.messaging.interpositions.pre.remove(name);
  }

  /** Takes a function away. @returns Whether it was there. */
  removeInterpositionFun(name: string): boolean {
    return this.node.messaging.interpositions.fun.remove(name);
  }

  /** Takes a function away. @returns Whether it was there. */
  removePostInterpositionFun(name: string): boolean {
    return this.node.messaging.interpositions.post.remove(name);
  }

  /** The functions that run first, by name, in their order. */
  getPreInterpositionFuns(): Map<string, PreInterpositionFun> {
    return this.node.messaging.interpositions.pre.all();
  }

  /** The functions that decide, by name, in their order. */
  getInterpositionFuns(): Map<string, InterpositionFun> {
    return this.node.messaging.interpositions.fun.all();
  }

  /** The functions that run last, by name, in their order. */
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
   */
  injectPartition(origin: string | NodeSpec, ttl: number): Promise<PartitionReference> {
    this.node.checkRunning("inject a partition");
    return this.node.partitions.inject(nameOf(origin), ttl);
  }

  /** Ends a partition, everywhere. Ending one that is over does nothing. */
  resolvePartition(reference: PartitionReference): void {
    this.node.partitions.resolve(reference);
  }

  /** Which peers the injected partitions cut this node off from, sorted. */
  partitions(): PartitionEntry[] {
    return this.node.partitions.list();
  }
}
