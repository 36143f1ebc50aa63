// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Digest } from "../wire/hash.ts";
import type { AttributeDelta, AttributeMessage, AttributeVersion } from "./attribute_message.ts";
import { AttributeRecord, type ChangedAttribute } from "./attribute_record.ts";

/** Most bytes of deltas in one answer; what is left comes in a later round. */
const ANSWER_BYTES_MAX = 262_144;
/** How far ahead of what is known here an owner's version may be. */
const VERSIONS_AHEAD_MAX = 2 ** 32;

/** Settings of {@linkcode Attributes}. */
export interface AttributesOptions {
  /** A number in [0, 1). */
  readonly random: () => number;
  /** How many random neighbours are sent a digest in each round. */
  readonly fanout: number;
  /** Most bytes that the attributes of one node may take. */
  readonly bytesMax: number;
  /** Most owners that are remembered. */
  readonly ownersMax: number;
  /**
   * Milliseconds after which the attributes of an owner that does not renew them are dropped, on an overlay in which nobody knows all
   * members. `null` where everybody knows all: then they are dropped when the owner leaves.
   */
  readonly expireAfter: number | null;
}

/** An attribute of a node that can be seen here changed. */
export interface AttributeEvent extends ChangedAttribute {
  /** Name of the owner. */
  readonly node: string;
}

/** What {@linkcode Attributes} answers to an event. */
export interface AttributesStep {
  /** Messages to send, in order. */
  readonly outgoing: readonly { readonly to: string; readonly message: AttributeMessage }[];
  /** What users see differently now. */
  readonly events: readonly AttributeEvent[];
}

/** What is known of an owner here. */
interface Owner {
  record: AttributeRecord;
  /** When its version rose last, on the local clock. */
  renewedAt: number;
  /** Its part of the digest, while it has one. */
  hash: Digest | null;
}

const NOTHING: AttributesStep = { outgoing: [], events: [] };

/**
 * What each node says of itself, replicated to every node. Each owner numbers its changes; a node knows of each owner everything up to a
 * number, so two nodes compare by one number an owner (van Renesse, Dumitriu, Gough, Thomas: Efficient Reconciliation and Flow Control for
 * Anti-Entropy Protocols, 2008). A change is told to all neighbours at once; what that misses is found by comparing digests with a few of
 * them in each round, then summaries, and repaired by deltas. Why nothing that was withdrawn comes back: `docs/attributes.md`.
 *
 * Pure: the caller carries messages, keeps time and knows the membership.
 */
export class Attributes {
  readonly #options: AttributesOptions;
  readonly #owners = new Map<string, Owner>();
  /** Members by name, with the incarnation that is known of each. On a partial view, those that are known. */
  readonly #members = new Map<string, number>();
  /** Members whose attributes are hidden. */
  readonly #hidden = new Set<string>();
  #neighbours: readonly string[] = [];
  #self: string;
  #own: Owner;
  /** The last version of this node's own that the neighbours were told. */
  #toldVersion = 0;
  #high = 0;
  #low = 0;

  constructor(self: { readonly name: string; readonly incarnation: number }, options: AttributesOptions) {
    this.#options = options;
    this.#self = self.name;
    this.#own = { record: new AttributeRecord(self.name, self.incarnation), renewedAt: 0, hash: null };
    this.#owners.set(self.name, this.#own);
    this.#members.set(self.name, self.incarnation);
  }

  /** The attributes of a node that can be seen here. */
  get(node: string): ReadonlyMap<string, { readonly value: Uint8Array }> {
    return this.#isVisible(node) ? this.#owners.get(node)!.record.entries : new Map();
  }

