// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ForwardOptions, PeerServiceManager } from "../mod.ts";
import type { SeededRandom } from "../testing/seeded_random.ts";
import type { TrafficLedger, TrafficMessage } from "./traffic_ledger.ts";

/** The handler that receives the traffic on every node. */
const HANDLER = "traffic";
const INTERVAL_MS = 20;
const BURST_MAX = 4;
const BODY_BYTES_MAX = 512;
/** Delivery guarantees of each message: others pass it on where there is no connection. */
const RELIABLY: ForwardOptions = { ack: true, timeout: 10_000, transitive: true };

/** Options of a {@linkcode Traffic}, in addition to the node and the ledger. */
export interface TrafficOptions {
  /** Decides how many messages go at once, and what is in them. */
  readonly random: SeededRandom;
  /** Whether members get messages to which there is no connection: in a partial overlay there need not be one. */
  readonly toStrangers: boolean;
}

/** Sends messages to all other nodes in rotation, and hands the received ones to the ledger. */
export class Traffic {
  readonly #node: PeerServiceManager;
  readonly #ledger: TrafficLedger;
  readonly #options: TrafficOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Receivers to which messages wait to be accepted. They get no more until those are. */
  readonly #waiting = new Set<string>();
  #turn = 0;
  #ended = false;

  /** Begins at once. */
  constructor(node: PeerServiceManager, ledger: TrafficLedger, options: TrafficOptions) {
    this.#node = node;
    this.#ledger = ledger;
    this.#options = options;
    node.register(HANDLER, (message, { from }) => ledger.receive(from, message as TrafficMessage));
    this.#timer = setInterval(() => this.#takeTurn(), INTERVAL_MS);
  }

  /** Whether it has ended and nothing waits. */
  get quiet(): boolean {
    return this.#ended && this.#waiting.size === 0;
  }

  /** Sends no more. */
  end(): void {
    clearInterval(this.#timer);
    this.#ended = true;
  }

  #takeTurn(): void {
    const peers = this.#node.membersForOrchestration().filter(({ name }) => name !== this.#node.name);
    const peer = peers[this.#turn++ % peers.length];
    if (peer === undefined || this.#waiting.has(peer.name)) return;
    if (!this.#options.toStrangers && !this.#node.isConnected(peer.name)) return;
    this.#waiting.add(peer.name);
    void this.#sendBurst(peer.name, Number(peer.metadata.run)).finally(() => this.#waiting.delete(peer.name));
  }

  async #sendBurst(receiver: string, run: number): Promise<void> {
    const { random } = this.#options;
    for (let left = 1 + random.int(BURST_MAX); left > 0; left--) {
      const body = random.bytes(random.int(BODY_BYTES_MAX));
      if (!await this.#send(receiver, this.#ledger.next(receiver, run, body))) return;
    }
  }

  /** Sends a message. Returns whether it arrived. */
  async #send(receiver: string, message: TrafficMessage): Promise<boolean> {
    try {
      await this.#node.forwardMessage(receiver, HANDLER, message, RELIABLY);
      this.#ledger.accepted(receiver, message);
      return true;
    } catch {
      // The receiver is down or gone. The ledger has counted the attempt, and its stream has a gap there.
      return false;
    }
  }
}
