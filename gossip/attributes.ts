// Copyright 2026 the Partisan peer-service authors. MIT license.

import { sample } from "../runtime/sample.ts";
import type { Step } from "../runtime/step.ts";
import { AttributeDirectory, type AttributeEvent, type AttributeOwner } from "./attribute_directory.ts";
import {
  ATTRIBUTE_KEYS_MAX,
  ATTRIBUTE_VALUE_BYTES_MAX,
  type AttributeDelta,
  type AttributeMessage,
  type AttributeVersion,
} from "./attribute_message.ts";
import { AttributeRecord } from "./attribute_record.ts";
import { deltaBytes, deltaMessages } from "./delta_messages.ts";

/** Most bytes of deltas in one answer; what is left comes in a later round. */
const ANSWER_BYTES_MAX = 262_144;
/** Maximum by which an owner's version may be ahead of the one known here. */
const VERSIONS_AHEAD_MAX = 2 ** 32;

/** Settings of {@linkcode Attributes}. */
export interface AttributesOptions {
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Number of random neighbours that are sent a digest in each round. */
  readonly fanout: number;
  /** Most bytes that the attributes of one node may take. */
  readonly bytesMax: number;
  /** Most owners that are remembered. */
  readonly ownersMax: number;
  /**
   * Milliseconds after which the attributes of an owner that does not renew them are dropped, on an overlay in which no node knows all
   * members. `null` where every node knows all: then they are dropped when the owner leaves.
   */
  readonly expireAfter: number | null;
}

/** Answer of {@linkcode Attributes} to an event: its events are the changes that users see. */
export type AttributesStep = Step<AttributeMessage, AttributeEvent>;

const NOTHING: AttributesStep = { outgoing: [], events: [] };

/**
 * Attributes of each node, replicated to every node. Each owner numbers its changes; a node knows of each owner everything up
 * to a number, so two nodes compare by one number an owner (van Renesse, Dumitriu, Gough, Thomas: Efficient Reconciliation and
 * Flow Control for Anti-Entropy Protocols, 2008). A change is told to all neighbours at once; what that misses is found by
 * comparing digests with a few of them in each round, then summaries, and repaired by deltas. Why nothing that was withdrawn
 * comes back: `docs/attributes.md`.
 *
 * Pure: the caller carries messages, keeps time and knows the membership.
 */
export class Attributes {
  readonly #options: AttributesOptions;
  #directory: AttributeDirectory;
  readonly #neighbours = new Set<string>();
  #self: string;
  #own: AttributeOwner;
  /** The last version of this node's own that the neighbours were told. */
  #toldVersion = 0;

  constructor(self: { readonly name: string; readonly incarnation: number }, options: AttributesOptions) {
    this.#options = options;
    this.#self = self.name;
    this.#directory = new AttributeDirectory(options.expireAfter === null);
    this.#own = { record: new AttributeRecord(self.name, self.incarnation), renewedAt: 0, hash: null };
    this.#enter(self.incarnation);
  }

