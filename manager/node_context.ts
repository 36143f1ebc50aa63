// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { ConnectionPool } from "../connections/connection_pool.ts";
import type { ConnectionPoolHandler, ConnectionPoolOptions } from "../connections/connection_pool_options.ts";
import type { Credentials } from "../connections/handshake/session.ts";
import { Traffic } from "../connections/traffic.ts";
import { LocalHealth } from "../runtime/local_health.ts";
import { StoppedError } from "../messaging/errors.ts";
import { PayloadCodec } from "../wire/payload_codec.ts";
import type { ByteStream } from "../transport/transport.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Emit, PeerServiceEventMap } from "./events.ts";
import { identify } from "./identity.ts";
import { MemberList, type MemberListChange } from "./member_list.ts";
import { poolOptions } from "./pool_options.ts";
import type { Settings } from "./settings.ts";
import { TrustEvents } from "./trust_events.ts";

/** Timers that are later than this share of a heartbeat interval show that a node does not keep up. */
const LATENESS_SHARE = 8;

/** Context of the parts of a node. Each part may rely on all of it from its first moment: nothing in it is set later. */
export class NodeContext {
  /** The options of the node, checked and complete. */
  readonly settings: Settings;
  /** Reaches clock, randomness and transport. */
  readonly runtime: Runtime;
  /** Packs and reads messages. */
  readonly codec: PayloadCodec;
  /** Traffic over the connections. */
  readonly traffic: Traffic;
  /** Whether this node keeps up with its own timers. */
  readonly health: LocalHealth;
  /** The connections. */
  readonly pool: ConnectionPool;
  /** Tells the users of the node about an event. */
  readonly emit: Emit;
  /** Told of every event, whether or not users listen to it: an event that is only observed is still written to the log. */
  readonly observers: Set<Emit> = new Set();
  /** Number of events, by type. */
  readonly events: Map<keyof PeerServiceEventMap, number> = new Map();
  readonly #stopping = new AbortController();
  /** The signal says the same, at a price that every message would pay. */
  #isStopped = false;
  #self: NodeSpec;
  readonly #members = new MemberList();

  constructor(
    settings: Settings,
    self: NodeSpec,
    credentials: Credentials,
    emit: Emit,
    handler: ConnectionPoolHandler,
  ) {
    this.settings = settings;
    this.runtime = settings.runtime;
    this.codec = new PayloadCodec(settings.codec);
    this.emit = (type, detail) => {
      this.events.set(type, (this.events.get(type) ?? 0) + 1);
      for (const observe of this.observers) observe(type, detail);
      emit(type, detail);
    };
    this.#self = Object.freeze(self);
    const { tls, admit } = settings;
    const judge = tls === undefined && admit === undefined
      ? undefined
      : (stream: ByteStream, spec: NodeSpec) => identify(this, stream, spec);
    const trust = new TrustEvents(settings.runtime.clock, this.emit);
    const refused: ConnectionPoolOptions["refused"] = (...refusal) => trust.refused(...refusal);
    if (tls !== undefined) tls.refused = (error, at) => trust.refused("certificate", error.message, at);
    this.health = new LocalHealth(settings.heartbeat.interval / LATENESS_SHARE);
    this.traffic = new Traffic(Object.keys(settings.channels));
    const options = poolOptions(
      settings,
      credentials,
      () => this.#self,
      judge,
      handler,
      refused,
      this.traffic,
      this.health,
    );
    this.pool = new ConnectionPool(options);
  }

  /** Specification of this node. */
  get self(): NodeSpec {
    return this.#self;
  }

  /** Everyone known to be in the cluster, by name, sorted. */
  get members(): ReadonlyMap<string, NodeSpec> {
    return this.#members;
  }

  /** Milliseconds in which a peer that lives must have answered. */
  get answerTimeout(): number {
    const { interval, missed } = this.settings.heartbeat;
    return interval * missed;
  }

  /** Whether the node was stopped, or is about to be. */
  get stopped(): boolean {
    return this.#isStopped;
  }

  /**
   * Makes sure that there is still something to do things with.
   *
   * @throws {StoppedError} When the node was stopped.
   */
  checkRunning(what: string): void {
    if (this.stopped) throw new StoppedError(`Cannot ${what}: "${this.#self.name}" was stopped`);
  }

  /** A signal that is aborted when the node stops, or `signal` is. */
  untilStopped(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
  }

  /** For the node alone: it is another incarnation from now on, or says something else of itself. */
  renew(self: NodeSpec): void {
    this.#self = Object.freeze(self);
  }

  /** For the overlay alone: these are the members now. */
  replaceMembers(members: readonly NodeSpec[]): MemberListChange {
    return this.#members.replace(members);
  }

  /** For the node alone: ends what waits for {@linkcode untilStopped}. */
  end(reason: StoppedError): void {
    this.#isStopped = true;
    this.#stopping.abort(reason);
  }
}
