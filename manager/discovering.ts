// Copyright 2026 the Partisan peer-service authors. MIT license.

import { HandshakeRefusedError } from "../connections/handshake/refusal.ts";
import type { Peer } from "../connections/peer.ts";
import { withDeadline } from "../runtime/deadline.ts";
import type { Timer } from "../runtime/runtime.ts";
import { type Address, formatAddress } from "../wire/address.ts";
import type { DiscoveredAddress, Discovery, DiscoveryStatus } from "./discovery.ts";
import type { DialWarnings } from "./dial_warnings.ts";
import type { Joining } from "./joining.ts";
import type { NodeContext } from "./node_context.ts";
import type { Part } from "./part.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Gossip intervals between two look-ups of a source when there is no hurry. */
const STEADY_ROUNDS = 30;
/** Addresses of one answer that are tried at a time. */
const ATTEMPTS_MAX = 8;
/** Most addresses of one answer that are used. */
const ADDRESSES_MAX = 10_000;

/** After so many look-ups in vain, a node that is alone says so. */
const FRUITLESS_TOLD = 2;

/** A source, and what it said last. */
interface Source {
  readonly discovery: Discovery;
  readonly outcomes: Map<string, DiscoveredAddress>;
  at: number | null;
  error: unknown;
  /** The first address of the last answer where no node could be asked. */
  failure: { readonly address: Address; readonly error: unknown } | null;
  /** Look-ups in a row that did not help: they failed, or this node is alone all the same. */
  fruitless: number;
  isLooking: boolean;
  /** Whether something changed while it was being asked. */
  isStale: boolean;
  timer: Timer | null;
}

/**
 * Asks the sources of the node for addresses, for as long as it lives, and joins the nodes that are found there and are no members. No node is removed
 * or forgotten for not being named. Two clusters that know nothing of each other become one as soon as one of their nodes finds another.
 */
export class Discovering implements Part {
  readonly #context: NodeContext;
  readonly #joining: Joining;
  readonly #warnings: Pick<DialWarnings, "joinFailed" | "tell">;
  readonly #sources: readonly Source[];
  /** The nodes to which addresses led, by address: names that are spelled in another way than nodes do themselves. */
  readonly #ledTo = new Map<string, string>();
  #isSuspended = false;

