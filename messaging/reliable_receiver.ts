// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import type { MessageStats } from "./message_stats.ts";
import type { LocalRuntime } from "../runtime/runtime.ts";
import type { Connection } from "../connections/connection.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL, type Peer } from "../connections/peer.ts";
import type { Calls } from "./calls.ts";
import type { CausalDelivery } from "./causal_delivery.ts";
import type { CausalOrders } from "./causal_orders.ts";
import { Deduplication } from "./deduplication.ts";
import { remoteErrorOf } from "./failure.ts";
import {
  type CallMark,
  type Envelope,
  isNumbersOnly,
  NUMBERS_BYTES,
  readFloor,
  readSequence,
} from "../wire/envelope.ts";
import { readU16 } from "../wire/integers.ts";
import type { Inbound } from "./inbound.ts";
import { CAST_BIT, readMessage } from "./message_frame.ts";
import type { NumberedHandler } from "./numbered_handler.ts";
import type { PayloadCodec } from "../wire/payload_codec.ts";
import { acknowledgementToValue } from "./acknowledgement.ts";
import type { MessageContext } from "./registry.ts";
import { encodeInto } from "../wire/message_pack_encode.ts";

/** A message that was accepted and not yet handed over. */
export interface AcceptedMessage {
  /** Node that sent it, and its incarnation. */
  readonly sender: NodeIncarnation;
  /** Its number among the messages of that one. */
  readonly sequence: number;
  readonly name: string;
  readonly message: unknown;
  readonly context: MessageContext;
  /** The call that it belongs to, if any. */
  readonly call: CallMark | undefined;
  /** Whether the sender gave it up, so that only its place in the causal order is left. */
  readonly empty: boolean;
}

/** Dependencies of an {@linkcode ReliableReceiver}. */
export interface ReliableReceiverOptions {
  readonly runtime: LocalRuntime;
  readonly pool: ConnectionPool;
  readonly codec: PayloadCodec;
  readonly inbound: Inbound;
  readonly calls: Calls;
  readonly orders: CausalOrders<AcceptedMessage>;
  readonly stats: MessageStats;
  /** Takes an acknowledgement for what this node has sent itself. */
  readonly acknowledgeHere: (acknowledgement: unknown) => void;
  /** Sends an acknowledgement over other nodes: over all of them when it is repeated. */
  readonly relayAcknowledgement: (to: string, acknowledgement: unknown, isRepeated: boolean) => void;
}

/** The receiver's side of every promise: hands each message over once, in its causal order, and acknowledges it once it is handled. */
export class ReliableReceiver {
  readonly #options: ReliableReceiverOptions;
  #seen = new Deduplication();
  #acknowledgementsDue = false;

  constructor(options: ReliableReceiverOptions) {
    this.#options = options;
  }

  /** Interposition functions may keep what they see, so nothing is lent while there are any. */
  readonly #isLent = (_: string, envelope: Envelope | undefined, { peer }: Connection): boolean =>
    !this.#options.inbound.interposing && this.#options.calls.copies(peer.name, envelope!);

  /** Takes a frame of kind `envelope`. */
  takeEnvelope(connection: Connection, buffer: Uint8Array, start: number, end: number, trace?: Uint8Array): void {
    const { codec, inbound } = this.#options;
    const numbered = inbound.numbered(connection, buffer, start, end);
    if (numbered !== undefined && isNumbersOnly(buffer, start + 2, end)) {
      return this.#takeNumbered(connection, numbered, buffer, start, end, trace);
    }
    const { name, cast, envelope, message } = readMessage(
      connection,
      codec,
      FrameKind.envelope,
      buffer,
      start,
      end,
      this.#isLent,
    );
    this.accept(connection.peer, envelope!, end - start, message, name, inbound.contextOf(connection, cast, trace));
  }

