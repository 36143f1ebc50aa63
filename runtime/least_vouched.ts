// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Something that other nodes have told of. */
export interface Told {
  /** The only node that has told of it; `undefined` when there are several, or when a node speaks for itself. */
  teller: string | undefined;
}

/** Takes note that a node tells of something. */
export function vouch(told: Told, teller: string | undefined): void {
  if (told.teller !== teller) told.teller = undefined;
}

/**
 * The one to forget of too many things that were told. The node that alone told of most of them loses the one that is the oldest: a node that makes
 * many up gets in its own way. Where none told of two alone, the oldest of all goes.
 *
 * @param entries All of them, the oldest first.
 */
export function leastVouched<T extends Told>(entries: Iterable<T>): T | undefined {
  const counts = new Map<string, number>();
  const oldest = new Map<string, T>();
  let [greediest, victim]: [number, T | undefined] = [1, undefined];
  for (const entry of entries) {
    victim ??= entry;
    const { teller } = entry;
    if (teller === undefined) continue;
    if (!oldest.has(teller)) oldest.set(teller, entry);
    const count = (counts.get(teller) ?? 0) + 1;
    counts.set(teller, count);
    if (count > greediest) [greediest, victim] = [count, oldest.get(teller)];
  }
  return victim;
}
