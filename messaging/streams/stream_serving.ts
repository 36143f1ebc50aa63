// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Tracing } from "../tracing.ts";
import { CHECKED_ELSEWHERE, checkOptions, type OptionKinds } from "../../runtime/options.ts";
import type { PayloadCodec } from "../../wire/payload_codec.ts";
import { UndecodableMessage } from "../../wire/payload_codec.ts";
import { NoHandlerError, OverloadedError } from "../errors.ts";
import type { Inbound } from "../inbound.ts";
import { RequestContext } from "../message_context.ts";
import { type HandlerOptions, type MessageContext, Registry } from "../registry.ts";
import { byteStreams, type StreamHalves } from "./byte_streams.ts";
import type { StreamEnd } from "./stream_end.ts";
import { Halves, type StreamOpening } from "./stream_frames.ts";
import type { StreamOrigin } from "./streams.ts";
import { isAsyncIterable, sendValues } from "./value_streams.ts";

/**
 * Takes the streams that are opened to a name. It may go on with both halves after it has returned. An error that it throws ends the stream: it becomes
 * an `error` event here, and ends both halves there.
 */
// deno-lint-ignore no-explicit-any -- the opener decides what a message is; a handler states what it expects
export type StreamHandler = (stream: StreamHalves, message: any, context: MessageContext) => unknown;

/** Options of a handler of streams. */
export interface StreamHandlerOptions extends Pick<HandlerOptions, "schema"> {
  /**
   * Maximum of open streams of the handler, 1 or more. A further one is refused: `openStream` rejects with `OverloadedError`.
   *
   * @default {as many as `maxStreams` of the node allows each peer}
   */
  readonly concurrency?: number | undefined;
}

const OPTIONS: OptionKinds<StreamHandlerOptions> = { concurrency: CHECKED_ELSEWHERE, schema: CHECKED_ELSEWHERE };

/** Dependencies of {@linkcode StreamServing}. */
export interface StreamServingOptions {
  readonly codec: PayloadCodec;
  /** Asks the handlers of messages for values. */
  readonly inbound: Pick<Inbound, "answer">;
  /** Handlers that values are asked of. */
  readonly messages: Registry;
  readonly tracing: Tracing;
  readonly handlerFailed: (name: string, from: string, error: unknown) => void;
}

/** Context of one stream at its handler. */
class StreamContext extends RequestContext {
  /** Halves that the handler of a stream of bytes is given. */
  stream: StreamHalves | null = null;
}

/** Leads streams that other nodes open to their handlers. */
export class StreamServing {
  readonly #options: StreamServingOptions;
  /** Handlers of streams, and how many streams each has open. */
  readonly #registry = new Registry(() => {}, () => {}, Infinity);

  constructor(options: StreamServingOptions) {
    this.#options = options;
  }

  /**
   * Gives a handler of streams a name.
   *
   * @throws {TypeError | RangeError} As for handlers of messages.
   */
  register(name: string, handler: StreamHandler, options?: StreamHandlerOptions): void {
    if (typeof handler !== "function" && typeof name === "string") {
      throw new TypeError(`Cannot register "${name}": the handler is ${typeof handler}, expected a function`);
    }
    const { concurrency, schema } = checkOptions(`Cannot register "${name}"`, options, OPTIONS);
    const take = (message: unknown, context: MessageContext) =>
      handler((context as StreamContext).stream!, message, context);
    this.#registry.register(name, take, { concurrency, schema });
  }

  /** Takes a name back. @returns Whether it was registered. */
  unregister(name: string): boolean {
    return this.#registry.unregister(name);
  }

  /** Leads a stream to its handler. */
  serve(
    end: StreamEnd,
    { form, name, message, trace }: StreamOpening,
    { node, channel, maxValueBytes }: StreamOrigin,
  ): void {
    const context = new StreamContext({ from: node, channel, cast: false, trace });
    // It is for the handler to listen, or not.
    end.closed.catch((reason) => context.abort(reason));
    if (message instanceof UndecodableMessage) return end.giveUp(Halves.both, message.error);
    if (form === "bytes") this.#serveBytes(end, name, message, context);
    else void this.#serveValues(end, name, message, context, maxValueBytes);
  }

  #serveBytes(end: StreamEnd, name: string, message: unknown, context: StreamContext): void {
    const { workload } = this.#registry;
    const handler = this.#registry.whereis(name);
    if (handler === undefined) {
      return end.giveUp(Halves.both, new NoHandlerError(`No handler of streams is registered as "${name}"`));
    }
    if (!workload.hasRoom(name)) {
      return end.giveUp(Halves.both, new OverloadedError(`The handler "${name}" has no room for another stream`));
    }
    workload.begin(name);
    end.closed.catch(() => {}).finally(() => workload.end(name));
    context.stream = byteStreams(end);
    end.accept();
    const failed = (error: unknown) => this.#failed(end, name, context, error);
    try {
      const { tracer } = this.#options.tracing;
      const result = tracer === null
        ? handler(message, context)
        : tracer.process(name, context, context.trace, () => handler(message, context));
      Promise.resolve(result).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  async #serveValues(
    end: StreamEnd,
    name: string,
    message: unknown,
    context: StreamContext,
    maxValueBytes: number,
  ): Promise<void> {
    const { codec, inbound, messages: { workload } } = this.#options;
    let values: unknown;
    try {
      values = await inbound.answer(name, message, context);
      if (!isAsyncIterable(values)) throw new TypeError(`The handler "${name}" returned no AsyncIterable: call it`);
    } catch (error) {
      return end.giveUp(Halves.both, error);
    }
    end.accept();
    workload.begin(name);
    try {
      await sendValues(end, values, codec, maxValueBytes);
    } catch (error) {
      this.#failed(end, name, context, error);
    } finally {
      workload.end(name);
    }
  }

  #failed(end: StreamEnd, name: string, { from, aborted }: StreamContext, error: unknown): void {
    // A handler that stumbles over the end of its stream has not failed.
    const isToTell = !aborted && !end.endedBy(error);
    end.giveUp(Halves.both, error);
    if (isToTell) this.#options.handlerFailed(name, from, error);
  }
}
