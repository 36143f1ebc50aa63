// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Lines kept: those before the last ones rarely explain a failure. */
const LINES_MAX = 200;

/** Events of a run, in words. */
export class Timeline {
  readonly #now: () => number;
  readonly #lines: string[] = [];
  #dropped = 0;

  /** @param now Milliseconds of virtual time. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Adds something that happens now. */
  note(where: string, what: string): void {
    const time = (this.#now() / 1000).toFixed(4).padStart(9);
    this.#lines.push(`${time} s  ${where.padEnd(8)}  ${what}`);
    if (this.#lines.length <= LINES_MAX) return;
    this.#lines.shift();
    this.#dropped++;
  }

  /** The last `count` lines. */
  last(count: number): string {
    const shown = this.#lines.slice(-count);
    const hidden = this.#dropped + this.#lines.length - shown.length;
    return [...(hidden > 0 ? [`           …  ${hidden} earlier events`] : []), ...shown].join("\n");
  }
}
