// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../../connections/connection.ts";
import type { ConnectionPool } from "../../connections/connection_pool.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL, type Peer, slotKey } from "../../connections/peer.ts";
import type { LocalRuntime } from "../../runtime/runtime.ts";
import type { PayloadCodec } from "../../wire/payload_codec.ts";
import { NotConnectedError, PartitionedError } from "../errors.ts";
import type { SendOptions } from "../outbound.ts";
import { Loopback } from "./loopback.ts";
import type { StreamEnd } from "./stream_end.ts";
import { RoomPool } from "./room_pool.ts";
import { Halves, readNumber, type StreamForm, type StreamOpening } from "./stream_frames.ts";
import { StreamLine } from "./stream_line.ts";
import { StreamShare } from "./stream_share.ts";

/** The feature of the hello by which a node says that it knows streams. */
const FEATURE = "streams";

/** Dependencies of {@linkcode Streams}. */
export interface StreamsOptions {
  readonly runtime: LocalRuntime;
  readonly pool: ConnectionPool;
  readonly codec: PayloadCodec;
  /** Name of this node. */
  readonly self: () => string;
  /** Streams that one node may have open here. */
  readonly streamsMax: number;
  readonly maxFrameBytes: number;
  /** Takes a stream that a node has opened. */
  readonly opened: (end: StreamEnd, opening: StreamOpening, from: StreamOrigin) => void;
}

/** Origin of a stream. */
export interface StreamOrigin {
  readonly node: string;
  readonly channel: string;
  /** Most bytes of a value. */
  readonly maxValueBytes: number;
}

/** Options that choose the connection of a stream. */
export type StreamRoute = Pick<SendOptions, "channel" | "fallback" | "partitionKey">;

/** The streams with one node. */
interface PeerStreams {
  readonly share: StreamShare;
  readonly lines: Map<string, StreamLine>;
}

