// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../runtime/runtime.ts";

/** Start of virtual wall time unless told otherwise: 2026-01-01T00:00:00Z. */
const EPOCH = 1_767_225_600_000;

/** A call that a {@linkcode VirtualClock} will make. */
export interface VirtualEvent {
  /** Time of the call, on the virtual clock. */
  readonly time: number;
  /** Owner of the call, as the caller of `schedule` gave it. */
  readonly owner: object | undefined;
}

/**
 * Time that stands still until it is told to move. Calls run in the order of their time, and those of one instant
 * in the order in which they were scheduled.
 *
 * @example An hour in no time
 * ```ts
 * import { VirtualClock } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock();
 * const calls: string[] = [];
 * clock.schedule(3_600_000, () => calls.push("an hour later"));
 * clock.schedule(1_000, () => calls.push("a second later"));
 *
 * while (clock.runNext());
 * assertEquals(calls, ["a second later", "an hour later"]);
 * assertEquals(clock.now(), 3_600_000);
 * ```
 *
 * @example Up to the next call, and not beyond
 * ```ts
 * import { VirtualClock } from "@partisan/peer-service/testing";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const clock = new VirtualClock(1_000_000);
 * clock.schedule(500, () => {});
 *
 * assertEquals(clock.peek()?.time, 500);
 * clock.moveTo(400);
 * assertEquals(clock.wallTime(), 1_000_400);
 * assertThrows(() => clock.moveTo(600), RangeError);
 * ```
 */
export class VirtualClock implements Clock {
  readonly #epoch: number;
  /** A binary heap: each entry knows its place, so that a cancelled one leaves at once. */
  readonly #heap: Entry[] = [];
  #now = 0;
  #sequence = 0;

  /** Starts at 0 on the monotonic clock and at `epoch` on the wall clock. */
  constructor(epoch: number = EPOCH) {
    this.#epoch = epoch;
  }

  /** Calls that are still to be made. */
  get pending(): number {
    return this.#heap.length;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#epoch + this.#now;
  }

  /**
   * Makes a call once time has moved by `delay` milliseconds.
   *
   * @param owner Whatever {@linkcode peek} shall tell about it.
   * @throws {RangeError} When `delay` is negative or not a number.
   */
  schedule(delay: number, callback: () => void, owner?: object): Timer {
    if (!(delay >= 0)) throw new RangeError(`Cannot schedule: delay is ${delay}, expected 0 or more`);
    const entry = new Entry(this.#heap, this.#now + delay, this.#sequence++, callback, owner);
    rise(this.#heap, entry, this.#heap.length);
    return entry;
  }

  /** The call that is next. */
  peek(): VirtualEvent | undefined {
    return this.#heap[0];
  }

  /**
   * Moves to the time of the next call and makes it.
   *
   * @returns Whether there was one.
   */
  runNext(): boolean {
    const next = this.#heap[0];
    if (next === undefined) return false;
    next.cancel();
    this.#now = next.time;
    next.callback();
    return true;
  }

  /**
   * Moves to `time` without making any call.
   *
   * @throws {RangeError} When that is in the past, or a call is due before it.
   */
  moveTo(time: number): void {
    const first = this.#heap[0]?.time ?? Infinity;
    if (!(time >= this.#now && time <= first)) {
      throw new RangeError(`Cannot move to ${time}: now is ${this.#now}, and the next call is at ${first}`);
    }
    this.#now = time;
  }
}

class Entry implements VirtualEvent, Timer {
  /** Index in the heap; -1 when it no longer is. */
  index = -1;

  constructor(
    readonly heap: Entry[],
    readonly time: number,
    readonly sequence: number,
    readonly callback: () => void,
    readonly owner: object | undefined,
  ) {}

  cancel(): void {
    const { heap, index } = this;
    if (index < 0) return;
    this.index = -1;
    const last = heap.pop();
    if (last === undefined || last === this) return;
    if (index > 0 && isBefore(last, heap[(index - 1) >> 1] as Entry)) rise(heap, last, index);
    else sink(heap, last, index);
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}

/** Puts `entry` at `index` or, past later ones, above it. */
function rise(heap: Entry[], entry: Entry, index: number): void {
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex] as Entry;
    if (!isBefore(entry, parent)) break;
    heap[index] = parent;
    parent.index = index;
    index = parentIndex;
  }
  heap[index] = entry;
  entry.index = index;
}

/** Puts `entry` at `index` or, past earlier ones, below it. */
function sink(heap: Entry[], entry: Entry, index: number): void {
  for (;;) {
    let childIndex = 2 * index + 1;
    let child = heap[childIndex];
    if (child === undefined) break;
    const right = heap[childIndex + 1];
    if (right !== undefined && isBefore(right, child)) {
      child = right;
      childIndex++;
    }
    if (!isBefore(child, entry)) break;
    heap[index] = child;
    child.index = index;
    index = childIndex;
  }
  heap[index] = entry;
  entry.index = index;
}
