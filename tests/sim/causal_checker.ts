// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Process, Run } from "./run.ts";

/** Messages that happened before one was sent, as far as it can be told by messages. */
export type CausalPast = ReadonlySet<number>;

/** A message with a place in the causal order. */
interface Placed {
  /** The processes between which it has that place: another one need not keep it. */
  readonly from: string;
  readonly to: string;
  readonly sender: Process;
}

/** No message is delivered before one that was sent to the same node and happened before it. */
export class CausalChecker {
  readonly #run: Run;
  readonly #placed = new Map<number, Placed>();
  /** By process: every message that it sent, was delivered, or could know of by these. */
  readonly #pasts = new Map<string, Set<number>>();
  /** By process: what it was delivered. */
  readonly #delivered = new Map<string, Set<number>>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** A message is about to be sent. @returns Messages that happened before. */
  send(id: number, sender: Process, to: string): CausalPast {
    const from = incarnationKey(sender);
    const past = this.#past(from);
    const before = new Set(past);
    past.add(id);
    // The place is one in the receiver's process that the sender knows of.
    const receiver = sender.node.membersForOrchestration().find(({ name }) => name === to);
    this.#placed.set(id, { from, to: `${to}/${receiver?.incarnation}`, sender });
    return before;
  }

  /** The sender of a message was told that it may not arrive. */
  givenUp(id: number): void {
    this.#placed.delete(id);
  }

  /** A message was delivered. */
  deliver(id: number, before: CausalPast, at: Process): void {
    const receiver = incarnationKey(at);
    const delivered = this.#delivered.get(receiver) ?? new Set();
    this.#delivered.set(receiver, delivered.add(id));
    const past = this.#past(receiver).add(id);
    for (const earlier of before) {
      past.add(earlier);
      if (!delivered.has(earlier) && this.#isDue(earlier, at)) {
        this.#run.fail(`${at.id} was delivered #${id} before #${earlier}, on which it depends`);
      }
    }
  }

  /** Whether a message is still waited for: its place is in the receiver's present process, and its sender has not left for all it knows. */
  #isDue(id: number, at: Process): boolean {
    const placed = this.#placed.get(id);
    if (placed === undefined || placed.to !== incarnationKey(at) || !this.#run.isAlive(placed.sender)) return false;
    const [name, incarnation] = placed.from.split("/");
    const known = at.node.membersForOrchestration().find((member) => member.name === name);
    return `${known?.incarnation}` === incarnation && incarnationKey(placed.sender) === placed.from;
  }

  #past(process: string): Set<number> {
    let past = this.#pasts.get(process);
    if (past === undefined) this.#pasts.set(process, past = new Set());
    return past;
  }
}

/** One process as the protocol counts them: leaving begins another one, too. */
function incarnationKey({ node: { spec } }: Process): string {
  return `${spec.name}/${spec.incarnation}`;
}
