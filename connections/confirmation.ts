// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FrameKind } from "../wire/frame_kind.ts";
import type { FrameReader } from "../wire/frame_reader.ts";
import type { SendQueue } from "./send_queue.ts";

/** Looks after which a side says that it reads, although it was not asked: the question may be stuck behind what it reads. */
const LOOKS_UNTIL_REPORT = 2;

/** An answer may be behind much that is on its way here: while that comes in, it is waited for so many times longer. */
const BEHIND_OTHERS = 6;

/** Bytes of an answer: header, number, and count of messages. */
const ANSWER_BYTES = 13;

/** The halves of the connection that is looked at. */
export interface ConfirmedConnection {
  readonly queue: SendQueue;
  readonly reader: FrameReader;
  /** Whether this node does not read it at present, on purpose. */
  readonly held: boolean;
  /** Messages that were read, and handed over, as a number of 32 bits. */
  readonly messagesRead: number;
  /** Whether this node dialed it. */
  readonly outbound: boolean;
}

/** Limits of the patience of a {@linkcode Confirmation}. */
export interface ConfirmationLimits {
  /** Milliseconds for which bytes may be on their way before the other side is asked. */
  readonly ask: number;
  /**
   * Milliseconds after which the dialer asks although nothing is on its way: the path may have been forgotten. The other side asks when it has
   * heard nothing for twice as long.
   */
  readonly idle: number;
  /** Milliseconds for which the other side may owe the answer. */
  readonly silence: number;
  /** Bytes that this side must have read before it says so without being asked. */
  readonly report: number;
}

/**
 * Whether what this side puts into a connection is read by the other side. It asks by a numbered `probe`, which arrives behind all that was
 * sent before, and the answer confirms it. A side that reads for long without coming to a probe, or does not read because a handler has no
 * room, repeats its last answer: it is alive.
 */
export class Confirmation {
  /** Number of the last probe that was sent. */
  #asked = 0;
  /** Bytes that had been taken from senders when it was. */
  #askedAt = 0;
  /** Number of the last probe that was answered. */
  #answered = 0;
  /** Bytes taken from senders that the other side has read for certain. */
  #confirmed = 0;
  /** Bytes of probes and answers that were sent: nothing that has to be asked after, or two idle sides would ask each other without end. */
  #spoken = 0;
  /** Number of them that had been sent with the last probe. */
  #spokenAt = 0;
  /** Number of them that are among the confirmed bytes. */
  #spokenConfirmed = 0;
  /** Milliseconds for which an answer has been owed, or for which nothing was asked. */
  #age = 0;
  /** Milliseconds for which nothing was read. */
  #quiet = 0;
  #bytesRead = 0;
  /** Number of the last probe that this side has read. */
  #seen = 0;
  /** Bytes that this side had read when it last said so; those of answers do not count. */
  #readWhenTold = -1;
  #looks = 0;
  #messagesTold = 0;
  #waiting: PromiseWithResolvers<void> | null = null;

  /** Bytes taken from senders that the other side has read for certain. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /**
   * Asks when it is time, and says that this side reads when it is not asked. To be called about once a heartbeat interval.
   *
   * @param elapsed Milliseconds since the last call that count: those in which this node could hear the answer.
   * @returns Whether the other side owes an answer for too long.
   */
  look(connection: ConfirmedConnection, elapsed: number, limits: ConfirmationLimits): boolean {
    this.#report(connection, limits.report);
    this.#age += elapsed;
    this.#listen(connection, elapsed);
    if (this.#asked !== this.#answered) {
      // Who does not read cannot see the answer.
      if (connection.held) this.#age = 0;
      return Math.min(this.#age, this.#quiet) >= limits.silence || this.#age >= BEHIND_OTHERS * limits.silence;
    }
    const isUnconfirmed = connection.queue.taken - this.#spoken > this.#confirmed - this.#spokenConfirmed;
    // The dialer asks when nothing is on its way. One of which that is not heard for twice as long may be gone.
    if (!isUnconfirmed && !connection.outbound) this.#age = Math.min(this.#age, this.#quiet / 2);
    if (this.#age >= (isUnconfirmed ? limits.ask : limits.idle)) this.#ask(connection);
    return false;
  }

  /** Asks at once. Resolves when all that was sent before is known to be read, or {@linkcode Confirmation.close} is called. */
  reached(connection: ConfirmedConnection): Promise<void> {
    if (connection.queue.taken === this.#confirmed) return Promise.resolve();
    this.#ask(connection);
    return (this.#waiting ??= Promise.withResolvers()).promise;
  }

  /** Nothing more is confirmed: no wait goes on. */
  close(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  /** Answers a probe. */
  takeProbe(connection: ConfirmedConnection, number: number): void {
    this.#seen = number;
    this.tell(connection);
  }

  /** Tells the other side what this side has read. */
  tell({ queue, reader, messagesRead }: ConfirmedConnection): void {
    this.#looks = 0;
    this.#readWhenTold = reader.bytesRead;
    this.#messagesTold = messagesRead;
    const before = queue.taken;
    const writer = queue.begin(FrameKind.probed);
    writer.u32(this.#seen);
    writer.u32(messagesRead);
    queue.commit();
    this.#spoken += queue.taken - before;
  }

  /** Whether messages were read of which the other side does not know that yet. */
  hasNews({ messagesRead }: ConfirmedConnection): boolean {
    return messagesRead !== this.#messagesTold;
  }

  /** Takes an answer. @returns Whether it confirms all that was asked for. */
  takeProbed(number: number): boolean {
    this.#age = 0;
    this.#readWhenTold += ANSWER_BYTES;
    if (number !== this.#asked) return false;
    this.#answered = number;
    this.#confirmed = this.#askedAt;
    this.#spokenConfirmed = this.#spokenAt;
    this.close();
    return true;
  }

  #listen({ reader: { bytesRead }, held }: ConfirmedConnection, elapsed: number): void {
    this.#quiet = held || bytesRead !== this.#bytesRead ? 0 : this.#quiet + elapsed;
    this.#bytesRead = bytesRead;
  }

  #ask({ queue }: ConfirmedConnection): void {
    this.#age = 0;
    this.#asked = (this.#asked + 1) >>> 0;
    const before = queue.taken;
    queue.begin(FrameKind.probe).u32(this.#asked);
    // However full the queue is: there is never more than one of them in it.
    queue.commit();
    this.#askedAt = queue.taken;
    this.#spoken += this.#askedAt - before;
    this.#spokenAt = this.#spoken;
  }

  #report(connection: ConfirmedConnection, bytes: number): void {
    const { reader: { bytesRead }, held } = connection;
    if (this.#readWhenTold < 0) this.#readWhenTold = bytesRead;
    const hasRead = bytesRead >= this.#readWhenTold + bytes;
    this.#looks = held || hasRead ? this.#looks + 1 : 0;
    if (this.#looks >= LOOKS_UNTIL_REPORT && connection.queue.hasRoomFor(ANSWER_BYTES)) this.tell(connection);
  }
}
