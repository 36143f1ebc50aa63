// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Timer } from "../runtime/runtime.ts";
import type { Runtime } from "../transport/runtime.ts";
import { decompressBatch } from "./compression.ts";
import { Confirmation } from "./confirmation.ts";
import type { SocketMark } from "./early/early_frames.ts";
import type { EarlyStream } from "./early/early_stream.ts";
import { FrameKind, isMessage } from "../wire/frame_kind.ts";
import { type FrameReader, ProtocolError } from "../wire/frame_reader.ts";
import type { ReadingRoom } from "./reading_room.ts";
import { NO_FEATURES } from "./handshake/introduction.ts";
import type { Session } from "./handshake/session.ts";
import { Outlet } from "./outlet.ts";
import { SendQueue } from "./send_queue.ts";
import type { NodeIncarnation } from "../wire/node_spec.ts";
import { UnconfirmedMessages } from "./unconfirmed_messages.ts";
import type { Address } from "../wire/address.ts";
import type { Traffic } from "./traffic.ts";
import { RecentMap } from "../runtime/recent_map.ts";
import type { ByteStream, PeerCertificate } from "../transport/transport.ts";
import type { WriterPool } from "./writer_pool.ts";

/** A frame that has begun may take so long, whatever its size: longer than a process that is looked at in a debugger, or moved, stands still. */
const FRAME_MS_MAX = 120_000;
/** Beyond that a frame has to come at this rate at least: 16 KiB a second. */
const FRAME_BYTES_PER_MS_MIN = 16;
/** Maximum that the time between two looks counts for. */
const LOOK_MS_MAX = 5_000;

/** Bounds and habits of a connection. */
export interface ConnectionOptions {
  /** Largest frame, in bytes, without its 4 bytes of length. */
  readonly maxFrameBytes: number;
  /**
   * Frames of so many bytes pass, whatever either side takes at most: what nodes say to each other on their own account must always be said.
   *
   * @default {0}
   */
  readonly leastFrameBytes?: number | undefined;
  /** Bytes that may wait to be sent. */
  readonly maxQueuedBytes: number;
  /** Bytes above which senders are asked to wait. */
  readonly highWaterMark: number;
  /** Whether large batches are deflated. */
  readonly compression: boolean;
  /**
   * Pool of the queue's writers.
   *
   * @default {a pool of its own}
   */
  readonly writers?: WriterPool | undefined;
  /**
   * Counters of the frames and bytes that go over it.
   *
   * @default {nowhere}
   */
  readonly traffic?: Traffic | undefined;
  /**
   * Agreement of both ends in the handshake.
   *
   * @default {nothing}
   */
  readonly session?: Pick<Session, "version" | "features" | "maxFrameBytes"> | undefined;
}

/** Part of the peer that its connections use. */
export interface ConnectionOwner extends NodeIncarnation {
  /** Bounds what is held of half-read frames, if anything does. */
  readonly readingRoom: ReadingRoom | undefined;
}

/** Identity of a connection among those of the same pair of nodes. */
export interface ConnectionIdentity<P extends ConnectionOwner = ConnectionOwner> {
  /** The other node. */
  readonly peer: P;
  /** The channel that it carries. */
  readonly channel: string;
  /** Index among the channel's parallel connections, from 0. */
  readonly index: number;
  /** Number of the dial that made it, among the dialer's. */
  readonly dial: number;
  /** Whether this node dialed it. */
  readonly outbound: boolean;
  /**
   * Epoch of this node's secrets and certificates that it stands on: a greater number means later ones.
   *
   * @default {0}
   */
  readonly epoch?: number | undefined;
  /**
   * Its stream, where that has no socket yet.
   *
   * @default {null}
   */
  readonly early?: EarlyStream | null;
}

/** Receiver of a connection's frames. */
export interface ConnectionHandler<P extends ConnectionOwner = ConnectionOwner> {
  /** Takes a frame that carries no message; the body is `buffer[start, end)`, valid during the call only unless the connection's reader retains it. Nothing more is read until a promise that it returns has resolved. */
  frame(connection: Connection<P>, kind: number, buffer: Uint8Array, start: number, end: number): void | Promise<void>;
  /** Takes a frame that carries a message. Nearly all frames do, so they have a way of their own. */
  readonly message: ConnectionHandler<P>["frame"];
  /** The connection is closed, by whatever side; `error` says why when it was not meant to happen. */
  closed(connection: Connection<P>, error: unknown): void;
}

