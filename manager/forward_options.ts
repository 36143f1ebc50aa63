// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { GuaranteeOptions } from "../messaging/guarantee_options.ts";
import type { OutboundMessage, SendOptions } from "../messaging/outbound.ts";
import {
  BOOLEAN,
  BOOLEAN_OR_OBJECT,
  CHECKED_ELSEWHERE,
  checkOptions,
  KEY,
  type OptionKinds,
  SIGNAL,
  STRING,
  STRINGS,
} from "../runtime/options.ts";
import { checkHandlerName } from "./arguments.ts";

/**
 * A named handler on a node.
 *
 * @typeParam Name The names that it may have.
 */
export interface ServerRef<Name extends string = string> {
  /** The node's name. */
  readonly node: string;
  /** The handler's name. */
  readonly name: Name;
}

/** Receiver of a message: a handler, or a node whose handler is named next. */
export type ForwardTarget = ServerRef | NodeSpec | string;

/** Options of a forwarded message. */
export interface ForwardOptions extends SendOptions, GuaranteeOptions {
  /**
   * Gives up waiting; a message that was queued already is sent all the same.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds after which to give up waiting, 0 or more; anything else is refused with a `RangeError`.
   *
   * @default {none}
   */
  readonly timeout?: number | undefined;
}

/** Kinds of the options that the functions share which send something. */
export const FORWARD_OPTIONS: OptionKinds<ForwardOptions> = {
  channel: STRING,
  fallback: BOOLEAN,
  partitionKey: KEY,
  transitive: BOOLEAN,
  outLinks: STRINGS,
  ack: BOOLEAN,
  retransmission: BOOLEAN_OR_OBJECT,
  causalLabel: STRING,
  clock: KEY,
  signal: SIGNAL,
  timeout: CHECKED_ELSEWHERE,
};

/** The arguments of `forwardMessage` and `castMessage` in one form. */
export interface ForwardArguments<Options> extends OutboundMessage {
  readonly options: Options & SendOptions;
}

/** Reads the two shapes: `(ref, message, options?)` and `(node, name, message, options?)`. */
export function forwardArguments<Options extends SendOptions>(
  cast: boolean,
  target: ForwardTarget,
  second: unknown,
  third: unknown,
  fourth: unknown,
): ForwardArguments<Options> {
  if (typeof target === "string") return outgoing(cast, target, second, third, fourth);
  const isRef = typeof target === "object" && target !== null && "node" in target;
  return isRef
    ? outgoing(cast, target.node, target.name, second, third)
    : outgoing(cast, typeof target === "object" ? target?.name : undefined, second, third, fourth);
}

function outgoing<Options extends SendOptions>(
  cast: boolean,
  node: unknown,
  name: unknown,
  message: unknown,
  options: unknown,
): ForwardArguments<Options> {
  if (typeof node !== "string" || typeof name !== "string") {
    throw new TypeError(`Cannot send: expected a node and a handler name, or { node, name }`);
  }
  checkHandlerName("Cannot send", name);
  const given = checkOptions<ForwardOptions>("Cannot send", options as ForwardOptions | undefined, FORWARD_OPTIONS);
  return { node, name, message, options: given as Options, cast };
}
