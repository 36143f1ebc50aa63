// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { IncomingStream, OutgoingStream } from "./protocol.ts";

/** The message that nodes send each other all the time. */
export interface TrafficMessage {
  /** The sender's run. */
  readonly from: number;
  /** The receiver's run, as the sender knows it. */
  readonly to: number;
  /** 1, 2, … from this run of the sender to that run of the receiver. */
  readonly sequence: number;
  /** The load. */
  readonly body: Uint8Array;
}

/** Counts what this process sends and receives, and checks the order. Does no I/O. */
export class TrafficLedger {
  readonly #run: number;
  readonly #outgoing = new Map<string, Mutable<OutgoingStream>>();
  readonly #incoming = new Map<string, Mutable<IncomingStream> & { last: number }>();
  #sent = 0;
  #received = 0;

  /** @param run Number of this process among those of its name. */
  constructor(run: number) {
    this.#run = run;
  }

  /** Messages accepted since the start. */
  get sent(): number {
    return this.#sent;
  }

  /** Messages received since the start. */
  get received(): number {
    return this.#received;
  }

  /** Numbers the next message to `run` of `receiver`. */
  next(receiver: string, run: number, body: Uint8Array): TrafficMessage {
    let stream = this.#outgoing.get(receiver);
    if (stream?.run !== run) {
      stream = { run, attempted: 0, accepted: 0 };
      this.#outgoing.set(receiver, stream);
    }
    return { from: this.#run, to: run, sequence: ++stream.attempted, body };
  }

  /** The peer service accepted `message` to `receiver`. */
  accepted(receiver: string, message: TrafficMessage): void {
    this.#sent++;
    const stream = this.#outgoing.get(receiver);
    if (stream?.run === message.to) stream.accepted++;
  }

  /** `message` came from `sender`. A message for, or from, a former process does not count. */
  receive(sender: string, message: TrafficMessage): void {
    this.#received++;
    let stream = this.#incoming.get(sender);
    if (message.to !== this.#run || (stream !== undefined && message.from < stream.run)) return;
    if (stream?.run !== message.from) {
      stream = { run: message.from, received: 0, disordered: 0, last: 0 };
      this.#incoming.set(sender, stream);
    }
    if (message.sequence <= stream.last) {
      stream.disordered++;
      return;
    }
    stream.last = message.sequence;
    stream.received++;
  }

  /** The streams to others, by receiver. */
  outgoing(): Record<string, OutgoingStream> {
    return Object.fromEntries([...this.#outgoing].map(([receiver, stream]) => [receiver, { ...stream }]));
  }

  /** The streams from others, by sender. */
  incoming(): Record<string, IncomingStream> {
    return Object.fromEntries(
      [...this.#incoming].map(([sender, { run, received, disordered }]) => [sender, { run, received, disordered }]),
    );
  }
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