  /** The usual case: nothing stands between a message and its handler, and all that it has is its numbers. */
  #takeNumbered(
    connection: Connection,
    { name }: NumberedHandler,
    buffer: Uint8Array,
    start: number,
    end: number,
    trace: Uint8Array | undefined,
  ): void {
    const { codec, inbound, stats } = this.#options;
    const { peer, reader } = connection;
    const cast = (readU16(buffer, start) & CAST_BIT) !== 0;
    const sequence = readSequence(buffer, start + 2);
    const floor = readFloor(buffer, start + 2, sequence);
    stats.received++;
    this.#reportSoon();
    if (!this.#admits(peer, sequence, floor, undefined)) return;
    const message = codec.read(buffer, start + 2 + NUMBERS_BYTES, end, reader);
    this.#handle(peer, sequence, name, message, inbound.contextOf(connection, cast, trace));
  }

  /**
   * Takes a message with guarantees, through the interposition functions.
   *
   * @param teller Name of the node that has passed it on; by default, it came from its sender itself.
   */
  accept(
    sender: NodeIncarnation,
    envelope: Envelope,
    bytes: number,
    message: unknown,
    name: string,
    context: MessageContext,
    teller?: string,
  ): void {
    const { inbound, stats } = this.#options;
    stats.received++;
    if (!inbound.interposing || envelope.causal?.empty) {
      this.#take(sender, envelope, bytes, message, name, context, teller);
    } else {
      // What is delayed comes from the sender as it is now.
      const then = { name: sender.name, incarnation: sender.incarnation };
      inbound.interpose(
        message,
        context,
        (message) => this.#take(then, envelope, bytes, message, name, context, teller),
      );
    }
  }

  /** Hands over what waited only for a node that is there again, or gone for good, or for patience to end. */
  handOver(deliveries: readonly CausalDelivery<AcceptedMessage>[]): void {
    for (const { payload: { sender, sequence, name, message, context, call, empty } } of deliveries) {
      if (empty) this.#discard(sender, sequence);
      else this.#handOver(sender, sequence, name, message, context, call, false);
      this.#reportSoon();
    }
  }

  /** A node has left the cluster. */
  left(node: NodeIncarnation): void {
    this.#seen.leave(node);
  }

  /** Forgets everything, because this node begins another incarnation. */
  reset(): void {
    this.#seen = new Deduplication();
  }

  /** The reply to a request says what became of it, so that the request itself is done with once it is handed over. */
  #handOver(
    sender: NodeIncarnation,
    sequence: number,
    name: string,
    message: unknown,
    context: MessageContext,
    call: CallMark | undefined,
    isPatient: boolean,
  ): void {
    const { inbound, calls } = this.#options;
    if (call === undefined && (isPatient || inbound.handles(name))) {
      this.#handle(sender, sequence, name, message, context);
      return;
    }
    this.#seen.settle(sender, sequence);
    if (call === undefined) inbound.unhandled(name);
    else if (call.ok === undefined) calls.takeRequest(name, message, context, call);
    else {
      this.#options.stats.replies++;
      calls.takeReply(context.from, message, call);
    }
  }

  /** Discards a message that only brings its order on. */
  #discard(sender: NodeIncarnation, sequence: number): void {
    this.#options.stats.discarded++;
    this.#seen.settle(sender, sequence);
  }

  /** Acknowledges a message when its handler is done; as long as there is none, the sender repeats it. */
  #handle(sender: NodeIncarnation, sequence: number, name: string, message: unknown, context: MessageContext): void {
    const { inbound } = this.#options;
    const seen = this.#seen;
    if (!inbound.handles(name)) {
      inbound.unhandled(name, seen.miss(sender, sequence));
      return;
    }
    try {
      const result = inbound.handle(name, message, context);
      if (result instanceof Promise) this.#await(result, seen, sender, sequence);
      else seen.settle(sender, sequence);
    } catch (error) {
      seen.fail(sender, sequence, remoteErrorOf(error));
    }
  }

  /**
   * Waits for the handler. A message whose handler ends in another incarnation of this node is not acknowledged in that one.
   */
  async #await(
    result: Promise<unknown>,
    seen: Deduplication,
    { name, incarnation }: NodeIncarnation,
    sequence: number,
  ) {
    const sender = { name, incarnation };
    try {
      await result;
      seen.settle(sender, sequence);
    } catch (error) {
      seen.fail(sender, sequence, remoteErrorOf(error));
    }
    this.#reportSoon();
  }

  #take(
    sender: NodeIncarnation,
    { sequence, floor, causal, call }: Envelope,
    bytes: number,
    message: unknown,
    name: string,
    context: MessageContext,
    teller: string | undefined,
  ): void {
    this.#reportSoon();
    if (causal === undefined) {
      if (!this.#admits(sender, sequence, floor, teller)) return;
      if (call === undefined && !this.#options.inbound.hasRoom(name)) {
        this.#refuse(sender, sequence, "full");
        return;
      }
      this.#handOver(sender, sequence, name, message, context, call, true);
      return;
    }
    if (!this.#admits(sender, sequence, floor, teller)) return;
    const { runtime, orders, inbound } = this.#options;
    // What has got its place in the order is handed over whatever there is room for: only the first step can be refused.
    if (!causal.empty && !inbound.hasRoom(name)) {
      orders.see(sender, causal);
      this.#refuse(sender, sequence, "full");
      return;
    }
    const { name: from, incarnation } = sender;
    const accepted = {
      sender: { name: from, incarnation },
      sequence,
      name,
      message,
      context,
      call,
      empty: causal.empty,
    };
    const { outcome, deliverable } = orders.receive(sender, causal, accepted, { bytes, now: runtime.clock.now() });
    if (outcome === "full" || outcome === "late") this.#refuse(sender, sequence, outcome);
    else if (outcome === "gone" || outcome === "misaddressed") {
      this.#options.stats.discarded++;
      // A sender without a connection may not hear of the incarnation that its message is worth repeating for, but by this word of it. Nor may one
      // that lives, and that others have removed, hear of that: it would repeat without end what is never taken.
      this.#seen.refuse(sender, sequence, outcome === "gone" ? "late" : "full");
    } else if (outcome === "duplicate") this.#discard(sender, sequence);
    this.handOver(deliverable);
  }

  /** Whether a message has not come before. */
  #admits(sender: NodeIncarnation, sequence: number, floor: number, teller: string | undefined): boolean {
    const isNew = this.#seen.admit(sender, sequence, floor, teller) === "new";
    if (!isNew) this.#options.stats.duplicates++;
    return isNew;
  }

  #refuse(sender: NodeIncarnation, sequence: number, why: "full" | "late"): void {
    const { stats } = this.#options;
    if (why === "full") {
      stats.overloaded++;
      stats.turnedAway++;
    } else stats.discarded++;
    this.#seen.refuse(sender, sequence, why);
  }

  /** One acknowledgement tells of all the messages of a turn. */
  #reportSoon(): void {
    if (this.#acknowledgementsDue) return;
    this.#acknowledgementsDue = true;
    this.#options.runtime.defer(() => {
      this.#acknowledgementsDue = false;
      this.#report();
    });
  }

  /** An acknowledgement that cannot be sent is not missed: the sender repeats its message, which brings another. */
  #report(): void {
    for (const { to, acknowledgement, isRepeated } of this.#seen.takeAcknowledgements()) {
      const value = acknowledgementToValue(acknowledgement);
      if (to === this.#options.pool.selfName()) {
        this.#options.acknowledgeHere(value);
        continue;
      }
      const peer = this.#options.pool.peers.get(to);
      if (peer === undefined || !this.#reportTo(peer, value, isRepeated)) {
        this.#options.relayAcknowledgement(to, value, isRepeated);
      }
    }
  }

  /**
   * Sends an acknowledgement. A repeated one goes over two connections: that of the messages may be one that is not read for want of room, and
   * that of membership may carry nothing any more without that being known yet.
   *
   * @returns Whether there was a connection.
   */
  #reportTo(peer: Peer, acknowledgement: unknown, isRepeated: boolean): boolean {
    if (peer.partitioned) return false;
    const channels = isRepeated ? [MEMBERSHIP_CHANNEL, DEFAULT_CHANNEL] : [DEFAULT_CHANNEL];
    const queues = new Set(channels.flatMap((channel) => peer.pick(channel, undefined)?.queue ?? []));
    for (const queue of queues) {
      encodeInto(queue.begin(FrameKind.ack), acknowledgement);
      if (queue.hasRoomFor(queue.frameBytes)) queue.commit();
      else queue.rollback();
    }
    return queues.size > 0;
  }
}
