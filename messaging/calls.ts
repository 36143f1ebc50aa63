// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation } from "../wire/node_spec.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import { Histogram } from "../runtime/histogram.ts";
import type { CallMark, Envelope } from "../wire/envelope.ts";
import { CallError, MessageTooLargeError, NotConnectedError, OverloadedError } from "./errors.ts";
import { callErrorOf, remoteErrorFromValue, remoteErrorOf, remoteErrorToValue, wasNeverSent } from "./failure.ts";
import { EncodeError } from "../wire/encode_error.ts";
import type { GuaranteeOptions } from "./guarantee_options.ts";
import type { ReliableSender } from "./reliable_sender.ts";
import type { Inbound } from "./inbound.ts";
import type { OutboundMessage, SendOptions } from "./outbound.ts";
import type { MessageStats } from "./message_stats.ts";
import { UndecodableMessage } from "../wire/payload_codec.ts";
import { RequestContext } from "./message_context.ts";
import { MANAGER_NAME, type MessageContext } from "./registry.ts";

/** Milliseconds that a call takes, in ranges. */
const CALL_BOUNDS_MS: readonly number[] = [
  0.5,
  1,
  2.5,
  5,
  10,
  25,
  50,
  100,
  250,
  500,
  1_000,
  2_500,
  5_000,
  10_000,
  60_000,
];
/** Milliseconds for which the reply to a caller that seems to be gone is offered to it: it may have noticed nothing, or be back. */
const LATE_REPLY_MS = 60_000;
/** Calls given up before they came that are remembered: the word of it takes another connection, and may be faster. */
const CANCELLED_MAX = 1_024;

interface PendingCall {
  readonly node: string;
  /** Whether others pass the request on, and the reply. */
  readonly transitive: boolean;
  readonly begunAt: number;
  /** Buffer for the bytes of the reply, if not into memory of their own. */
  readonly into: Uint8Array | undefined;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Dependencies of {@linkcode Calls}. */
export interface CallsOptions {
  readonly reliableSender: ReliableSender;
  readonly inbound: Inbound;
  /** Number of the first call. Replies to an earlier incarnation of this node may still come in: they must not fit. */
  readonly firstId: number;
  /** Most calls that may wait for their replies. */
  readonly pendingMax: number;
  readonly stats: Pick<MessageStats, "overloaded" | "discarded">;
  /** Milliseconds on the local clock. */
  readonly now: () => number;
  /** Tells a node that a call to it was given up. */
  readonly cancel: (node: string, id: number) => void;
}

/** Requests and their replies: two acknowledged messages with one number. */
export class Calls {
  /** Durations of calls, in milliseconds: those that were answered, and those that failed or were given up. */
  readonly durations: Readonly<Record<"ok" | "error", Histogram>> = {
    ok: new Histogram(CALL_BOUNDS_MS),
    error: new Histogram(CALL_BOUNDS_MS),
  };
  readonly #options: CallsOptions;
  readonly #pending = new Map<number, PendingCall>();
  /** Requests that are being handled here, by the number and the name of their caller. */
  readonly #answering = new Map<string, RequestContext>();
  readonly #cancelled = new Set<string>();
  #nextId: number;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#nextId = options.firstId;
  }

