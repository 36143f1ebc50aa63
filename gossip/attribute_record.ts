// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DigestBuilder } from "../wire/hash.ts";
import { ATTRIBUTE_KEYS_MAX, type AttributeDelta, type VersionedAttribute } from "./attribute_message.ts";

/** What one attribute takes besides its key and its value, in bytes, at most. */
const ENTRY_OVERHEAD_BYTES = 16;

/** An attribute that got another value, or none. */
export interface ChangedAttribute {
  readonly key: string;
  /** The encoded value; `undefined` when it was withdrawn. */
  readonly value: Uint8Array | undefined;
}

/**
 * All attributes of one incarnation of one node, as far as they are known here: everything up to a version. Only the owner makes
 * new versions; everybody else moves from one version to a later one. A withdrawal leaves nothing behind but its number.
 */
export class AttributeRecord {
  readonly owner: string;
  readonly incarnation: number;
  readonly #entries = new Map<string, VersionedAttribute>();
  #version = 0;
  #withdrawnAt = 0;
  #bytes = 0;

  constructor(owner: string, incarnation: number) {
    this.owner = owner;
    this.incarnation = incarnation;
  }

  /** Number of the last change known here. */
  get version(): number {
    return this.#version;
  }

  /** What all attributes take, in bytes. */
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
   * For the owner: somebody else spread `version` of these attributes, which the owner never made. The next version says all
   * anew, and that nothing else exists.
   */
  refute(version: number): void {
    this.#version = Math.max(this.#version, version);
    for (const { key, value } of [...this.#entries.values()]) this.#put({ key, value, version: ++this.#version });
    this.#withdrawnAt = ++this.#version;
  }

  /** How many bytes all attributes would take if one was set. */
  bytesWith(key: string, value: Uint8Array): number {
    return this.#bytes - sizeOf(this.#entries.get(key)) + sizeOf({ key, value });
  }

  /** What a node that knows `from` of this incarnation has to be told. */
  deltaSince(from: number): AttributeDelta {
    const all = [...this.#entries.values()].sort((a, b) => a.version - b.version);
    const isBehind = this.#withdrawnAt > from;
    return {
      owner: this.owner,
      incarnation: this.incarnation,
      version: this.#version,
      from,
      entries: all.filter(({ version }) => version > from),
      live: isBehind ? all.filter(({ version }) => version <= from).map(({ version }) => version) : null,
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
   * @returns What changed, or `null` when the owner says more than it may: then nothing is changed.
   */
  apply({ entries, live, version }: AttributeDelta, bytesMax: number): ChangedAttribute[] | null {
    const before = new Map(this.#entries);
    const gone = live === null ? [] : this.#missing(new Set([...live, ...entries.map(({ version }) => version)]));
    for (const key of gone) this.#remove(key);
    // What comes off the wire is a view into a larger buffer, which would be kept with it.
    for (const { key, version, value } of entries) {
      const known = before.get(key)?.value;
      this.#put({ key, version, value: known !== undefined && isSame(known, value) ? known : value.slice() });
    }
    if (this.#bytes > bytesMax || this.#entries.size > ATTRIBUTE_KEYS_MAX) {
      this.#restore(before);
      return null;
    }
    this.#version = version;
    // When exactly is not known here; that it was by now is what a node that is further behind has to be told.
    if (live !== null) this.#withdrawnAt = version;
    const changed = entries.filter(({ key, value }) => !isSame(before.get(key)?.value, value));
    return [
      ...gone.filter((key) => !this.#entries.has(key)).map((key) => ({ key, value: undefined })),
      ...changed.map(({ key, value }) => ({ key, value })),
    ];
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

  #put(entry: VersionedAttribute): void {
    this.#bytes += sizeOf(entry) - sizeOf(this.#entries.get(entry.key));
    this.#entries.set(entry.key, entry);
  }

  #remove(key: string): boolean {
    this.#bytes -= sizeOf(this.#entries.get(key));
    return this.#entries.delete(key);
  }

  #restore(entries: ReadonlyMap<string, VersionedAttribute>): void {
    for (const key of [...this.#entries.keys()]) this.#remove(key);
    for (const entry of entries.values()) this.#put(entry);
  }
}

function sizeOf(entry: { readonly key: string; readonly value: Uint8Array } | undefined): number {
  return entry === undefined ? 0 : 2 * entry.key.length + entry.value.length + ENTRY_OVERHEAD_BYTES;
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length && one.every((byte, index) => byte === other[index]);
}
