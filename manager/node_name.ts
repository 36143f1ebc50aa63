// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";

/** The name of a node that is given by its name or its specification. */
export function nameOf(node: string | NodeSpec): string {
  return typeof node === "string" ? node : node.name;
}
