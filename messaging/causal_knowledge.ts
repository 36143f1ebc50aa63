// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Numbers by sender. */
type Row = Map<string, number>;

/**
 * What one participant knows of the messages between all others: which were sent before now, and which of them are known
 * to be delivered. This is the matrix of Raynal, Schiper and Toueg, sparse: as in Kshemkalyani and Singhal ("Necessary and
 * sufficient conditions on information for causal message ordering and their optimal implementation", Distributed
 * Computing 11, 1998), what is known to be delivered need not be told any more.
 */
export class CausalKnowledge {
  /** By destination: the last message of each sender, unless it is known to be delivered. */
  readonly #sent = new Map<string, Row>();
  /** By destination: what it is known to have been delivered, so that others' older knowledge is not taken up again. */
  readonly #delivered = new Map<string, Row>();

  /** How many numbers the next stamp has to tell. */
  get size(): number {
    let size = 0;
    for (const row of this.#sent.values()) size += row.size;
    return size;
  }

  /** Takes note that `sender` sent `destination` the messages up to `sequence`. */
  noteSent(destination: string, sender: string, sequence: number): void {
    if (sequence <= (this.#delivered.get(destination)?.get(sender) ?? 0)) return;
    raise(this.#sent, destination, sender, sequence);
  }

  /** Takes note that `destination` was delivered the messages of `sender` up to `sequence`. */
  noteDelivered(destination: string, sender: string, sequence: number): void {
    raise(this.#delivered, destination, sender, sequence);
    const row = this.#sent.get(destination);
    if (row === undefined || (row.get(sender) ?? Infinity) > sequence) return;
    row.delete(sender);
    if (row.size === 0) this.#sent.delete(destination);
  }

  /** Calls `visit` for everything that may not be delivered yet. */
  forEachSent(visit: (destination: string, sender: string, sequence: number) => void): void {
    for (const [destination, row] of this.#sent) {
      for (const [sender, sequence] of row) visit(destination, sender, sequence);
    }
  }

  /** Drops all that concerns messages to `destination`. */
  forgetDestination(destination: string): void {
    this.#sent.delete(destination);
    this.#delivered.delete(destination);
  }

  /** Drops all that concerns messages by `sender`. */
  forgetSender(sender: string): void {
    for (const matrix of [this.#sent, this.#delivered]) {
      for (const [destination, row] of matrix) {
        row.delete(sender);
        if (row.size === 0) matrix.delete(destination);
      }
    }
  }
}

function raise(matrix: Map<string, Row>, destination: string, sender: string, sequence: number): void {
  let row = matrix.get(destination);
  if (row === undefined) matrix.set(destination, row = new Map());
  if (sequence > (row.get(sender) ?? 0)) row.set(sender, sequence);
}
