// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../membership/node_spec.ts";
import type { CallOptions } from "../messaging/calls.ts";
import type { SendOptions } from "../messaging/outbound.ts";
import { MANAGER_NAME } from "../messaging/registry.ts";
import { DEFAULT_CHANNEL } from "../transport/peer.ts";
import { forwardArguments, type ForwardOptions, type ServerRef } from "./forward_options.ts";
import { HandlerApi } from "./handler_api.ts";
import { nameOf } from "./node_name.ts";
import { call, cast, forward } from "./sending.ts";

/** Messages between named handlers. */
export class MessagingApi extends HandlerApi {
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
      return forward(this.node, { node, name, message }, options);
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
    return cast(this.node, { node, name, message }, options);
  }

  /**
   * Calls the handler `name` on `node`, and waits for what it returns. The request and the reply are acknowledged messages.
   *
   * @returns What the handler returned or resolved to; `null` where that is nothing.
   * @throws {CallError} When the handler throws, with its message, or there is none.
   * @throws {NotConnectedError} When the node is no member, goes down or leaves.
   * @throws {DOMException} A `TimeoutError` after `timeout`.
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
   */
  broadcast(name: string, message: unknown): void {
    this.node.checkRunning("broadcast");
    this.node.messaging.broadcasting.broadcast(name, message);
  }

  /** Resolves once messages to `node` can be cast again: its connections are below their high-water marks, or gone. */
  ready(node: string | NodeSpec, channel: string = DEFAULT_CHANNEL): Promise<void> {
    return this.node.messaging.outbound.ready(nameOf(node), channel);
  }

  /**
   * Sends a message to the manager of `node` itself, where it becomes a `message` event.
   *
   * @throws Whatever {@linkcode forwardMessage} throws.
   */
  sendMessage(node: string | NodeSpec, message: unknown, options: ForwardOptions = {}): Promise<void> {
    try {
      return forward(this.node, { node: nameOf(node), name: MANAGER_NAME, message }, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes a message as if it had come off the wire from `node`: through the interposition functions to its handler, or to this manager
   * as a `message` event.
   *
   * @param message `{ name, message }` for the handler `name`; anything else is for the manager.
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
