// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { BroadcastOptions } from "./broadcasting.ts";
import type { CallOptions } from "../messaging/calls.ts";
import { needsGuarantee } from "../messaging/guarantee_options.ts";
import { NotConnectedError } from "../messaging/errors.ts";
import type { SendOptions } from "../messaging/outbound.ts";
import { isTraced, type SendOperation, type SentSpan } from "../messaging/tracing.ts";
import { MANAGER_NAME } from "../messaging/registry.ts";
import { withDeadline } from "../runtime/deadline.ts";
import type { Addressed, ForwardArguments, ForwardOptions } from "./forward_options.ts";
import type { Node } from "./node.ts";

/** Sends a message, with the guarantees that its options ask for, and waits until it is accepted, or with `ack` acknowledged. */
export function forward(from: Node, outgoing: ForwardArguments<ForwardOptions>): Promise<void> {
  const span = begin(from, "send", outgoing, outgoing.options.channel);
  return span === null
    ? forwardPlain(from, outgoing)
    : ended(span, () => forwardPlain(from, { ...outgoing, trace: span.trace }));
}

function forwardPlain(from: Node, outgoing: ForwardArguments<ForwardOptions>): Promise<void> {
  from.context.checkRunning("send");
  const { options } = outgoing;
  const { signal, timeout } = options;
  signal?.throwIfAborted();
  const { outbound, guarantees } = from.messaging;
  if (needsGuarantee(options)) return guarantees.forward(outgoing, options);
  // Who gave up waiting must not be surprised by the message later; the caller's signal alone does not know of the timeout.
  const givenUp = timeout === undefined ? undefined : new AbortController();
  const waiting = outbound.forward(outgoing, givenUp?.signal ?? signal);
  if (waiting === undefined) return Promise.resolve();
  // The usual case needs no timer and no listener per message: the end of the connection ends the wait.
  if (signal === undefined && timeout === undefined) return waiting.catch((error) => rethrow(from, error));
  const deadline = { signal: from.context.untilStopped(signal), timeout };
  const what = `Cannot send to "${outgoing.name}" on "${outgoing.node}"`;
  return withDeadline(from.settings.runtime.clock, deadline, what, (ended) => {
    ended.addEventListener("abort", () => givenUp?.abort(ended.reason));
    return waiting;
  });
}

/** Says what has really happened when it was the end of this node. */
function rethrow(from: Node, error: unknown): never {
  from.context.checkRunning("send");
  throw error;
}

/** Sends a message without waiting. @returns Whether more may be sent at once. */
export function cast(from: Node, outgoing: ForwardArguments<SendOptions>): boolean {
  if (from.context.stopped) return false;
  const span = begin(from, "send", outgoing, outgoing.options.channel);
  const { outbound } = from.messaging;
  return span === null
    ? outbound.cast(outgoing)
    : endedAtOnce(span, () => outbound.cast({ ...outgoing, trace: span.trace }));
}

/** Sends a request and waits for its reply. */
export function call(from: Node, to: Addressed, options: CallOptions): Promise<unknown> {
  const span = begin(from, "call", to, options.channel);
  return span === null ? callPlain(from, to, options) : ended(span, () => callPlain(from, to, options, span.trace));
}

/** Sends a message to all members. */
export function broadcast(from: Node, name: string, message: unknown, options: BroadcastOptions | undefined): void {
  from.context.checkRunning("broadcast");
  const span = begin(from, "broadcast", { node: undefined, name }, undefined);
  const { broadcasting } = from.messaging;
  if (span === null) broadcasting.broadcast(name, message, options);
  else endedAtOnce(span, () => broadcasting.broadcast(name, message, options, span.trace));
}

/** Begins a span where somebody traces, and the message is for a handler of the user. */
function begin(
  from: Node,
  operation: SendOperation,
  { node, name }: { readonly node: string | undefined; readonly name: string },
  channel: string | undefined,
): SentSpan | null {
  const { tracer } = from.messaging.tracing;
  return tracer === null || !isTraced(name) ? null : tracer.send({ operation, node, name, channel });
}

async function ended<T>(span: SentSpan, run: () => Promise<T>): Promise<T> {
  try {
    const result = await run();
    span.end();
    return result;
  } catch (error) {
    span.end({ error });
    throw error;
  }
}

function endedAtOnce<T>(span: SentSpan, run: () => T): T {
  try {
    const result = run();
    span.end();
    return result;
  } catch (error) {
    span.end({ error });
    throw error;
  }
}

function callPlain(from: Node, to: Addressed, options: CallOptions, trace?: Uint8Array): Promise<unknown> {
  from.context.checkRunning("call");
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
      return await calls.call({ ...to, options, trace }, options.retransmission, from.context.untilStopped(signal));
    },
  );
}

/** Takes a message as if it had come off the wire: `{ name, message }` for the handler `name`, anything else for the manager. */
export function receive(by: Node, from: string, channel: string, message: unknown): void {
  const { inbound } = by.messaging;
  const context = inbound.context(from, channel, false);
  if (isForHandler(message)) inbound.receive(message.name, message.message, context);
  else inbound.receive(MANAGER_NAME, message, context);
}

function isForHandler(message: unknown): message is { readonly name: string; readonly message: unknown } {
  return typeof message === "object" && message !== null && "message" in message && "name" in message &&
    typeof message.name === "string" && Object.keys(message).length === 2;
}
