// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Line of those that wait for room under one name, first come first served. */
type Line = (() => void)[];

/**
 * Counts the pending promises of handlers against their limit, and holds what waits until fewer are pending. A handler that
 * returns no promise counts for nothing.
 */
export class Workload {
  readonly #max: number;
  /** Bounds of single handlers. A name without one is not in it. */
  readonly #bounds = new Map<string, number>();
  /** Pending promises of the handlers that have a bound of their own. */
  readonly #open = new Map<string, number>();
  /** Lines by name; the name whose turn it is comes first. A name for which nothing waits is not in it. */
  readonly #lines = new Map<string, Line>();
  #pending = 0;
  #waiting = 0;
  #isServing = false;

  /** @param max Most promises that may be pending, of all handlers together. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Number of pending promises. */
  get pending(): number {
    return this.#pending;
  }

  /** Number of those that wait for room. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Gives a handler a bound of its own; `undefined` takes it away. Pending ones go on counting. */
  bound(name: string, concurrency: number | undefined): void {
    if (concurrency === undefined) this.#bounds.delete(name);
    else this.#bounds.set(name, concurrency);
    this.#serve();
  }

  /** Whether every handler has room: none has a bound of its own, and nothing waits. */
  get isRoomy(): boolean {
    return this.#waiting === 0 && this.#pending < this.#max && this.#bounds.size === 0;
  }

  /** Whether the handler may be handed a message now: there is room, and nothing that came before waits for it. */
  hasRoom(name: string): boolean {
    return this.#isFree(name) && (this.#waiting === 0 || !this.#lines.has(name));
  }

  /** Whether there is room for one more promise. */
  #isFree(name: string): boolean {
    if (this.#pending >= this.#max) return !isOfUser(name);
    if (this.#bounds.size === 0) return true;
    const bound = this.#bounds.get(name);
    return bound === undefined || (this.#open.get(name) ?? 0) < bound;
  }

  /** A handler has returned a promise. */
  begin(name: string): void {
    if (!isOfUser(name)) return;
    this.#pending++;
    if (this.#bounds.has(name) || this.#open.has(name)) this.#open.set(name, (this.#open.get(name) ?? 0) + 1);
  }

  /** It has settled: what waited for it has its turn, at once. */
  end(name: string): void {
    if (!isOfUser(name)) return;
    this.#pending--;
    const open = this.#open.get(name);
    if (open !== undefined) {
      if (open > 1) this.#open.set(name, open - 1);
      else this.#open.delete(name);
    }
    if (this.#waiting > 0) this.#serve();
  }

  /** Has `resume` called as soon as the handler has room. */
  wait(name: string, resume: () => void): void {
    this.#waiting++;
    const line = this.#lines.get(name);
    if (line === undefined) this.#lines.set(name, [resume]);
    else line.push(resume);
  }

  /** Number of those that wait for room under one name. */
  waitingFor(name: string): number {
    return this.#lines.get(name)?.length ?? 0;
  }

  /** Lets go of everything that waits. A pending one counts until it settles. */
  clear(): void {
    this.#lines.clear();
    this.#waiting = 0;
  }

  /** Names take turns, so that a busy one does not keep all the room for itself. */
  #serve(): void {
    // What is resumed may settle at once, and would serve again from within.
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      for (let served = this.#serveNext(); served; served = this.#serveNext());
    } finally {
      this.#isServing = false;
    }
  }

  #serveNext(): boolean {
    for (const [name, line] of this.#lines) {
      if (!this.#isFree(name)) continue;
      const resume = line.shift()!;
      this.#waiting--;
      this.#lines.delete(name);
      if (line.length > 0) this.#lines.set(name, line);
      resume();
      return true;
    }
    return false;
  }
}

/** Handlers of the manager itself are few and bounded otherwise: a watch over a handler is pending for as long as that is there. */
function isOfUser(name: string): boolean {
  return name !== "" && !name.startsWith("\0");
}
