// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MemberInfo } from "./member_status.ts";
import type { Node } from "./node.ts";

/** Takes together what the parts of a node know of a member. */
export function memberInfo(node: Node, name: string): MemberInfo | undefined {
  const known = node.statuses.of(name);
  const spec = node.overlay.members.get(name);
  if (known === undefined || spec === undefined) return undefined;
  return { spec, attributes: node.attributes.of(name), ...known, addresses: spec.addresses };
}