  /**
   * Sends a request and waits for its reply.
   *
   * @throws {CallError} When the handler throws, or there is none.
   * @throws {OverloadedError} When the handler has no room, or too many calls are pending here.
   * @throws {NotConnectedError} When the node is no member, goes down or leaves.
   * @throws The reason of `signal`, once that is aborted.
   */
  call(
    message: Omit<OutboundMessage, "cast">,
    retransmission: GuaranteeOptions["retransmission"],
    signal: AbortSignal,
    into?: Uint8Array,
  ): Promise<unknown> {
    const { pendingMax } = this.#options;
    // Watches over handlers wait for as long as these are there, and are bounded otherwise.
    if (this.#pending.size >= pendingMax && !message.name.startsWith("\0")) {
      this.#options.stats.overloaded++;
      const state = `${this.#pending.size} calls wait for their replies, at most ${pendingMax}`;
      return Promise.reject(new OverloadedError(`Cannot call "${message.name}" on "${message.node}": ${state}`));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // A request that was given up is not kept for a next incarnation of its receiver.
      const ended = new AbortController();
      const abort = () => this.#cancel(id, signal.reason);
      const settled = (settle: (value: unknown) => void) => (value: unknown) => {
        signal.removeEventListener("abort", abort);
        settle(value);
        ended.abort(value);
      };
      const { node, options: { transitive = false } } = message;
      const begunAt = this.#options.now();
      this.#pending.set(id, { node, transitive, begunAt, into, resolve: settled(resolve), reject: settled(reject) });
      signal.addEventListener("abort", abort);
      this.#request(id, { ...message, cast: false, call: { id } }, { retransmission, signal: ended.signal });
    });
  }

  /** Number of calls from here that wait for their replies. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Number of calls that are being answered here. */
  get answering(): number {
    return this.#answering.size;
  }

  /** Incarnations of nodes whose calls are being answered here, each once for each call. */
  callers(): NodeIncarnation[] {
    return Array.from(this.#answering.values(), ({ from: name, incarnation }) => ({ name, incarnation }));
  }

  /** A caller says that it has given a call up. */
  takeCancel(from: string, id: unknown): void {
    if (!Number.isSafeInteger(id)) throw new TypeError("Cannot cancel a call: it has no number");
    const key = `${id}\0${from}`;
    const request = this.#answering.get(key);
    if (request !== undefined) return request.abort(new DOMException(`"${from}" has given the call up`, "AbortError"));
    this.#cancelled.add(key);
    forgetOldest(this.#cancelled, CANCELLED_MAX);
  }

  /** Tells the handlers of all requests that their replies are not awaited any more. */
  abort(reason: Error): void {
    for (const request of this.#answering.values()) request.abort(reason);
  }

  /** Gives up all calls, from here and to here, because this node begins another incarnation: replies are for the former one. */
  reset(reason: Error): void {
    this.abort(reason);
    for (const id of [...this.#pending.keys()]) this.#end(id, ({ reject }) => reject(reason));
  }

  /** Answers a request. */
  async takeRequest(name: string, message: unknown, context: MessageContext, { id }: CallMark): Promise<void> {
    const { from: node, channel } = context;
    const key = `${id}\0${node}`;
    if (this.#cancelled.delete(key)) {
      this.#options.stats.discarded++;
      return;
    }
    const request = new RequestContext(context);
    this.#answering.set(key, request);
    const reply = (ok: boolean, message: unknown, timeout?: number) =>
      this.#send({
        node,
        name: MANAGER_NAME,
        message,
        options: { channel, transitive: true },
        cast: false,
        call: { id, ok },
      }, { timeout });
    try {
      const { ok, result } = await this.#answer(name, message, request);
      this.#answering.delete(key);
      if (request.isAwaited) await reply(ok, result, request.aborted ? LATE_REPLY_MS : undefined);
    } catch (error) {
      // A caller that is gone need not be told, least of all in its next incarnation.
      const isUnfit = error instanceof EncodeError || error instanceof MessageTooLargeError;
      if (isUnfit) await reply(false, remoteErrorToValue(remoteErrorOf(error))).catch(() => {});
    }
  }

  /** Whether a message is the reply to a request from here whose bytes are copied at once: then nothing else refers to them. */
  copies(from: string, { call, causal }: Envelope): boolean {
    const pending = call?.ok === true && causal === undefined ? this.#pending.get(call.id) : undefined;
    return pending?.into !== undefined && pending.node === from;
  }

  /** Takes the reply to a request from here. */
  takeReply(from: string, message: unknown, { id, ok }: CallMark): void {
    if (this.#pending.get(id)?.node !== from) return;
    const isReply = ok && !(message instanceof UndecodableMessage);
    this.#end(id, ({ into, resolve, reject }) => {
      if (!isReply) return reject(thrownThere(message));
      try {
        resolve(into === undefined ? message : put(message, into, from));
      } catch (error) {
        reject(error);
      }
    }, isReply);
  }

  /** A node cannot be reached directly any more: there will be no replies from it but those that others pass on. */
  down(node: string): void {
    this.#giveUp(node, ({ transitive }) => !transitive);
  }

  /** A node has left the cluster: there will be no replies from it. */
  left(node: string): void {
    this.#giveUp(node, () => true);
  }

  /** Tells the handlers of requests of a node that it is gone. It may come back, and still wait for its replies. */
  callerGone(node: string): void {
    for (const request of this.#answering.values()) {
      if (request.from === node) request.leave(new NotConnectedError(`Cannot reply: "${node}" is gone`));
    }
  }

  /** Tells the handlers of requests of those incarnations of a node that are lower than `before` that they are over. */
  callerEnded(node: string, what: string, before: number): void {
    for (const request of this.#answering.values()) {
      if (request.from !== node || request.incarnation >= before) continue;
      request.abort(new NotConnectedError(`Cannot reply: "${node}" ${what}`));
    }
  }

  #giveUp(node: string, isHopeless: (call: PendingCall) => boolean): void {
    for (const [id, call] of this.#pending) {
      if (call.node !== node || !isHopeless(call)) continue;
      this.#cancel(id, new NotConnectedError(`Cannot wait for a reply: "${node}" is gone`));
    }
  }

  /** Asks the handler for its reply. The caller learns the error; the place in the code does not concern it. */
  async #answer(name: string, message: unknown, context: MessageContext): Promise<{ ok: boolean; result: unknown }> {
    try {
      return { ok: true, result: await this.#options.inbound.answer(name, message, context) ?? null };
    } catch (error) {
      return { ok: false, result: remoteErrorToValue(remoteErrorOf(error)) };
    }
  }

  /** Sends a request. What fails later than at once may have been handed over, although no acknowledgement has come. */
  #request(id: number, message: OutboundMessage, options: GuaranteeOptions & { readonly signal: AbortSignal }): void {
    const fail = (error: unknown) => this.#end(id, ({ reject }) => reject(error));
    try {
      this.#options.reliableSender.forward(message, { ...options, ack: true })
        .catch((error) => wasNeverSent(error) ? fail(error) : this.#cancel(id, error));
    } catch (error) {
      fail(error);
    }
  }

  async #send(
    message: OutboundMessage,
    options: GuaranteeOptions & { readonly timeout?: number | undefined } = {},
  ): Promise<void> {
    await this.#options.reliableSender.forward(message, { ...options, ack: true });
  }

  /** Gives a call up, and has its handler told. */
  #cancel(id: number, reason: unknown): void {
    const node = this.#pending.get(id)?.node;
    this.#end(id, ({ reject }) => reject(reason));
    if (node !== undefined) this.#options.cancel(node, id);
  }

  #end(id: number, settle: (call: PendingCall) => void, isAnswered = false): void {
    const call = this.#pending.get(id);
    if (call === undefined) return;
    this.#pending.delete(id);
    this.durations[isAnswered ? "ok" : "error"].record(this.#options.now() - call.begunAt);
    settle(call);
  }
}

