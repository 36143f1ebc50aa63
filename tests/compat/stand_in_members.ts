// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "../../wire/address.ts";
import { entryOf } from "../values.ts";

/** Specification that a node gives of itself in the handshake. */
export interface StandInSpec {
  readonly name: string;
  readonly incarnation: number;
  readonly addresses: readonly Address[];
  readonly channels: Readonly<Record<string, ChannelValue>>;
  readonly metadata: unknown;
}

interface ChannelValue {
  readonly parallelism: number;
  readonly monotonic: boolean;
  readonly compression: boolean;
}

interface Entry {
  readonly incarnation: number;
  readonly counter: number;
  /** The entry as it is sent: three elements when the member is absent. */
  readonly value: readonly unknown[];
}

/** The membership as one node knows it: `docs/membership.md`, "On the wire". */
export class StandInMembers {
  readonly #self: StandInSpec;
  readonly #entries = new Map<string, Entry>();

  constructor(self: StandInSpec) {
    this.#self = self;
    this.merge([[self.name, self.incarnation, 1, ...valuesOf(self)]]);
  }

  /** Names of all members, sorted. */
  get names(): string[] {
    return [...this.#entries].filter(([, { value }]) => value.length > 3).map(([name]) => name).sort();
  }

  /** Specifications of the other members. */
  get others(): StandInSpec[] {
    const others = [...this.#entries.values()].filter(({ value }) => value.length > 3 && value[0] !== this.#self.name);
    return others.map(({ value }) => specOf(value));
  }

  /** Takes what another node knows. */
  merge(values: readonly (readonly unknown[])[]): void {
    for (const value of values) {
      const [name, incarnation, counter] = value as [string, number, number];
      const known = this.#entries.get(name);
      const isNewer = known === undefined || incarnation > known.incarnation ||
        incarnation === known.incarnation && counter > known.counter;
      const isRemoval = known?.incarnation === incarnation && known.counter === counter && value.length === 3;
      if (isNewer || isRemoval) this.#entries.set(name, { incarnation, counter, value });
    }
  }

  /** Everything that is known. */
  values(): unknown[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  /** The dots of all members. */
  dots(): unknown[] {
    return this.names.map((name) => entryOf(this.#entries, name).value.slice(0, 3));
  }

  /** Compares with a node that knows these dots: the additions that it lacks, and the names of which it knows more. */
  compare(dots: readonly (readonly unknown[])[]): { delta: unknown[]; wanted: string[] } {
    const theirs = new Map(dots.map((dot) => [dot[0] as string, dot as [string, number, number]]));
    const delta = [...this.#entries].filter(([name, { incarnation, counter, value }]) => {
      const dot = theirs.get(name);
      if (dot === undefined) return value.length > 3;
      return incarnation > dot[1] || incarnation === dot[1] && (counter > dot[2] || value.length === 3);
    });
    const wanted = [...theirs.values()].filter(([name, incarnation, counter]) => {
      const known = this.#entries.get(name);
      return known === undefined || known.incarnation < incarnation ||
        known.incarnation === incarnation && known.counter < counter;
    });
    return { delta: delta.map(([, { value }]) => value), wanted: wanted.map(([name]) => name) };
  }

  /** Takes a node out: the entry that says so. */
  remove(name: string): unknown[] {
    const { value } = entryOf(this.#entries, name);
    this.merge([value.slice(0, 3)]);
    return value.slice(0, 3);
  }
}

function valuesOf({ addresses, channels, metadata }: StandInSpec): unknown[] {
  const numbers = Object.entries(channels).map(([name, { parallelism, monotonic, compression }]) => {
    return [name, parallelism * 4 + (monotonic ? 2 : 0) + (compression ? 1 : 0)];
  });
  return [addresses.flatMap(({ hostname, port }) => [hostname, port]), Object.fromEntries(numbers), metadata];
}

function specOf([name, incarnation, , addresses, channels, metadata]: readonly unknown[]): StandInSpec {
  const flat = addresses as (string | number)[];
  const pairs = Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(2 * index, 2 * index + 2));
  const numbers = Object.entries(channels as Record<string, number>);
  return {
    name: name as string,
    incarnation: incarnation as number,
    addresses: pairs.map(([hostname, port]) => ({ hostname: hostname as string, port: port as number })),
    channels: Object.fromEntries(numbers.map(([channel, number]) => [channel, {
      parallelism: number >> 2,
      monotonic: (number & 2) !== 0,
      compression: (number & 1) !== 0,
    }])),
    metadata,
  };
}
