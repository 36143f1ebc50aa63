// Copyright 2026 the Partisan peer-service authors. MIT license.

import { shown } from "../runtime/type_name.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { NODE_SPEC_LIMITS } from "../wire/node_spec_check.ts";

/** A message and the handler that it is for. */
export interface Addressed {
  /** Name of the node. */
  readonly node: string;
  /** Name of the handler. */
  readonly name: string;
  /** The message. */
  readonly message: unknown;
}

/**
 * Name of a node that is given by its name or its specification.
 *
 * @param action Action that it is for: `Cannot call`.
 * @throws {TypeError} When it is given by neither.
 */
export function nameOf(action: string, node: string | NodeSpec): string {
  const name: unknown = typeof node === "object" && node !== null ? node.name : node;
  if (typeof name === "string") return name;
  throw new TypeError(`${action}: the node is ${shown(node)}, expected its name or its specification`);
}

/**
 * Makes sure that something can be the name of a handler.
 *
 * @throws {TypeError} When it is no string.
 * @throws {RangeError} When it is longer than any that can be registered.
 */
export function checkHandlerName(action: string, name: unknown): asserts name is string {
  if (typeof name !== "string") {
    throw new TypeError(`${action}: the handler is ${shown(name)}, expected its name`);
  }
  if (name.length <= NODE_SPEC_LIMITS.nameLength) return;
  throw new RangeError(
    `${action}: the name of the handler has ${name.length} characters, the limit is ${NODE_SPEC_LIMITS.nameLength}`,
  );
}

/**
 * A message, and the handler that it is for.
 *
 * @throws {TypeError | RangeError} When the node or the handler cannot be one.
 */
export function addressed(action: string, node: string | NodeSpec, name: string, message: unknown): Addressed {
  checkHandlerName(action, name);
  return { node: nameOf(action, node), name, message };
}
