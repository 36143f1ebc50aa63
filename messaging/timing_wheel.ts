// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Slots of a turn. A time further away than a turn is met again, and passed over, once a turn. */
const SLOTS = 256;

/** Entry of a {@linkcode TimingWheel}, to be extended. An entry stands on one wheel at most. */
export class WheelEntry {
  /** Time at which it is due, in milliseconds. The wheel's own; read only. */
  dueAt = 0;
  /** The wheel's own. */
  previous: WheelEntry = this;
  /** The wheel's own. */
  next: WheelEntry = this;
}

/**
 * Many pending times, of which most are cancelled before they come: to schedule, cancel and reschedule take constant
 * time, and to find the due ones takes time in proportion to how many are due, however many wait.
 *
 * A hashed timing wheel with unsorted lists (Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987,
 * scheme 6). Entries are links of the lists themselves, so that nothing is allocated per time.
 *
 * @typeParam T What waits.
 */
export class TimingWheel<T extends WheelEntry> {
  readonly #resolution: number;
  readonly #slots: (WheelEntry | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #ready = new WheelEntry();
  /** The last tick whose slot was emptied. */
  #tick = 0;
  #size = 0;
  /** Nothing on the wheel is due before. */
  #earliest = Infinity;

  /** @param resolution Milliseconds by which an entry may be late, above 0. */
  constructor(resolution: number) {
    this.#resolution = resolution;
  }

  /** Number of entries that wait, the due ones included. */
  get size(): number {
    return this.#size;
  }

  /** Makes `entry` due at `dueAt`, and not at the time that was set before. */
  schedule(entry: T, dueAt: number, now: number): void {
    this.cancel(entry);
    if (this.#size === 0) {
      this.#tick = Math.floor(now / this.#resolution);
      this.#earliest = Infinity;
    }
    const tick = Math.max(Math.ceil(dueAt / this.#resolution), this.#tick + 1);
    entry.dueAt = dueAt;
    append(this.#slots[tick % SLOTS] ??= new WheelEntry(), entry);
    this.#size++;
    this.#earliest = Math.min(this.#earliest, tick * this.#resolution);
  }

  /** Makes `entry` due at once, behind all that is due already. */
  expedite(entry: T, now: number): void {
    this.cancel(entry);
    entry.dueAt = now;
    append(this.#ready, entry);
    this.#size++;
    this.#earliest = Math.min(this.#earliest, now);
  }

  /** Takes `entry` off the wheel. Does nothing when it is not on it. */
  cancel(entry: T): void {
    if (entry.next === entry) return;
    unlink(entry);
    this.#size--;
  }

  /** Takes the next due entry off the wheel; `undefined` when none is due any more. */
  take(now: number): T | undefined {
    this.#turn(now);
    const first = this.#ready.next;
    if (first === this.#ready) {
      this.#earliest = this.#nextOccupied();
      return undefined;
    }
    this.cancel(first as T);
    return first as T;
  }

  /**
   * The earliest time at which {@linkcode take} could give something; `undefined` when nothing waits. An entry that is more than
   * a turn away counts as being in the next one, and what was cancelled since the last look still counts, so that this may be
   * too early, never too late.
   */
  nextAt(): number | undefined {
    return this.#size === 0 ? undefined : this.#earliest;
  }

  /** Next tick whose slot is not empty. */
  #nextOccupied(): number {
    if (this.#size === 0) return Infinity;
    for (let tick = this.#tick + 1; tick <= this.#tick + SLOTS; tick++) {
      const slot = this.#slots[tick % SLOTS];
      if (slot !== undefined && slot.next !== slot) return tick * this.#resolution;
    }
    return Infinity;
  }

  /** Moves what became due since the last time from its slot to the ready list. */
  #turn(now: number): void {
    const target = Math.floor(now / this.#resolution);
    if (target <= this.#tick) return;
    const first = Math.max(this.#tick + 1, target - SLOTS + 1);
    this.#tick = target;
    for (let tick = first; tick <= target; tick++) {
      const slot = this.#slots[tick % SLOTS];
      if (slot === undefined) continue;
      for (let entry = slot.next; entry !== slot;) {
        const following = entry.next;
        if (entry.dueAt <= now) {
          unlink(entry);
          append(this.#ready, entry);
        }
        entry = following;
      }
    }
  }
}

/** Puts `entry` at the end of the list that starts and ends at `head`. */
function append(head: WheelEntry, entry: WheelEntry): void {
  entry.previous = head.previous;
  entry.next = head;
  head.previous.next = entry;
  head.previous = entry;
}

function unlink(entry: WheelEntry): void {
  entry.previous.next = entry.next;
  entry.next.previous = entry.previous;
  entry.previous = entry;
  entry.next = entry;
}