/** Progress of a connection that drains. */
interface Draining {
  /** Whether the word that nothing more follows is in the queue. */
  told: boolean;
  /** Bytes written and read when it was last looked at. */
  progress: number;
  /** Settled when it is closed. */
  readonly over: PromiseWithResolvers<void>;
}

/** An open connection to a known node: frames in, frames out. */
export class Connection<P extends ConnectionOwner = ConnectionOwner> implements ConnectionIdentity<P> {
  readonly peer: P;
  readonly channel: string;
  readonly index: number;
  /** Frames on their way out. */
  readonly queue: SendQueue;
  /** Cuts what comes in into frames. */
  readonly reader: FrameReader;
  /** Largest frame that may be sent, in bytes, without its 4 bytes of length: what this node takes, and the other one takes. */
  readonly maxFrameBytes: number;
  /** The largest frame of a channel of messages that the other side takes, in bytes, without its 4 bytes of length. */
  readonly takenThere: number;
  /** The version of the protocol that both ends speak; 0 where there was no handshake. */
  readonly version: number;
  /** Features of both ends beyond it. */
  readonly features: ReadonlySet<string>;
  /** Names of the handlers by the numbers that the other side uses. */
  readonly namesIn: unknown[] = [];
  /** Whether it is in doubt that anything still comes through, though it looks open. Only a frame heard over it ends that. */
  doubtful = false;
  /** Counters of the frames and bytes that go over it. */
  readonly traffic: Traffic | undefined;
  /** Whether the other side owes the word that it reads it: what is put into it seems to come to nothing. Only that word ends it. */
  mute = false;
  /** Bytes that the other side is known to have read. */
  readonly confirmation: Confirmation = new Confirmation();
  /** Messages that are lost when it closes now, unless the other side has read it and could not say so. */
  readonly unconfirmed: UnconfirmedMessages = new UnconfirmedMessages();
  /** Milliseconds on the local clock at which it opened. */
  readonly openedAt: number;
  readonly #stream: ByteStream;
  readonly #handler: ConnectionHandler<P>;
  readonly #runtime: Runtime;
  readonly #isCompressing: boolean;
  readonly #giveWay = () => this.#runtime.giveWay?.();
  #namesOut: Map<string, number> | undefined;
  readonly #handshakeBytes: number;
  #dial: number;
  #outbound: boolean;
  #epoch: number;
  #early: EarlyStream | null;
  #halfRead: { readonly begin: number; age: number } | null = null;
  #closed = false;
  #draining: Draining | null = null;
  #drain: Timer | null = null;
  /** Whether the other side has another connection in its slot. */
  replacedThere = false;
  #isReadOut = false;
  #successors: Connection[] | undefined;
  #handedOver = false;
  #held = false;
  #isWaiting = false;
  #messagesRead = 0;

  constructor(
    identity: ConnectionIdentity<P>,
    stream: ByteStream,
    reader: FrameReader,
    handler: ConnectionHandler<P>,
    runtime: Runtime,
    options: ConnectionOptions,
  ) {
    this.peer = identity.peer;
    this.channel = identity.channel;
    this.index = identity.index;
    this.#dial = identity.dial;
    this.#outbound = identity.outbound;
    this.#epoch = identity.epoch ?? 0;
    this.#early = identity.early ?? null;
    const { version = 0, features = NO_FEATURES, maxFrameBytes = Infinity } = options.session ?? {};
    this.version = version;
    this.features = features;
    this.takenThere = maxFrameBytes;
    const takenHere = Math.max(options.maxFrameBytes, options.leastFrameBytes ?? 0);
    this.maxFrameBytes = Math.min(takenHere, Math.max(maxFrameBytes, options.leastFrameBytes ?? 0));
    this.openedAt = runtime.clock.now();
    this.traffic = options.traffic;
    this.#stream = stream;
    this.#handler = handler;
    this.#runtime = runtime;
    this.reader = reader;
    this.#handshakeBytes = reader.position;
    this.reader.maxFrameBytes = takenHere;
    this.reader.budget = identity.peer.readingRoom?.for(this);
    this.#isCompressing = options.compression;
    this.queue = new SendQueue(new Outlet(this, stream, runtime, options, options.traffic?.of(identity.channel).waits));
  }

