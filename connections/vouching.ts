// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Random, Timer } from "../runtime/runtime.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { ProtocolError } from "../wire/frame_reader.ts";
import type { Connection } from "./connection.ts";

/** Bytes of a ticket: it cannot be guessed while the dial is under way. */
const TICKET_BYTES = 6;

/** So many dials are remembered: those that succeeded need not have been placed by the acceptor when it asks. */
const TICKETS_MAX = 4_096;

/** A question that was not answered yet. */
interface Question {
  readonly connection: Connection;
  readonly timer: Timer;
  settle(word: boolean | null): void;
}

/**
 * Proof of the node that a dial comes from. Without a secret, a name proves nothing: every program that reaches the port can
 * claim it. But the node that has the name is there, at the other end of a connection that is open. Each dial has a ticket, a
 * random number that only its dialer and its acceptor know. The acceptor asks the node that it is connected with whether the
 * ticket of the new dial is its own.
 */
export class Vouching {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #patience: number;
  /** Tickets of this node's dials that are under way or have succeeded, the oldest first, and which node each of them means. */
  readonly #tickets = new Map<number, string | null>();
  readonly #questions = new Map<number, Question>();
  #asked = 0;

  /** @param patience Milliseconds after which a node that does not answer is taken to be gone from that connection. */
  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }, patience: number) {
    this.#clock = clock;
    this.#random = random;
    this.#patience = patience;
  }

  /** The ticket of a dial that begins. */
  begin(to: string | null): number {
    const ticket = this.#random.bytes(TICKET_BYTES).reduce((number, byte) => number * 256 + byte, 0);
    this.#tickets.set(ticket, to);
    forgetOldest(this.#tickets, TICKETS_MAX);
    return ticket;
  }

  /** A dial has led to a node: it is of no concern to any other one. */
  reached(ticket: number, name: string): void {
    if (this.#tickets.has(ticket)) this.#tickets.set(ticket, name);
  }

  /** A dial has failed: what may have been accepted of it is of no use. */
  end(ticket: number): void {
    this.#tickets.delete(ticket);
  }

  /**
   * Asks the node at the other end of a connection whether it is the dialer that has shown a ticket.
   *
   * @returns Its answer, or `null` when it did not answer in time, or the connection closed.
   */
  ask(connection: Connection, ticket: number): Promise<boolean | null> {
    const { queue } = connection;
    if (connection.closed || !queue.hasRoomFor(5 + 4 + TICKET_BYTES)) return Promise.resolve(null);
    const number = this.#asked = (this.#asked + 1) >>> 0;
    const writer = queue.begin(FrameKind.vouch);
    writer.u32(number);
    writer.u16(Math.floor(ticket / 2 ** 32));
    writer.u32(ticket >>> 0);
    queue.commit();
    return new Promise((resolve) => {
      const settle = (word: boolean | null) => {
        timer.cancel();
        this.#questions.delete(number);
        resolve(word);
      };
      const timer = this.#clock.schedule(this.#patience, () => settle(null));
      this.#questions.set(number, { connection, timer, settle });
    });
  }

  /** Takes note of a frame that came in. @returns Whether it was a question or an answer. */
  takeFrame(connection: Connection, kind: number, buffer: Uint8Array, start: number, end: number): boolean {
    if (kind !== FrameKind.vouch && kind !== FrameKind.vouched) return false;
    const expected = kind === FrameKind.vouch ? 4 + TICKET_BYTES : 5;
    if (end - start !== expected) {
      throw new ProtocolError(
        `Cannot read a question whose dial it is: it has ${end - start} bytes, expected ${expected}`,
      );
    }
    const view = new DataView(buffer.buffer, buffer.byteOffset + start);
    if (kind === FrameKind.vouch) {
      this.#answer(connection, view.getUint32(0), view.getUint16(4) * 2 ** 32 + view.getUint32(6));
    } else this.#take(connection, view.getUint32(0), view.getUint8(4) === 1);
    return true;
  }

  /** A connection brings no answers any more. */
  closed(connection: Connection): void {
    for (const question of this.#questions.values()) if (question.connection === connection) question.settle(null);
  }

  #answer({ queue, peer }: Connection, number: number, ticket: number): void {
    if (!queue.hasRoomFor(10)) return;
    const to = this.#tickets.get(ticket);
    const isMine = to !== undefined && (to === null || to === peer.name);
    const writer = queue.begin(FrameKind.vouched);
    writer.u32(number);
    writer.u8(isMine ? 1 : 0);
    queue.commit();
  }

  #take(connection: Connection, number: number, word: boolean): void {
    const question = this.#questions.get(number);
    if (question?.connection === connection) question.settle(word);
  }
}
