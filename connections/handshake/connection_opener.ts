// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../../wire/node_spec.ts";
import type { Slowness } from "../../runtime/local_health.ts";
import type { Runtime } from "../../transport/runtime.ts";
import { HalfOpen } from "../acceptor/half_open.ts";
import { type DialFailure, dialFailure } from "../dialer/dial_failure.ts";
import { dialTrouble } from "./dial_trouble.ts";
import { type Attempt, race } from "../dialer/race.ts";
import { FrameReader } from "../../wire/frame_reader.ts";
import { HandshakeLimits } from "./handshake_limits.ts";
import { acceptHandshake, dialHandshake, HANDSHAKE_FRAME_BYTES, isMalformed, refuseMalformed } from "./handshake.ts";
import { handshakeDecoder, refuse } from "./handshake_frames.ts";
import type { ConnectionRequest } from "./introduction.ts";
import type { AcceptorDecisions, ClusterIdentity, Session } from "./session.ts";
import type { HandshakeTimes } from "../traffic.ts";
import type { WriterPool } from "../writer_pool.ts";
import { HandshakeRefusedError, isFinal, type Refusal, type RefusalCode } from "./refusal.ts";
import type { SharedSecrets } from "./shared_secrets.ts";
import type { ByteStream } from "../../transport/transport.ts";
import type { Address } from "../../wire/address.ts";

/** Over TLS, even to say no means to wait for a client that may never say anything: so many are told at a time. */
const TURNED_AWAY_MAX = 64;

/** A stream whose two ends know and trust each other. */
export interface OpenedStream extends Session {
  /** {@linkcode ConnectionOpener.epoch}, as it was when its handshake began. */
  readonly epoch: number;
}

/** Counters of a {@linkcode ConnectionOpener}. */
export interface OpenerStats {
  /** Streams accepted, whatever became of them. */
  accepted: number;
  /** Dials tried. */
  dials: number;
  /** Dials that did not lead to a connection. */
  dialFailures: number;
  /** Streams that were closed because too many had not finished their handshake. */
  overloaded: number;
  /** Streams that did not finish their handshake in time. */
  handshakeTimeouts: number;
  /** Accepted streams that did not speak the protocol. */
  protocolErrors: number;
  /** Dialers that were refused here, by reason. */
  refused: Partial<Record<RefusalCode, number>>;
  /** Dials from here that were refused, by reason: part of `dialFailures`. */
  refusedThere: Partial<Record<RefusalCode, number>>;
  /** Dials that failed otherwise, by reason: the rest of `dialFailures`. */
  failed: Partial<Record<DialFailure, number>>;
}

/** Settings of a {@linkcode ConnectionOpener}. */
export interface ConnectionOpenerOptions {
  readonly runtime: Runtime;
  readonly identity: ClusterIdentity;
  /** Whether the other end of a stream is the node that it claims to be, and may be a peer; without it, every claim is believed. */
  readonly identify?: ((stream: ByteStream, spec: NodeSpec) => Promise<Refusal | null>) | undefined;
  /** Milliseconds in which a connection must be open, handshake included. */
  readonly handshakeTimeout: number;
  /**
   * Local health of this node: handshakes get more time while its timers are late.
   *
   * @default {in time}
   */
  readonly health?: Slowness | undefined;
  /** Most accepted streams that may be without a finished handshake at a time. */
  readonly halfOpenMax: number;
  /** Whether members are known to be at a host; without it, none are. */
  readonly isMemberHost?: ((hostname: string) => boolean) | undefined;
  /** Told about each dialer that was refused here: why, where it is, and the node that it claims to be, as far as it said so. */
  readonly refused?: ((code: RefusalCode, reason: string, at: Address, node?: string) => void) | undefined;
  /**
   * Told how long handshakes took.
   *
   * @default {none}
   */
  readonly handshakes?: HandshakeTimes | undefined;
  /**
   * Pool of writers that put sealed records together.
   *
   * @default {a pool for each stream}
   */
  readonly writers?: WriterPool | undefined;
}

/** Signal that gives a dial up, and the receiver of its outcome. */
export interface DialOptions {
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each attempt at an address that came to nothing, where no other one succeeds. */
  readonly failed?: ((error: Error) => void) | undefined;
  /** Told when an address has taken the connection: what follows is the handshake. */
  readonly accepted?: (() => void) | undefined;
  /**
   * Whether the handshake may take twice as long: the node there seems to have much to do, and a dial that is given up and begun again gives it more.
   *
   * @default {false}
   */
  readonly isPatient?: boolean | undefined;
}

/** Credentials of this node at the time when a handshake begins. */
interface Trust {
  readonly identity: ClusterIdentity;
  readonly epoch: number;
}

/** An attempt of a dial, and who is told why it came to nothing. */
interface WatchedAttempt extends Attempt {
  readonly isPatient: boolean;
  told(trouble: Error): void;
}

