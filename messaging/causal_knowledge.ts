// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Most numbers that are known: a stamp that tells them all is not refused for its length. */
export const KNOWN_MAX = 65_536;

/** Numbers by sender. */
type Row = Map<string, number>;

/**
 * Knowledge of one participant about the messages between all others: those sent before now, and those of them that are known
 * to be delivered. This is the matrix of Raynal, Schiper and Toueg, sparse: as in Kshemkalyani and Singhal ("Necessary and
 * sufficient conditions on information for causal message ordering and their optimal implementation", Distributed Computing 11,
 * 1998), what is known to be delivered need not be told any more.
 */
export class CausalKnowledge {
  /** By destination: the last message of each sender, unless it is known to be delivered. */
  readonly #sent = new Map<string, Row>();
  #sentCount = 0;
  #deliveredCount = 0;
  /** By destination: what it is known to have been delivered, so that others' older knowledge is not taken up again. */
  readonly #delivered = new Map<string, Row>();

  /** Number of sequence numbers that the next stamp has to tell. */
  get size(): number {
    return this.#sentCount;
  }

  /** Whether nothing was known yet of that message. */
  isNews(destination: string, sender: string, sequence: number): boolean {
    const known = Math.max(
      this.#sent.get(destination)?.get(sender) ?? 0,
      this.#delivered.get(destination)?.get(sender) ?? 0,
    );
    return sequence > known;
  }

  /** Takes note that `sender` sent `destination` the messages up to `sequence`. */
  noteSent(destination: string, sender: string, sequence: number): void {
    if (sequence <= (this.#delivered.get(destination)?.get(sender) ?? 0)) return;
    if (this.#sentCount >= KNOWN_MAX && !this.#sent.get(destination)?.has(sender)) return;
    if (raise(this.#sent, destination, sender, sequence)) this.#sentCount++;
  }

  /** Takes note that `destination` was delivered the messages of `sender` up to `sequence`. */
  noteDelivered(destination: string, sender: string, sequence: number): void {
    if (this.#deliveredCount < KNOWN_MAX || this.#delivered.get(destination)?.has(sender)) {
      if (raise(this.#delivered, destination, sender, sequence)) this.#deliveredCount++;
    }
    const row = this.#sent.get(destination);
    if (row === undefined || (row.get(sender) ?? Infinity) > sequence) return;
    row.delete(sender);
    this.#sentCount--;
    if (row.size === 0) this.#sent.delete(destination);
  }

  /** Calls `visit` for everything that may not be delivered yet. */
  forEachSent(visit: (destination: string, sender: string, sequence: number) => void): void {
    for (const [destination, row] of this.#sent) {
      for (const [sender, sequence] of row) visit(destination, sender, sequence);
    }
  }

  /** Has no node wait any more for messages to `destination` that are known: as if they had been delivered, so that others' words do not bring them back. */
  release(destination: string): void {
    for (const [sender, sequence] of [...this.#sent.get(destination) ?? []]) {
      this.noteDelivered(destination, sender, sequence);
    }
  }

  /** Drops all that concerns messages to `destination`. */
  forgetDestination(destination: string): void {
    this.#sentCount -= this.#sent.get(destination)?.size ?? 0;
    this.#deliveredCount -= this.#delivered.get(destination)?.size ?? 0;
    this.#sent.delete(destination);
    this.#delivered.delete(destination);
  }

  /** Drops all that concerns messages by `sender`. */
  forgetSender(sender: string): void {
    this.#sentCount -= deleteColumn(this.#sent, sender);
    this.#deliveredCount -= deleteColumn(this.#delivered, sender);
  }
}

/** Raises a number. Returns whether there was none. */
function raise(matrix: Map<string, Row>, destination: string, sender: string, sequence: number): boolean {
  let row = matrix.get(destination);
  if (row === undefined) matrix.set(destination, row = new Map());
  const before = row.get(sender);
  if (sequence > (before ?? 0)) row.set(sender, sequence);
  return before === undefined;
}

/** Drops all numbers of a sender. Returns how many there were. */
function deleteColumn(matrix: Map<string, Row>, sender: string): number {
  let count = 0;
  for (const [destination, row] of matrix) {
    if (row.delete(sender)) count++;
    if (row.size === 0) matrix.delete(destination);
  }
  return count;
}
