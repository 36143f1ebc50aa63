// Copyright 2026 the Partisan peer-service authors. MIT license.

import { EventStream } from "../manager/event_stream.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { checkOptions, type OptionKinds, STRING } from "../runtime/options.ts";
import { entryKey, type GroupEntry } from "./group_entry.ts";
import { MembershipAttributes } from "./membership_attributes.ts";

/** Options of {@linkcode Presence}. */
export interface PresenceOptions {
  /**
   * Keeps topics of the same name apart that have nothing to do with each other, 1 to 190 characters.
   *
   * @default {"default"}
   */
  readonly scope?: string | undefined;
}

const KINDS: OptionKinds<PresenceOptions> = { scope: STRING };

/** A difference in who is present. */
export interface PresenceChange {
  /** Key that it is about. */
  readonly key: string;
  /** Metadata that came: one for each connection, tab or device. */
  readonly joins: readonly unknown[];
  /** Metadata that went. */
  readonly leaves: readonly unknown[];
  /** Whether the key is present now, by whatever node. */
  readonly isPresent: boolean;
}

/**
 * The users that are there, in each topic, on any node: a user on three nodes is one entry with three metas. The users of a node that goes down
 * are gone with it at once, and come back only when that node does, as it says itself.
 *
 * @example Users of a chat room
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { Presence } from "@partisan/peer-service/groups";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * const presence = new Presence(node);
 * const changes = presence.watch("room");
 * using _phone = presence.track("room", "ada", { device: "phone" });
 * presence.track("room", "bob", { device: "desk" });
 * assertEquals((await changes.next()).value?.key, "ada");
 *
 * assertEquals([...presence.list("room").keys()], ["ada", "bob"]);
 * presence.untrack("room", "bob");
 * assertEquals(presence.list("room"), new Map([["ada", [{ device: "phone" }]]]));
 * ```
 */
export class Presence {
  readonly #attributes: MembershipAttributes;

  /**
   * Costs little: several over one node share what they know.
   *
   * @throws {TypeError} When the scope can be none, or an option is not known.
   */
  constructor(node: PeerServiceManager, options: PresenceOptions = {}) {
    const { scope = "default" } = checkOptions("Cannot make a presence", options, KINDS);
    this.#attributes = MembershipAttributes.of(node, `presence ${scope}`);
  }

  /**
   * Says that a user is there, by this node. The same key may be there several times, as with two tabs.
   *
   * @param topic 1 to 200 characters.
   * @param meta Any value that a message may have; `undefined` is `null`.
   * @returns Takes it back.
   * @throws {TypeError | RangeError} When the topic can be none, or the attributes of this node would be too large.
   * @throws {EncodeError} When `meta` cannot be encoded.
   */
  track(topic: string, key: string, meta: unknown): Disposable {
    const id = this.#attributes.add(topic, { meta: [key, meta ?? null], weight: 1, takesMessages: false });
    return { [Symbol.dispose]: () => void this.#attributes.remove(id) };
  }

  /** Takes back all that this node said of a key. */
  untrack(topic: string, key: string): void {
    for (const [id, { group, entry }] of [...this.#attributes.own]) {
      if (group === topic && keyOf(entry) === key) this.#attributes.remove(id);
    }
  }

  /** The users that are there, sorted by key: the meta of each, by node. */
  list(topic: string): Map<string, unknown[]> {
    const present = new Map<string, unknown[]>();
    for (const entry of this.#attributes.index.members(topic)) {
      const key = keyOf(entry);
      if (key !== undefined) present.set(key, [...present.get(key) ?? [], metaOf(entry)]);
    }
    return new Map([...present].sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** Changes of a topic from now on. Ends with `return()`, that is with the loop over it, and when the node stops. */
  watch(topic: string): AsyncIterableIterator<PresenceChange> {
    const stream = new EventStream<PresenceChange>();
    const before = new Map(this.#attributes.index.members(topic).map((entry) => [entryKey(entry), entry]));
    const listening = this.#attributes.index.listen(topic, ({ type, entry }) => {
      const key = keyOf(entry);
      if (key === undefined) return;
      const former = before.get(entryKey(entry));
      if (type === "leave") before.delete(entryKey(entry));
      else before.set(entryKey(entry), entry);
      const joins = type === "leave" ? [] : [metaOf(entry)];
      const leaves = former === undefined ? [] : [metaOf(former)];
      const isPresent = [...before.values()].some((other) => keyOf(other) === key);
      stream.push({ key, joins, leaves, isPresent });
    });
    stream.ended.then(() => listening[Symbol.dispose]());
    this.#attributes.endWithNode(stream);
    return stream;
  }
}

function keyOf({ meta }: GroupEntry): string | undefined {
  const [key] = Array.isArray(meta) ? meta : [];
  return typeof key === "string" ? key : undefined;
}

function metaOf({ meta }: GroupEntry): unknown {
  return Array.isArray(meta) ? meta[1] : undefined;
}
