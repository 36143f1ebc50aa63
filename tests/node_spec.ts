// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";

const PLAIN_CHANNEL = { parallelism: 1, monotonic: false, compression: false };

/** A plain node spec, as a node on this machine would have it. */
export function nodeSpec(name: string, incarnation = 1, parts: Partial<NodeSpec> = {}): NodeSpec {
  return {
    name,
    incarnation,
    addresses: [{ hostname: "127.0.0.1", port: 9090 }],
    channels: { default: PLAIN_CHANNEL, membership: PLAIN_CHANNEL },
    metadata: {},
    ...parts,
  };
}
