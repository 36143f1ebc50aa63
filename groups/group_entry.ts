// Copyright 2026 the Partisan peer-service authors. MIT license.

/** One member of a group. A node may have several in one group. */
export interface GroupEntry {
  /** Name of the node. */
  readonly node: string;
  /** Tells the members of one node apart. */
  readonly id: string;
  /** Metadata of the member. */
  readonly meta: unknown;
  /** Time at which it joined, in milliseconds since the epoch, by the clock of its node. */
  readonly since: number;
  /** Weight: its share of the work in proportion to the others. */
  readonly weight: number;
  /** Whether it takes messages. */
  readonly takesMessages: boolean;
}

/** A difference in who is in a group. */
export interface GroupChange {
  /** Change: a member came, went, or has new metadata. */
  readonly type: "join" | "leave" | "update";
  /** The group. */
  readonly group: string;
  /** The member, as it is now; with `"leave"` as it was. */
  readonly entry: GroupEntry;
}

/** Tells an entry apart from all others of its scope. */
export function entryKey({ node, id }: Pick<GroupEntry, "node" | "id">): string {
  return `${id} ${node}`;
}

/** An entry as the value of an attribute. */
export function entryToValue(group: string, { meta, since, weight, takesMessages }: GroupEntry): unknown[] {
  return [group, since, weight, takesMessages, meta ?? null];
}

/** The entry that another node's attribute holds; `null` when it holds none. */
export function entryFromValue(node: string, id: string, value: unknown): { group: string; entry: GroupEntry } | null {
  if (!Array.isArray(value)) return null;
  const [group, since, weight, takesMessages, meta] = value;
  if (typeof group !== "string" || !Number.isFinite(since) || typeof takesMessages !== "boolean") return null;
  if (!Number.isFinite(weight) || weight <= 0) return null;
  return { group, entry: { node, id, meta, since, weight, takesMessages } };
}

/** The membership that an attribute of a node stands for; `null` where it stands for none. */
export function membershipIn(key: string, value: unknown): { readonly scope: string; readonly group: string } | null {
  const [, scope, id] = /^g\/(.+)\/([0-9a-z]+)$/s.exec(key) ?? [];
  const found = id === undefined ? null : entryFromValue("", id, value);
  return found === null ? null : { scope: scope!, group: found.group };
}
