// Copyright 2026 the Partisan peer-service authors. MIT license.

import { GROUPS_PREFIX } from "../manager/node_messaging.ts";
import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { CallError } from "../messaging/errors.ts";
import { remoteErrorOf } from "../messaging/failure.ts";
import type { MessageContext } from "../messaging/registry.ts";
import { answerOf, failureOf, resultOf } from "./answer.ts";
import { callWhileSeen } from "./call_while_seen.ts";
import { entryKey, type GroupEntry } from "./group_entry.ts";
import type { GroupIndex } from "./group_index.ts";
import { keepsFullMesh } from "./keeps_full_mesh.ts";
import { MembershipAttributes } from "./membership_attributes.ts";
import { sharedBy } from "./shared.ts";

/** To so many nodes a message is sent over the broadcast tree, when these are all nodes that are up. */
const TREE_MIN = 16;

/** The numbers are part of the wire protocol: never reuse one. */
const PUBLISH = 0;
const CALL = 1;
const BEGUN = 2;

// deno-lint-ignore no-explicit-any -- the sender decides what a message is
type GroupHandler = (message: any, context: MessageContext) => unknown;

/** Rules by which a message is given to the members of a group. */
interface PublishRules {
  /** A member, or all of a node, that is not given it. */
  readonly except?: string | { readonly id: string } | undefined;
  /** Whether it comes behind what was published before. */
  readonly ordered?: boolean | undefined;
}

/** A call that this node has under way. */
interface CallUnderWay {
  readonly to: string;
  hasBegun: boolean;
}

/** Errors, by name, that say that the handler was not reached. */
const NOT_REACHED = new Set(["NotConnectedError", "PartitionedError", "QueueFullError", "OverloadedError"]);
/** Errors of the other side, by name, that say the same. */
const NOT_TAKEN = new Set(["NoHandlerError", "OverloadedError", "NoSuchMemberError"]);

/** The member did not begin: another one can be asked. */
export class MemberNotReached extends Error {
  override readonly name = "MemberNotReached";

  /** @param reason Reason, in a sentence. */
  constructor(readonly reason: unknown) {
    super("The member did not begin");
  }
}

/** There is no member of that number on the node any more. */
class NoSuchMemberError extends Error {
  override readonly name = "NoSuchMemberError";
}

/** The messages of one scope of groups, over one node: one handler of the node takes them all, and hands them to the members. */
export class GroupMessages {
  readonly #node: PeerServiceManager;
  readonly #name: string;
  readonly #index: GroupIndex;
  /** Whether others pass on what goes to a member. */
  readonly #transitive: boolean;
  readonly #members = new Map<string, { readonly group: string; readonly handler: GroupHandler }>();
  readonly #calls = new Map<number, CallUnderWay>();
  readonly #busy = new Map<string, number>();
  #nextCall = 0;

