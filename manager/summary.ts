// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Node } from "./node.ts";
import { formatAddress } from "../wire/address.ts";

/** Summary of a node for people and structured loggers: nothing secret. */
export function summary({ overlay, pool, context: { self, stopped } }: Node): Record<string, unknown> {
  const names = [...overlay.members.keys()].sort();
  const isUp = (name: string) => name === self.name || pool.peers.get(name)?.connected === true;
  return {
    name: self.name,
    listening: stopped ? [] : self.addresses.map(formatAddress),
    up: names.filter(isUp),
    down: names.filter((name) => !isUp(name)),
    stopped,
  };
}