/** Turns streams into trusted ones, in both roles: with a deadline, and with a bound on how many are at it. */
export class ConnectionOpener {
  readonly stats: OpenerStats = {
    accepted: 0,
    dials: 0,
    dialFailures: 0,
    overloaded: 0,
    handshakeTimeouts: 0,
    protocolErrors: 0,
    refused: {},
    refusedThere: {},
    failed: {},
  };
  readonly #options: ConnectionOpenerOptions;
  readonly #limits: HandshakeLimits;
  #identity: ClusterIdentity;
  #epoch = 0;
  readonly #halfOpen: HalfOpen;
  readonly #decoder = handshakeDecoder();
  #turnedAway = 0;

  constructor(options: ConnectionOpenerOptions) {
    const { runtime, handshakeTimeout } = options;
    this.#options = options;
    this.#identity = options.identity;
    this.#halfOpen = new HalfOpen({
      max: options.halfOpenMax,
      patience: handshakeTimeout / 5,
      isMemberHost: options.isMemberHost ?? (() => false),
      now: () => runtime.clock.now(),
    });
    const expired = () => void this.stats.handshakeTimeouts++;
    this.#limits = new HandshakeLimits(runtime.clock, handshakeTimeout, expired, options.health);
  }

  /** Epoch of the secrets and certificates that handshakes which begin now stand on: a greater number means later ones. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Begins another epoch: the transport has other certificates now, or these are the secrets. */
  beginEpoch(secrets: SharedSecrets = this.#identity.secrets): void {
    this.#identity = { ...this.#identity, secrets };
    this.#epoch++;
  }

  /**
   * Dials the addresses, each soon after the one before it, until one answers as asked.
   *
   * @throws {HandshakeRefusedError} When the node there refuses, or is not the one that was meant.
   * @throws When none of the addresses answers in time, or `signal` is aborted.
   */
  async dial(
    addresses: readonly Address[],
    request: ConnectionRequest,
    { signal, failed, accepted, isPatient = false }: DialOptions = {},
  ): Promise<OpenedStream & { spec: NodeSpec }> {
    this.stats.dials++;
    const troubles: Error[] = [];
    const tell = () => troubles.splice(0).forEach((trouble) => failed?.(trouble));
    const told = (trouble: Error) => {
      troubles.push(trouble);
      // A caller that gives up is told at once: to let go of a socket may take a while.
      if (signal?.aborted) tell();
    };
    const watched = ({ signal, reached }: Attempt): WatchedAttempt => ({
      signal,
      isPatient,
      told,
      reached() {
        reached();
        accepted?.();
      },
    });
    const { clock } = this.#options.runtime;
    const run = (address: Address, attempt: Attempt) => this.#dialWithSecrets(address, request, watched(attempt));
    const endsAll = (error: unknown) => error instanceof HandshakeRefusedError && isFinal(error.refusal, request.to);
    try {
      return await race(addresses, run, { clock, signal, isFinal: endsAll, discard: ({ stream }) => stream.close() });
    } catch (error) {
      this.#dialFailed(error);
      tell();
      throw error ?? new Error(`Cannot dial "${request.to}": it has no address`);
    }
  }

  /**
   * Answers a stream that was accepted.
   *
   * @returns The open stream and what it is for, or `null` when it came to nothing; that is counted.
   */
  async accept(
    stream: ByteStream,
    self: NodeSpec,
    admit: AcceptorDecisions["admit"],
    isOccupied: (request: ConnectionRequest) => boolean = () => false,
    isWanted?: AcceptorDecisions["isWanted"],
  ): Promise<OpenedStream & { request: ConnectionRequest } | null> {
    this.stats.accepted++;
    let claimed: string | undefined;
    const introduced = ({ name }: NodeSpec) => void (claimed = name);
    const madeRoom = () => {
      this.#countOverload(stream);
      stream.close();
    };
    const slot = this.#halfOpen.enter(stream.remoteAddress.hostname, madeRoom);
    if (slot === null) {
      await this.#turnAway(stream, this.#countOverload(stream));
      return null;
    }
    const { runtime, writers, handshakes } = this.#options;
    const identity = this.#identity;
    const epoch = stream.outdated ? this.#epoch - 1 : this.#epoch;
    const begunAt = this.#now();
    let limit: Disposable | undefined;
    try {
      limit = this.#limits.begin(() => stream.close());
      const reader = new FrameReader(stream, HANDSHAKE_FRAME_BYTES);
      const end = { stream, reader, identity, runtime, writers, decoder: this.#decoder };
      const identified = this.#identifying(stream, admit);
      const decisions = { spec: self, introduced, admit: identified, isOccupied, isWanted };
      const session = await acceptHandshake(end, decisions);
      if (session !== null) handshakes?.acceptor.record(this.#now() - begunAt);
      if (session !== null) return { ...session, epoch };
    } catch (error) {
      if (isMalformed(error)) await refuseMalformed(stream, identity, error);
      this.#count(error, stream.remoteAddress, claimed);
    } finally {
      limit?.[Symbol.dispose]();
      slot[Symbol.dispose]();
    }
    stream.close();
    return null;
  }

  /** Gives up every handshake under way, and those to come. */
  stop(): void {
    this.#limits.stop();
  }

  /** Admits a dialer only once it is known to be the node that it claims to be. */
  #identifying(stream: ByteStream, admit: AcceptorDecisions["admit"]): AcceptorDecisions["admit"] {
    const { identify } = this.#options;
    if (identify === undefined) return admit;
    return async (request) => await identify(stream, request.spec) ?? await admit(request);
  }

  /** Closes a stream for which there is no room, and says so if that can be done in passing. */
  async #turnAway(stream: ByteStream, reason: string): Promise<void> {
    if (this.#turnedAway < TURNED_AWAY_MAX && !this.#limits.stopped) {
      this.#turnedAway++;
      using _limit = this.#limits.begin(() => stream.close());
      await refuse(stream, { code: "overloaded", reason });
      this.#turnedAway--;
    }
    stream.close();
  }

  #dialWithSecrets(
    address: Address,
    request: ConnectionRequest,
    attempt: WatchedAttempt,
  ): Promise<OpenedStream & { spec: NodeSpec }> {
    const known: Trust = { identity: this.#identity, epoch: this.#epoch };
    const secrets = known.identity.secrets.accepted();
    return secrets.length > 1
      ? this.#dialWithEach(secrets, address, request, known, attempt)
      : this.#dialOne(address, request, known, secrets[0], attempt);
  }

  /** While secrets are rotated, a node may not know the newest one yet: then the next one is tried. */
  async #dialWithEach(
    secrets: readonly Uint8Array[],
    address: Address,
    request: ConnectionRequest,
    known: Trust,
    attempt: WatchedAttempt,
  ): Promise<OpenedStream & { spec: NodeSpec }> {
    for (let tried = 0;; tried++) {
      try {
        return await this.#dialOne(address, request, known, secrets[tried], attempt);
      } catch (error) {
        const isUnknown = error instanceof HandshakeRefusedError && error.refusal.code === "secret";
        if (!isUnknown || tried + 1 >= secrets.length) throw error;
      }
    }
  }

  async #dialOne(
    address: Address,
    request: ConnectionRequest,
    { identity, epoch }: Trust,
    secret: Uint8Array | undefined,
    { signal, reached, told, isPatient }: WatchedAttempt,
  ): Promise<OpenedStream & { spec: NodeSpec }> {
    const { runtime, writers, identify } = this.#options;
    const controller = new AbortController();
    const began = runtime.clock.now();
    let stream: ByteStream | undefined;
    const explain = (error: unknown, isGivenUp: boolean) => {
      const stage = { isAccepted: stream !== undefined, isGivenUp, elapsed: runtime.clock.now() - began };
      const trouble = dialTrouble(error, address, stage);
      told(trouble);
      return trouble;
    };
    const limit = this.#limits.begin(
      (reason) => {
        const isOver = signal?.aborted || this.#limits.stopped;
        const trouble = explain(reason, true);
        controller.abort(isOver ? reason : trouble);
        stream?.close();
      },
      { signal, isPatient },
    );
    try {
      stream = await runtime.transport.connect(address, { signal: controller.signal });
      controller.signal.throwIfAborted();
      reached();
      const begunAt = this.#now();
      const reader = new FrameReader(stream, HANDSHAKE_FRAME_BYTES);
      const end = { stream, reader, identity, runtime, writers, decoder: this.#decoder };
      const session = await dialHandshake(end, request, secret);
      const stranger = identify === undefined ? null : await identify(stream, session.spec);
      if (stranger !== null) throw await refuse(session.stream, stranger);
      this.#options.handshakes?.dialer.record(this.#now() - begunAt);
      return { ...session, epoch };
    } catch (error) {
      stream?.close();
      throw controller.signal.aborted ? controller.signal.reason : explain(error, false);
    } finally {
      limit[Symbol.dispose]();
    }
  }

  #dialFailed(error: unknown): void {
    const { stats } = this;
    stats.dialFailures++;
    if (error instanceof HandshakeRefusedError) {
      const { code } = error.refusal;
      stats.refusedThere[code] = (stats.refusedThere[code] ?? 0) + 1;
    } else {
      const reason = dialFailure(error);
      stats.failed[reason] = (stats.failed[reason] ?? 0) + 1;
    }
  }

  #now(): number {
    return this.#options.runtime.clock.now();
  }

  #countOverload({ remoteAddress }: ByteStream): string {
    this.stats.overloaded++;
    const reason = `Cannot accept a connection: ${this.#halfOpen.size} others have not finished their handshakes`;
    this.#options.refused?.("overloaded", reason, remoteAddress);
    return reason;
  }

  #count(error: unknown, at: Address, node: string | undefined): void {
    const { refused } = this.#options;
    if (error instanceof HandshakeRefusedError) {
      const { code, reason } = error.refusal;
      this.stats.refused[code] = (this.stats.refused[code] ?? 0) + 1;
      refused?.(code, reason, at, node);
    } else if (isMalformed(error)) {
      this.stats.protocolErrors++;
      refused?.("protocol", error.message, at, node);
    }
  }
}
