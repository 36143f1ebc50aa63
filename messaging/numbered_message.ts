// Copyright 2026 the Partisan peer-service authors. MIT license.

import { participantKey } from "../wire/causal_stamp.ts";
import type { CallMark, CausalPlace, Envelope } from "../wire/envelope.ts";
import type { OutboundMessage, SendOptions } from "./outbound.ts";

/**
 * A message that is sent until it is acknowledged, and its own envelope: one object, because there is one for each message. Its numbers
 * are set whenever it is sent.
 */
export class NumberedMessage implements OutboundMessage, Envelope {
  readonly node: string;
  readonly name: string;
  readonly message: unknown;
  options: SendOptions;
  readonly cast: boolean;
  readonly call: CallMark | undefined;
  readonly trace: Uint8Array | undefined;
  readonly envelope: Envelope = this;
  /** Placeholder that goes on in its place when it is given up, so that others do not wait for it without end. */
  readonly placeholder: NumberedMessage | undefined;
  sequence: number = 0;
  floor: number = 0;
  repeated: boolean = false;
  awaited: boolean = false;
  causal: CausalPlace | undefined = undefined;
  /** Whether it got another place because its receiver has begun another incarnation, as that said itself. */
  isReaddressed: boolean = false;
  #resolve: ((end: void | Promise<never>) => void) | undefined = undefined;

  /** @param message Message that is sent in place of the message of `outgoing`. */
  constructor(
    { node, name, options, cast, call, trace }: OutboundMessage,
    message: unknown,
    placeholder?: NumberedMessage,
  ) {
    this.node = node;
    this.name = name;
    this.message = message;
    this.options = options;
    this.cast = cast;
    this.call = call;
    this.trace = trace;
    this.placeholder = placeholder;
  }

  /** Whether it has a place in a causal order, in another incarnation of its receiver than that. */
  isForAnother(incarnation: number): boolean {
    return this.causal !== undefined && this.causal.stamp.to !== participantKey(this.node, incarnation);
  }

  /** Settles when the message does. Asked for once; who does not ask is not told. */
  settled(): Promise<void> {
    this.awaited = true;
    return new Promise((resolve) => this.#resolve = resolve);
  }

  /** It was acknowledged, or, with an error, given up. */
  settle(error?: Error): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    // To reject by resolving spares each message a function that nearly none needs.
    resolve?.(error === undefined ? undefined : Promise.reject(error));
  }
}
