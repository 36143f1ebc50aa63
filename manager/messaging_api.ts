// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { CallOptions } from "../messaging/calls.ts";
import type { SendOptions } from "../messaging/outbound.ts";
import { MANAGER_NAME } from "../messaging/registry.ts";
import { DEFAULT_CHANNEL } from "../connections/peer.ts";
import { forwardArguments, type ForwardOptions, type ServerRef } from "./forward_options.ts";
import { HandlerApi } from "./handler_api.ts";
import { nameOf } from "./node_name.ts";
import { call, cast, forward } from "./sending.ts";

/** Messages between named handlers. */
export class MessagingApi extends HandlerApi {
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
   *
   * @example Wait until it was handed over
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
  forwardMessage(node: string | NodeSpec, name: string, message: unknown, options?: ForwardOptions): Promise<void>;
  forwardMessage(target: ServerRef | NodeSpec | string, ...rest: unknown[]): Promise<void> {
    try {
      return forward(this.node, forwardArguments<ForwardOptions>(false, target, rest));
    } catch (error) {
      return Promise.reject(error);
    }
  }

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
  castMessage(ref: ServerRef, message: unknown, options?: SendOptions): boolean;
  /**
   * Sends a message to the handler `name` on `node` without waiting for anything. What cannot be sent is dropped, counted, and told
   * by an `undeliverable` event.
   *
   * @returns Whether more may be sent at once: `false` above the high-water mark; then wait for {@linkcode ready}.
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
  castMessage(node: string | NodeSpec, name: string, message: unknown, options?: SendOptions): boolean;
  castMessage(target: ServerRef | NodeSpec | string, ...rest: unknown[]): boolean {
    return cast(this.node, forwardArguments<SendOptions>(true, target, rest));
  }

  /**
   * Calls the handler `name` on `node`, and waits for what it returns. The request and the reply are acknowledged messages.
   *
   * @returns What the handler returned or resolved to; `null` where that is nothing.
   * @throws {CallError} When the handler throws, with its message, or there is none.
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
   */
  call(node: string | NodeSpec, name: string, message: unknown, options: CallOptions = {}): Promise<unknown> {
    try {
      return call(this.node, { node: nameOf(node), name, message }, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a message to the handler `name` of every node, this one included, along a tree over the connected peers that repairs itself.
   *
   * @throws {EncodeError} When the message cannot be encoded.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Tell everybody
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
  broadcast(name: string, message: unknown): void {
    this.node.checkRunning("broadcast");
    this.node.messaging.broadcasting.broadcast(name, message);
  }

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
  ready(node: string | NodeSpec, channel: string = DEFAULT_CHANNEL): Promise<void> {
    return this.node.messaging.outbound.ready(nameOf(node), channel);
  }

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
  sendMessage(node: string | NodeSpec, message: unknown, options: ForwardOptions = {}): Promise<void> {
    try {
      return forward(this.node, { node: nameOf(node), name: MANAGER_NAME, message, options, cast: false });
    } catch (error) {
      return Promise.reject(error);
    }
  }

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
  receiveMessage(node: string | NodeSpec, channel: string, message: unknown): void {
    const context = { from: nameOf(node), channel, cast: false };
    const { inbound } = this.node.messaging;
    if (isForHandler(message)) inbound.receive(message.name, message.message, context);
    else inbound.receive(MANAGER_NAME, message, context);
  }
}

function isForHandler(message: unknown): message is { readonly name: string; readonly message: unknown } {
  return typeof message === "object" && message !== null && "message" in message && "name" in message &&
    typeof message.name === "string" && Object.keys(message).length === 2;
}
