// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { CallError } from "../messaging/errors.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import { checkName as checkNodeName } from "../wire/node_spec_check.ts";
import { HybridClock, isStamp, timeOf } from "./hybrid_clock.ts";
import { keepsFullMesh } from "./keeps_full_mesh.ts";
import { checkName, MembershipAttributes } from "./membership_attributes.ts";
import { NameLostError, NameTakenError } from "./name_errors.ts";
import { compareHolders, holderOf, holderToMeta, type NameHolder, type StampedHolder } from "./name_holder.ts";
import { NameConflicts } from "./name_conflicts.ts";
import { sharedBy } from "./shared.ts";

/**
 * Decides which of two claims of a name stays.
 *
 * @returns One of the two; nothing for the one that stays by default.
 */
export type ConflictListener = (
  name: string,
  claims: readonly [later: NameHolder, earlier: NameHolder],
) => NameHolder | undefined | void;

/** The numbers are part of the wire protocol: never reuse one. */
const CLAIM = 0;
const LOST = 1;
/** A claim of a third node, which cannot reach this one. */
const RELAYED = 2;
/** Another node has the name as well, and cannot be seen from here. */
const MET = 3;

/** Errors, by name, of calls to nodes that cannot be reached. */
const NOT_REACHED = new Set(["NotConnectedError", "PartitionedError", "TimeoutError"]);

/** Most claims against one name about which it is remembered what was decided. */
const DECIDED_MAX = 1_000;

type Answers = Map<string, PromiseSettledResult<unknown>>;

/** A claim that the other nodes are being asked about. */
interface PendingClaim {
  readonly stamp: number;
  readonly controller: AbortController;
}

/** A name that this node has. */
interface OwnClaim {
  readonly id: string;
  readonly controller: AbortController;
  readonly onConflict: ConflictListener | undefined;
  /** Claims of other nodes, by node and number, about which was decided. */
  readonly decided: Set<string>;
  readonly listening: Disposable;
}

/**
 * Claims of names in one scope, over one node. A claim asks every node that can be reached, and each refuses it that has the name or claimed it
 * earlier, or knows one that does and is out of the claimant's reach. So of two nodes that can reach each other, or a third one, at most one
 * gets it. A name that two nodes got otherwise is decided by the one with the later claim as soon as it sees the other, or a third node sees both.
 */
export class NameClaims {
  readonly #node: PeerServiceManager;
  readonly #attributes: MembershipAttributes;
  readonly #handler: string;
  readonly #clock: HybridClock;
  readonly #conflicts: NameConflicts;
  readonly #pending = new Map<string, PendingClaim>();
  readonly #own = new Map<string, OwnClaim>();

