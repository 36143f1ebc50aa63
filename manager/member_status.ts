// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import type { Address } from "../wire/address.ts";
import { messageOf } from "../runtime/message_of.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { CHECKED_ELSEWHERE, checkOptions, type OptionKinds } from "../runtime/options.ts";
import { shown } from "../runtime/type_name.ts";
import type { NodeContext } from "./node_context.ts";
import type { MembershipChange, Part } from "./part.ts";

/**
 * Whether a member can be reached, as far as this node knows:
 *
 * - `up`: messages reach it; where the strategy keeps no connection with it, others are trusted that it is there.
 * - `suspect`: nothing was heard of it for `heartbeat.interval × missed`, and others are being asked. Messages still go to it.
 * - `down`: it has no connection with this node, or missed its heartbeats.
 */
export type MemberStatus = "up" | "suspect" | "down";

const STATUSES: readonly MemberStatus[] = ["up", "suspect", "down"];

/** Restricts what `members` returns. */
export interface MembersOptions {
  /**
   * Only members with this status.
   *
   * @default {all members}
   */
  readonly status?: MemberStatus | undefined;
}

const OPTIONS: OptionKinds<MembersOptions> = { status: CHECKED_ELSEWHERE };

/** Knowledge of a node about a member: the answer to "why is it down?". */
export interface MemberInfo {
  /** Specification of the member. */
  readonly spec: NodeSpec;
  /** Attributes of the member. Empty while it is down. */
  readonly attributes: ReadonlyMap<string, unknown>;
  /** Whether it can be reached. */
  readonly status: MemberStatus;
  /** Since when, in milliseconds since the epoch. */
  readonly since: number;
  /** Reason of the status, in a few words. */
  readonly reason: string;
  /** Addresses at which it is dialed. */
  readonly addresses: readonly Address[];
  /** Last error of a dial or a connection; `null` when there was none since it was last reached. */
  readonly lastError: unknown;
}

interface Known {
  status: MemberStatus;
  since: number;
  reason: string;
  lastError: unknown;
}

/** Notes what becomes of each member, and why. */
export class MemberStatuses implements Part {
  readonly #context: NodeContext;
  readonly #known = new Map<string, Known>();
  #version = 0;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Number of changes of the membership. */
  get version(): number {
    return this.#version;
  }

  /** Record of a member; `undefined` for other nodes. */
  of(name: string): Readonly<Known> | undefined {
    const { members, self } = this.#context;
    if (!members.has(name)) return undefined;
    if (name === self.name) {
      return { status: "up", since: self.incarnation, reason: "it is this node", lastError: null };
    }
    return this.#entry(name);
  }

  /** The names of the members, of those alone that have a status where one is given, sorted. */
  names(options: MembersOptions | undefined): string[] {
    const { status } = checkOptions("Cannot list the members", options, OPTIONS);
    const names = [...this.#context.members.keys()];
    if (status === undefined) return names;
    if (!STATUSES.includes(status)) {
      throw new TypeError(
        `Cannot list the members: "status" is ${shown(status)}, expected one of ${STATUSES.join(", ")}`,
      );
    }
    return names.filter((name) => this.of(name)!.status === status);
  }

  start(): void {
    for (const name of this.#context.members.keys()) this.#entry(name);
  }

  peerUp({ name }: Peer): void {
    const entry = this.#set(name, "up", "it is connected");
    if (entry !== null) entry.lastError = null;
  }

  peerDown(peer: Peer): void {
    const error = this.#known.get(peer.name)?.lastError ?? null;
    // The overlay gave both nodes other neighbours. One of them may write when the other has just closed it.
    const isUnneeded = !peer.wanted && !peer.wantedThere && !peer.silent && !peer.severed;
    if (isUnneeded) return void this.#set(peer.name, "up", ELSEWHERE);
    const reason = peer.silent
      ? "it missed its heartbeats"
      : peer.severed
      ? "its connections carry nothing, and it cannot be dialed"
      : error === null
      ? "its last connection closed"
      : `its last connection broke: ${messageOf(error)}`;
    this.#set(peer.name, "down", reason);
  }

  dialFailed({ name }: Peer, error: unknown): void {
    const entry = this.#known.get(name);
    if (entry === undefined) return;
    entry.lastError = error;
    if (entry.status === "down" && entry.reason === UNMET) entry.reason = `it was not reached yet: ${messageOf(error)}`;
  }

  membersChanged({ joined, lost, renewed }: MembershipChange): void {
    this.#version++;
    for (const { name } of [...joined, ...renewed]) this.#entry(name);
    for (const { name } of lost) this.#known.delete(name);
  }

  restart(): void {
    this.#known.clear();
    this.start();
  }

  /** A connection has closed. */
  closed({ name }: Peer, error: unknown): void {
    const entry = this.#known.get(name);
    if (entry !== undefined && error !== undefined && error !== null) entry.lastError = error;
  }

  /** The failure detector suspects a node. */
  suspected(name: string): void {
    const { answerTimeout } = this.#context;
    if (this.#known.get(name)?.status === "up") this.#set(name, "suspect", `it was not heard for ${answerTimeout} ms`);
  }

  /** The failure detector suspects a node no longer. */
  trusted(name: string): void {
    if (this.#known.get(name)?.status === "suspect") this.#set(name, "up", "it was heard of again");
  }

  #entry(name: string): Known {
    const { pool, runtime, settings } = this.#context;
    const peer = pool.peers.get(name);
    const isElsewhere = settings.strategy.isFullMesh !== true && peer?.wanted !== true;
    let entry = this.#known.get(name);
    if (entry?.reason === UNMET && isElsewhere && entry.lastError === null) {
      // The overlay wanted a connection with it, and does so no longer.
      entry.status = "up";
      entry.reason = ELSEWHERE;
    }
    if (entry === undefined) {
      const status = isElsewhere || peer?.up ? "up" : "down";
      const reason = peer?.up ? "it is connected" : isElsewhere ? ELSEWHERE : UNMET;
      entry = { status, since: runtime.clock.wallTime(), reason, lastError: null };
      this.#known.set(name, entry);
    }
    return entry;
  }

  #set(name: string, status: MemberStatus, reason: string): Known | null {
    if (!this.#context.members.has(name)) return null;
    const entry = this.#entry(name);
    if (entry.status !== status) entry.since = this.#context.runtime.clock.wallTime();
    entry.status = status;
    entry.reason = reason;
    return entry;
  }
}

const UNMET = "it was not reached yet";
const ELSEWHERE = "others know it; this node keeps no connection";