  private constructor(node: PeerServiceManager, scope: string) {
    this.#node = node;
    this.#name = GROUPS_PREFIX + scope;
    this.#index = MembershipAttributes.of(node, scope).index;
    this.#transitive = !keepsFullMesh(node);
    node.register(this.#name, (message: unknown, context) => this.#receive(message, context));
  }

  /** Those of a scope over a node. */
  static of(node: PeerServiceManager, scope: string): GroupMessages {
    return sharedBy(node, `messages/${scope}`, () => new GroupMessages(node, scope));
  }

  /** From now on a member of this node takes messages. */
  take(id: string, group: string, handler: GroupHandler): void {
    this.#members.set(id, { group, handler });
  }

  /** A member of this node takes no messages any more. */
  release(id: string): void {
    this.#members.delete(id);
  }

  /** Number of calls of this node that a member has under way. */
  busy(entry: GroupEntry): number {
    return this.#busy.get(entryKey(entry)) ?? 0;
  }

  /** Those of these entries whose nodes are not known to be down; all where that leaves none, because others may still reach them. */
  reachable(entries: readonly GroupEntry[]): readonly GroupEntry[] {
    // In a full mesh the entries of a node that is down are hidden.
    if (!this.#transitive) return entries;
    const down = new Set(this.#node.members({ status: "down" }));
    const reachable = entries.filter(({ node }) => !down.has(node));
    return reachable.length === 0 ? entries : reachable;
  }

  /** Sends a message to each node that has one of these entries. */
  publish(
    group: string,
    message: unknown,
    entries: Iterable<GroupEntry>,
    { except, ordered = false }: PublishRules,
  ): void {
    const nodes = new Set<string>();
    for (const { node, takesMessages } of entries) if (takesMessages) nodes.add(node);
    if (typeof except === "string") nodes.delete(except);
    const own = typeof except === "object" ? [this.#node.name, except.id] : null;
    const value = [PUBLISH, group, message, own];
    const isForAll = !ordered && nodes.size >= TREE_MIN && nodes.size >= this.#up();
    // A node that comes later has no member yet.
    if (isForAll) this.#node.broadcast(this.#name, value, { newcomers: false });
    else for (const node of nodes) this.#cast(node, value);
  }

  #cast(node: string, value: unknown): void {
    this.#node.castMessage(node, this.#name, value, { transitive: this.#transitive });
  }

  /** Number of nodes that are up, as far as this node knows; where it knows a part of them, of those that it sees as well. */
  #up(): number {
    const up = this.#node.members().length - this.#node.members({ status: "down" }).length;
    return this.#transitive ? Math.max(up, PeerService.nodeOf(this.#node).attributes.owners.length) : up;
  }

  /** Has one member handle a message. */
  async call(entry: GroupEntry, group: string, message: unknown, signal: AbortSignal): Promise<unknown> {
    const key = entryKey(entry);
    const number = this.#nextCall++;
    const call: CallUnderWay = { to: entry.node, hasBegun: false };
    let answer: unknown;
    this.#calls.set(number, call);
    this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    try {
      answer = await callWhileSeen(this.#node, {
        to: entry.node,
        name: this.#name,
        message: [CALL, group, message, entry.id, number],
        signal,
        what: `Cannot wait for a member of "${group}"`,
        watch: (end) => this.#onLeave(entry, group, end),
      });
    } catch (error) {
      throw !call.hasBegun && isNotReached(error) ? new MemberNotReached(error) : error;
    } finally {
      this.#calls.delete(number);
      const busy = (this.#busy.get(key) ?? 1) - 1;
      if (busy > 0) this.#busy.set(key, busy);
      else this.#busy.delete(key);
    }
    return resultOf(answer);
  }

  #onLeave({ node, id }: GroupEntry, group: string, listener: () => void): Disposable {
    return this.#index.listen(group, ({ type, entry }) => {
      if (type === "leave" && entry.node === node && entry.id === id) listener();
    });
  }

  #receive(value: unknown, context: MessageContext): unknown {
    const [kind, group, message, third, number] = Array.isArray(value) ? value : [];
    switch (kind) {
      case PUBLISH:
        return this.#deliver(group, message, third, context);
      case CALL:
        return this.#handle(group, message, third, number, context);
      case BEGUN: {
        const call = this.#calls.get(Number(group));
        if (call?.to === context.from) call.hasBegun = true;
        return undefined;
      }
      default:
        throw new TypeError("Cannot read a message to a group: it is of an unknown kind");
    }
  }

  /** Hands a message to every member of this node. One that fails harms no other one: its error is told by the node. */
  async #deliver(group: string, message: unknown, except: unknown, context: MessageContext): Promise<void> {
    const [node, id] = Array.isArray(except) ? except : [];
    const members = [...this.#members].filter(([own, member]) =>
      member.group === group && !(node === this.#node.name && id === own)
    );
    const outcomes = await Promise.allSettled(members.map(async ([, { handler }]) => await handler(message, context)));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #handle(
    group: string,
    message: unknown,
    id: unknown,
    number: unknown,
    context: MessageContext,
  ): Promise<unknown> {
    const member = this.#members.get(String(id));
    if (member === undefined || member.group !== group) {
      throw new NoSuchMemberError(`Cannot call the group "${group}": the member has left`);
    }
    this.#cast(context.from, [BEGUN, number]);
    try {
      return answerOf(await member.handler(message, context));
    } catch (error) {
      if (!isNotReached(error) && !NOT_TAKEN.has(nameOf(error))) throw error;
      // The handler has failed, by an error of the kind by which nodes say that it has not begun.
      const detail = { error, node: context.from, during: `handling a call of the group "${group}"` };
      this.#node.dispatchEvent(new CustomEvent("error", { detail }));
      return failureOf(remoteErrorOf(error));
    }
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

function isNotReached(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof CallError ? NOT_TAKEN.has(error.remote.name) : NOT_REACHED.has(error.name);
}