  private constructor(node: PeerServiceManager, scope: string) {
    this.#node = node;
    this.#attributes = MembershipAttributes.of(node, `names ${scope}`);
    this.#handler = `names/${scope}`;
    this.#clock = new HybridClock(() => node.runtime.clock.wallTime());
    this.#conflicts = new NameConflicts(node, this.#attributes.index, {
      holders: (name) => this.holders(name),
      introduce: async (name, first, { node: other, id, meta, stamp }) =>
        await this.#call(first.node, [MET, name, stamp, id, other, meta]) === true,
      dismiss: async (name, owner, loser) =>
        void await this.#call(loser.node, [LOST, name, owner.stamp, loser.id, owner.node]),
    });
    node.register(this.#handler, (message: unknown, { from }) => this.#receive(message, from));
    node.stopSignal.addEventListener("abort", () => {
      for (const name of [...this.#own.keys()]) this.#lose(name, "this node has stopped");
    }, { once: true });
  }

  /** Those of a scope over a node. */
  static of(node: PeerServiceManager, scope: string): NameClaims {
    return sharedBy(node, `names/${scope}`, () => new NameClaims(node, scope));
  }

  /** The nodes that have a name, as this node sees it: the first one counts. */
  holders(name: string): StampedHolder[] {
    return this.#attributes.index.members(name).flatMap((entry) => holderOf(entry) ?? []).sort(compareHolders);
  }

  /** Claims a name. @returns The signal that is aborted once the name is lost. */
  async claim(name: string, meta: unknown, onConflict: ConflictListener | undefined): Promise<AbortSignal> {
    checkName(name, "name");
    if (this.#pending.has(name) || this.#own.has(name)) throw new NameTakenError(name, this.#node.name);
    const controller = new AbortController();
    const stamp = this.#clock.next();
    this.#pending.set(name, { stamp, controller });
    let former: StampedHolder[];
    try {
      // A node that gave the name up may be seen with it for a moment: it knows.
      const [holder] = this.holders(name);
      if (holder !== undefined) await this.#ask([holder.node], name, stamp, controller.signal);
      const others = this.#node.members().filter((member) => member !== this.#node.name);
      const agreed = await this.#ask(others, name, stamp, controller.signal);
      // What became visible in the meantime was claimed by a node that could not be asked.
      former = this.holders(name);
      const unasked = former.find(({ node }) => !agreed.has(node));
      if (unasked !== undefined) throw new NameTakenError(name, unasked.node);
    } finally {
      this.#pending.delete(name);
    }
    const id = this.#attributes.add(name, { meta: holderToMeta(stamp, meta), weight: 1, takesMessages: false });
    const own = new AbortController();
    const listening = this.#attributes.index.listen(name, () => this.#look(name));
    this.#own.set(name, { id, controller: own, onConflict, decided: new Set(former.map(holderKey)), listening });
    return own.signal;
  }

  /** Gives a name up that this node has, by the signal of its claim. */
  release(name: string, signal: AbortSignal): void {
    const own = this.#own.get(name);
    if (own?.controller.signal === signal) this.#lose(name, "it was given up");
  }

  /**
   * Asks other nodes whether this one may have a name.
   *
   * @returns Those that agreed.
   * @throws {NameTakenError} When one of them refuses.
   */
  async #ask(nodes: readonly string[], name: string, stamp: number, signal: AbortSignal): Promise<Set<string>> {
    const unseen = this.#node.members().filter((node) => node !== this.#node.name && !this.#node.isConnected(node));
    const answers = await this.#callAll(nodes, [CLAIM, name, stamp, unseen], signal);
    signal.throwIfAborted();
    this.#node.stopSignal.throwIfAborted();
    const agreed = new Set<string>();
    for (const [node, answer] of answers) {
      if (answer.status === "fulfilled") {
        if (typeof answer.value === "string") throw new NameTakenError(name, answer.value);
        agreed.add(node);
      } else if (!cannotHaveIt(answer.reason)) throw answer.reason;
    }
    return agreed;
  }

  #call(node: string, message: readonly unknown[]): Promise<unknown> {
    return this.#node.call(node, this.#handler, message, this.#way());
  }

  #callAll(nodes: readonly string[], message: readonly unknown[], signal?: AbortSignal): Promise<Answers> {
    return this.#node.callAll(this.#handler, message, { ...this.#way(), nodes, signal });
  }

  /** Options of calls. No node is told that one is gone with which it has no connection: that one is waited for as long as silence is borne. */
  #way(): { readonly transitive?: boolean; readonly timeout?: number } {
    if (keepsFullMesh(this.#node)) return {};
    const { interval, missed } = this.#node.heartbeat;
    return { transitive: true, timeout: interval * missed };
  }

  #receive(value: unknown, from: string): unknown {
    const [kind, name, stamp, detail, node, meta] = Array.isArray(value) ? value : [];
    if (!isStamp(stamp)) throw new TypeError("Cannot read a message about a name");
    checkName(name, "name");
    this.#clock.follow(stamp);
    switch (kind) {
      case CLAIM:
        return this.#answer(name, stamp, from, namesIn(detail));
      case RELAYED:
        return this.#judge(name, stamp, `${detail}`);
      case MET:
        checkName(detail, "number");
        return this.#meet(name, { node: checkNodeName(node, "name"), id: detail, meta, stamp, since: timeOf(stamp) });
      case LOST: {
        const owner = typeof node === "string" ? node : from;
        if (this.#own.get(name)?.id === detail) this.#lose(name, `"${owner}" has it now`, owner);
        return null;
      }
      default:
        throw new TypeError("Cannot read a message about a name: it is of an unknown kind");
    }
  }

  /** Answers a claim of a node that cannot see some others. @returns As {@linkcode NameClaims.#judge}. */
  async #answer(name: string, stamp: number, from: string, unseen: readonly string[]): Promise<string | null> {
    const own = this.#judge(name, stamp, from);
    if (own !== null) return own;
    const rivals = this.#conflicts.rivals(name, unseen);
    this.#conflicts.agree(name, from);
    if (rivals.length === 0) return null;
    const answers = await this.#callAll(rivals, [RELAYED, name, stamp, from]);
    for (const [, answer] of answers) {
      if (answer.status === "fulfilled" && typeof answer.value === "string") return answer.value;
    }
    return null;
  }

  /** A node that sees both says that another one has a name of this one. @returns Whether this one keeps it. */
  #meet(name: string, other: StampedHolder): boolean {
    const own = this.#own.get(name);
    const mine = this.holders(name).find(({ node, id }) => node === this.#node.name && id === own?.id);
    if (own === undefined || mine === undefined) return false;
    if (own.decided.has(holderKey(other))) return true;
    own.decided.add(holderKey(other));
    forgetOldest(own.decided, DECIDED_MAX);
    if (this.#keeps(name, own, mine, other)) return true;
    this.#lose(name, `"${other.node}" has it now`, other.node);
    return false;
  }

  /** Answers a claim of another node. @returns Holder of the name, or earlier claimant; `null` when this node knows of none. */
  #judge(name: string, stamp: number, from: string): string | null {
    if (this.#own.has(name)) return this.#node.name;
    const pending = this.#pending.get(name);
    if (pending === undefined) return null;
    const isEarlier = pending.stamp !== stamp ? pending.stamp < stamp : this.#node.name < from;
    if (isEarlier) return this.#node.name;
    pending.controller.abort(new NameTakenError(name, from));
    return null;
  }

  /** The holders of a name of this node changed. */
  #look(name: string): void {
    const own = this.#own.get(name);
    if (own === undefined) return;
    const holders = this.holders(name);
    const mine = holders.find(({ node, id }) => node === this.#node.name && id === own.id);
    if (mine === undefined) return this.#lose(name, "this node drains");
    for (const key of own.decided) {
      if (!holders.some((holder) => holderKey(holder) === key)) own.decided.delete(key);
    }
    if (holders[0] !== mine) return;
    for (const other of holders.slice(1)) {
      if (own.decided.has(holderKey(other))) continue;
      own.decided.add(holderKey(other));
      if (!this.#decide(name, own, mine, other)) return this.#lose(name, `"${other.node}" has it now`, other.node);
    }
  }

  /** @returns Whether this node keeps the name. The other one is told when it does. */
  #decide(name: string, own: OwnClaim, mine: StampedHolder, other: StampedHolder): boolean {
    if (!this.#keeps(name, own, mine, other)) return false;
    // Should the word not reach it, its claim is hidden, and is decided about anew once it is seen again.
    this.#call(other.node, [LOST, name, mine.stamp, other.id])
      .catch(() => own.decided.delete(holderKey(other)));
    return true;
  }

  #keeps(name: string, { onConflict }: OwnClaim, mine: StampedHolder, other: StampedHolder): boolean {
    const claims = [toHolder(mine), toHolder(other)] as const;
    try {
      return onConflict?.(name, claims) !== claims[1];
    } catch (error) {
      const during = `deciding who has the name "${name}"`;
      this.#node.dispatchEvent(new CustomEvent("error", { detail: { error, node: other.node, during } }));
      return true;
    }
  }

  #lose(name: string, reason: string, owner?: string): void {
    const own = this.#own.get(name);
    if (own === undefined) return;
    this.#own.delete(name);
    own.listening[Symbol.dispose]();
    if (!this.#node.stopSignal.aborted) this.#attributes.remove(own.id);
    own.controller.abort(new NameLostError(name, reason, owner));
  }
}

/** Whether a call failed because its node is out of reach, or claims no names at all. */
function cannotHaveIt(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof CallError ? error.remote.name === "NoHandlerError" : NOT_REACHED.has(error.name);
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

function holderKey({ node, id }: StampedHolder): string {
  return `${id} ${node}`;
}

function toHolder({ node, meta, since }: StampedHolder): NameHolder {
  return { node, meta, since };
}
