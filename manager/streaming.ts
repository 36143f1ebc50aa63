// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type ByteStreamPair, byteStreams } from "../messaging/streams/byte_streams.ts";
import { Halves, type StreamForm } from "../messaging/streams/stream_frames.ts";
import { StreamServing } from "../messaging/streams/stream_serving.ts";
import { type StreamRoute, Streams } from "../messaging/streams/streams.ts";
import { readValues } from "../messaging/streams/value_streams.ts";
import { StoppedError } from "../messaging/errors.ts";
import type { StreamEnd } from "../messaging/streams/stream_end.ts";
import type { Tracing } from "../messaging/tracing.ts";
import type { Connection } from "../connections/connection.ts";
import type { Peer } from "../connections/peer.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { checkOptions } from "../runtime/options.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { type Addressed, addressed } from "./arguments.ts";
import { FORWARD_OPTIONS } from "./forward_options.ts";
import type { FrameHandler } from "./frame_router.ts";
import type { NodeContext } from "./node_context.ts";
import type { NodeMessaging } from "./node_messaging.ts";
import type { Part } from "./part.ts";

/** Options of a stream. */
export interface StreamOptions extends StreamRoute {
  /**
   * Ends the stream, at any time, once aborted.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds after which to give up waiting until it is open.
   *
   * @default {none: until the node goes down}
   */
  readonly timeout?: number | undefined;
}

/** The streams of a node so far, and at present. */
export interface StreamStats {
  /** Streams that are open, those to and from this node itself counted at both ends. */
  readonly open: number;
  /** Bytes that came in and were not read. */
  readonly heldBytes: number;
  /** Bytes that the other ends may send before anything is read. */
  readonly windowBytes: number;
}

const ACTION = "Cannot open a stream";

const KINDS = [
  FrameKind.streamOpen,
  FrameKind.streamAccept,
  FrameKind.streamData,
  FrameKind.streamCredit,
  FrameKind.streamEnd,
  FrameKind.streamReset,
];

/** Part of the messaging that streams share. */
type StreamingSurroundings = Pick<NodeMessaging, "inbound" | "registry" | "tracing">;

/** The part of a node that carries streams. */
export class Streaming implements Part {
  readonly frames: Iterable<readonly [FrameKind, FrameHandler]>;
  readonly #context: NodeContext;
  readonly #tracing: Tracing;
  readonly #serving: StreamServing;
  readonly #streams: Streams;

  constructor(context: NodeContext, { inbound, registry, tracing }: StreamingSurroundings) {
    const { codec, runtime, pool, settings: { maxFrameBytes, maxStreams }, emit } = context;
    this.#context = context;
    this.#tracing = tracing;
    this.#serving = new StreamServing({
      codec,
      inbound,
      messages: registry,
      tracing,
      handlerFailed: (name, from, error) =>
        emit("error", { error, node: from, during: `handling a stream to "${name}"` }),
    });
    this.#streams = new Streams({
      runtime,
      pool,
      codec,
      self: () => context.self.name,
      streamsMax: maxStreams,
      maxFrameBytes,
      opened: (...opened) => this.#serving.serve(...opened),
    });
    const take = (kind: FrameKind): FrameHandler => (connection, buffer, start, end) =>
      this.#streams.take(connection, kind, buffer, start, end);
    this.frames = KINDS.map((kind) => [kind, take(kind)]);
  }

  /** The handlers of streams. */
  get handlers(): Pick<StreamServing, "register" | "unregister"> {
    return this.#serving;
  }

  /** Counters of streams. */
  get stats(): StreamStats {
    let open = 0, heldBytes = 0, windowBytes = 0;
    for (const end of this.#streams.ends()) {
      open++;
      heldBytes += end.heldBytes;
      windowBytes += end.windowBytes;
    }
    return { open, heldBytes, windowBytes };
  }

  /** Opens a stream of bytes. */
  async open(
    node: string | NodeSpec,
    name: string,
    message: unknown,
    options: StreamOptions | undefined,
  ): Promise<ByteStreamPair> {
    const to = addressed(ACTION, node, name, message);
    return byteStreams(await this.#open(to, "bytes", checkOptions(ACTION, options, FORWARD_OPTIONS)));
  }

  /** Asks a handler for values. Nothing is sent before the first one is asked for. */
  values(
    node: string | NodeSpec,
    name: string,
    message: unknown,
    options: StreamOptions | undefined,
  ): AsyncGenerator<unknown> {
    const to = addressed(ACTION, node, name, message);
    return this.#values(to, checkOptions(ACTION, options, FORWARD_OPTIONS));
  }

  /** A partition has kept a frame back. */
  keptBack(connection: Connection<Peer>, kind: number, buffer: Uint8Array, start: number, end: number): void {
    if (kind === FrameKind.streamOpen) this.#streams.keptBack(connection, buffer, start, end);
  }

  peerUp(peer: Peer): void {
    this.#streams.up(peer);
  }

  peerDown(peer: Peer): void {
    this.#streams.down(peer);
  }

  connectionClosed(connection: Connection<Peer>): void {
    this.#streams.connectionClosed(connection);
  }

  partitionsChanged(): void {
    this.#streams.partitionsChanged();
  }

  periodic(): void {
    this.#streams.tick();
  }

  restart(): void {
    const { name } = this.#context.self;
    this.#streams.end(new StoppedError(`Cannot go on with the stream: "${name}" has left the cluster`));
  }

  stopping(): void {
    const { name } = this.#context.self;
    this.#streams.end(new StoppedError(`Cannot go on with the stream: "${name}" was stopped`));
  }

  stop(): void {
    this.#streams.stop();
  }

  async *#values(to: Addressed, options: StreamOptions): AsyncGenerator<unknown> {
    const { codec, settings: { maxFrameBytes } } = this.#context;
    yield* readValues(await this.#open(to, "values", options), codec, maxFrameBytes);
  }

  async #open(to: Addressed, form: StreamForm, options: StreamOptions): Promise<StreamEnd> {
    const { runtime: { clock } } = this.#context;
    const { signal, timeout } = options;
    this.#context.checkRunning("open a stream");
    const what = `Cannot open a stream to "${to.name}" on "${to.node}"`;
    if ((options as { readonly transitive?: unknown }).transitive) {
      throw new DOMException(`${what}: no other node passes streams on`, "NotSupportedError");
    }
    const until = { signal: this.#context.untilStopped(signal), timeout };
    const { node, name, message = null } = to;
    const opened = { operation: "open", node, name, channel: options.channel } as const;
    const end = await this.#tracing.follow(opened, (trace) => {
      const open = (ended: AbortSignal) => this.#streams.open(node, name, form, message, options, ended, trace);
      return withDeadline(clock, until, what, open);
    });
    if (signal !== undefined) endWith(signal, end);
    return end;
  }
}

/** Has a signal end a stream. */
function endWith(signal: AbortSignal, end: StreamEnd): void {
  const abort = () => end.giveUp(Halves.both, signal.reason);
  if (signal.aborted) return abort();
  signal.addEventListener("abort", abort);
  end.closed.catch(() => {}).finally(() => signal.removeEventListener("abort", abort));
}
