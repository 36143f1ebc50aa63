// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { NotConnectedError } from "../messaging/errors.ts";
import type { MessageContext } from "../messaging/registry.ts";
import { withDeadline } from "../runtime/deadline.ts";
import {
  BOOLEAN,
  CHECKED_ELSEWHERE,
  checkOptions,
  FUNCTION,
  NUMBER,
  type OptionKind,
  type OptionKinds,
  SIGNAL,
  STRING,
} from "../runtime/options.ts";
import { EventStream } from "../manager/event_stream.ts";
import { checkRunning } from "./check_running.ts";
import { entryKey, type GroupChange, type GroupEntry } from "./group_entry.ts";
import { GroupMessages, MemberNotReached } from "./group_messages.ts";
import { MembershipAttributes } from "./membership_attributes.ts";
import { checkPick, type Pick, pickEntry } from "./picking.ts";

/** Options of {@linkcode Groups}. */
export interface GroupsOptions {
  /**
   * Keeps groups of the same name apart that have nothing to do with each other, 1 to 200 characters.
   *
   * @default {"default"}
   */
  readonly scope?: string | undefined;
}

/** Options of {@linkcode Groups.join}. */
export interface GroupJoinOptions {
  /**
   * Metadata of the member: any value that a message may have.
   *
   * @default {null}
   */
  readonly meta?: unknown;
  /**
   * Takes the messages to the group. Its result is the reply to a call. Without it the member is listed, and takes none.
   *
   * @default {none}
   */
  // deno-lint-ignore no-explicit-any -- the sender decides what a message is; a handler states what it expects
  readonly handler?: ((message: any, context: MessageContext) => unknown) | undefined;
  /**
   * Weight: its share of the work in proportion to the others. Above 0.
   *
   * @default {1}
   */
  readonly weight?: number | undefined;
}

/** A membership in a group, until it is left. */
export interface GroupMembership extends Disposable {
  /** The group. */
  readonly group: string;
  /** Tells the members of this node apart. */
  readonly id: string;
  /** Says something else of the member. Does nothing once it was left. */
  update(meta: unknown): void;
  /** Leaves. Leaving twice does nothing more. */
  leave(): void;
}

/** Options of {@linkcode Groups.publish}. */
export interface PublishOptions {
  /**
   * A member, or all members of the node of that name, that is not to be given the message.
   *
   * @default {none}
   */
  readonly except?: string | GroupMembership | undefined;
  /**
   * Whether messages of this node reach each member in the order in which they were published, while its node is connected. Otherwise a message
   * goes along the broadcast tree where 16 nodes or more have members, and all that are up: the tree takes work off this node, and keeps no order.
   *
   * @default {false}
   */
  readonly ordered?: boolean | undefined;
}

/** Options of {@linkcode Groups.call}. */
export interface GroupCallOptions {
  /** Rule that picks the member for the call. */
  readonly pick: Pick;
  /**
   * Milliseconds after which to give up waiting, other members included.
   *
   * @default {none}
   */
  readonly timeout?: number | undefined;
  /**
   * Gives up waiting.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
}

/** A node, or one member of it. */
const NODE_OR_MEMBERSHIP: OptionKind = [
  "the name of a node or what join() returned",
  (value) => typeof value === "string" || typeof (value as Partial<GroupMembership> | null)?.id === "string",
];

const KINDS: OptionKinds<GroupsOptions> = { scope: STRING };
const JOIN_KINDS: OptionKinds<GroupJoinOptions> = { meta: CHECKED_ELSEWHERE, handler: FUNCTION, weight: NUMBER };
const PUBLISH_KINDS: OptionKinds<PublishOptions> = { except: NODE_OR_MEMBERSHIP, ordered: BOOLEAN };
const CALL_KINDS: OptionKinds<GroupCallOptions> = {
  pick: CHECKED_ELSEWHERE,
  timeout: CHECKED_ELSEWHERE,
  signal: SIGNAL,
};

/**
 * Named groups of members, anywhere in the cluster: who does what. Every node knows all members of all groups, from attributes; a node that
 * is down has none, and one that left or died leaves none behind.
 *
 * @example A group with a member on each of two nodes
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { Groups } from "@partisan/peer-service/groups";
 * import { assertEquals } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * const [atA, atB] = [new Groups(a), new Groups(b)];
 * const changes = atA.watch("workers");
 * const sum = ({ x, y }: { x: number; y: number }) => x + y;
 * using worker = atB.join("workers", { handler: sum, meta: { speed: 1 } });
 * await b.syncJoin(a.spec);
 *
 * const { value } = await changes.next();
 * assertEquals([value?.type, value?.entry.node], ["join", "b"]);
 * assertEquals(await atA.call("workers", { x: 1, y: 2 }, { pick: "random" }), 3);
 * worker.update({ speed: 2 });
 * assertEquals((await changes.next()).value?.entry.meta, { speed: 2 });
 * atA.publish("workers", { x: 3, y: 4 });
 * assertEquals(atA.groups(), ["workers"]);
 * assertEquals(atA.members("workers").map(({ node }) => node), ["b"]);
 * ```
 */
export class Groups {
  readonly #node: PeerServiceManager;
  readonly #attributes: MembershipAttributes;
  readonly #messages: GroupMessages;
  readonly #turns = new Map<string, number>();

