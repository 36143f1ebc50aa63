// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Runs that are told apart; what comes beyond them is added to the last one. */
const RUNS_MAX = 65_536;

/** Messages to one handler, one after another. */
interface MessageRun {
  /** The handler; `null` for messages that are repeated until they are acknowledged. */
  readonly name: string | null;
  count: number;
}

/**
 * The messages in a connection that the other side has not said to have read. Only their numbers are kept, by handler and
 * in order: millions of messages to one handler make one entry.
 */
export class UnconfirmedMessages {
  #runs: MessageRun[] = [];
  #last: MessageRun | undefined;
  /** Messages that the other side has read, as a number of 32 bits. */
  #read = 0;

  /**
   * A message was put into the connection.
   *
   * @param name Its handler; `null` when it is not lost with the connection.
   */
  add(name: string | null): void {
    const last = this.#last;
    if (last !== undefined && (last.name === name || this.#runs.length >= RUNS_MAX)) last.count++;
    else this.#runs.push(this.#last = { name, count: 1 });
  }

  /** The other side has read so many messages since the beginning, as a number of 32 bits. */
  confirm(read: number): void {
    let news = (read - this.#read) >>> 0;
    this.#read = read;
    let done = 0;
    for (const run of this.#runs) {
      const count = Math.min(run.count, news);
      run.count -= count;
      news -= count;
      if (run.count > 0) break;
      done++;
    }
    if (done > 0) this.#runs = this.#runs.slice(done);
    if (this.#runs.length === 0) this.#last = undefined;
  }

  /** Hands over what there is: the connection is closed. @returns Number of messages that each handler was to get, and may not have got. */
  take(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { name, count } of this.#runs) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + count);
    this.#runs = [];
    this.#last = undefined;
    return counts;
  }
}
