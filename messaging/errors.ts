// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * There is no usable connection to the node, and none was promised. The message was not sent.
 *
 * @example No node is there
 * ```ts
 * import { NotConnectedError, startPeerService } from "@partisan/peer-service";
 * import { assertRejects } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 *
 * await assertRejects(() => node.forwardMessage("nobody", "log", "hello"), NotConnectedError);
 * ```
 */
export class NotConnectedError extends Error {
  /** Always `"NotConnectedError"`. */
  override readonly name = "NotConnectedError";
}

/**
 * An injected partition lies between the two nodes. The message was not sent.
 *
 * @example While a partition is injected
 * ```ts
 * import { PartitionedError, startPeerService } from "@partisan/peer-service";
 * import { assertRejects } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await a.syncJoin(b.spec);
 *
 * await a.injectPartition("a", 0);
 * await assertRejects(() => a.forwardMessage("b", "log", "hello"), PartitionedError);
 * ```
 */
export class PartitionedError extends Error {
  /** Always `"PartitionedError"`. */
  override readonly name = "PartitionedError";
}

/**
 * The outbound queue is at its bound. The message was not sent; wait for `ready()` and send again.
 *
 * @example Send again as soon as there is room
 * ```ts
 * import { type PeerServiceManager, QueueFullError, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * async function insist(node: PeerServiceManager, to: string, message: unknown): Promise<void> {
 *   try {
 *     await node.forwardMessage(to, "log", message);
 *   } catch (error) {
 *     if (!(error instanceof QueueFullError)) throw error;
 *     await node.ready(to);
 *     await insist(node, to, message);
 *   }
 * }
 *
 * await using node = await startPeerService({ name: "a" });
 * const heard = Promise.withResolvers<unknown>();
 * node.register("log", (message) => heard.resolve(message));
 * await insist(node, "a", "hello");
 * assertEquals(await heard.promise, "hello");
 * ```
 */
export class QueueFullError extends Error {
  /** Always `"QueueFullError"`. */
  override readonly name = "QueueFullError";
}

/**
 * The message is larger than `maxFrameBytes` once encoded, or than the 64 MiB that are kept until they are acknowledged. It was not sent.
 *
 * @example A message above the limit
 * ```ts
 * import { MessageTooLargeError, startPeerService } from "@partisan/peer-service";
 * import { assertRejects } from "@std/assert";
 *
 * const options = { maxFrameBytes: 65_536 };
 * await using a = await startPeerService({ name: "a", ...options });
 * await using b = await startPeerService({ name: "b", ...options });
 * await a.syncJoin(b.spec);
 *
 * await assertRejects(() => a.forwardMessage("b", "log", new Uint8Array(65_536)), MessageTooLargeError);
 * ```
 */
export class MessageTooLargeError extends Error {
  /** Always `"MessageTooLargeError"`. */
  override readonly name = "MessageTooLargeError";
}

/**
 * No acknowledgement came within the timeout. The message may have been delivered all the same.
 *
 * @example The receiver keeps silent
 * ```ts
 * import { AckTimeoutError, startPeerService } from "@partisan/peer-service";
 * import { assertRejects } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await a.syncJoin(b.spec);
 * b.addInterpositionFun("silence", () => undefined);
 *
 * await assertRejects(() => a.forwardMessage("b", "log", "hello", { ack: true, timeout: 50 }), AckTimeoutError);
 * ```
 */
export class AckTimeoutError extends Error {
  /** Always `"AckTimeoutError"`. */
  override readonly name = "AckTimeoutError";
}

/**
 * The peer service was stopped. Waiting messages may or may not have been delivered.
 *
 * @example After the end
 * ```ts
 * import { startPeerService, StoppedError } from "@partisan/peer-service";
 * import { assertRejects } from "@std/assert";
 *
 * const node = await startPeerService({ name: "a" });
 * await node.stop();
 *
 * await assertRejects(() => node.call("a", "log", "hello"), StoppedError);
 * ```
 */
export class StoppedError extends Error {
  /** Always `"StoppedError"`. */
  override readonly name = "StoppedError";
}

/**
 * The receiver's buffer for causally ordered messages is full. The message was not delivered.
 *
 * @example Tell it from what will never work
 * ```ts
 * import { ReceiveBufferFullError } from "@partisan/peer-service";
 * import { assert, assertFalse } from "@std/assert";
 *
 * function isWorthAnotherTry(error: unknown): boolean {
 *   return error instanceof ReceiveBufferFullError;
 * }
 *
 * assert(isWorthAnotherTry(new ReceiveBufferFullError('Cannot deliver to "b"')));
 * assertFalse(isWorthAnotherTry(new TypeError("Cannot send")));
 * ```
 */
export class ReceiveBufferFullError extends Error {
  /** Always `"ReceiveBufferFullError"`. */
  override readonly name = "ReceiveBufferFullError";
}

/**
 * The receiver has no room: as many promises of the handler are pending as its option `concurrency` allows, or of all handlers as
 * `maxInflight` does. Or too many calls of this node wait for their replies already. The message was not handled.
 *
 * @example A handler that does one thing at a time
 * ```ts
 * import { OverloadedError, startPeerService } from "@partisan/peer-service";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await a.syncJoin(b.spec);
 * const gate = Promise.withResolvers<string>();
 * b.register("slow", () => gate.promise, { concurrency: 1 });
 *
 * const first = a.call("b", "slow", 1);
 * await assertRejects(() => a.call("b", "slow", 2), OverloadedError);
 * gate.resolve("done");
 * assertEquals(await first, "done");
 * ```
 */
export class OverloadedError extends Error {
  /** Always `"OverloadedError"`. */
  override readonly name = "OverloadedError";
}

/** Error that a handler on another node threw. */
export interface RemoteError {
  /** The name of the error there, such as `"RangeError"`. */
  readonly name: string;
  /** Its message; at most 1,000 UTF-16 code units of it. */
  readonly message: string;
  /** Its `code`, when that is a string or a number. */
  readonly code?: string | number;
}

/**
 * The handler of a call or of an acknowledged message threw, or a call found none. The message is that of what it threw.
 *
 * @example A handler that throws
 * ```ts
 * import { CallError, startPeerService } from "@partisan/peer-service";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await a.syncJoin(b.spec);
 * b.register("till", () => {
 *   throw new RangeError("Not enough money");
 * });
 *
 * const error = await assertRejects(() => a.call("b", "till", { take: 100 }), CallError, "Not enough money");
 * assertEquals(error.remote, { name: "RangeError", message: "Not enough money" });
 * ```
 */
export class CallError extends Error {
  /** Always `"CallError"`. */
  override readonly name = "CallError";
  /** Error that was thrown there. */
  readonly remote: RemoteError;

  /**
   * Makes an error of what a handler threw.
   *
   * @param message The message of it.
   * @param remote All that is known of it.
   */
  constructor(message: string, remote: RemoteError = { name: "Error", message }) {
    super(message);
    this.remote = remote;
  }
}

/**
 * No handler was registered under the name by the deadline of an acknowledged message, 5 s without one. The message was not handled.
 *
 * @example No handler has the name
 * ```ts
 * import { NoHandlerError, startPeerService } from "@partisan/peer-service";
 * import { assertRejects } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await a.syncJoin(b.spec);
 *
 * await assertRejects(() => a.forwardMessage("b", "nobody", 1, { ack: true, timeout: 100 }), NoHandlerError);
 * ```
 */
export class NoHandlerError extends Error {
  /** Always `"NoHandlerError"`. */
  override readonly name = "NoHandlerError";
}