  /** Bytes that came over it since its handshake. */
  get bytesIn(): number {
    return this.reader.bytesRead - this.#handshakeBytes;
  }

  /** Bytes that went over it since its handshake. */
  get bytesOut(): number {
    return this.queue.bytesWritten;
  }

  /** Handler numbers that this side has given, by name. */
  get namesOut(): Map<string, number> {
    return this.#namesOut ??= new RecentMap();
  }

  /** Number of the dial that made it, among the dialer's; 0 as long as it has no socket. */
  get dial(): number {
    return this.#dial;
  }

  /** Whether this node dialed it, or what carries it. */
  get outbound(): boolean {
    return this.#outbound;
  }

  /** Epoch of this node's secrets and certificates that it stands on: a greater number means later ones. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Its stream, as long as that has no socket: the membership connection carries its bytes. */
  get early(): EarlyStream | null {
    return this.#early;
  }

  /** Address of the other end, as seen from here. */
  get remoteAddress(): Address {
    return this.#stream.remoteAddress;
  }

  /** The certificate of the other end. Left out where the transport knows of none. */
  get certificate(): PeerCertificate | undefined {
    return this.#stream.certificate;
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it takes no new messages: it closes once both sides have read what is under way. */
  get draining(): boolean {
    return this.#draining !== null;
  }

  /** Whether this node does not read it at present: a handler has no room, or another connection has to be read first. It is alive all the same. */
  get held(): boolean {
    return this.#held || this.#isWaiting;
  }

  /** Messages that were read, and handed over, as a number of 32 bits. */
  get messagesRead(): number {
    return this.#messagesRead;
  }

  /** Whether the other side has read all that was ever put into the queue, and said so. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  /**
   * Has both sides read what is under way, then closes: another connection has taken its slot. The dialer says first that nothing
   * more follows; the acceptor has read everything when it reads that, and answers; the dialer has when it reads the answer, says so, and closes.
   * So each side knows that the other one has read all.
   *
   * @param patience Milliseconds without progress after which it is closed all the same.
   */
  drain(patience: number): void {
    if (this.#closed || this.#draining !== null) return;
    this.#draining = { told: false, progress: -1, over: Promise.withResolvers() };
    const isLost = this.inDoubt;
    const look = () => {
      // What is written into a connection that carries nothing is no progress.
      const progress = this.reader.bytesRead + (isLost ? 0 : this.queue.bytesWritten);
      if (this.#draining?.progress === progress && !this.held) return this.close();
      this.#draining = { ...this.#draining!, progress };
      this.#drain = this.#runtime.clock.schedule(patience, look);
    };
    look();
    if (this.outbound || this.replacedThere) this.#tellDrain();
  }

  /**
   * Has its bytes take a socket of their own from now on.
   *
   * @param rest Bytes that were read from the socket already.
   */
  moveTo(stream: ByteStream, rest: Uint8Array, mark: SocketMark, epoch: number): void {
    const early = this.#early!;
    this.#early = null;
    this.#dial = mark.dial;
    this.#outbound = mark.outbound;
    this.#epoch = epoch;
    early.attach(stream, rest, mark);
  }

  /** Whether it is to be replaced: what goes in, or what should come out, seems to be lost. */
  get inDoubt(): boolean {
    return this.doubtful || this.mute;
  }

  /** Tells the other side that all that it sent before its probe has been read. */
  answerProbe(number: number): void {
    if (!this.#closed && !this.#draining?.told) this.confirmation.takeProbe(this, number);
  }

  /** Takes the other side's word of what it has read. @returns Whether that is all that it was asked for. */
  takeProbed(number: number, messages: number): boolean {
    this.unconfirmed.confirm(messages);
    // After its word that nothing more follows, the dialer says only one thing more.
    if (!this.outbound && this.replacedThere && this.#draining?.told) this.#handedOver = true;
    return this.confirmation.takeProbed(number);
  }

  /** Resolves when the other side is known to have read all that was sent before, or it is closed. */
  reached(): Promise<void> {
    if (this.#closed || !this.#isAsked) return Promise.resolve();
    return this.#draining?.over.promise ?? this.confirmation.reached(this);
  }

  /** Tells the other side what this one has read, before it is closed. */
  tellRead(): void {
    if (!this.#closed && !this.#draining?.told && this.#isAsked && this.confirmation.hasNews(this)) {
      this.confirmation.tell(this);
    }
  }

  /** Takes the other side's word that nothing more follows. This side answers once it drains as well. */
  takeDrain(): void {
    if (this.outbound && this.#draining?.told) {
      // The acceptor has read everything, and learns now that this side has.
      this.#handedOver = true;
      this.unconfirmed.take();
      if (!this.#isAsked) return this.close();
      this.confirmation.tell(this);
      this.queue.flushed().then(() => this.close());
      return;
    }
    this.#readOut();
    this.replacedThere = true;
    if (this.draining) this.#tellDrain();
  }

  /**
   * Starts to hand frames to the handler.
   *
   * @param predecessor A connection whose frames come first, if there are any left: the order of messages outlives their connection.
   */
  start(predecessor?: Connection): void {
    if (predecessor === undefined || predecessor.#isReadOut) this.#run();
    else {
      (predecessor.#successors ??= []).push(this);
      this.#isWaiting = true;
    }
  }

  /**
   * Looks how long a frame has been under way, and closes when that is too long. Called now and then.
   *
   * @param elapsed Milliseconds since the last look.
   */
  look(elapsed: number): void {
    const frame = this.#closed || this.held ? null : this.reader.halfRead;
    if (frame === null || frame.begin !== this.#halfRead?.begin) {
      this.#halfRead = frame && { begin: frame.begin, age: 0 };
      return;
    }
    // A look that comes late shows that this node was busy, or stopped, not that the frame is.
    this.#halfRead.age += Math.min(elapsed, LOOK_MS_MAX);
    if (this.#halfRead.age < FRAME_MS_MAX + frame.length / FRAME_BYTES_PER_MS_MIN) return;
    const seconds = Math.round(this.#halfRead.age / 1_000);
    this.close(new ProtocolError(`Cannot read a frame: it began ${seconds} s ago, and its end has not come`));
  }

  /** Closes at once; what waits to be sent is dropped. */
  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drain?.cancel();
    this.queue.close();
    this.confirmation.close();
    this.#draining?.over.resolve();
    this.reader.budget?.give();
    this.#stream.close();
    this.#handler.closed(this, reason);
    this.#readOut();
  }

  /** Nothing more is read from it: those that follow have their turn. */
  #readOut(): void {
    this.#isReadOut = true;
    for (const successor of this.#successors?.splice(0) ?? []) successor.#run();
  }

  /** Whether both sides know how to ask for what was read. */
  get #isAsked(): boolean {
    return this.features.has("probe");
  }

  #tellDrain(): void {
    if (this.#closed || this.#draining === null || this.#draining.told || !this.features.has("drain")) return;
    this.#draining.told = true;
    this.queue.begin(FrameKind.drain);
    this.queue.commit();
  }

  async #run(): Promise<void> {
    this.#isWaiting = false;
    if (this.#closed) return;
    try {
      await this.reader.run(this.#sink, this.#giveWay);
      this.close();
    } catch (error) {
      this.close(error);
    }
  }

  readonly #sink = (kind: number, buffer: Uint8Array, start: number, end: number): void | Promise<void> => {
    if (this.#closed) return;
    if (isMessage(kind)) return this.#handed(this.#handler.message(this, kind, buffer, start, end));
    if (kind === FrameKind.compressed) return this.#takeCompressed(buffer.subarray(start, end));
    const pending = this.#handler.frame(this, kind, buffer, start, end);
    if (pending !== undefined) return this.#hold(pending);
  };

  async #hold(pending: Promise<void>): Promise<void> {
    this.#held = true;
    await pending;
    this.#held = false;
  }

  /** A message counts as read once its handler was given it. */
  #handed(pending: void | Promise<void>): void | Promise<void> {
    if (pending !== undefined) return this.#hold(pending).then(() => this.#handed());
    this.#messagesRead = (this.#messagesRead + 1) >>> 0;
  }

  async #takeCompressed(body: Uint8Array): Promise<void> {
    if (!this.#isCompressing) {
      throw new ProtocolError(`Cannot read a batch: channel "${this.channel}" is not compressed on both sides`);
    }
    const frames = await decompressBatch(this.#runtime, body, this.reader.maxFrameBytes);
    await this.reader.takeBatch(frames, this.#sink, this.#giveWay);
  }
}