  /**
   * Costs little: several over one node share what they know.
   *
   * @throws {TypeError} When the scope can be none, or an option is not known.
   */
  constructor(node: PeerServiceManager, options: GroupsOptions = {}) {
    const { scope = "default" } = checkOptions("Cannot make groups", options, KINDS);
    this.#node = node;
    this.#attributes = MembershipAttributes.of(node, scope);
    this.#messages = GroupMessages.of(node, scope);
  }

  /**
   * Adds a member of this node to a group. It may have several in one.
   *
   * @param group Its name, 1 to 200 characters.
   * @throws {TypeError | RangeError} When the name or an option can be none, or the attributes of this node would be too large.
   * @throws {EncodeError} When `meta` cannot be encoded.
   */
  join(group: string, options: GroupJoinOptions = {}): GroupMembership {
    const { meta = null, handler, weight = 1 } = checkOptions(`Cannot join "${group}"`, options, JOIN_KINDS);
    const id = this.#attributes.add(group, { meta, weight, takesMessages: handler !== undefined });
    if (handler !== undefined) this.#messages.take(id, group, handler);
    const leave = () => {
      this.#attributes.remove(id);
      this.#messages.release(id);
    };
    return { group, id, update: (meta) => void this.#attributes.update(id, meta), leave, [Symbol.dispose]: leave };
  }

  /** The members of a group on all nodes that can be seen, by node. */
  members(group: string): GroupEntry[] {
    return this.#attributes.index.members(group);
  }

  /** Names of the groups that have members, sorted. */
  groups(): string[] {
    return this.#attributes.index.groups();
  }

  /** Changes of a group from now on. Ends with `return()`, that is with the loop over it, and when the node stops. */
  watch(group: string): AsyncIterableIterator<GroupChange> {
    const stream = new EventStream<GroupChange>();
    const listening = this.#attributes.index.listen(group, (change) => stream.push(change));
    stream.ended.then(() => listening[Symbol.dispose]());
    this.#attributes.endWithNode(stream);
    return stream;
  }

  /**
   * Gives a message to every member that takes messages: it travels once to each node that has one. Not acknowledged; what cannot be sent is
   * told by an `undeliverable` event. Messages may overtake each other, unless `ordered` is given.
   *
   * @throws {TypeError} When an option can be none.
   * @throws {EncodeError} When the message cannot be encoded.
   * @throws {StoppedError} When this node has stopped.
   */
  publish(group: string, message: unknown, options: PublishOptions = {}): void {
    const given = checkOptions(`Cannot publish to "${group}"`, options, PUBLISH_KINDS);
    checkRunning(this.#node, `publish to "${group}"`);
    this.#messages.publish(group, message, this.#attributes.index.each(group), given);
  }

  /**
   * Has one member handle a message, and returns its reply. Another one is asked when it cannot be reached, is overloaded, or dies before
   * it has begun; never when its handler fails.
   *
   * @throws {NotConnectedError} When there is no member that can be reached.
   * @throws {OverloadedError} When the last member that was asked has no room.
   * @throws {CallError} When the handler fails.
   * @throws {TypeError | RangeError} When an option can be none.
   * @throws {StoppedError} When this node has stopped.
   * @throws {DOMException} A `TimeoutError` when the time is up.
   * @throws The reason of the signal, once that is aborted.
   */
  async call(group: string, message: unknown, options: GroupCallOptions): Promise<unknown> {
    const what = `Cannot call the group "${group}"`;
    const { pick, timeout, signal } = checkOptions(what, options, CALL_KINDS);
    return await withDeadline(this.#node.runtime.clock, { signal, timeout }, what, async (until) => {
      checkPick(pick, what);
      checkRunning(this.#node, `call the group "${group}"`);
      const tried = new Set<string>();
      let failure: unknown = new NotConnectedError(`${what}: it has no member that takes messages and can be reached`);
      for (;;) {
        const entry = this.#pick(group, pick, tried);
        if (entry === undefined) throw failure;
        tried.add(entryKey(entry));
        try {
          return await this.#messages.call(entry, group, message, until);
        } catch (error) {
          until.throwIfAborted();
          if (!(error instanceof MemberNotReached)) throw error;
          failure = error.reason;
        }
      }
    });
  }

  #pick(group: string, pick: Pick, tried: ReadonlySet<string>): GroupEntry | undefined {
    const all = this.#attributes.index.members(group);
    const untried = all.filter((entry) => entry.takesMessages && !tried.has(entryKey(entry)));
    const entries = this.#messages.reachable(untried);
    const turn = this.#turns.get(group) ?? 0;
    if (pick === "round-robin" && entries.length > 0) this.#turns.set(group, turn + 1);
    return pickEntry(entries, pick, {
      random: () => this.#node.runtime.random.next(),
      turn,
      busy: (entry) => this.#messages.busy(entry),
    });
  }
}