/** Copies a reply to where its caller wants it. */
function put(reply: unknown, into: Uint8Array, from: string): Uint8Array {
  if (!(reply instanceof Uint8Array)) {
    throw new TypeError(`Cannot take the reply of "${from}" "into" bytes: it is none`);
  }
  if (reply.length > into.length) {
    throw new RangeError(`Cannot take the reply of "${from}": it has ${reply.length} bytes, "into" has ${into.length}`);
  }
  into.set(reply);
  return into.subarray(0, reply.length);
}

/** Error that a reply reports. A reply that cannot be read is an error itself. */
function thrownThere(message: unknown): CallError | OverloadedError {
  if (message instanceof UndecodableMessage) return new CallError(`${message}`);
  try {
    const remote = remoteErrorFromValue(message);
    return remote.name === "OverloadedError" ? new OverloadedError(remote.message) : callErrorOf(remote);
  } catch (error) {
    return callErrorOf(remoteErrorOf(error));
  }
}

/** Options of a call. */
export interface CallOptions extends SendOptions, Pick<GuaranteeOptions, "retransmission"> {
  /**
   * Gives up waiting.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds after which to give up waiting, 0 or more; anything else is refused with a `RangeError`.
   *
   * @default {none: until the node goes down}
   */
  readonly timeout?: number | undefined;
  /**
   * Buffer for the bytes of the reply: the call resolves with the part of it that they take. Nothing else is changed, and
   * nothing before that. A reply that is larger is refused with a `RangeError`, one that is no bytes with a `TypeError`.
   * Replies of 128 KiB to 1 MiB then need no fresh memory at the caller, which halves what they cost it.
   *
   * @default {memory of its own for each reply}
   */
  readonly into?: Uint8Array | undefined;
}