/** The streams of a node: each keeps to one slot among the connections with its peer. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #peers = new WeakMap<Peer, PeerStreams>();
  readonly #lines = new WeakMap<Connection<Peer>, StreamLine>();
  readonly #ownShare: StreamShare;
  readonly #rooms = new RoomPool();
  #loopback: Loopback | null = null;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#ownShare = new StreamShare(options.streamsMax);
  }

  /** Ends of streams that are open, or hold something that was not read. */
  *ends(): Generator<StreamEnd> {
    yield* this.#ownShare.ends;
    for (const peer of this.#options.pool.peers.values()) yield* this.#peers.get(peer)?.share.ends ?? [];
  }

  /**
   * Opens a stream to a handler of a node. Resolves once it is accepted there.
   *
   * @param signal Gives up waiting for that.
   * @throws {NotConnectedError | PartitionedError | EncodeError | MessageTooLargeError | RangeError} When it cannot be asked for.
   * @throws What it was refused with.
   */
  async open(
    node: string,
    name: string,
    form: StreamForm,
    message: unknown,
    route: StreamRoute,
    signal: AbortSignal,
    trace?: Uint8Array,
  ): Promise<StreamEnd> {
    signal.throwIfAborted();
    const [line, maxFrameBytes, knowsTraces] = this.#lineTo(node, name, route);
    const encoded = line.encode(name, message, maxFrameBytes);
    const end = line.open(form);
    const abort = () => end.giveUp(Halves.both, signal.reason);
    signal.addEventListener("abort", abort);
    try {
      await end.open(name, encoded, knowsTraces ? trace : undefined);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    return end;
  }

  /** Takes a frame of a stream. */
  take(connection: Connection<Peer>, kind: number, buffer: Uint8Array, start: number, end: number): void {
    this.#lineOf(connection).take(connection, kind, buffer, start, end, connection.reader);
  }

  /** A partition has kept an opening back: its sender, which may not know of the partition, is told once something passes. */
  keptBack(connection: Connection<Peer>, buffer: Uint8Array, start: number, end: number): void {
    this.#lineOf(connection).noteLost(readNumber(buffer, start, end));
  }

  /** A connection has closed: its streams go on where another one has taken its slot, and end where it has none. */
  connectionClosed(connection: Connection<Peer>): void {
    const { peer, channel, index, handedOver } = connection;
    const line = this.#peers.get(peer)?.lines.get(slotKey(channel, index));
    if (line === undefined) return;
    const error = new NotConnectedError(`Cannot go on with the stream: a connection with "${peer.name}" closed`);
    if (peer.at(channel, index) === null) line.lose(error);
    else line.replaced(connection, handedOver ? undefined : error);
  }

  /** A node cannot be reached any more. */
  down(peer: Peer): void {
    if (!this.#peers.has(peer)) return;
    this.#giveUp(peer, new NotConnectedError(`Cannot go on with the stream: "${peer.name}" is gone`));
  }

  /** Partitions came or went. Frames that they kept back are lost, so streams across them end; that is said as soon as something passes. */
  partitionsChanged(): void {
    for (const peer of this.#options.pool.peers.values()) {
      if (!peer.partitioned) this.up(peer);
      else this.#giveUp(peer, new PartitionedError(`Cannot go on with the stream: "${peer.name}" is partitioned`));
    }
  }

  /** Something passes again. */
  up(peer: Peer): void {
    for (const line of this.#peers.get(peer)?.lines.values() ?? []) line.pump();
  }

  /** Says what is due where something passes again without a word: a slot may be filled anew while its channel stays up. */
  tick(): void {
    for (const peer of this.#options.pool.peers.values()) this.up(peer);
  }

  /** Ends all streams, and has the other sides told. */
  end(error: Error): void {
    for (const end of [...this.ends()]) end.giveUp(Halves.both, error);
  }

  /** Nothing more is opened. */
  stop(): void {
    this.#loopback?.close();
  }

  #giveUp(peer: Peer, error: Error): void {
    for (const line of this.#peers.get(peer)?.lines.values() ?? []) line.giveUp(error);
  }

  /** The line for a new stream, and the largest frame that it takes. */
  #lineTo(node: string, name: string, route: StreamRoute): [StreamLine, number, boolean] {
    const { pool, self, maxFrameBytes } = this.#options;
    if (node === self()) return [this.#own().near, maxFrameBytes, true];
    const what = `Cannot open a stream to "${name}" on "${node}"`;
    const { channel = DEFAULT_CHANNEL, partitionKey, fallback } = route;
    const peer = pool.peers.get(node);
    if (channel === MEMBERSHIP_CHANNEL) throw new RangeError(`${what}: channel "${channel}" is for control traffic`);
    if (peer?.partitioned) throw new PartitionedError(`${what}: an injected partition is in between`);
    const connection = peer === undefined || peer.silent ? null : peer.pick(channel, partitionKey, fallback);
    if (peer !== undefined && connection?.channel !== channel && !peer.hasChannel(channel)) {
      throw new RangeError(`${what}: channel "${channel}" is unknown; name it in "channels"`);
    }
    if (connection === null) {
      throw new NotConnectedError(`${what}: there is no direct connection, and no other node passes streams on`);
    }
    if (!connection.features.has(FEATURE)) {
      throw new DOMException(`${what}: its release does not know streams`, "NotSupportedError");
    }
    return [this.#lineOf(connection), connection.maxFrameBytes, connection.features.has("trace")];
  }

  #lineOf(connection: Connection<Peer>): StreamLine {
    let line = this.#lines.get(connection);
    if (line === undefined) this.#lines.set(connection, line = this.#lineAt(connection));
    return line;
  }

  #lineAt({ peer, channel, index, maxFrameBytes }: Connection<Peer>): StreamLine {
    const { pool, streamsMax } = this.#options;
    let streams = this.#peers.get(peer);
    if (streams === undefined) {
      this.#peers.set(peer, streams = { share: new StreamShare(streamsMax), lines: new Map() });
    }
    const key = slotKey(channel, index);
    const known = streams.lines.get(key);
    if (known !== undefined) return known;
    const line = new StreamLine({
      ...this.#common(peer.name, channel, maxFrameBytes),
      isEven: pool.selfName() < peer.name,
      carrier: () => peer.partitioned ? null : peer.at(channel, index),
      incarnation: () => peer.incarnation,
      share: streams.share,
    });
    streams.lines.set(key, line);
    return line;
  }

  #own(): Loopback {
    const { runtime, self, maxFrameBytes } = this.#options;
    return this.#loopback ??= new Loopback({
      ...this.#common(self(), DEFAULT_CHANNEL, maxFrameBytes),
      runtime,
      maxFrameBytes,
      share: this.#ownShare,
    });
  }

  #common(node: string, channel: string, maxValueBytes: number) {
    const { codec, runtime: { clock }, opened } = this.#options;
    return {
      node,
      codec,
      rooms: this.#rooms,
      now: () => clock.now(),
      opened: (end: StreamEnd, opening: StreamOpening) => opened(end, opening, { node, channel, maxValueBytes }),
    };
  }
}
