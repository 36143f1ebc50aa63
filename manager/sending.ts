// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { BroadcastOptions } from "./broadcasting.ts";
import type { CallOptions } from "../messaging/calls.ts";
import { needsGuarantee } from "../messaging/guarantee_options.ts";
import { NotConnectedError } from "../messaging/errors.ts";
import type { SendOptions } from "../messaging/outbound.ts";
import { MANAGER_NAME } from "../messaging/registry.ts";
import { checkTimeout, withDeadline } from "../runtime/deadline.ts";
import { BOOLEAN, CHECKED_ELSEWHERE, checkKind, checkOptions, type OptionKinds, STRING } from "../runtime/options.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { type Addressed, addressed, checkHandlerName, nameOf } from "./arguments.ts";
import {
  FORWARD_OPTIONS,
  type ForwardArguments,
  forwardArguments,
  type ForwardOptions,
  type ForwardTarget,
} from "./forward_options.ts";
import type { Node } from "./node.ts";

/** Sends a message without waiting, as its sender names it. @returns Whether more may be sent at once. */
export function castMessage(
  from: Node,
  target: ForwardTarget,
  second: unknown,
  third: unknown,
  fourth: unknown,
): boolean {
  if (from.messaging.outbound.fastPath.send(target, second, third, true, fourth)) return true;
  return cast(from, forwardArguments<SendOptions>(true, target, second, third, fourth));
}

/** Sends a message, as its sender names it, with the guarantees that its options ask for. */
export function forwardMessage(
  from: Node,
  target: ForwardTarget,
  second: unknown,
  third: unknown,
  fourth: unknown,
): Promise<void> {
  try {
    if (from.messaging.outbound.fastPath.send(target, second, third, false, fourth)) {
      return Promise.resolve();
    }
    return forward(from, forwardArguments<ForwardOptions>(false, target, second, third, fourth));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Sends a message, with the guarantees that its options ask for, and waits until it is accepted, or with `ack` acknowledged. */
export function forward(from: Node, outgoing: ForwardArguments<ForwardOptions>): Promise<void> {
  const { tracing } = from.messaging;
  if (tracing.tracer === null) return forwardPlain(from, outgoing);
  const { node, name, options: { channel } } = outgoing;
  return tracing.follow(
    { operation: "send", node, name, channel },
    (trace) => forwardPlain(from, { ...outgoing, trace }),
  );
}

function forwardPlain(from: Node, outgoing: ForwardArguments<ForwardOptions>): Promise<void> {
  from.context.checkRunning("send");
  const { options } = outgoing;
  const { signal, timeout } = options;
  if (timeout !== undefined) checkTimeout(timeout, actionOf(outgoing));
  signal?.throwIfAborted();
  const { outbound, reliableSender } = from.messaging;
  if (needsGuarantee(options)) return reliableSender.forward(outgoing, options);
  // Who gave up waiting must not be surprised by the message later; the caller's signal alone does not know of the timeout.
  const givenUp = timeout === undefined ? undefined : new AbortController();
  const waiting = outbound.forward(outgoing, givenUp?.signal ?? signal);
  if (waiting === undefined) return Promise.resolve();
  // The usual case needs no timer and no listener per message: the end of the connection ends the wait.
  if (signal === undefined && timeout === undefined) return waiting.catch((error) => rethrow(from, error));
  const deadline = { signal: from.context.untilStopped(signal), timeout };
  return withDeadline(from.settings.runtime.clock, deadline, actionOf(outgoing), (ended) => {
    ended.addEventListener("abort", () => givenUp?.abort(ended.reason));
    return waiting;
  });
}

function actionOf({ node, name }: Addressed): string {
  return `Cannot send to "${name}" on "${node}"`;
}

/** Says what has really happened when it was the end of this node. */
function rethrow(from: Node, error: unknown): never {
  from.context.checkRunning("send");
  throw error;
}

function cast(from: Node, outgoing: ForwardArguments<SendOptions>): boolean {
  if (from.context.stopped) return false;
  const { outbound, tracing } = from.messaging;
  if (tracing.tracer === null) return outbound.cast(outgoing);
  const { node, name, options: { channel } } = outgoing;
  return tracing.followAtOnce(
    { operation: "send", node, name, channel },
    (trace) => outbound.cast({ ...outgoing, trace }),
  );
}

const CALL_OPTIONS: OptionKinds<ForwardOptions & CallOptions> = { ...FORWARD_OPTIONS, into: CHECKED_ELSEWHERE };

const BROADCAST_OPTIONS: OptionKinds<BroadcastOptions> = { newcomers: BOOLEAN };

/** Calls a handler, as its caller names it. */
export function call(
  from: Node,
  node: string | NodeSpec,
  name: string,
  message: unknown,
  options: CallOptions | undefined,
): Promise<unknown> {
  try {
    const to = addressed("Cannot call", node, name, message);
    return request(from, to, checkOptions("Cannot call", options, CALL_OPTIONS));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Sends a request and waits for its reply. */
export function request(from: Node, to: Addressed, options: CallOptions): Promise<unknown> {
  const { node, name } = to;
  const sent = { operation: "call", node, name, channel: options.channel } as const;
  return from.messaging.tracing.follow(sent, (trace) => callPlain(from, to, options, trace));
}

/** Sends a message to all members. */
export function broadcast(from: Node, name: string, message: unknown, options: BroadcastOptions | undefined): void {
  from.context.checkRunning("broadcast");
  checkHandlerName("Cannot broadcast", name);
  const given = checkOptions("Cannot broadcast", options, BROADCAST_OPTIONS);
  const { broadcasting, tracing } = from.messaging;
  const sent = { operation: "broadcast", node: undefined, name, channel: undefined } as const;
  tracing.followAtOnce(sent, (trace) => broadcasting.broadcast(name, message, given, trace));
}

function callPlain(from: Node, to: Addressed, options: CallOptions, trace?: Uint8Array): Promise<unknown> {
  from.context.checkRunning("call");
  const { into } = options;
  if (into !== undefined && !(into instanceof Uint8Array)) {
    throw new TypeError(`Cannot call "${to.name}" on "${to.node}": "into" is ${typeof into}, expected a Uint8Array`);
  }
  const { calls } = from.messaging;
  return withDeadline(
    from.settings.runtime.clock,
    options,
    `Cannot call "${to.name}" on "${to.node}"`,
    async (signal) => {
      // What goes down later ends the call; what is down already never goes down again.
      const isReachable = to.node === from.self.name || options.transitive === true;
      if (!isReachable && from.pool.peers.get(to.node)?.up !== true) {
        throw new NotConnectedError(`Cannot call "${to.name}" on "${to.node}": there is no connection now`);
      }
      return await calls.call(
        { ...to, options, trace },
        options.retransmission,
        from.context.untilStopped(signal),
        into,
      );
    },
  );
}

/** Takes a message as if it had come off the wire: `{ name, message }` for the handler `name`, anything else for the manager. */
export function receive(by: Node, from: string | NodeSpec, channel: string, message: unknown): void {
  checkKind("Cannot receive", "the channel", channel, STRING);
  const { inbound } = by.messaging;
  const context = inbound.context(nameOf("Cannot receive", from), channel, false);
  if (isForHandler(message)) inbound.receive(message.name, message.message, context, 0);
  else inbound.receive(MANAGER_NAME, message, context, 0);
}

function isForHandler(message: unknown): message is { readonly name: string; readonly message: unknown } {
  return typeof message === "object" && message !== null && "message" in message && "name" in message &&
    typeof message.name === "string" && Object.keys(message).length === 2;
}
