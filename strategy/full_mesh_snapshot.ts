// Copyright 2026 the Partisan peer-service authors. MIT license.

import { membershipFromValue, membershipToValue } from "../membership/membership_value.ts";
import { checkArray, checkInteger } from "../wire/node_spec_check.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { FullMeshState } from "./full_mesh_state.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Raised when the shape of a snapshot changes. */
const VERSION = 1;

/**
 * The state as a value that MessagePack can carry: `[version, membership, ages, farewell]`. `ages` are those of the absent names, in
 * the order of the membership, in milliseconds before the latest removal: a snapshot is taken without a clock.
 */
export function fullMeshToSnapshot(
  state: Pick<FullMeshState, "self" | "set" | "absentSince" | "farewell">,
  isKept: (node: NodeSpec) => boolean = () => true,
): unknown[] {
  const { self, absentSince, farewell } = state;
  const isWorthIt = (name: string) => {
    const spec = state.set.get(name);
    return spec === undefined || name === self.name || isKept(spec);
  };
  const set = state.set.names.every(isWorthIt) ? state.set : state.set.only(state.set.names.filter(isWorthIt));
  const latest = Math.max(...absentSince.values());
  const ages = set.names.filter((name) => !set.has(name)).map((name) =>
    Math.round(latest - (absentSince.get(name) ?? latest))
  );
  return [VERSION, membershipToValue(set), ages, membershipToValue(farewell)];
}

/**
 * State that {@linkcode fullMeshToSnapshot} has kept: the set, since when names are absent, as if the latest removal were
 * `now`, and the farewell of a former incarnation.
 *
 * @throws {TypeError} When it is not a snapshot of a full mesh, or of a version that is not known here.
 */
export function fullMeshFromSnapshot(
  snapshot: unknown,
  now: number,
): Pick<FullMeshState, "set" | "absentSince" | "farewell"> {
  try {
    const [version, membership, agesValue, farewell] = checkArray(snapshot, "snapshot", 4);
    if (version !== VERSION) throw new TypeError(`version is ${String(version)}, expected ${VERSION}`);
    const set = membershipFromValue(membership);
    const absent = set.names.filter((name) => !set.has(name));
    const ages = checkArray(agesValue, "ages", absent.length);
    const since = absent.map((name, index): [string, number] => [
      name,
      now - checkInteger(ages[index], "age", 0, Number.MAX_SAFE_INTEGER),
    ]);
    const absentSince = new Map(since.sort(([, a], [, b]) => a - b));
    return { set, absentSince, farewell: membershipFromValue(farewell) };
  } catch (cause) {
    const reason = messageOf(cause);
    throw new TypeError(`Cannot restore a full mesh: ${reason}`, { cause });
  }
}