  /** How many bytes are kept of all owners. */
  get bytes(): number {
    let sum = 0;
    for (const { record } of this.#owners.values()) sum += record.bytes;
    return sum;
  }

  /**
   * Sets one of this node's own attributes, or withdraws it. The neighbours are told by {@linkcode Attributes.flush}, so that several
   * changes of one turn travel together.
   *
   * @throws {RangeError} When all attributes of this node together would be too large.
   */
  set(key: string, value: Uint8Array | undefined): AttributesStep {
    const { record } = this.#own;
    const bytes = value === undefined ? 0 : record.bytesWith(key, value);
    if (bytes > this.#options.bytesMax) {
      throw new RangeError(
        `Cannot set attribute "${key}": all attributes of this node would take ${bytes} bytes, at most ${this.#options.bytesMax}`,
      );
    }
    if (!record.set(key, value)) return NOTHING;
    this.#rehash(this.#own);
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

  /** The nodes to which messages can be sent now. A new one is told what this node says of itself; on a partial view, a digest too. */
  setNeighbours(neighbours: readonly string[]): AttributesStep {
    const before = new Set(this.#neighbours);
    this.#neighbours = neighbours;
    const added = neighbours.filter((name) => !before.has(name));
    if (added.length === 0) return NOTHING;
    const { record } = this.#own;
    const outgoing = added.flatMap((to) => {
      const messages: AttributeMessage[] = [];
      if (record.version > 0) messages.push({ kind: "delta", deltas: [record.deltaSince(0)], wanted: [] });
      if (this.#options.expireAfter !== null && this.#isKnowing) messages.push(this.#digest());
      return messages.map((message) => ({ to, message }));
    });
    return { outgoing, events: [] };
  }

  /** A node is a member, with that incarnation; `isVisible` says whether it is up. */
  show(node: string, incarnation: number, isVisible: boolean): AttributesStep {
    if (node === this.#self) return NOTHING;
    const before = this.#visibleEntries(node);
    this.#members.set(node, incarnation);
    if (isVisible) this.#hidden.delete(node);
    else this.#hidden.add(node);
    const owner = this.#owners.get(node);
    if (owner !== undefined) this.#rehash(owner);
    return { outgoing: [], events: this.#difference(node, before) };
  }

  /** A node left, or is no member that is known here any more. `isGone`: that incarnation of it never comes back. */
  forget(node: string, isGone = true): AttributesStep {
    if (node === this.#self) return NOTHING;
    const before = this.#visibleEntries(node);
    this.#members.delete(node);
    this.#hidden.delete(node);
    const owner = this.#owners.get(node);
    if (owner !== undefined && (isGone || this.#options.expireAfter === null)) this.#drop(owner);
    return { outgoing: [], events: this.#difference(node, before) };
  }

  /**
   * Takes a message of another node.
   *
   * @param from Name of the node that sent it.
   */
  receive(from: string, message: AttributeMessage, now: number): AttributesStep {
    switch (message.kind) {
      case "digest": {
        const isSame = message.digest.high === this.#high >>> 0 && message.digest.low === this.#low >>> 0;
        return isSame ? NOTHING : this.#answer(from, { kind: "summary", versions: this.#versions() });
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
    if (this.#isKnowing) {
      const message = this.#digest();
      for (const to of this.#someNeighbours()) outgoing.push({ to, message });
    }
    return { outgoing, events };
  }

  /** Begins again as another incarnation of this node. What it says of itself stays; what it knows of others does not. */
  restart(self: { readonly name: string; readonly incarnation: number }): AttributesStep {
    const seen = [...this.#owners.keys()].filter((name) => name !== this.#self && this.#isVisible(name));
    const events = seen.flatMap((node) =>
      [...this.#owners.get(node)!.record.entries.keys()].map((key) => ({ node, key, value: undefined }))
    );
    const { entries } = this.#own.record;
    const record = new AttributeRecord(self.name, self.incarnation);
    for (const { key, value } of entries.values()) record.set(key, value);
    this.#self = self.name;
    this.#own = { record, renewedAt: 0, hash: null };
    this.#owners.clear();
    this.#members.clear();
    this.#hidden.clear();
    this.#neighbours = [];
    this.#high = this.#low = this.#toldVersion = 0;
    this.#owners.set(self.name, this.#own);
    this.#members.set(self.name, self.incarnation);
    this.#rehash(this.#own);
    return { outgoing: [], events };
  }

  /** Whether there is anything to compare. */
  get #isKnowing(): boolean {
    return this.#high !== 0 || this.#low !== 0;
  }

  #digest(): AttributeMessage {
    return { kind: "digest", digest: { high: this.#high >>> 0, low: this.#low >>> 0 } };
  }

  #versions(): AttributeVersion[] {
    const owners = [...this.#owners.values()].filter(({ hash }) => hash !== null);
    return owners.map(({ record: { owner, incarnation, version } }) => ({ owner, incarnation, version }));
  }

  #compare(from: string, versions: readonly AttributeVersion[]): AttributesStep {
    const theirs = new Map(versions.map((version) => [version.owner, version]));
    const deltas: AttributeDelta[] = [];
    let room = ANSWER_BYTES_MAX;
    // Not always the same owners first: where not all fit, everyone's turn comes.
    for (const { record, hash } of this.#shuffled([...this.#owners.values()])) {
      if (hash === null || room <= 0) continue;
      const known = theirs.get(record.owner);
      if (known !== undefined && isNotOlder(known, record)) continue;
      const delta = record.deltaSince(known?.incarnation === record.incarnation ? known.version : 0);
      room -= sizeOf(delta);
      deltas.push(delta);
    }
    const wanted = versions.filter((version) => this.#isNews(version)).map((version) => this.#knownOf(version));
    return deltas.length + wanted.length === 0 ? NOTHING : this.#answer(from, { kind: "delta", deltas, wanted });
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

  #apply(delta: AttributeDelta, now: number): AttributeEvent[] | null {
    const before = this.#visibleEntries(delta.owner);
    let owner = this.#owners.get(delta.owner);
    if (owner === undefined || owner.record.incarnation < delta.incarnation) {
      if (delta.from !== 0 || (owner === undefined && this.#owners.size >= this.#options.ownersMax)) return null;
      const record = new AttributeRecord(delta.owner, delta.incarnation);
      if (record.apply(delta, this.#options.bytesMax) === null) return null;
      if (owner !== undefined) this.#drop(owner);
      owner = { record, renewedAt: now, hash: null };
      this.#owners.set(delta.owner, owner);
    } else if (!owner.record.accepts(delta) || owner.record.apply(delta, this.#options.bytesMax) === null) return null;
    owner.renewedAt = now;
    this.#rehash(owner);
    return this.#difference(delta.owner, before);
  }

  /** Somebody has a version of this node's attributes that this node never made: a newer one takes its place. */
  #refute({ incarnation, version }: AttributeVersion): void {
    const { record } = this.#own;
    if (incarnation !== record.incarnation || version <= record.version) return;
    if (version - record.version > VERSIONS_AHEAD_MAX) return;
    record.refute(version);
    this.#toldVersion = 0;
    this.#rehash(this.#own);
  }

  /** Whether a node may bring word of an owner: its own, that of a member, and on a partial view that of anyone. */
  #isWelcome(from: string, { owner, incarnation }: AttributeVersion): boolean {
    const known = this.#members.get(owner);
    if (known !== undefined) return incarnation >= known;
    return owner === from || this.#options.expireAfter !== null;
  }

  /** Whether a version is later than what is known here, and not too much so. */
  #isNews({ owner, incarnation, version }: AttributeVersion): boolean {
    if (owner === this.#self || (this.#members.get(owner) ?? 0) > incarnation) return false;
    if (this.#options.expireAfter === null && !this.#members.has(owner) && !this.#owners.has(owner)) return version > 0;
    const known = this.#owners.get(owner)?.record;
    if (known === undefined || known.incarnation < incarnation) return version > 0;
    const ahead = version - known.version;
    return known.incarnation === incarnation && ahead > 0 && ahead <= VERSIONS_AHEAD_MAX;
  }

  #knownOf({ owner, incarnation }: AttributeVersion): AttributeVersion {
    const record = this.#owners.get(owner)?.record;
    return { owner, incarnation, version: record?.incarnation === incarnation ? record.version : 0 };
  }

  #expire(now: number): AttributeEvent[] {
    const { expireAfter } = this.#options;
    if (expireAfter === null) return [];
    const { record } = this.#own;
    if (record.version > 0 && now - this.#own.renewedAt >= expireAfter / 3) {
      record.renew();
      this.#own.renewedAt = now;
      this.#rehash(this.#own);
    }
    const events: AttributeEvent[] = [];
    for (const [node, owner] of [...this.#owners]) {
      if (owner === this.#own || now - owner.renewedAt < expireAfter) continue;
      const before = this.#visibleEntries(node);
      // Its version is remembered for as long again, so that nobody who was slower brings it back.
      if (owner.hash !== null) this.#unhash(owner);
      if (now - owner.renewedAt >= 2 * expireAfter) this.#drop(owner);
      events.push(...this.#difference(node, before));
    }
    return events;
  }

  #isVisible(node: string): boolean {
    const owner = this.#owners.get(node);
    return owner !== undefined && (owner === this.#own || (owner.hash !== null && !this.#hidden.has(node)));
  }

  #visibleEntries(node: string): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.get(node)].map(([key, { value }]) => [key, value]));
  }

  #difference(node: string, before: ReadonlyMap<string, Uint8Array>): AttributeEvent[] {
    const after = this.get(node);
    const gone = [...before.keys()].filter((key) => !after.has(key)).map((key) => ({ node, key, value: undefined }));
    const changed = [...after].filter(([key, { value }]) => before.get(key) !== value);
    return [...gone, ...changed.map(([key, { value }]) => ({ node, key, value }))];
  }

  /** Brings an owner's part of the digest up to date. It has one while it is a member, or on a partial view until it expires. */
  #rehash(owner: Owner): void {
    const { record } = owner;
    this.#unhash(owner);
    const known = this.#members.get(record.owner);
    const counts = known === undefined ? this.#options.expireAfter !== null : known <= record.incarnation;
    if (record.version === 0 || !counts) return;
    owner.hash = record.hash();
    this.#high ^= owner.hash.high;
    this.#low ^= owner.hash.low;
  }

  #unhash(owner: Owner): void {
    if (owner.hash === null) return;
    this.#high ^= owner.hash.high;
    this.#low ^= owner.hash.low;
    owner.hash = null;
  }

  #drop(owner: Owner): void {
    this.#unhash(owner);
    if (this.#owners.get(owner.record.owner) === owner) this.#owners.delete(owner.record.owner);
  }

  #answer(to: string, message: AttributeMessage): AttributesStep {
    return { outgoing: [{ to, message }], events: [] };
  }

  #toAll(deltas: readonly AttributeDelta[], except?: string): AttributesStep["outgoing"] {
    const message: AttributeMessage = { kind: "delta", deltas, wanted: [] };
    return this.#neighbours.filter((name) => name !== except).map((to) => ({ to, message }));
  }

  #someNeighbours(): string[] {
    return this.#shuffled(this.#neighbours, this.#options.fanout).slice(0, this.#options.fanout);
  }

  /** `items` in random order, as far as the first `count` are concerned. */
  #shuffled<T>(items: readonly T[], count = items.length): T[] {
    const shuffled = [...items];
    for (let index = 0; index < Math.min(count, shuffled.length); index++) {
      const other = index + Math.floor(this.#options.random() * (shuffled.length - index));
      [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
    }
    return shuffled;
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

function sizeOf({ owner, entries }: AttributeDelta): number {
  return owner.length + 32 + entries.reduce((sum, { key, value }) => sum + key.length + value.length + 16, 0);
}
