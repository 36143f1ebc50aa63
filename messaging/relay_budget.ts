// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Bytes of copies that one peer may have made at once. */
const BURST_BYTES = 4 * 2 ** 20;
/** Bytes of copies that one peer may have made each second, in the long run. */
const BYTES_A_SECOND = 2 ** 19;
/** Minimum cost of a copy: a short one is work, too. */
const COPY_BYTES_MIN = 256;

/** Rest of a peer's budget. */
interface Account {
  left: number;
  /** Milliseconds on the local clock at which that was so. */
  at: number;
}

/**
 * Budget of each peer for copies of relayed messages that this node makes.
 *
 * In an overlay where no node knows all others, a message to a node that does not exist looks like any other one whose way is not known: it
 * would go to all peers, from all of them. To pass a message on to one node is free. Every further copy is paid by the peer that handed the
 * message over, and a message whose copies were not paid goes one way only, to its end. So what a peer costs the cluster in the long run is
 * what it sends, times the length of a way, and floods at a bounded rate.
 */
export class RelayBudget {
  /** An account lives as long as its peer. */
  readonly #accounts = new WeakMap<object, Account>();

  /**
   * Pays for copies of a message, if there is enough left for all of them.
   *
   * @param peer The peer that handed the message over.
   * @param copies Number of copies beyond the first one.
   * @param bytes Length of the message.
   * @param now Milliseconds on the local clock.
   */
  pay(peer: object, copies: number, bytes: number, now: number): boolean {
    const account = this.#accounts.get(peer) ?? { left: BURST_BYTES, at: now };
    const left = Math.min(BURST_BYTES, account.left + (now - account.at) * BYTES_A_SECOND / 1_000);
    const cost = copies * Math.max(bytes, COPY_BYTES_MIN);
    const isPaid = cost <= left;
    this.#accounts.set(peer, { left: isPaid ? left - cost : left, at: now });
    return isPaid;
  }
}
