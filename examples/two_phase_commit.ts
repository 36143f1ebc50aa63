// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Two-phase commit: a coordinator asks every participant to prepare, and commits only when all of them agree. A participant that has
 * agreed is bound until it hears the decision.
 *
 * Gray, "Notes on data base operating systems" (1978), section 5.8.3.3. Votes are calls, with a deadline; decisions are acknowledged messages,
 * which are repeated until they are heard.
 *
 * @module
 */

import type { PeerServiceManager } from "@partisan/peer-service";

const PREPARE = "2pc prepare";
const DECIDE = "2pc decide";
const RETRANSMISSION = { initial: 100, cap: 1_000 };

/** Outcome of a transaction. */
export type Decision = "committed" | "aborted";

/** Vote and actions of a participant in a transaction. */
export interface Participant {
  /** Whether it could be carried out. */
  prepare(transaction: unknown): boolean | Promise<boolean>;
  /** Carries it out, or not. Called once per transaction that was prepared. */
  decide(transaction: unknown, decision: Decision): void;
}

/** A coordinator and a participant in one: any node can begin a transaction. */
export class TwoPhaseCommit {
  readonly #node: PeerServiceManager;
  readonly #participant: Participant;
  readonly #prepared = new Map<string, unknown>();
  #count = 0;

  /** Begins to take part. */
  constructor(node: PeerServiceManager, participant: Participant) {
    this.#node = node;
    this.#participant = participant;
    node.register(PREPARE, ({ id, transaction }) => this.#prepare(id, transaction));
    node.register(DECIDE, ({ id, decision }) => this.#decide(id, decision));
  }

  /** Transactions that this participant has agreed to and not heard the decision of. */
  get undecided(): number {
    return this.#prepared.size;
  }

  /**
   * Has all members carry out a transaction, or none.
   *
   * @param timeout Milliseconds in which everyone must have voted; silence is a no.
   */
  async run(transaction: unknown, timeout: number): Promise<Decision> {
    const id = `${this.#node.name} ${this.#node.spec.incarnation} ${++this.#count}`;
    const members = this.#node.members();
    const votes = await Promise.all(members.map((member) => this.#ask(member, { id, transaction }, timeout)));
    const decision: Decision = votes.every(Boolean) ? "committed" : "aborted";
    await Promise.all(members.map((member) => this.#tell(member, { id, decision })));
    return decision;
  }

  async #ask(member: string, question: unknown, timeout: number): Promise<boolean> {
    try {
      return await this.#node.call(member, PREPARE, question, { timeout, retransmission: RETRANSMISSION }) === true;
    } catch {
      return false;
    }
  }

  async #tell(member: string, decision: unknown): Promise<void> {
    try {
      await this.#node.forwardMessage(member, DECIDE, decision, { ack: true, retransmission: RETRANSMISSION });
    } catch {
      // It has left the cluster, and what it had prepared with it.
    }
  }

  async #prepare(id: string, transaction: unknown): Promise<boolean> {
    const agreed = await this.#participant.prepare(transaction);
    if (agreed) this.#prepared.set(id, transaction);
    return agreed;
  }

  #decide(id: string, decision: Decision): void {
    if (!this.#prepared.has(id)) return;
    const transaction = this.#prepared.get(id);
    this.#prepared.delete(id);
    this.#participant.decide(transaction, decision);
  }
}
