// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../membership/node_spec.ts";
import type { GuaranteeOptions } from "../messaging/guarantee_options.ts";
import type { SendOptions } from "../messaging/outbound.ts";

/** A named handler on a node. */
export interface ServerRef {
  /** The node's name. */
  readonly node: string;
  /** The handler's name. */
  readonly name: string;
}

/** How a message is forwarded. */
export interface ForwardOptions extends SendOptions, GuaranteeOptions {
  /**
   * Gives up waiting; a message that was queued already is sent all the same.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds after which to give up waiting.
   *
   * @default {none}
   */
  readonly timeout?: number | undefined;
}

/** The arguments of `forwardMessage` and `castMessage` in one form. */
export interface ForwardArguments<Options> {
  readonly node: string;
  readonly name: string;
  readonly message: unknown;
  readonly options: Options;
}

/** Reads the two shapes: `(ref, message, options?)` and `(node, name, message, options?)`. */
export function forwardArguments<Options>(
  target: ServerRef | NodeSpec | string,
  ...rest: readonly unknown[]
): ForwardArguments<Options> {
  const isRef = typeof target === "object" && target !== null && "node" in target;
  const [name, message, options = {}] = isRef ? [target.name, ...rest] : rest;
  const node = isRef ? target.node : typeof target === "string" ? target : target?.name;
  if (typeof node !== "string" || typeof name !== "string") {
    throw new TypeError(`Cannot send: expected a node and a handler name, or { node, name }`);
  }
  return { node, name, message, options: options as Options };
}