  constructor(context: NodeContext, joining: Joining, warnings: Pick<DialWarnings, "joinFailed" | "tell">) {
    this.#context = context;
    this.#joining = joining;
    this.#warnings = warnings;
    this.#sources = context.settings.discovery.map((discovery) => ({
      discovery,
      outcomes: new Map(),
      at: null,
      error: null,
      failure: null,
      fruitless: 0,
      isLooking: false,
      isStale: false,
      timer: null,
    }));
  }

  /** Last answer of each source. */
  status(): DiscoveryStatus[] {
    return this.#sources.map(({ discovery, at, error, outcomes }) => ({
      name: discovery.name,
      at,
      error,
      addresses: [...outcomes.values()],
    }));
  }

  start(): void {
    const signal = this.#context.untilStopped(undefined);
    for (const source of this.#sources) {
      source.discovery.watch?.(() => this.#changed(source), signal);
      this.#look(source);
    }
  }

  stopping(): void {
    this.suspend();
  }

  peerDown({ name }: Peer): void {
    for (const [address, node] of [...this.#ledTo]) if (node === name) this.#ledTo.delete(address);
  }

  /** Looks no more: the user has this node leave its cluster. */
  suspend(): void {
    this.#isSuspended = true;
    for (const { timer } of this.#sources) timer?.cancel();
  }

  /** Looks again: the user has this node join a cluster. */
  resume(): void {
    if (!this.#isSuspended || this.#context.stopped) return;
    this.#isSuspended = false;
    for (const source of this.#sources) this.#changed(source);
  }

  #changed(source: Source): void {
    if (source.isLooking) source.isStale = true;
    else this.#schedule(source, this.#context.settings.gossip.interval * this.#context.runtime.random.next());
  }

  #schedule(source: Source, delay: number): void {
    source.timer?.cancel();
    if (this.#isSuspended || this.#context.stopped) return;
    source.timer = this.#context.runtime.clock.schedule(delay, () => this.#look(source));
  }

  async #look(source: Source): Promise<void> {
    if (source.isLooking || this.#isSuspended) return;
    source.isLooking = true;
    source.isStale = false;
    await this.#ask(source);
    source.isLooking = false;
    this.#schedule(source, this.#delay(source));
  }

  #delay(source: Source): number {
    const { runtime, settings, members } = this.#context;
    const { interval } = settings.gossip;
    const isAlone = members.size <= 1;
    if (source.error !== null || isAlone) source.fruitless++;
    else source.fruitless = 0;
    const steady = STEADY_ROUNDS * interval;
    const hurried = interval * 2 ** Math.min(source.fruitless - 1, 16);
    const delay = source.isStale ? interval : source.fruitless === 0 ? steady : Math.min(steady, hurried);
    // Nodes that started together do not ask together.
    return delay * (0.75 + runtime.random.next() / 2);
  }

  async #ask(source: Source): Promise<void> {
    const { runtime } = this.#context;
    const { discovery } = source;
    try {
      const found = await this.#limited((signal) => discovery.lookup(signal));
      source.at = runtime.clock.wallTime();
      source.error = null;
      await this.#tryAll(source, found.slice(0, ADDRESSES_MAX));
      this.#tellLoneliness(source);
    } catch (error) {
      if (this.#context.stopped) return;
      source.at = runtime.clock.wallTime();
      // A source that fails again and again says so once.
      if (source.error === null) {
        const reason = messageOf(error);
        const message = `Cannot look up nodes by "${discovery.name}": ${reason}`;
        this.#context.emit("warning", { code: "discovery-failed", message, error });
      }
      source.error = error;
    }
  }

  async #tryAll(source: Source, found: readonly Address[]): Promise<void> {
    const { outcomes } = source;
    source.failure = null;
    const waiting = new Map(found.map((address) => [keyOf(address), address]));
    for (const key of [...outcomes.keys()]) if (!waiting.has(key)) outcomes.delete(key);
    for (const [key, address] of waiting) {
      if (!outcomes.has(key)) outcomes.set(key, { address, outcome: "trying" });
    }
    const queue = [...waiting];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [key, address] = next;
        outcomes.set(key, { address, outcome: await this.#try(source, key, address) });
      }
    };
    await Promise.all(Array.from({ length: ATTEMPTS_MAX }, work));
  }

  /** @returns Outcome of an address. */
  async #try(source: Source, key: string, address: Address): Promise<string> {
    const { pool, self, members } = this.#context;
    if (this.#context.stopped || this.#isSuspended) return "trying";
    const known = this.#known(key, address);
    if (known !== null) return known;
    try {
      return await this.#limited(async (signal) => {
        const { name, spec } = await pool.reach(null, [address], { signal });
        this.#ledTo.set(key, name);
        if (members.has(name) || this.#context.members.has(name)) return "member";
        await this.#joining.join(spec, signal);
        return "joined";
      });
    } catch (error) {
      const code = error instanceof HandshakeRefusedError ? error.refusal.code : null;
      if (code === "self") this.#ledTo.set(key, self.name);
      else if (code !== null) this.#warnings.joinFailed(formatAddress(address), error);
      else source.failure ??= { address, error };
      // The node there has a connection with this one already.
      return code === "self"
        ? "self"
        : code === "duplicate"
        ? "member"
        : error instanceof Error
        ? error.message
        : String(error);
    }
  }

  /** Nodes that start together find each other not yet there: a node that is alone says so from the third look-up on, once. */
  #tellLoneliness({ discovery, failure, fruitless, outcomes }: Source): void {
    if (failure === null || fruitless < FRUITLESS_TOLD || this.#context.members.size > 1 || this.#context.stopped) {
      return;
    }
    const where = outcomes.size === 1
      ? `"${formatAddress(failure.address)}"`
      : `any of the ${outcomes.size} addresses that "${discovery.name}" names`;
    const message = `Cannot join ${where} yet, it is tried again: ${messageOf(failure.error)}`;
    this.#warnings.tell(formatAddress(failure.address), failure.error, message);
  }

  /** State of an address that needs no dial: this node's own, or that of a member that can be reached. */
  #known(key: string, address: Address): string | null {
    const { self, members, pool } = this.#context;
    const isAt = (addresses: readonly Address[]) => addresses.some((own) => keyOf(own) === keyOf(address));
    const leader = this.#ledTo.get(key);
    if (leader === self.name || isAt(self.addresses)) return "self";
    for (const { name, up, spec } of pool.peers.values()) {
      if (up && members.has(name) && (leader === name || isAt(spec.addresses))) return "member";
    }
    return null;
  }

  /** Does something that has to end in time, and with the node. */
  #limited<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { runtime: { clock }, settings } = this.#context;
    const limits = { signal: this.#context.untilStopped(undefined), timeout: 2 * settings.handshakeTimeout };
    return withDeadline(clock, limits, "No answer", act);
  }
}

function keyOf({ hostname, port }: Address): string {
  return `${hostname} ${port}`;
}
