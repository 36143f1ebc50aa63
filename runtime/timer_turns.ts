// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Timers may hold the event loop for so many milliseconds. */
const HOLD_MS = 8;

/** A timer that is later than this finds sockets unread, most likely: they go first. */
const LATE_MS = 30;

/** The event loop looks at sockets when it has nothing to do, or after 61 turns that had (Tokio's `event_interval`). */
const TURNS = 64;

/** Part of the event loop that {@linkcode TimerTurns} uses. */
export interface EventLoop {
  /** Milliseconds since an arbitrary instant. */
  now(): number;
  /** Calls `callback` in the next turn. */
  nextTurn(callback: () => void): void;
  /** Tells of what a timer has thrown. */
  failed(error: unknown): void;
}

/**
 * Has sockets read between timers. The event loop goes on with timers for as long as any is due. In a process that gets a tenth of a core some
 * always are: it reads no socket for half a minute, and every answer in them comes too late. Timers that are late, or come when others have held the
 * loop for long, therefore wait until the loop has been at the sockets.
 */
export class TimerTurns {
  readonly #loop: EventLoop;
  #waiting: (() => void)[] = [];
  #isBreak = false;
  /** Time at which the timers of this turn began. */
  #begunAt: number | undefined;
  readonly #turned = () => {
    this.#begunAt = undefined;
  };

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Calls `callback`, whose time was at `dueAt`, now or after the sockets. */
  run(dueAt: number, callback: () => void): void {
    const now = this.#loop.now();
    if (this.#begunAt === undefined) {
      this.#begunAt = now;
      this.#loop.nextTurn(this.#turned);
    }
    const mayRun = !this.#isBreak && now - dueAt <= LATE_MS && now - this.#begunAt <= HOLD_MS;
    if (mayRun) return callback();
    this.#waiting.push(callback);
    if (!this.#isBreak) this.#break();
  }

  #break(): void {
    this.#isBreak = true;
    let turns = TURNS;
    const turn = () => {
      if (--turns > 0) this.#loop.nextTurn(turn);
      else this.#goOn();
    };
    this.#loop.nextTurn(turn);
  }

  /** Calls those that wait, for as long as they may hold the loop. */
  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const until = this.#loop.now() + HOLD_MS;
    let next = 0;
    do this.#call(waiting[next++]!); while (next < waiting.length && this.#loop.now() < until);
    this.#waiting = [...waiting.slice(next), ...this.#waiting];
    this.#isBreak = false;
    if (this.#waiting.length > 0) this.#break();
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#loop.failed(error);
    }
  }
}
