// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Dots of one actor that have been seen: every dot of its incarnations before `incarnation`, and of that incarnation the
 * counters 1 to `contiguous` and those in `cloud`.
 *
 * It stands for a set of dots, and joining two of them is the union of these sets, however compactly it is written down. This is
 * the causal context of Almeida, Shoker and Baquero, "Delta state replicated data types" (2018), except that a newer
 * incarnation covers all dots of older ones, seen or not: the lexicographic product of a chain (incarnations) with a
 * join semilattice (sets of counters), which is a join semilattice again (Baquero, Almeida, Cunha and Ferreira,
 * "Composition in state-based replicated data types", 2017).
 */
export interface ActorContext {
  /** The newest incarnation that was seen. */
  readonly incarnation: number;
  /** Counters 1 to this one were all seen; 0 when not even the first was. */
  readonly contiguous: number;
  /** Counters seen beyond a gap, ascending, all above `contiguous` + 1. */
  readonly cloud: readonly number[];
}

const NO_COUNTERS: readonly number[] = [];

/** The context that has seen exactly `counters` of that incarnation, in its most compact form. */
export function actorContext(incarnation: number, counters: Iterable<number>): ActorContext {
  return compact(incarnation, 0, [...counters]);
}

/** Whether `context` has seen the dot. */
export function covers(context: ActorContext, incarnation: number, counter: number): boolean {
  if (incarnation !== context.incarnation) return incarnation < context.incarnation;
  return counter <= context.contiguous || context.cloud.includes(counter);
}

/** Whether `context` has seen every dot that `other` has. */
export function includesContext(context: ActorContext, other: ActorContext): boolean {
  if (other.incarnation !== context.incarnation) return other.incarnation < context.incarnation;
  // With fewer contiguous ones, the gap right above them would have to be in the cloud, and the cloud never begins there.
  return other.contiguous <= context.contiguous &&
    other.cloud.every((counter) => covers(context, other.incarnation, counter));
}

/** The union of both; `a` itself when `b` adds nothing to it. */
export function joinContexts(a: ActorContext, b: ActorContext): ActorContext {
  if (includesContext(a, b)) return a;
  if (includesContext(b, a)) return b;
  return compact(a.incarnation, Math.max(a.contiguous, b.contiguous), [...a.cloud, ...b.cloud]);
}

/** The first counter that an actor in that incarnation may give away: above all that were seen of it. */
export function nextCounter(context: ActorContext | undefined, incarnation: number): number {
  if (context === undefined || context.incarnation < incarnation) return 1;
  return (context.cloud.at(-1) ?? context.contiguous) + 1;
}

/** Moves what has become contiguous out of the cloud. */
function compact(incarnation: number, contiguous: number, counters: number[]): ActorContext {
  const cloud: number[] = [];
  for (const counter of counters.sort((a, b) => a - b)) {
    if (counter === contiguous + 1) contiguous = counter;
    else if (counter > contiguous && counter !== cloud.at(-1)) cloud.push(counter);
  }
  return { incarnation, contiguous, cloud: cloud.length === 0 ? NO_COUNTERS : cloud };
}
