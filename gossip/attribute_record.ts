// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DigestBuilder } from "../wire/hash.ts";
import { ATTRIBUTE_KEYS_MAX, type AttributeDelta, type VersionedAttribute } from "./attribute_message.ts";

/** Maximum overhead of one attribute in addition to its key and its value, in bytes. */
const ENTRY_OVERHEAD_BYTES = 16;

/** Number of latest changes that a record can tell without looking at all attributes. */
const RECENT_MAX = 256;

/** An attribute that got another value, or none. */
export interface ChangedAttribute {
  readonly key: string;
  /** The encoded value; `undefined` when it was withdrawn. */
  readonly value: Uint8Array | undefined;
}

/**
 * All attributes of one incarnation of one node, as far as they are known here: everything up to a version. Only the owner makes
 * new versions; every other node moves from one version to a later one. A withdrawal leaves nothing behind but its number.
 */
export class AttributeRecord {
  readonly owner: string;
  readonly incarnation: number;
  readonly #entries = new Map<string, VersionedAttribute>();
  #version = 0;
  #withdrawnAt = 0;
  #bytes = 0;
  /** The latest values, by the order of their versions: all that are later than {@linkcode AttributeRecord.#recentSince}. */
  #recent: VersionedAttribute[] = [];
  #recentSince = 0;

  constructor(owner: string, incarnation: number) {
    this.owner = owner;
    this.incarnation = incarnation;
  }

  /** Number of the last change known here. */
  get version(): number {
    return this.#version;
  }

  /** Bytes of all attributes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The attributes by key. */
  get entries(): ReadonlyMap<string, VersionedAttribute> {
    return this.#entries;
  }

  /** For the owner: sets an attribute, or withdraws it. @returns Whether that changed anything. */
  set(key: string, value: Uint8Array | undefined): boolean {
    if (value === undefined) {
      if (!this.#remove(key)) return false;
      this.#withdrawnAt = ++this.#version;
      return true;
    }
    if (isSame(this.#entries.get(key)?.value, value)) return false;
    this.#put({ key, value, version: ++this.#version });
    return true;
  }

  /** For the owner: makes a version above `version`, in which nothing changes. */
  renew(version = this.#version): void {
    this.#version = Math.max(this.#version, version) + 1;
  }

  /**
   * For the owner: another node spread `version` of these attributes, which the owner never made. The next version says all
   * anew, and that nothing else exists.
   */
  refute(version: number): void {
    this.#version = Math.max(this.#version, version);
    for (const { key, value } of [...this.#entries.values()]) this.#put({ key, value, version: ++this.#version });
    this.#withdrawnAt = ++this.#version;
  }

  /** Bytes of all attributes if one was set. */
  bytesWith(key: string, value: Uint8Array): number {
    return this.#bytes - sizeOf(this.#entries.get(key)) + sizeOf({ key, value });
  }

  /** Changes for a node that knows version `from` of this incarnation. */
  deltaSince(from: number): AttributeDelta {
    const isBehind = this.#withdrawnAt > from;
    const later = from >= this.#recentSince ? this.#recent.filter((entry) => this.#isCurrent(entry)) : this.#all();
    return {
      owner: this.owner,
      incarnation: this.incarnation,
      version: this.#version,
      from,
      entries: later.filter(({ version }) => version > from),
      live: isBehind ? this.#all().map(({ version }) => version).filter((version) => version <= from) : null,
    };
  }

  /** Whether a delta of this incarnation brings this record forward, with no gap in between. */
  accepts(delta: AttributeDelta): boolean {
    return delta.from <= this.#version && delta.version > this.#version;
  }

  /**
   * Moves to the version of a delta that this record {@linkcode AttributeRecord.accepts}.
   *
   * @param bytesMax Bound on {@linkcode AttributeRecord.bytes}.
   * @returns Changes, or `null` when the owner says more than it may: then nothing is changed.
   */
  apply({ entries, live, version }: AttributeDelta, bytesMax: number): ChangedAttribute[] | null {
    const gone = live === null ? [] : this.#missing(new Set([...live, ...entries.map(({ version }) => version)]));
    const next = new Map(entries.map((entry) => [entry.key, entry]));
    const replaced = new Set([...gone, ...next.keys()]);
    const added = [...next.values()].reduce((sum, entry) => sum + sizeOf(entry), 0);
    const removed = [...replaced].reduce((sum, key) => sum + sizeOf(this.#entries.get(key)), 0);
    const kept = this.#entries.size - [...replaced].filter((key) => this.#entries.has(key)).length;
    if (this.#bytes - removed + added > bytesMax || kept + next.size > ATTRIBUTE_KEYS_MAX) return null;
    const withdrawn = gone.filter((key) => !next.has(key));
    for (const key of withdrawn) this.#remove(key);
    const changed: ChangedAttribute[] = [];
    for (const { key, version, value } of next.values()) {
      const known = this.#entries.get(key)?.value;
      const isKnown = isSame(known, value);
      // What comes off the wire is a view into a larger buffer, which would be kept with it.
      const own = isKnown && known !== undefined ? known : value.slice();
      this.#put({ key, version, value: own });
      if (!isKnown) changed.push({ key, value: own });
    }
    this.#version = version;
    // When exactly is not known here; that it was by now is what a node that is further behind has to be told.
    if (live !== null) this.#withdrawnAt = version;
    return [...withdrawn.map((key) => ({ key, value: undefined })), ...changed];
  }

  /** A number that changes with the version: what a digest is made of. */
  hash(): { readonly high: number; readonly low: number } {
    const builder = new DigestBuilder();
    builder.addText(this.owner);
    builder.addInteger(this.incarnation);
    builder.addInteger(this.#version);
    return builder.digest();
  }

  /** Keys of attributes that are known here by versions that exist no more. */
  #missing(existing: ReadonlySet<number>): string[] {
    return [...this.#entries.values()].filter(({ version }) => !existing.has(version)).map(({ key }) => key);
  }

  /** All attributes, the one that was set first first. */
  #all(): VersionedAttribute[] {
    return [...this.#entries.values()].sort((a, b) => a.version - b.version);
  }

  #isCurrent({ key, version }: VersionedAttribute): boolean {
    return this.#entries.get(key)?.version === version;
  }

  #put(entry: VersionedAttribute): void {
    this.#bytes += sizeOf(entry) - sizeOf(this.#entries.get(entry.key));
    this.#entries.set(entry.key, entry);
    if (entry.version <= (this.#recent.at(-1)?.version ?? this.#recentSince)) return;
    this.#recent.push(entry);
    if (this.#recent.length < 2 * RECENT_MAX) return;
    this.#recentSince = this.#recent[RECENT_MAX - 1]!.version;
    this.#recent = this.#recent.slice(RECENT_MAX);
  }

  #remove(key: string): boolean {
    this.#bytes -= sizeOf(this.#entries.get(key));
    return this.#entries.delete(key);
  }
}

function sizeOf(entry: { readonly key: string; readonly value: Uint8Array } | undefined): number {
  return entry === undefined ? 0 : 2 * entry.key.length + entry.value.length + ENTRY_OVERHEAD_BYTES;
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length && one.every((byte, index) => byte === other[index]);
}