  /** Names of the nodes whose attributes can be seen here, members or not. */
  get owners(): string[] {
    return [...this.#directory.owners.keys()].filter((node) => this.#directory.isVisible(node));
  }

  /** The attributes of a node that can be seen here. */
  get(node: string): ReadonlyMap<string, { readonly value: Uint8Array }> {
    return this.#directory.visible(node);
  }

  /** Bytes that are kept of all owners. */
  get bytes(): number {
    let sum = 0;
    for (const { record } of this.#directory.owners.values()) sum += record.bytes;
    return sum;
  }

  /**
   * Sets one of this node's own attributes, or withdraws it. The neighbours are told by {@linkcode Attributes.flush}, so that several
   * changes of one turn travel together.
   *
   * @throws {RangeError} When all attributes of this node together would be too large, or too many.
   */
  set(key: string, value: Uint8Array | undefined): AttributesStep {
    const { record } = this.#own;
    const bytes = value === undefined ? 0 : record.bytesWith(key, value);
    if (value !== undefined && record.entries.size >= ATTRIBUTE_KEYS_MAX && !record.entries.has(key)) {
      throw new RangeError(
        `Cannot set attribute "${key}": this node has ${ATTRIBUTE_KEYS_MAX}, which is as many as it may`,
      );
    }
    if (value !== undefined && value.length > ATTRIBUTE_VALUE_BYTES_MAX) {
      throw new RangeError(
        `Cannot set attribute "${key}": its value takes ${value.length} bytes, at most ${ATTRIBUTE_VALUE_BYTES_MAX}`,
      );
    }
    if (bytes > this.#options.bytesMax) {
      throw new RangeError(
        `Cannot set attribute "${key}": all attributes of this node would take ${bytes} bytes, at most ${this.#options.bytesMax}`,
      );
    }
    if (!record.set(key, value)) return NOTHING;
    this.#directory.count(this.#own);
    return { outgoing: [], events: [{ node: this.#self, key, value }] };
  }

  /** Tells the neighbours what this node changed since the last time. */
  flush(): AttributesStep {
    const { record } = this.#own;
    if (record.version === this.#toldVersion) return NOTHING;
    const delta = record.deltaSince(this.#toldVersion);
    this.#toldVersion = record.version;
    return { outgoing: this.#toAll([delta]), events: [] };
  }

  /** Messages can be sent to a node from now on. It is told what this node says of itself; on a partial view, a digest too. */
  addNeighbour(to: string): AttributesStep {
    if (this.#neighbours.has(to)) return NOTHING;
    this.#neighbours.add(to);
    const { record } = this.#own;
    const isQuiet = this.#options.expireAfter === null || this.#directory.isEmpty;
    if (record.version === 0 && isQuiet) return NOTHING;
    const messages: AttributeMessage[] = [];
    if (record.version > 0) messages.push(...deltaMessages([record.deltaSince(0)]));
    if (!isQuiet) messages.push(this.#digest());
    return { outgoing: messages.map((message) => ({ to, message })), events: [] };
  }

  /** No message can be sent to a node any more. */
  removeNeighbour(name: string): void {
    this.#neighbours.delete(name);
  }

  /** A node is a member, with that incarnation; `isVisible` says whether it is up. */
  show(node: string, incarnation: number, isVisible: boolean): AttributesStep {
    if (node === this.#self) return NOTHING;
    const directory = this.#directory;
    const events = directory.observing(node, () => directory.setMember(node, incarnation, isVisible));
    return events.length === 0 ? NOTHING : { outgoing: [], events };
  }

  /** A node left, or is no member that is known here any more. `isGone`: that incarnation of it never comes back. */
  forget(node: string, isGone = true): AttributesStep {
    if (node === this.#self) return NOTHING;
    const directory = this.#directory;
    const events = directory.observing(node, () => {
      directory.removeMember(node);
      if (isGone || this.#options.expireAfter === null) directory.drop(node);
    });
    return { outgoing: [], events };
  }

  /**
   * Takes a message of another node.
   *
   * @param from Name of the node that sent it.
   */
  receive(from: string, message: AttributeMessage, now: number): AttributesStep {
    switch (message.kind) {
      case "digest": {
        const { high, low } = this.#directory.digest;
        if (message.digest.high === high && message.digest.low === low) return NOTHING;
        return this.#answer(from, { kind: "summary", versions: this.#directory.versions() });
      }
      case "summary":
        return this.#compare(from, message.versions);
      case "delta":
        return this.#absorb(from, message.deltas, message.wanted, now);
    }
  }

  /** Called once in every gossip interval: compares with a few neighbours, renews what is this node's own, drops what expired. */
  round(now: number): AttributesStep {
    const events = this.#expire(now);
    const outgoing = [...this.flush().outgoing];
    if (!this.#directory.isEmpty) {
      const message = this.#digest();
      for (const to of this.#someNeighbours()) outgoing.push({ to, message });
    }
    return { outgoing, events };
  }

  /** Begins again as another incarnation of this node. Its own attributes stay; those of others do not. */
  restart(self: { readonly name: string; readonly incarnation: number }): AttributesStep {
    const others = [...this.#directory.owners.keys()].filter((name) => name !== this.#self);
    const events = others.flatMap((node) => this.#directory.observing(node, () => this.#directory.drop(node)));
    const record = new AttributeRecord(self.name, self.incarnation);
    for (const { key, value } of this.#own.record.entries.values()) record.set(key, value);
    this.#self = self.name;
    this.#directory = new AttributeDirectory(this.#options.expireAfter === null);
    this.#own = { record, renewedAt: 0, hash: null };
    this.#neighbours.clear();
    this.#toldVersion = 0;
    this.#enter(self.incarnation);
    return { outgoing: [], events };
  }

  /** Makes this node a member of what it knows. */
  #enter(incarnation: number): void {
    this.#directory.setMember(this.#self, incarnation, true);
    this.#directory.put(this.#own);
  }

  #digest(): AttributeMessage {
    return { kind: "digest", digest: this.#directory.digest };
  }

  #compare(from: string, versions: readonly AttributeVersion[]): AttributesStep {
    const theirs = new Map(versions.map((version) => [version.owner, version]));
    const deltas: AttributeDelta[] = [];
    let room = ANSWER_BYTES_MAX;
    // Not always the same owners first: where not all fit, everyone's turn comes.
    const owners = [...this.#directory.owners.values()];
    for (const { record, hash } of sample(owners, owners.length, this.#options.random)) {
      if (hash === null || room <= 0) continue;
      const known = theirs.get(record.owner);
      if (known !== undefined && isNotOlder(known, record)) continue;
      const delta = record.deltaSince(known?.incarnation === record.incarnation ? known.version : 0);
      room -= deltaBytes(delta);
      deltas.push(delta);
    }
    const wanted = versions.filter((version) => this.#isNews(version)).map((version) => this.#knownOf(version));
    return deltas.length + wanted.length === 0 ? NOTHING : this.#answer(from, ...deltaMessages(deltas, wanted));
  }

  #absorb(
    from: string,
    deltas: readonly AttributeDelta[],
    wanted: readonly AttributeVersion[],
    now: number,
  ): AttributesStep {
    const news: AttributeDelta[] = [];
    const events: AttributeEvent[] = [];
    for (const delta of deltas) {
      if (delta.owner === this.#self) this.#refute(delta);
      else if (this.#isWelcome(from, delta) && this.#isNews(delta)) {
        const changed = this.#apply(delta, now);
        if (changed === null) continue;
        news.push(delta);
        events.push(...changed);
      }
    }
    // In a full mesh the owner told everyone itself. Elsewhere each node passes on what is new to it.
    const forwarded = this.#options.expireAfter !== null && news.length > 0 ? this.#toAll(news, from) : [];
    const answers = wanted.length > 0 ? this.#compare(from, wanted).outgoing : [];
    return { outgoing: [...this.flush().outgoing, ...forwarded, ...answers.filter(hasDeltas)], events };
  }

  /** @returns Changes that users see, or `null` when the delta is of no use. */
  #apply(delta: AttributeDelta, now: number): readonly AttributeEvent[] | null {
    const { bytesMax, ownersMax } = this.#options;
    const directory = this.#directory;
    const known = directory.owners.get(delta.owner);
    if (known !== undefined && known.record.incarnation === delta.incarnation) {
      return this.#advance(known, delta, now);
    }
    let isApplied = false;
    const events = directory.observing(delta.owner, () => {
      const record = new AttributeRecord(delta.owner, delta.incarnation);
      const hasRoom = known !== undefined || directory.owners.size < ownersMax;
      isApplied = hasRoom && delta.from === 0 && record.apply(delta, bytesMax) !== null;
      if (isApplied) directory.put({ record, renewedAt: now, hash: null });
    });
    return isApplied ? events : null;
  }

  /** Moves on within one incarnation of an owner, at the cost of what changes and not of what there is. */
  #advance(known: AttributeOwner, delta: AttributeDelta, now: number): readonly AttributeEvent[] | null {
    const directory = this.#directory;
    const wasVisible = directory.isVisible(delta.owner);
    const changes = known.record.accepts(delta) ? known.record.apply(delta, this.#options.bytesMax) : null;
    if (changes === null) return null;
    known.renewedAt = now;
    directory.count(known);
    if (!directory.isVisible(delta.owner)) return [];
    const seen = wasVisible ? changes : [...known.record.entries.values()];
    return seen.map(({ key, value }) => ({ node: delta.owner, key, value }));
  }

  /** A node has a version of this node's attributes that this node never made: a newer one takes its place. */
  #refute({ incarnation, version }: AttributeVersion): void {
    const { record } = this.#own;
    if (incarnation !== record.incarnation || version <= record.version) return;
    if (version - record.version > VERSIONS_AHEAD_MAX) return;
    record.refute(version);
    this.#toldVersion = 0;
    this.#directory.count(this.#own);
  }

  /** Whether a node may bring word of an owner: its own, that of a member, and on a partial view that of anyone. */
  #isWelcome(from: string, { owner, incarnation }: AttributeVersion): boolean {
    const known = this.#directory.memberIncarnation(owner);
    if (known !== undefined) return incarnation >= known;
    return owner === from || this.#options.expireAfter !== null;
  }

  /** Whether a version is later than what is known here, and not too much so. */
  #isNews({ owner, incarnation, version }: AttributeVersion): boolean {
    if (owner === this.#self || (this.#directory.memberIncarnation(owner) ?? 0) > incarnation) return false;
    const known = this.#directory.owners.get(owner)?.record;
    if (known === undefined || known.incarnation < incarnation) return version > 0;
    const ahead = version - known.version;
    return known.incarnation === incarnation && ahead > 0 && ahead <= VERSIONS_AHEAD_MAX;
  }

  #knownOf({ owner, incarnation }: AttributeVersion): AttributeVersion {
    const record = this.#directory.owners.get(owner)?.record;
    return { owner, incarnation, version: record?.incarnation === incarnation ? record.version : 0 };
  }

  #expire(now: number): AttributeEvent[] {
    const { expireAfter } = this.#options;
    if (expireAfter === null) return [];
    const { record } = this.#own;
    if (record.version > 0 && now - this.#own.renewedAt >= expireAfter / 3) {
      record.renew();
      this.#own.renewedAt = now;
      this.#directory.count(this.#own);
    }
    const directory = this.#directory;
    const expired = [...directory.owners].filter(([, owner]) =>
      owner !== this.#own && now - owner.renewedAt >= expireAfter
    );
    return expired.flatMap(([node, owner]) =>
      directory.observing(node, () => {
        // Its version is remembered for as long again, so that a slower node does not bring it back.
        directory.discount(owner);
        if (now - owner.renewedAt >= 2 * expireAfter) directory.drop(node);
      })
    );
  }

  #answer(to: string, ...messages: AttributeMessage[]): AttributesStep {
    return { outgoing: messages.map((message) => ({ to, message })), events: [] };
  }

  #toAll(deltas: readonly AttributeDelta[], except?: string): AttributesStep["outgoing"] {
    const messages = deltaMessages(deltas);
    const others = [...this.#neighbours].filter((name) => name !== except);
    return others.flatMap((to) => messages.map((message) => ({ to, message })));
  }

  #someNeighbours(): string[] {
    return sample([...this.#neighbours], this.#options.fanout, this.#options.random);
  }
}

/** Whether a node that knows `known` lacks nothing of `record`. */
function isNotOlder(known: AttributeVersion, record: AttributeRecord): boolean {
  if (known.incarnation !== record.incarnation) return known.incarnation > record.incarnation;
  return known.version >= record.version;
}

function hasDeltas({ message }: { readonly message: AttributeMessage }): boolean {
  return message.kind !== "delta" || message.deltas.length > 0;
}
